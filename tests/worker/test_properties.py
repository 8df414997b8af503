"""Rendered properties, however they were written."""

import pytest

from casemate.worker.errors import TaskFailed
from casemate.worker.properties import flag, mapping, text, texts


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        (["a", 1, True, None, {"k": 1}], ("a", "1", "true", "", '{"k":1}')),
        ('["a", "b"]', ("a", "b")),
        ("echo [not json", ("echo [not json",)),
        ("[ -f x ] && echo", ("[ -f x ] && echo",)),
        ("one", ("one",)),
    ],
)
def test_a_list_may_be_a_list_or_its_json_or_one_text(written, read):
    assert texts({"p": written}, "p") == read


def test_an_absent_list_is_empty():
    assert texts({}, "p") == ()


@pytest.mark.parametrize(("written", "read"), [(None, {}), ("", {}), ({"a": 1}, {"a": 1}), ('{"a": "b"}', {"a": "b"})])
def test_a_map_may_be_a_map_or_its_json(written, read):
    assert mapping({"p": written}, "p") == read


@pytest.mark.parametrize("written", ["text", ["a"], "{broken", 3])
def test_anything_else_is_no_map(written):
    with pytest.raises(TaskFailed, match="Invalid `p` property"):
        mapping({"p": written}, "p")


@pytest.mark.parametrize(
    ("written", "read"), [(None, True), (True, True), (False, False), ("true", True), ("TRUE ", True), ("no", False)]
)
def test_a_flag_may_be_a_text(written, read):
    assert flag({"p": written}, "p", default=True) is read


@pytest.mark.parametrize(
    ("value", "printed"), [("x", "x"), (1.5, "1.5"), (None, ""), (False, "false"), (["é"], '["é"]')]
)
def test_a_value_becomes_text_as_a_program_expects_it(value, printed):
    assert text(value) == printed
