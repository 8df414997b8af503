"""Messages from inside: what is understood, and what a hostile writer gets away with."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.jobs import Metric
from casemate.worker.decode import Failure, from_body, from_line, marked, sound
from casemate.worker.errors import Malformed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('::{"outputs":{}}::', True),
        ("::{}::", True),
        ('x ::{"outputs":{}}::', False),
        ('::{"outputs":{}}:: ', False),
        ("::{}:", False),
        ("::", False),
        ("", False),
        ("::{::", False),
    ],
)
def test_only_a_whole_line_is_a_message(line, message):
    assert marked(line) is message


def test_a_line_may_hold_everything_at_once():
    said = from_line(
        '::{"outputs":{"a":[1,null,"x"]},"metrics":[{"name":"n","type":"counter","value":3,"tags":{"k":1}}],'
        '"logs":[{"level":"warn","message":"careful"},{"message":"plain"}],"assets":[1]}::'
    )
    assert said.outputs == {"a": [1, None, "x"]}
    assert said.metrics == (Metric(name="n", kind="counter", value=3.0, tags={"k": "1"}),)
    assert said.logs == (("WARN", "careful"), ("INFO", "plain"))


def test_no_outputs_is_something_else_than_empty_outputs():
    assert from_line("::{}::").outputs is None
    assert from_line('::{"outputs":{}}::').outputs == {}


@pytest.mark.parametrize(
    "line",
    [
        "::{not json}::",
        '::{"outputs":[]}::',
        '::{"outputs":"x"}::',
        '::{"outputs":{"x":NaN}}::',
        '::{"outputs":{"x":1e999}}::',
        '::{"outputs":{"x":-Infinity}}::',
        '::{"metrics":{}}::',
        '::{"metrics":[1]}::',
        '::{"metrics":[{"type":"counter","value":1}]}::',
        '::{"metrics":[{"name":"n","type":"gauge","value":1}]}::',
        '::{"metrics":[{"name":"n","type":"timer","value":"1"}]}::',
        '::{"metrics":[{"name":"n","type":"timer","value":true}]}::',
        '::{"metrics":[{"name":"n","type":"counter","value":' + "9" * 400 + "}]}::",
        '::{"logs":"x"}::',
        '::{"logs":["x"]}::',
        '::{"outputs":{"x":' + "[" * 100 + "]" * 100 + "}}::",
        '::{"outputs":{"x":' + "[" * 100_000 + "]" * 100_000 + "}}::",
        '::{"outputs":{"x":' + "9" * 5000 + "}}::",
    ],
)
def test_what_is_not_agreed_is_refused(line):
    with pytest.raises(Malformed):
        from_line(line)


def test_half_a_surrogate_pair_becomes_something_that_can_be_written():
    said = from_line('::{"outputs":{"\\ud800":"\\udfff"}}::')
    assert json.dumps(said.outputs, ensure_ascii=False).encode("utf-8") == b'{"?": "?"}'


def test_an_unknown_level_is_information():
    assert from_line('::{"logs":[{"level":"LOUD","message":{"a":1}}]}::').logs == (("INFO", '{"a": 1}'),)


def test_a_body_tells_its_failure_with_outputs():
    said = from_body({"failed": {"message": "no", "trace": "at line 1", "outputs": {"a": 1}}})
    assert said.failure == Failure("no", "at line 1")
    assert said.outputs == {"a": 1}


@pytest.mark.parametrize("failed", [{}, "x", {"message": None}, []])
def test_a_failure_without_words_is_a_failure_all_the_same(failed):
    assert from_body({"failed": failed}).failure is not None


def test_a_body_logs_and_measures():
    said = from_body(
        {"log": {"level": "DEBUG", "message": "x"}, "metric": {"name": "n", "type": "timer", "value": 0.5}}
    )
    assert said.logs == (("DEBUG", "x"),)
    assert said.metrics == (Metric(name="n", kind="timer", value=0.5),)


@pytest.mark.parametrize(
    "message",
    [
        {"log": "x"},
        {"metric": 3},
        {"outputs": 3},
        {"outputs": {1: 2}},
        {"outputs": {"x": math.nan}},
        {"outputs": {"x": {1}}},
    ],
)
def test_garbage_of_a_body_is_refused(message):
    with pytest.raises(Malformed):
        from_body(message)


def test_a_value_is_sound_up_to_the_agreed_depth():
    value: object = "x"
    for _ in range(60):
        value = [value]
    assert sound(value) == value


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["outputs", "metric", "log", "failed", "other"]), ANYTHING))
def test_whatever_a_body_says_is_understood_or_refused(message):
    try:
        said = from_body(message)
    except Malformed:
        return
    json.dumps(said.outputs, allow_nan=False, ensure_ascii=False).encode("utf-8")


@given(st.text(st.characters(codec="utf-8")))
def test_whatever_a_line_says_is_understood_or_refused(inner):
    with contextlib.suppress(Malformed):
        from_line("::{" + inner + "}::")
