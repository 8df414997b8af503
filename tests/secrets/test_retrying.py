"""Patience with a store, and its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic

import pytest
from tests.secrets.shelf import Shelf, at

from casemate.secrets import BackendFailed, Retrying
from casemate.secrets.retrying import FAILURES, PATIENCE, REST
from casemate.settings import Retries

PLACE = at("a", "K")


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def retrying(shelf: Shelf, clock: Clock, attempts: int = 5, delay: float = 1, longest: float | None = None) -> Retrying:
    rules = Retries(
        attempts=attempts,
        delay=timedelta(seconds=delay),
        max_delay=None if longest is None else timedelta(seconds=longest),
        multiplier=2.0,
    )
    return Retrying(shelf, rules, clock=clock, sleep=clock.sleep)


def away(times: int, *, passing: bool = True) -> list[Exception]:
    return [BackendFailed("It does not answer.", passing=passing) for _ in range(times)]


@pytest.mark.parametrize(("longest", "slept"), [(None, [1, 2, 4]), (2, [1, 2, 2])])
def test_what_may_pass_is_tried_again_with_growing_waits(longest, slept):
    shelf, clock = Shelf({("a", "K"): "v"}), Clock()
    shelf.failing = away(3)
    found = retrying(shelf, clock, longest=longest).read(PLACE)
    assert found is not None
    assert found.value.reveal() == "v"
    assert clock.slept == slept


def test_what_does_not_pass_is_not_tried_again():
    shelf, clock = Shelf(), Clock()
    shelf.failing = away(1, passing=False)
    with pytest.raises(BackendFailed):
        retrying(shelf, clock).read(PLACE)
    assert clock.slept == []


def test_attempts_count_the_first():
    shelf, clock = Shelf(), Clock()
    shelf.failing = away(9)
    with pytest.raises(BackendFailed):
        retrying(shelf, clock, attempts=2).read(PLACE)
    assert len(shelf.asked) == 2


def test_no_wait_goes_beyond_the_patience_of_who_asks():
    shelf, clock = Shelf(), Clock()
    shelf.failing = away(9)
    with pytest.raises(BackendFailed):
        retrying(shelf, clock, attempts=9, delay=PATIENCE / 2).read(PLACE)
    assert clock.now <= PATIENCE
    assert len(shelf.asked) == 2


def test_a_store_that_keeps_failing_is_left_alone_and_tried_once_after_a_rest():
    shelf, clock = Shelf({("a", "K"): "v"}), Clock()
    store = retrying(shelf, clock, attempts=1)
    shelf.failing = away(FAILURES + 1)
    for _ in range(FAILURES):
        with pytest.raises(BackendFailed, match="does not answer"):
            store.read(PLACE)
    for _ in range(100):
        with pytest.raises(BackendFailed, match="left alone"):
            store.read(PLACE)
    assert len(shelf.asked) == FAILURES
    clock.now += REST
    with pytest.raises(BackendFailed, match="does not answer"):
        store.read(PLACE)
    with pytest.raises(BackendFailed, match="left alone"):
        store.read(PLACE)
    clock.now += REST
    assert store.read(PLACE)
    assert store.read(PLACE)


def test_failures_with_answers_between_them_do_not_add_up():
    shelf, clock = Shelf(), Clock()
    store = retrying(shelf, clock, attempts=1)
    for _ in range(3 * FAILURES):
        shelf.failing = away(1)
        with pytest.raises(BackendFailed, match="does not answer"):
            store.read(PLACE)
        assert store.read(PLACE) is None


def test_what_is_wrong_with_one_secret_leaves_the_store_to_the_others():
    shelf, clock = Shelf({("a", "K"): "v"}), Clock()
    store = retrying(shelf, clock)
    shelf.failing = [BackendFailed("It is being deleted.", passing=True, of_one=True) for _ in range(2 * FAILURES)]
    for _ in range(2):
        with pytest.raises(BackendFailed, match="being deleted"):
            store.read(at("b", "K"))
    assert store.read(PLACE)


def test_a_refusal_is_an_answer_and_ends_the_rest():
    shelf, clock = Shelf({("a", "K"): "v"}), Clock()
    store = retrying(shelf, clock, attempts=1)
    shelf.failing = [*away(FAILURES), *away(1, passing=False)]
    for _ in range(FAILURES):
        with pytest.raises(BackendFailed):
            store.read(PLACE)
    clock.now += REST
    with pytest.raises(BackendFailed, match="does not answer"):
        store.read(at("forbidden", "K"))
    assert store.read(PLACE)


def test_who_waits_for_another_try_is_let_go_when_the_store_is_closed():
    shelf = Shelf()
    shelf.failing = away(9)
    rules = Retries(attempts=9, delay=timedelta(seconds=PATIENCE / 2), max_delay=None, multiplier=1.0)
    store = Retrying(shelf, rules)
    begun = monotonic()
    with ThreadPoolExecutor(1) as threads:
        reader = threads.submit(store.read, PLACE)
        assert shelf.read_once.wait(10)
        store.close()
        with pytest.raises(BackendFailed, match="does not answer"):
            reader.result(10)
    assert monotonic() - begun < PATIENCE / 2
