"""Wheels that lie in folders to be installed from; they are looked at when someone asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from casemate.catalog import Plugin
from casemate.plugins.archive import LARGEST
from casemate.plugins.errors import NoSuchPlugin, PluginRefused
from casemate.plugins.wheel import read_wheel


@dataclass(frozen=True, slots=True)
class Offer:
    """A plugin that could be installed, and its wheel as it was read."""

    plugin: Plugin
    content: bytes


def offers(folders: Iterable[str]) -> Iterator[Offer]:
    """What lies in these folders. A file that is no plugin is none of ours, and passed over."""
    for folder in folders:
        for file in sorted(Path(folder).glob("*.whl")):
            try:
                if file.stat().st_size <= LARGEST:
                    content = file.read_bytes()
                    yield Offer(read_wheel(content, str(file)), content)
            except (OSError, PluginRefused):
                continue


def offered(folders: Iterable[str], coordinates: str) -> Offer:
    """The wheel with these coordinates. Raises `NoSuchPlugin`."""
    for offer in offers(folders):
        if offer.plugin.origin.coordinates == coordinates:
            return offer
    raise NoSuchPlugin(f"{coordinates} lies in none of the repositories")
