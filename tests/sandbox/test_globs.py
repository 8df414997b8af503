"""File patterns."""

import time

import pytest

from casemate.sandbox import GlobInvalid
from casemate.sandbox.globs import Glob


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("a.csv", ["a.csv"], ["b.csv", "x/a.csv", "a.csvx", "xa.csv"]),
        ("*.csv", ["a.csv", ".csv"], ["x/a.csv", "a.csv.gz"]),
        ("**.csv", ["a.csv", "x/y/a.csv"], ["a.txt"]),
        ("**/*.csv", ["x/a.csv", "x/y/a.csv"], ["a.csv"]),
        ("out/**", ["out/a", "out/x/b"], ["out", "outer/a"]),
        ("?.txt", ["a.txt"], ["ab.txt", "/.txt", ".txt"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "x"]),
        ("[!a-c]x", ["dx", "-x"], ["ax", "/x"]),
        ("[-a]x", ["-x", "ax"], ["bx"]),
        ("{a,b}.{csv,txt}", ["a.csv", "b.txt"], ["c.csv", "a.json"]),
        ("glob:*.x", ["a.x"], ["a.y"]),
        ("./a", ["a"], ["b"]),
        (r"\*", ["*"], ["a"]),
        ("ä*", ["äö"], ["ao"]),
        ("", [""], ["a"]),
    ],
)
def test_patterns_match_as_java_has_them(pattern, matching, other):
    glob = Glob(pattern)
    assert [path for path in (*matching, *other) if glob.matches(path)] == matching


@pytest.mark.parametrize("pattern", ["[a", "[]", "{a", "{a,{b}}", "{a,b}" * 9, "x" * 5000])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(GlobInvalid):
        Glob(pattern)


def test_no_pattern_takes_long():
    start = time.monotonic()
    assert not Glob("*a" * 60 + "b").matches("a" * 2000)
    assert time.monotonic() - start < 5
