"""Versions of plugins: their order, and which one is meant."""

from __future__ import annotations

import pytest

from casemate.versions import NotAVersion, chosen, version, wanted

THERE = [version(text) for text in ("1.0.0", "1.2.0", "1.10.0", "2.0.0", "2.1.0-rc1", "2.1.0-rc10", "3.0.0-beta")]


def test_versions_are_in_the_order_of_their_numbers_and_what_is_not_ready_comes_before():
    texts = ["0.9.9", "1.0.0-alpha", "1.0.0-beta", "1.0.0-rc2", "1.0.0-rc10", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]
    assert [str(each) for each in sorted(map(version, reversed(texts)))] == texts


def test_a_qualifier_may_be_written_as_python_does():
    assert version("1.2.0rc1") == version("1.2.0-rc1")


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ("LATEST", "2.0.0"),
        ("latest", "2.0.0"),
        ("OLDEST", "1.0.0"),
        ("1", "1.10.0"),
        ("1.2", "1.2.0"),
        ("1.1", None),
        ("1.0.0", "1.0.0"),
        ("1.0.1", None),
        ("2.1", "2.1.0-rc10"),
        ("2.1.0-rc1", "2.1.0-rc1"),
        ("2.1.0rc1", "2.1.0-rc1"),
        ("3", "3.0.0-beta"),
        ("4", None),
    ],
)
def test_which_version_is_meant(wish: str, meant: str | None):
    found = chosen(wanted(wish), THERE)
    assert (found and str(found)) == meant


def test_of_no_versions_none_is_meant():
    assert chosen(wanted("LATEST"), []) is None


@pytest.mark.parametrize(
    "text", ["", "one", "1.", "1.2.3.4", "-1", "1.0.0-", "{{ inputs.v }}", "1.0.0 ", "NONE", "9" * 20]
)
def test_what_is_no_version(text: str):
    with pytest.raises(NotAVersion):
        wanted(text)
