"""Launch folders; hostile ones are in tests/attacks/test_symlink_out.py."""

import os
import tracemalloc
from pathlib import Path

import pytest

from casemate.sandbox import OutputRefused, folders


def test_a_new_folder_is_private(tmp_path):
    made = folders.make(tmp_path, "work")
    assert made.stat().st_mode & 0o777 == 0o700
    with pytest.raises(FileExistsError):
        folders.make(tmp_path, "work")


def test_outputs_are_found_by_their_pattern(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "note.txt", "deep/er/c.csv"):
        (tmp_path / name).write_text(name)
    found = folders.outputs(tmp_path, ("*.csv", "deep/**"))
    assert [(output.path, output.size) for output in found] == [("a.csv", 5), ("b.csv", 5), ("deep/er/c.csv", 13)]
    with folders.open_output(tmp_path, "deep/er/c.csv") as file:
        assert file.read() == b"deep/er/c.csv"


def test_too_many_and_too_large_are_refused(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("12345")
    with pytest.raises(OutputRefused, match="More than 2 output files match"):
        folders.outputs(tmp_path, ("*",), most=2)
    with pytest.raises(OutputRefused, match=r"Output file . has 5 bytes, more than 4"):
        folders.outputs(tmp_path, ("*",), largest=4)
    with pytest.raises(OutputRefused, match="more than 14 bytes together"):
        folders.outputs(tmp_path, ("*",), altogether=14)


def test_holes_and_further_names_count_as_what_their_copies_take(tmp_path):
    with open(tmp_path / "hole", "wb") as file:
        file.truncate(1 << 20)
    for number in range(9):
        os.link(tmp_path / "hole", tmp_path / f"name-{number}")
    assert folders.taken(tmp_path).size < 1 << 20
    assert len(folders.outputs(tmp_path, ("*",), altogether=10 << 20)) == 10
    with pytest.raises(OutputRefused, match="together"):
        folders.outputs(tmp_path, ("*",), altogether=(10 << 20) - 1)


def test_a_name_that_is_not_text_is_no_output(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff", "w"):
        pass
    assert folders.outputs(tmp_path, ("*",)) == ()


def test_a_hostile_tree_is_removed(tmp_path):
    work = folders.make(tmp_path, "work")
    for name in ("removed-1", "removed-2/removed-1", "removed-2/removed-3/removed-1"):
        (work / name).mkdir(parents=True)
    (work / "removed-2" / "file").write_text("x")
    (work / "file").symlink_to("/")
    folders.remove(work)
    assert list(tmp_path.iterdir()) == []


def test_removing_what_is_gone_is_fine(tmp_path):
    folders.remove(tmp_path / "never")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_handing_over_changes_links_and_not_what_they_lead_to(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("kept")
    work = folders.make(tmp_path, "work")
    (work / "deep").mkdir()
    (work / "deep" / "link").symlink_to(outside)
    folders.hand_over(work, 12345, 12345)
    assert {work.stat().st_uid, (work / "deep").stat().st_uid, (work / "deep" / "link").lstat().st_uid} == {12345}
    assert outside.stat().st_uid == 0


def test_a_file_is_put_where_folders_are_missing(tmp_path: Path):
    with folders.create(tmp_path, "a/b/c.txt") as file:
        file.write(b"content")
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"content"


def test_a_file_that_is_put_replaces_files_and_links_but_no_folder(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("kept")
    work = folders.make(tmp_path, "work")
    (work / "link").symlink_to(outside)
    (work / "folder").mkdir()
    with folders.create(work, "link") as file:
        file.write(b"new")
    assert outside.read_text() == "kept"
    assert not (work / "link").is_symlink()
    with pytest.raises(IsADirectoryError):
        folders.create(work, "folder")


def test_no_file_is_put_through_a_link(tmp_path: Path):
    outside = folders.make(tmp_path, "outside")
    work = folders.make(tmp_path, "work")
    (work / "up").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        folders.create(work, "up/stolen")
    assert list(outside.iterdir()) == []


def test_anything_can_be_discarded_and_nothing_outside_is(tmp_path: Path):
    outside = folders.make(tmp_path, "outside")
    (outside / "kept").touch()
    work = folders.make(tmp_path, "work")
    (work / "link").symlink_to(outside)
    (work / "tree" / "deep").mkdir(parents=True)
    (work / "tree" / "deep" / "file").touch()
    os.mkfifo(work / "tree" / "pipe")
    (work / "tree" / "link").symlink_to(outside)
    for name in ("link", "tree/pipe", "tree", "missing", "missing/below"):
        folders.discard(work, name)
    assert list(work.iterdir()) == []
    assert (outside / "kept").exists()


def test_nothing_is_discarded_through_a_link(tmp_path: Path):
    (tmp_path / "kept").touch()
    work = folders.make(tmp_path, "work")
    (work / "up").symlink_to(tmp_path)
    with pytest.raises(OSError, match="openat2"):
        folders.discard(work, "up/kept")
    assert (tmp_path / "kept").exists()


def test_a_locked_folder_is_opened_up(tmp_path: Path):
    work = folders.make(tmp_path, "work")
    work.chmod(0)
    folders.open_up(work)
    assert work.stat().st_mode & 0o777 == 0o700


def test_a_few_small_files_are_dealt_with_at_once(tmp_path: Path):
    (tmp_path / "script").write_text("print(1)")
    (tmp_path / "link").symlink_to("/")
    assert folders.is_small(tmp_path)


@pytest.mark.parametrize("holding", ["folder", "many", "large"])
def test_what_takes_time_is_left_to_a_thread(tmp_path, holding):
    if holding == "folder":
        (tmp_path / "deeper").mkdir()
    elif holding == "many":
        for number in range(100):
            (tmp_path / str(number)).touch()
    else:
        (tmp_path / "large").write_bytes(b"x" * (2 << 20))
    assert not folders.is_small(tmp_path)


def test_many_folders_far_down_do_not_fill_the_memory_of_who_counts_them(tmp_path):
    """Each of their paths would take four kilobytes, and a task can make a million."""
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(15):
        os.mkdir("d" * 250, dir_fd=place)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    for number in range(2_000):
        os.mkdir(f"{number}", dir_fd=place)
    os.close(place)
    tracemalloc.start()
    taken = folders.taken(tmp_path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken.files == 2_015
    assert most < 1 << 20
    folders.remove(tmp_path)


@pytest.mark.anyio
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("deep", [False, True], ids=["a few files", "a tree"])
async def test_handing_over_promptly_changes_all_and_nothing_outside(tmp_path: Path, deep: bool):
    outside = folders.make(tmp_path, "outside")
    work = folders.make(tmp_path, "work")
    (work / "file").touch()
    (work / "link").symlink_to(outside)
    if deep:
        (work / "deep").mkdir()
    inside = sorted(work.iterdir())
    await folders.hand_over_promptly(work, 12345, 12345)
    assert {found.lstat().st_uid for found in (work, *inside)} == {12345}
    assert outside.stat().st_uid == 0


@pytest.mark.anyio
async def test_a_link_is_never_handed_over_as_a_folder(tmp_path: Path):
    (tmp_path / "link").symlink_to(folders.make(tmp_path, "outside"))
    with pytest.raises(OSError, match="link"):
        await folders.hand_over_promptly(tmp_path / "link", 12345, 12345)


@pytest.mark.anyio
@pytest.mark.parametrize("holding", ["nothing", "file", "folder"])
async def test_a_folder_is_removed_promptly_whatever_it_holds(tmp_path: Path, holding: str):
    work = folders.make(tmp_path, "work")
    if holding == "file":
        (work / "file").touch()
    if holding == "folder":
        (work / "folder" / "deep").mkdir(parents=True)
    work.chmod(0)
    await folders.remove_promptly(work)
    assert not work.exists()
