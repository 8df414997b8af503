"""Where a type comes from that did not come with the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from casemate.versions import Version

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
"""The date of what was not installed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One version of a plugin: its name in three parts, the digest of its wheel, and where that lies."""

    group: str
    artifact: str
    version: Version
    sha256: str
    file: str = ""
    installed: datetime = LONG_AGO

    @property
    def plugin(self) -> str:
        """`group:artifact`, the same for all its versions."""
        return f"{self.group}:{self.artifact}"

    @property
    def coordinates(self) -> str:
        """`group:artifact:version`."""
        return f"{self.plugin}:{self.version}"
