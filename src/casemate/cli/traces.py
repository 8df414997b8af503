"""What a start leaves where it would tell secrets: files that others read, files to delete, our own environment."""

from __future__ import annotations

import ctypes
import os
import resource
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import structlog

from casemate.errors import CasemateError
from casemate.settings import Traces

_REQUIRED: Final = "kestra.configurations.delete-files-on-start-required"

log = structlog.get_logger(__name__)


class NotDeleted(CasemateError):
    """A configuration file was to be deleted, and is still there."""


def readable_by_others(file: Path) -> bool:
    """Can every account of this machine read a file: may it, and may it pass the folders above?"""
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            return False  # such as the pipe that a shell makes of <(...)
        above = file.resolve(strict=True).parents
        return bool(mode & stat.S_IROTH) and all(folder.stat().st_mode & stat.S_IXOTH for folder in above)
    except OSError:
        return True


def forget(variables: Iterable[str]) -> None:
    """Take variables out of our own environment, and out of what the kernel shows of it to others of our account.

    See environ(7) and proc_pid_environ(5): that file shows the memory in which the program was given its environment,
    whatever becomes of the variables, so their values are overwritten there first.
    """
    names = set(variables) & os.environ.keys()
    for entry in _entries():
        name, _, value = ctypes.string_at(entry).partition(b"=")
        if os.fsdecode(name) in names:
            ctypes.memset(entry + len(name) + 1, 0, len(value))
    for variable in names:
        del os.environ[variable]


def leave_no_core() -> None:
    """Let the kernel neither write our memory to a file when we crash, nor give it to a program of the host.

    At a limit of 0 that program would still be given it, see core(5).
    """
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = 0 if most == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def _entries() -> Iterator[int]:
    """The addresses of the texts `NAME=value` of this process."""
    first = ctypes.c_void_p.in_dll(ctypes.CDLL(None), "environ").value
    size = ctypes.sizeof(ctypes.c_void_p)
    while first and (entry := ctypes.c_void_p.from_address(first).value):
        yield entry
        first += size


def delete(files: Iterable[str], traces: Traces) -> None:
    """Delete the configuration files where that is configured, once every service is up (spec/security 9).

    Raises `NotDeleted`, unless the configuration says that a server may go on then.
    """
    for name in dict.fromkeys(files) if traces.delete_files else ():
        try:
            _unlink(Path(name))
        except OSError as error:
            reason = error.strerror or str(error)
            log.error("configuration.not_deleted", file=name, reason=reason)
            if traces.must_delete:
                raise NotDeleted(
                    f"{name} was to be deleted: {reason.lower()}; say {_REQUIRED}: false to start all the same"
                ) from error
        else:
            log.info("configuration.deleted", file=name)


def _unlink(file: Path) -> None:
    """A link goes with what it leads to, if that is in the same folder; another folder is not ours to empty.

    Of a pipe nothing is left, nor of a file that somebody else has deleted.
    """
    if not file.exists() or file.is_fifo():
        return
    target = file.resolve(strict=True)
    if not target.is_relative_to(file.parent.resolve()):
        raise OSError(f"it is a link to {target}, in another folder")
    if not target.is_file():
        raise OSError("it is no regular file")
    target.unlink()
    if file.is_symlink():
        file.unlink()
