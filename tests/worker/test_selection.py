"""Which files of a namespace a task means."""

import time

import pytest

from casemate.worker.errors import TaskFailed
from casemate.worker.selection import selected

FILES = ["a.csv", "b.txt", "data/a.csv", "data/deep/c.csv", "name with\nbreak", "été.txt"]


@pytest.mark.parametrize(
    ("include", "names"),
    [
        (["**"], FILES),
        ([], []),
        (["*.csv"], ["a.csv", "data/a.csv", "data/deep/c.csv"]),
        (["a.csv"], ["a.csv", "data/a.csv"]),
        (["./a.csv"], ["a.csv", "data/a.csv"]),
        (["/a.csv"], ["a.csv"]),
        (["/*.csv"], ["a.csv"]),
        (["data/*"], ["data/a.csv"]),
        (["data/**"], ["data/a.csv", "data/deep/c.csv"]),
        (["**/*.csv"], ["a.csv", "data/a.csv", "data/deep/c.csv"]),
        (["/data/{a,c}.csv", "b.txt"], ["b.txt", "data/a.csv"]),
        (["[!a-c]*.txt"], ["été.txt"]),
        (["glob:/data/**"], ["data/a.csv", "data/deep/c.csv"]),
        (["regex:/.*a.csv"], ["a.csv", "data/a.csv"]),
        (["name*"], ["name with\nbreak"]),
    ],
)
def test_patterns_mean_files_from_the_root_of_the_namespace(include, names):
    assert selected(FILES, include, []) == names


def test_what_is_excluded_is_left_out():
    assert selected(FILES, ["*.csv"], ["/data/deep/**", "/a.csv"]) == ["data/a.csv"]


@pytest.mark.parametrize("pattern", ["regex:(", "{a", "regex:(?=a)"])
def test_a_pattern_that_means_nothing_says_so(pattern):
    with pytest.raises(TaskFailed, match="Invalid file pattern"):
        selected(FILES, [pattern], [])


@pytest.mark.parametrize("pattern", ["*a" * 40, "regex:/(a*)*"])
def test_a_pattern_made_to_backtrack_does_not(pattern):
    begun = time.monotonic()
    assert selected(["a" * 4000 + "b"], [pattern], []) == []
    assert time.monotonic() - begun < 5
