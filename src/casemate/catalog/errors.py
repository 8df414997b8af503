"""What is wrong with a manifest: its author's mistake, found before any flow is read."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.errors import CasemateError


class BadManifest(CasemateError):
    """A manifest does not describe a task type."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("Bad manifest: " + "; ".join(self.faults))
