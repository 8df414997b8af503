import pytest

from casemate.api.errors import Declined
from casemate.api.sources import Match, Wanted, disabled, matches

SOURCE = "id: hello\ntasks:\n  - id: say\n    message: Hello World\n"


def test_every_line_that_matches_is_found_with_its_place():
    assert matches(SOURCE, Wanted("hello")) == (Match(1, 5, "id: hello"), Match(4, 14, "message: Hello World"))


def test_letter_case_counts_when_asked_for():
    assert matches(SOURCE, Wanted("Hello", case_sensitive=True)) == (Match(4, 14, "message: Hello World"),)


def test_whole_words_only():
    assert matches("hello_world\nhello world", Wanted("hello", whole_word=True)) == (Match(2, 1, "hello world"),)


def test_a_text_is_not_a_pattern_unless_asked_for():
    assert matches("a.b\naxb", Wanted("a.b")) == (Match(1, 1, "a.b"),)
    assert len(matches("a.b\naxb", Wanted("a.b", regex=True))) == 2


def test_a_pattern_that_cannot_be_read_is_refused():
    with pytest.raises(Declined, match=r"invalid pattern \[\(\?=a\)\]"):
        matches(SOURCE, Wanted("(?=a)", regex=True))


def test_disabling_rewrites_the_line_or_adds_one():
    assert disabled("id: a\ndisabled: false\ntasks: []", value=True) == "id: a\ndisabled: true\ntasks: []"
    assert disabled("id: a", value=True) == "id: a\ndisabled: true"


def test_a_disabled_task_is_not_the_flow():
    source = "id: a\ntasks:\n  - id: b\n    disabled: true"
    assert disabled(source, value=False).splitlines()[3:] == ["    disabled: true", "disabled: false"]
