"""Task bodies, run without walls: they are plain functions."""

import math

import pytest

from casemate.inside import (
    core_debug_echo,
    core_debug_return,
    core_execution_fail,
    core_flow_sleep,
    core_log,
    core_output_values,
)


def said(body, **properties):
    messages = []
    body.run({"properties": properties}, messages.append)
    return messages


def test_log_logs_one_message():
    assert said(core_log, message="hello") == [{"log": {"level": "INFO", "message": "hello"}}]


def test_log_logs_each_of_a_list_at_its_level():
    logged = said(core_log, message=["a", "b"], level="WARN")
    assert logged == [{"log": {"level": "WARN", "message": text}} for text in "ab"]


@pytest.mark.parametrize(
    ("message", "name"), [(1, "java.lang.Integer"), (True, "java.lang.Boolean"), ({}, "java.util.LinkedHashMap")]
)
def test_log_refuses_other_types(message, name):
    with pytest.raises(ValueError, match=f"^Invalid message type '{name}'$"):
        said(core_log, message=message)


def test_return_gives_logs_and_measures_its_value():
    log, length, duration, outputs = said(core_debug_return, format="four")
    assert log == {"log": {"level": "DEBUG", "message": "four"}}
    assert length == {"metric": {"name": "length", "kind": "counter", "value": 4, "tags": {}}}
    assert duration["metric"]["kind"] == "timer"
    assert duration["metric"]["value"] >= 0
    assert outputs == {"outputs": {"value": "four"}}


def test_return_of_nothing_is_nothing():
    assert said(core_debug_return)[-1] == {"outputs": {"value": None}}


def test_echo_logs():
    assert said(core_debug_echo, format="x", level="ERROR") == [{"log": {"level": "ERROR", "message": "x"}}]


def test_output_values_are_handed_on():
    values = {"a": 1, "b": ["x", {"c": None}]}
    assert said(core_output_values, values=values) == [{"outputs": {"values": values}}]


def test_fail_fails_with_its_message():
    assert said(core_execution_fail) == [{"failed": {"message": "Task failure"}}]
    assert said(core_execution_fail, errorMessage="mine") == [{"failed": {"message": "mine"}}]


@pytest.mark.parametrize("condition", ["true", " ", "0.0", "null", "no", "False", "1", True])
def test_fail_on_a_truthy_condition_logs_its_message_and_fails(condition):
    assert said(core_execution_fail, condition=condition, errorMessage="mine") == [
        {"log": {"level": "ERROR", "message": "mine"}},
        {"failed": {"message": "Fail on a condition"}},
    ]


@pytest.mark.parametrize("condition", ["false", "0", "-0", "", False, 0])
def test_fail_on_another_condition_does_nothing(condition):
    assert said(core_execution_fail, condition=condition) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1S", 1),
        ("PT0.5S", 0.5),
        ("PT1M30S", 90),
        ("P1DT2H", 93_600),
        ("-PT1S", -1),
        ("pt1s", 1),
        ("2", 2),
        ("PT-1S", -1),
    ],
)
def test_durations_are_read(text, seconds):
    assert math.isclose(core_flow_sleep._seconds(text), seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "1 hour", "PT1X"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="cannot be parsed to a Duration"):
        core_flow_sleep._seconds(text)


def test_sleep_sleeps_and_says_nothing():
    assert said(core_flow_sleep, duration="PT0.01S") == []
