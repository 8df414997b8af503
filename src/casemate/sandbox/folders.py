"""Launch folders: making them, giving them to a task and taking them back, taking results out, getting rid of them.

After a launch a folder is hostile: links that lead out, names that are not text, trees deeper than a path is long,
files that cannot be opened or that block. No process of the task lives any more, so nothing changes while we look. The
next task of a WorkingDirectory gets the same folder, so it is hostile, too, while files are put into it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from casemate.sandbox.errors import OutputRefused
from casemate.sandbox.globs import Glob
from casemate.sandbox.kernel.beneath import open_beneath

_FEW, _LIGHT = 8, 1 << 20
_BLOCK = 512
"""What stat(2) counts in."""
_OUT_OF_REACH = (errno.ENAMETOOLONG, errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Output:
    """A regular file in a launch folder: its path relative to the folder and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes of disk, and files of all kinds."""

    size: int
    files: int


def prepare(folder: Path) -> Path:
    """The folder of all launch folders, made if need be, by its real path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.resolve()


def within_reach(folder: Path) -> Path:
    """A folder for launch folders where users of tasks can get to theirs by its path; always the same for one `folder`.

    As an ordinary user it is `folder` itself. As root it lies beside other temporary files, since what leads to the
    state of a service is closed to everybody. OSError: what is there is not ours.
    """
    prepared = prepare(folder)
    if os.geteuid() != 0:
        return prepared
    name = hashlib.sha256(os.fsencode(prepared)).hexdigest()[:16]
    open_to_all = Path(tempfile.gettempdir()).resolve() / f"casemate-{name}"
    with contextlib.suppress(FileExistsError):
        open_to_all.mkdir()
    there = open_to_all.lstat()
    if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "exists, and is somebody else's", str(open_to_all))
    open_to_all.chmod(0o711)
    return open_to_all


def make(folder: Path, name: str) -> Path:
    """A new launch folder that only its owner can enter. FileExistsError: there is one of that name."""
    made = folder / name
    made.mkdir(mode=0o700)
    return made


def make_sure(folder: Path) -> bool:
    """Make a launch folder if it is not there yet; whether that was needed, and it is empty."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        return False
    return True


def hand_over(folder: Path, uid: int, gid: int) -> None:
    """Make a user the owner of the folder and all that is in it; links themselves, never what they lead to. Needs root.

    The kernel takes set-user-id bits away with the owner. What lies deeper than a path can name stays as it is.
    """
    with _opened(folder) as top:
        os.chown(f"/proc/self/fd/{top}", uid, gid)
        for found in _walked(top):
            os.chown(found.entry.name, uid, gid, dir_fd=found.folder, follow_symlinks=False)


def create(folder: Path, path: str) -> BinaryIO:
    """A new file for writing at a relative path without `..`; its folders are made, what has its name gives way.

    Earlier tasks may have filled the folder: no link is followed, at no step. OSError: it cannot be made.
    """
    *parents, name = path.split("/")
    with ExitStack() as opened:
        place = opened.enter_context(_opened(folder))
        for step in parents:
            with contextlib.suppress(FileExistsError):
                os.mkdir(step, dir_fd=place)
            place = opened.enter_context(_stepped(place, step))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(name, flags, 0o666, dir_fd=place), "wb")


def discard(folder: Path, path: str) -> None:
    """Remove what is at a path below a launch folder, if anything is: a file, a link, or a whole folder. OSError."""
    place, _, name = path.rpartition("/")
    with _opened(folder) as top, contextlib.suppress(FileNotFoundError):
        where = open_beneath(top, place or ".", os.O_PATH | os.O_DIRECTORY)
        try:
            _removed(where, name)
        finally:
            os.close(where)


def _removed(place: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=place)
    except IsADirectoryError:
        with _entered(place, name) as inside:
            _empty(inside)
        os.rmdir(name, dir_fd=place)


def open_up(folder: Path) -> None:
    """Let its owner enter a launch folder again: what ran in it may have locked the door."""
    with _opened(folder) as top:
        os.chmod(f"/proc/self/fd/{top}", 0o700)


def outputs(
    folder: Path, patterns: tuple[str, ...], *, most: int = 10_000, largest: int = 1 << 30, altogether: int = 8 << 30
) -> tuple[Output, ...]:
    """The regular files that match any of the globs, sorted by path. Links, devices and pipes are never among them.

    OutputRefused: there are more than `most`, one is larger than `largest` bytes, or all together are larger than
    `altogether`: files with holes, and one file under many names, cost a task nothing, but take room as copies.
    """
    globs = tuple(Glob(pattern) for pattern in patterns)
    found: list[Output] = []
    size = 0
    with _opened(folder) as top:
        for output in _regular_files(top):
            if not any(glob.matches(output.path) for glob in globs):
                continue
            size += output.size
            if len(found) == most:
                raise OutputRefused(f"More than {most} output files match.")
            if output.size > largest:
                raise OutputRefused(f"Output file {output.path} has {output.size} bytes, more than {largest}.")
            if size > altogether:
                raise OutputRefused(f"The output files have more than {altogether} bytes together.")
            found.append(output)
    return tuple(sorted(found, key=lambda output: output.path))


async def hand_over_promptly(folder: Path, uid: int, gid: int) -> None:
    """`hand_over`: at once if there is little in the folder, else in a thread.

    Most tasks leave nothing behind, and waking a thread takes longer than looking at an empty folder.
    """
    if not _handed_over(folder, uid, gid):
        await asyncio.to_thread(hand_over, folder, uid, gid)


def _handed_over(folder: Path, uid: int, gid: int) -> bool:
    """With one look, if there is little in it; False if there is more, or it is locked, and nothing is done."""
    try:
        top = os.open(folder, _FOLDER)
    except PermissionError:
        return False
    try:
        few = _few(top)
        if few is None:
            return False
        os.chown(top, uid, gid)
        for name in few:
            os.chown(name, uid, gid, dir_fd=top, follow_symlinks=False)
    finally:
        os.close(top)
    return True


async def remove_promptly(folder: Path) -> None:
    """`remove`: at once if there is little in the folder, else in a thread."""
    if is_small(folder):
        remove(folder)
    else:
        await asyncio.to_thread(remove, folder)


def is_small(folder: Path) -> bool:
    """Whether to go through a folder takes next to no time: a few small files, nothing below. False if it is locked.

    One that is not there yet is as good as empty.
    """
    try:
        return _few(folder) is not None
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _few(folder: Path | int) -> list[str] | None:
    """The names in a folder that is small; None if it is not."""
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if len(names) == _FEW or not _is_light(entry):
                return None
            names.append(entry.name)
    return names


def _is_light(entry: os.DirEntry[str]) -> bool:
    return not entry.is_dir(follow_symlinks=False) and _blocks(entry) <= _LIGHT


def within_small(size: int | None, files: int | None) -> bool:
    """Whether every folder that `is_small` has no more than this many bytes and files; None is no limit."""
    return (size is None or size >= _FEW * _LIGHT) and (files is None or files >= _FEW)


def taken(folder: Path) -> Taken:
    """About what a folder takes, also while a task changes it. What it hides is not counted; nothing if it is gone."""
    size = files = 0
    with contextlib.suppress(FileNotFoundError), _opened(folder) as top:
        for found in _walked(top):
            files += 1
            size += _blocks(found.entry)
    return Taken(size, files)


def _blocks(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * _BLOCK
    except FileNotFoundError:
        return 0


def open_output(folder: Path, path: str) -> BinaryIO:
    """Open a regular file of a launch folder for reading, by a path as of `outputs`.

    OutputRefused: it is something else by now. OSError: it cannot be opened.
    """
    with _opened(folder) as top:
        # a pipe with nobody at its other end would block for ever
        descriptor = open_beneath(top, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OutputRefused(f"{path} is not a regular file.")
    return os.fdopen(descriptor, "rb")


def remove(folder: Path) -> None:
    """Remove a folder with everything in it, however deep and whatever its modes. One that is not there is removed.

    Folders in the folder are moved up to the top before they are emptied, so no path ever grows long, and two
    descriptors are enough for any depth.
    """
    with contextlib.suppress(FileNotFoundError):
        if _removed_empty(folder):
            return
        with _opened(folder.parent) as parent, _entered(parent, folder.name) as top:
            _empty(top)
        folder.rmdir()


def _removed_empty(folder: Path) -> bool:
    """As most tasks leave theirs, so that one call does it. FileNotFoundError: it is not there."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def _empty(top: int) -> None:
    moved = 0
    while left := _unlinked(top):
        for name in left:
            with _entered(top, name) as inside:
                for deeper in _unlinked(inside):
                    moved = _move_up(deeper, inside, top, moved)
            os.rmdir(name, dir_fd=top)


def _unlinked(folder: int) -> list[str]:
    """Remove everything but folders; those that are left."""
    left = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                left.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return left


def _move_up(name: str, source: int, top: int, moved: int) -> int:
    """Move a folder to the top under a name that is free there; how many have been moved so far."""
    with _entered(source, name):
        pass  # moving a folder changes its parent entry, for which its owner must be allowed to write to it
    while True:
        moved += 1
        try:
            os.rename(name, f"removed-{moved}", src_dir_fd=source, dst_dir_fd=top)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return moved


@dataclass(frozen=True, slots=True)
class _Found:
    """Something in a folder: the folder's path with a slash behind it, relative to the top, and a descriptor of it."""

    place: str
    folder: int
    entry: os.DirEntry[str]


def _walked(top: int) -> Iterator[_Found]:
    """All that is in folders below and including the top that can be opened, one after the other, following no links.

    Only names are kept of folders to come: the paths of as many as a task can make would fill the worker's memory.
    """
    waiting: list[tuple[str, list[str]]] = [("", ["."])]
    while waiting:
        place, names = waiting[-1]
        if not names:
            waiting.pop()
            continue
        inner, deeper = f"{place}{names.pop()}/", list[str]()
        waiting.append((inner, deeper))
        for found in _listed(top, inner):
            if found.entry.is_dir(follow_symlinks=False):
                deeper.append(found.entry.name)
            yield found


def _listed(top: int, place: str) -> Iterator[_Found]:
    try:
        descriptor = open_beneath(top, place, _FOLDER)
    except OSError as error:
        if error.errno in _OUT_OF_REACH:
            return  # the task has made it so, and nobody inside could name it or enter it either
        raise
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                yield _Found(place, descriptor, entry)
    finally:
        os.close(descriptor)


def _regular_files(top: int) -> Iterator[Output]:
    for found in _walked(top):
        path = found.place.removeprefix("./") + found.entry.name
        if found.entry.is_file(follow_symlinks=False) and _is_text(path):
            yield Output(path, found.entry.stat(follow_symlinks=False).st_size)


def _is_text(path: str) -> bool:
    """Names on Linux are bytes; those that are not UTF-8 cannot be said in JSON, so no pattern means them."""
    return not any("\ud800" <= character <= "\udfff" for character in path)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A handle on a folder, good for what is beneath it even if it may not be read."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _stepped(place: int, name: str) -> Iterator[int]:
    """A handle on a folder in a folder; NotADirectoryError if it is a link."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _entered(parent: int, name: str) -> Iterator[int]:
    """A readable descriptor of a folder, whose mode is put right first: a task may have locked us out."""
    handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{handle}", 0o700)
        descriptor = os.open(".", _FOLDER, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
