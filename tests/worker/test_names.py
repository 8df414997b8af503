"""Names of files in flows."""

import pytest

from casemate.worker.errors import TaskFailed
from casemate.worker.names import INTERNAL, relative, stored


@pytest.mark.parametrize(
    ("name", "path"),
    [("a.txt", "a.txt"), ("./a/b.txt", "a/b.txt"), ("a//b", "a/b"), ("...", "..."), ("a b.txt", "a b.txt")],
)
def test_a_name_stays_below_the_working_directory(name, path):
    assert relative(name) == path


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../../x", "a/../b", "..", ".", "", "/", "a\0b", "..\\x", "./../x", "//etc/passwd"]
)
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(TaskFailed, match="must be a relative path inside the current working directory"):
        relative(name)


def test_results_of_one_name_in_two_folders_are_kept_apart():
    assert stored("a/x.csv") != stored("b/x.csv")
    assert stored("a/x.csv").endswith("-x.csv")


def test_a_stored_name_can_stand_in_a_command():
    uri = f"kestra:///company/flow/{stored('my; rm -rf $HOME.csv')}"
    assert INTERNAL.findall(f"cat '{uri}' | wc -l") == [uri]


@pytest.mark.parametrize(
    ("command", "uris"),
    [
        ("cat kestra:///a/b.csv | sort", ["kestra:///a/b.csv"]),
        ('{"x":"kestra:///a/b.csv","y":"kestra:///c"}', ["kestra:///a/b.csv", "kestra:///c"]),
        ("see kestra:///a/b.csv.", ["kestra:///a/b.csv"]),
        ("if uri.startswith('kestra://') or uri == 'kestra:///':", []),
        ("echo no", []),
    ],
)
def test_internal_files_are_found_inside_commands(command, uris):
    assert INTERNAL.findall(command) == uris
