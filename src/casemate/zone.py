"""The time zone of the server, with its rules for summer time: the one that dates of templates are in by default."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME: Final = Path("/etc/localtime")
_UTC: Final = frozenset(("UTC", "UTC0", "GMT", "GMT0", "Z", "Zulu", "Etc/UTC", "Etc/GMT", "Etc/Zulu"))


def server_zone(wanted: str | None, localtime: Path = _LOCALTIME) -> tzinfo:
    """The zone that the variable `TZ` wants, else that of the machine; UTC, as in Java, for one that nobody knows."""
    if wanted:
        return _named(wanted.removeprefix(":"))
    real = localtime.resolve()
    for folder in map(Path, zoneinfo.TZPATH):
        if real.is_relative_to(folder.resolve()):
            return _named(str(real.relative_to(folder.resolve())))
    return _copied(localtime)


def _named(name: str) -> tzinfo:
    if name in _UTC:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _copied(localtime: Path) -> tzinfo:
    """Some images hold a copy of the rules in place of a link to them."""
    try:
        with localtime.open("rb") as rules:
            return ZoneInfo.from_file(rules)
    except (ValueError, OSError):
        return UTC
