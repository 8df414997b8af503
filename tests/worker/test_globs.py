"""Which files a flow means."""

import time

import pytest

from casemate.worker.errors import TaskFailed
from casemate.worker.globs import matcher


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "b/a.csv", False),
        ("**.csv", "b/a.csv", True),
        ("**/*.csv", "b/c/a.csv", True),
        ("**/*.csv", "a.csv", True),
        ("out/**", "out/a/b", True),
        ("out/**", "other/a", False),
        ("a?.txt", "ab.txt", True),
        ("a?.txt", "a/.txt", False),
        ("[ab].txt", "b.txt", True),
        ("[!ab].txt", "b.txt", False),
        ("[!a].txt", "/.txt", False),
        ("[a-c].txt", "b.txt", True),
        ("{a,b*}.txt", "bcd.txt", True),
        ("{a,b}.txt", "c.txt", False),
        ("a,b", "a,b", True),
        ("a}b", "a}b", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        ("a.c", "abc", False),
        ("./a.txt", "a.txt", True),
        ("glob:*.txt", "a.txt", True),
        ("regex:a+", "aaa", True),
        ("name with\nbreak", "name with\nbreak", True),
        ("é*", "été", True),
    ],
)
def test_a_pattern_matches_as_it_does_in_java(pattern, path, matches):
    assert matcher([pattern])(path) is matches


def test_no_pattern_matches_nothing():
    assert not matcher([])("a")


@pytest.mark.parametrize("pattern", ["regex:(", "{a", "regex:(?=a)"])
def test_a_pattern_that_means_nothing_says_so(pattern):
    with pytest.raises(TaskFailed, match="Invalid file pattern"):
        matcher([pattern])


def test_a_pattern_made_to_backtrack_does_not():
    begun = time.monotonic()
    assert not matcher(["*a" * 40])("a" * 4000 + "b")
    assert time.monotonic() - begun < 5
