"""The folder in which plugins are kept: each version in one of its own, with the digest that it was installed by."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from casemate.catalog import Origin, Plugin
from casemate.plugins.errors import NoSuchPlugin, PluginRefused
from casemate.plugins.wheel import checked, read_wheel

_RECORD: Final = "plugin.json"
_HIDDEN: Final = "."


@dataclass(frozen=True, slots=True)
class Broken:
    """A version that lies there and cannot be used."""

    folder: Path
    reason: str


def entries(repository: Path) -> list[Path]:
    """The folders of all versions that are there. Raises `PluginRefused` if others can put some there."""
    if not repository.is_dir():
        return []
    check_ours(repository)
    return sorted(each for each in repository.iterdir() if each.is_dir() and not each.name.startswith(_HIDDEN))


def read(folder: Path) -> Plugin | Broken:
    """The version in a folder, if its wheel still is the one that was installed."""
    try:
        record = json.loads((folder / _RECORD).read_text("utf-8"))
        wheel = folder / record["wheel"]
        plugin = read_wheel(checked(wheel.read_bytes(), record["sha256"]), str(wheel))
        installed = datetime.fromisoformat(record["installed"])
    except (OSError, ValueError, KeyError, TypeError, PluginRefused) as error:
        return Broken(folder, str(error) or type(error).__name__)
    if folder.name != name_of(plugin.origin):
        return Broken(folder, f"it holds {plugin.origin.coordinates}")
    return plugin.installed_at(installed)


def state_of(folder: Path) -> tuple[int, ...]:
    """What changes when the files of a version do; nothing where there are none."""
    try:
        found = [each.stat() for each in sorted(folder.iterdir())]
    except OSError:
        return ()
    return tuple(number for each in found for number in (each.st_ino, each.st_size, each.st_mtime_ns))


def install(repository: Path, content: bytes, plugin: Plugin, now: datetime, *, force: bool = False) -> Plugin:
    """Keep a wheel whose digest was checked. Raises `PluginRefused` if another one is there, unless it is to go."""
    with _locked(repository):
        folder = repository / name_of(plugin.origin)
        before = read(folder) if folder.exists() else None
        if isinstance(before, Plugin) and before.origin.sha256 == plugin.origin.sha256:
            return before
        # `com.a` and `com_a` lie in one folder: to force the one must not take the other away.
        if isinstance(before, Plugin) and before.origin.coordinates != plugin.origin.coordinates:
            raise PluginRefused(f"{plugin.origin.coordinates} would lie where {before.origin.coordinates} is")
        if before is not None and not force:
            raise PluginRefused(f"{plugin.origin.coordinates} is installed already, with another content")
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=repository))
        try:
            _write(fresh, content, plugin.origin, now)
            if before is not None:
                _remove(repository, folder)
            fresh.rename(folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        _sync(repository)
    origin = replace(plugin.origin, file=str(folder / _wheel(plugin.origin)))
    return plugin.moved_to(origin).installed_at(now)


def uninstall(repository: Path, origin: Origin) -> None:
    """Remove a version. Raises `NoSuchPlugin`."""
    with _locked(repository):
        folder = repository / name_of(origin)
        if not folder.exists():
            raise NoSuchPlugin(f"{origin.coordinates} is not installed")
        _remove(repository, folder)
        _sync(repository)


def name_of(origin: Origin) -> str:
    """What the folder of a version is called (spec/isolation 5)."""
    return f"{origin.group}__{origin.artifact}__{origin.version}".replace(".", "_")


def _wheel(origin: Origin) -> str:
    return f"{origin.artifact.replace('-', '_')}-{origin.version}-py3-none-any.whl"


def _write(folder: Path, content: bytes, origin: Origin, now: datetime) -> None:
    record = {"coordinates": origin.coordinates, "wheel": _wheel(origin), "sha256": origin.sha256}
    _put(folder / _wheel(origin), content)
    _put(folder / _RECORD, json.dumps({**record, "installed": now.isoformat()}).encode())
    _sync(folder)


def _put(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A rename survives a crash only once its folder was written."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(repository: Path, folder: Path) -> None:
    """Away by one rename, so that nobody sees half of it; then for good."""
    old = Path(tempfile.mkdtemp(prefix=".old-", dir=repository))
    folder.rename(old / folder.name)
    shutil.rmtree(old)


def check_ours(folder: Path) -> None:
    """Whoever can write there decides what is run. Raises `PluginRefused`."""
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PluginRefused(f"{folder} can be written by others: no plugin is taken from there")


@contextmanager
def _locked(repository: Path) -> Iterator[None]:
    """One at a time, commands and servers alike; what was left half done by one that was killed is removed."""
    repository.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_ours(repository)
    with (repository / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in repository.glob(".new-*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in repository.glob(".old-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
