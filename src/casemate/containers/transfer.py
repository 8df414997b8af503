"""A working directory as a tar, on its way into a container and back. What comes back is hostile, and so is the folder.

No link is followed in either direction: one is carried as what it is, and what it leads to stays where it is.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO, Final

from casemate.containers.errors import ContainerError
from casemate.sandbox import Limits, folders

_IN_MEMORY: Final = 4 << 20
_CHUNK: Final = 1 << 20
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_TO_ALL: Final = 0o777
"""In the container's own volume: the user of the image may be anybody, and nobody else is there."""


def packed(folder: Path, name: str) -> IO[bytes]:
    """All files, folders and links of a working directory in a tar, below `name`. OSError: one cannot be read."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder.parent))  # noqa: SIM115 - the caller's
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_folder(name))
        top = os.open(folder, _FOLDER)
        try:
            for place, folders_in, files, descriptor in os.fwalk(".", dir_fd=top, follow_symlinks=False):
                for each in (*folders_in, *files):
                    _add(tar, f"{name}/{place}/{each}", each, descriptor)
        finally:
            os.close(top)
    return file


def _add(tar: tarfile.TarFile, path: str, name: str, place: int) -> None:
    found = os.stat(name, dir_fd=place, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode):
        tar.addfile(_folder(path))
    elif stat.S_ISLNK(found.st_mode):
        link = tarfile.TarInfo(path)
        link.type, link.linkname, link.mode = tarfile.SYMTYPE, os.readlink(name, dir_fd=place), _OPEN_TO_ALL
        tar.addfile(link)
    elif stat.S_ISREG(found.st_mode):
        with os.fdopen(os.open(name, _FILE, dir_fd=place), "rb") as source:
            _add_file(tar, path, source)


def _add_file(tar: tarfile.TarFile, path: str, source: IO[bytes]) -> None:
    found = os.fstat(source.fileno())
    entry = tarfile.TarInfo(path)
    entry.size, entry.mtime = found.st_size, int(found.st_mtime)
    entry.mode = 0o777 if found.st_mode & stat.S_IXUSR else 0o666
    tar.addfile(entry, source)


def _folder(path: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = tarfile.DIRTYPE, _OPEN_TO_ALL
    return entry


async def received(chunks: AsyncIterator[bytes], folder: Path, limits: Limits) -> IO[bytes]:
    """What an engine sends, in a file. Raises `ContainerError` for more than a working directory may take."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder.parent))  # noqa: SIM115 - the caller's
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if limits.disk is not None and size > limits.disk + _CHUNK:
            file.close()
            raise _too_large(limits.disk)
        file.write(chunk)
    file.seek(0)
    return file


def _too_large(most: int) -> ContainerError:
    return ContainerError(f"The working directory has more than the {most} bytes of `casemate.isolation.limits.disk`.")


def unpack(file: IO[bytes], folder: Path, limits: Limits) -> None:
    """Put what is in the tar in place of what is in the folder. Raises `ContainerError`, OSError."""
    for name in os.listdir(folder):
        folders.discard(folder, name)
    count = size = 0
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for entry, path in _entries(tar):
                count += 1
                if limits.inodes is not None and count > limits.inodes:
                    raise ContainerError(f"The working directory has more than {limits.inodes} files.")
                size += _place(tar, entry, path, folder)
                # A file under many names is small on its way, and as many files here.
                if limits.disk is not None and size > limits.disk:
                    raise _too_large(limits.disk)
    except tarfile.TarError as error:
        raise ContainerError(f"What the engine sent is no archive: {error}") from error


def _entries(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, str]]:
    while entry := tar.next():
        # A million of them would fill the memory. The name is documented no more, and in every Python there is.
        tar.members.clear()  # type: ignore[attr-defined]  # typeshed has the documented names only
        path = _plain(entry.name)
        # An engine makes no names that lead out; they are not looked at twice.
        if path and ".." not in path.split("/"):
            yield entry, path


def _plain(name: str) -> str:
    return "/".join(step for step in name.split("/") if step not in ("", "."))


def _place(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: str, folder: Path) -> int:
    """Make what the entry stands for; the bytes that it takes."""
    if entry.isreg():
        source = tar.extractfile(entry)
        return _write(source or io.BytesIO(), folder, path, runs=bool(entry.mode & stat.S_IXUSR))
    if entry.islnk():
        # One file under two names: the first is unpacked by now.
        with folders.open_output(folder, _plain(entry.linkname)) as source:
            return _write(source, folder, path, runs=bool(entry.mode & stat.S_IXUSR))
    if entry.isdir():
        with _parent(folder, f"{path}/."):
            pass
    elif entry.issym():
        with _parent(folder, path) as place:
            os.symlink(entry.linkname, path.rpartition("/")[2], dir_fd=place)
    return 0


def _write(source: IO[bytes], folder: Path, path: str, *, runs: bool) -> int:
    with folders.create(folder, path) as target:
        shutil.copyfileobj(source, target, _CHUNK)
        os.fchmod(target.fileno(), 0o755 if runs else 0o644)
        return target.tell()


@contextlib.contextmanager
def _parent(folder: Path, path: str) -> Iterator[int]:
    """The folder in which the last step of the path is; it and those above are made where they are missing."""
    place = os.open(folder, _FOLDER)
    try:
        for step in path.split("/")[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(step, 0o755, dir_fd=place)
            above, place = place, os.open(step, _FOLDER, dir_fd=place)
            os.close(above)
        yield place
    finally:
        os.close(place)
