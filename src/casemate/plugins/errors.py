"""What is refused about plugins; each message is for the person who asked."""

from __future__ import annotations

from casemate.errors import CasemateError


class PluginRefused(CasemateError):
    """The file cannot be installed as a plugin."""


class NoSuchPlugin(CasemateError):
    """There is no such plugin, or no such version of it."""


class ManagementOff(CasemateError):
    """The configuration does not let plugins be managed."""
