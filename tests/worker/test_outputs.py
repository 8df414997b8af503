"""Outputs while they are gathered."""

from casemate.worker.outputs import LARGEST, Gathered, weight


def test_later_messages_win():
    gathered = Gathered()
    gathered.add({"a": 1, "b": 1})
    gathered.add({"a": 2})
    assert gathered.values == {"a": 2, "b": 1}


def test_what_would_be_too_large_is_dropped_and_counted():
    gathered = Gathered()
    gathered.add({"a": 1})
    gathered.add({"b": "x" * LARGEST})
    assert gathered.values == {"a": 1}
    assert gathered.refused is not None
    assert gathered.refused > LARGEST


def test_saying_the_same_again_and_again_costs_once():
    gathered = Gathered()
    for _ in range(100):
        gathered.add({"a": "x" * (LARGEST // 2)})
    assert gathered.refused is None


def test_many_small_outputs_are_bounded_together():
    gathered = Gathered()
    for number in range(60_000):
        gathered.add({f"key-{number}": number})
    assert gathered.refused is not None
    assert weight(gathered.values) <= LARGEST
