"""Files of the worker's machine that a task names by `file:///`: those of its working directory, and what is allowed.

They are copied into the working directory or read into a template; the task itself still sees nothing of the machine.
What is opened is opened step by step and follows no link, so that nothing in an allowed folder leads out of it.
"""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from casemate.errors import CasemateError
from casemate.sandbox import folders
from casemate.worker.errors import TaskFailed

SCHEME: Final = "file://"

_REFUSED: Final = (
    "The path {path} is not authorized. Only files inside the working directory are allowed by default, other paths "
    "must be allowed either globally inside the Kestra configuration using the `kestra.local-files.allowed-paths` "
    "property, or by plugin using the `allowed-paths` plugin configuration."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFiles:
    """The paths that `kestra.local-files.allowed-paths` opens, and those that stay closed whatever it says."""

    allowed: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()

    def open(self, uri: str, work: str, folder: Path) -> BinaryIO:
        """The file that an address names; `work` is how the task calls its working directory, which is `folder`.

        Raises `TaskFailed` for what is not allowed, is no regular file or cannot be opened.
        """
        path = _path(uri)
        if path.startswith(f"{work}/"):
            return _opened(uri, folder, posixpath.relpath(path, work))
        for root in self._roots(path):
            return _opened(uri, Path(root), posixpath.relpath(path, root))
        raise TaskFailed(_REFUSED.format(path=path))

    def _roots(self, path: str) -> Iterator[str]:
        """The folders through which the path may be opened."""
        for allowed in self.allowed:
            root = posixpath.dirname(allowed) if path == allowed else allowed
            real = os.path.join(os.path.realpath(root), posixpath.relpath(path, root))
            if _beneath(path, allowed) and not any(_beneath(real, os.path.realpath(own)) for own in self.closed):
                yield root


def nothing_local(uri: str) -> BinaryIO:
    """What opens files where nothing of the machine may be read. Raises `TaskFailed`."""
    raise TaskFailed(_REFUSED.format(path=uri))


def _path(uri: str) -> str:
    """The absolute path that an address names; steps upwards are refused instead of being resolved."""
    parts = urlsplit(uri.strip())
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise TaskFailed(_REFUSED.format(path=uri.strip()))
    return posixpath.normpath("/" + path.lstrip("/"))


def _opened(uri: str, root: Path, relative: str) -> BinaryIO:
    try:
        return folders.open_output(root, relative)
    except OSError as error:
        reason = "a link leads away from it" if error.errno in (errno.ELOOP, errno.EXDEV) else error.strerror
        raise TaskFailed(f"Unable to read the file '{uri}': {reason}") from error
    except CasemateError as error:
        raise TaskFailed(f"Unable to read the file '{uri}': {error}") from error


def _beneath(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
