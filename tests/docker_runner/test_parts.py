"""Frames of an engine's log, and working directories on their way: both come from someone hostile."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tarfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from casemate.containers import ContainerError, transfer
from casemate.containers.engine import _lines
from casemate.containers.frames import Frames, FramesBroken
from casemate.sandbox import Limits

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def frame(text: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxL", stream, len(text)) + text


def lines(heard: bytes, piece: int, limits: Limits | None = None) -> list[tuple[str, str]]:
    frames = Frames(limits or Limits())
    found = [line for at in range(0, len(heard), piece) for line in frames.take(heard[at : at + piece], NOW)]
    return [(line.stream, line.text) for line in (*found, *frames.end(NOW))]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_lines_are_whole_however_the_engine_cuts_them(piece):
    heard = frame(b"one\ntw") + frame(b"trouble\n", 2) + frame(b"o\r\n\nthree")
    assert lines(heard, piece) == [
        ("stdout", "one"),
        ("stderr", "trouble"),
        ("stdout", "two"),
        ("stdout", ""),
        ("stdout", "three"),
    ]


def test_a_line_is_cut_at_its_limit_and_bytes_need_not_be_text():
    assert lines(frame(b"x" * 100) + frame(b"y\n\xff\n"), 50, Limits(line=90)) == [
        ("stdout", "x" * 90),
        ("stdout", "�"),
    ]


def test_output_is_counted():
    frames = Frames(Limits(output=500))
    list(frames.take(frame(b"1" * 500), NOW))
    assert not frames.full
    list(frames.take(frame(b"6", 2), NOW))
    assert frames.full


def test_what_the_engine_keeps_around_short_lines_is_counted_too():
    frames = Frames(Limits(output=500))
    for _ in range(49):
        list(frames.take(frame(b"\n"), NOW))
    assert not frames.full
    list(frames.take(frame(b"\n"), NOW))
    assert frames.full


def test_an_engine_that_cannot_go_on_says_why():
    with pytest.raises(FramesBroken, match="Error grabbing logs"):
        lines(frame(b"Error grabbing logs: no such file\n", 3), 1000)


def test_what_is_no_frame_is_refused():
    with pytest.raises(FramesBroken):
        list(Frames(Limits()).take(b"plain text, as of a terminal", NOW))


def filled(folder: Path) -> Path:
    folder.mkdir()
    (folder / "deep" / "empty").mkdir(parents=True)
    (folder / "deep" / "run.sh").write_text("#!/bin/sh\n")
    (folder / "deep" / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("/etc/shadow")
    os.link(folder / "deep" / "run.sh", folder / "twice")
    os.mkfifo(folder / "pipe")
    return folder


def test_w11_a_folder_goes_there_and_back_without_a_link_being_followed(tmp_path: Path):
    source, target = filled(tmp_path / "source"), tmp_path / "target"
    target.mkdir()
    (target / "old").mkdir()
    with transfer.packed(source, "work") as packed:
        packed.seek(0)
        with tarfile.open(fileobj=packed) as tar:
            assert {entry.name.split("/")[0] for entry in tar} == {"work"}
        packed.seek(0)
        transfer.unpack(packed, target, Limits())
    made = target / "work"
    assert os.readlink(made / "link") == "/etc/shadow"
    assert (made / "deep" / "empty").is_dir()
    assert (made / "twice").read_text() == "#!/bin/sh\n"
    assert os.access(made / "deep" / "run.sh", os.X_OK)
    assert not (made / "pipe").exists()
    assert not (target / "old").exists()


def archive(*entries: tuple[str, bytes, str]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, kind, link in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            tar.addfile(entry)
    packed.seek(0)
    return packed


@pytest.mark.parametrize(
    "entries",
    [
        [("../out", tarfile.REGTYPE, "")],
        [("/../out", tarfile.REGTYPE, "")],
        [("a", tarfile.SYMTYPE, ".."), ("a/out", tarfile.REGTYPE, "")],
        [("a", tarfile.SYMTYPE, ".."), ("a/out", tarfile.DIRTYPE, "")],
        [("a", tarfile.SYMTYPE, "/"), ("a/tmp/x", tarfile.SYMTYPE, "y")],
    ],
)
def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, entries):
    folder = tmp_path / "folder"
    folder.mkdir()
    with contextlib.suppress(ContainerError, OSError):
        transfer.unpack(archive(*entries), folder, Limits())
    assert not (tmp_path / "out").exists()


def test_a_hard_link_to_what_is_not_in_the_archive_is_not_made(tmp_path: Path):
    folder, secret = tmp_path / "folder", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("x")
    with pytest.raises((ContainerError, OSError)):
        transfer.unpack(archive(("a", tarfile.LNKTYPE, str(secret))), folder, Limits())


def test_devices_are_left_out(tmp_path: Path):
    transfer.unpack(archive(("null", tarfile.CHRTYPE, ""), ("disk", tarfile.BLKTYPE, "")), tmp_path, Limits())
    assert list(tmp_path.iterdir()) == []


def test_more_files_than_a_task_may_have_are_refused(tmp_path: Path):
    entries = [(f"f{number}", tarfile.REGTYPE, "") for number in range(20)]
    with pytest.raises(ContainerError, match="more than 9 files"):
        transfer.unpack(archive(*entries), tmp_path, Limits(inodes=9))


def test_one_file_under_many_names_takes_room_for_each(tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "a").write_bytes(b"x" * 10)
    for name in ("b", "c", "d"):
        (source / name).hardlink_to(source / "a")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(source, ".")
    for disk, expected in ((40, contextlib.nullcontext()), (39, pytest.raises(ContainerError, match=r"limits\.disk"))):
        packed.seek(0)
        with expected:
            transfer.unpack(packed, target, Limits(disk=disk))


@pytest.mark.anyio
async def test_more_bytes_than_a_task_may_have_are_refused(tmp_path: Path):
    async def endless():
        while True:
            yield bytes(1 << 20)

    with pytest.raises(ContainerError, match=r"limits\.disk"):
        await transfer.received(endless(), tmp_path, Limits(disk=5 << 20))


async def said(*pieces: bytes) -> list[object]:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [line async for line in _lines(httpx2.Response(200, content=stream()))]


@pytest.mark.anyio
async def test_what_an_engine_says_of_a_pull_comes_line_by_line():
    assert await said(b'{"a": 1}\n{"b"', b": 2}\r\n\n", b'{"c": 3}') == [{"a": 1}, {"b": 2}, {"c": 3}]


@pytest.mark.anyio
@pytest.mark.parametrize("piece", [b'{"error": "' + b"x" * (2 << 20) + b'"}', b"[" * 100_000 + b"\n", b"7\n"])
async def test_words_of_a_registry_that_break_an_engines_line_end_the_pull_only(piece):
    with pytest.raises(ContainerError, match="cannot be read"):
        await said(piece[: 1 << 20], piece[1 << 20 :])
