"""The plugins of an installation at work: what lies in the repository is what the catalogue has."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from casemate.catalog import BadManifest, Catalog, Origin, Plugin, Plugins
from casemate.plugins import repository
from casemate.plugins.errors import ManagementOff, NoSuchPlugin, PluginRefused
from casemate.plugins.offers import offered, offers
from casemate.plugins.repository import Broken
from casemate.plugins.wheel import checked, read_wheel
from casemate.settings import PluginManagement

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found in a folder, and the state of its files then."""

    state: tuple[int, ...]
    found: Plugin | Broken


class Management:
    """Installs, lists and removes plugins; `catalog` holds what is there. Its functions wait for the disk.

    `state` is the state folder, which has them where the settings name no other place.
    """

    def __init__(self, catalog: Catalog, settings: PluginManagement, state: Path) -> None:
        self._folder = folder_of(settings, state)
        self._catalog = catalog
        self._settings = settings
        self._seen: dict[Path, _Seen] = {}
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Look at the repository again. What cannot be used is left out, and said once."""
        if not self._settings.enabled:
            return
        try:
            with self._lock:
                self._look()
        except (OSError, PluginRefused) as error:
            log.error("plugins.refused", folder=str(self._folder), reason=str(error))

    async def keep_fresh(self) -> None:
        """Look at it again and again, as often as the settings say: others may install plugins, too."""
        while self._settings.reload is not None:
            await asyncio.sleep(self._settings.reload.total_seconds())
            await asyncio.to_thread(self.refresh)

    def all(self) -> tuple[Plugin, ...]:
        """Every version of every plugin. Raises `ManagementOff`."""
        self._check()
        return self._catalog.plugins.plugins

    def find(self, coordinates: str) -> Plugin:
        """The version by its coordinates. Raises `NoSuchPlugin`, `ManagementOff`."""
        for plugin in self.all():
            if plugin.origin.coordinates == coordinates:
                return plugin
        raise NoSuchPlugin(f"{coordinates} is not installed")

    def offers(self) -> tuple[Plugin, ...]:
        """What could be installed from repositories. Raises `ManagementOff`."""
        self._check()
        return tuple(offer.plugin for offer in offers(self._settings.repositories))

    def install_offered(self, coordinates: str, sha256: str, now: datetime) -> Plugin:
        """Install a wheel of a repository. Raises as `install` does, and `NoSuchPlugin`."""
        self._check()
        return self.install(offered(self._settings.repositories, coordinates).content, sha256, now)

    def install(self, content: bytes, sha256: str, now: datetime, *, force: bool = False) -> Plugin:
        """Install the wheel with this content, and no other one. Raises `PluginRefused`, `ManagementOff`."""
        self._check()
        plugin = read_wheel(checked(content, sha256))
        self._check_source(plugin)
        with self._lock:
            self._look()
            others = (each for each in self._catalog.plugins.plugins if not _same(each.origin, plugin.origin))
            try:
                # Asked before anything is kept: a type of the server, or of another plugin, must not be taken.
                self._catalog.check(Plugins((*others, plugin), self._settings.default_version))
            except BadManifest as error:
                raise PluginRefused(f"The plugin cannot be installed: {'; '.join(error.faults)}") from error
            kept = repository.install(self._folder, content, plugin, now, force=force)
            self._look()
        log.info("plugin.installed", plugin=kept.origin.coordinates, sha256=kept.origin.sha256)
        return kept

    def uninstall(self, coordinates: str) -> Plugin:
        """Remove a version. Raises `NoSuchPlugin`, `ManagementOff`."""
        self._check()
        with self._lock:
            self._look()
            plugin = self.find(coordinates)
            repository.uninstall(self._folder, plugin.origin)
            self._look()
        log.info("plugin.uninstalled", plugin=coordinates)
        return plugin

    def _check(self) -> None:
        if not self._settings.enabled:
            raise ManagementOff("Plugins are not managed here: kestra.plugins.management.enabled is false")

    def _check_source(self, plugin: Plugin) -> None:
        """By its digest: a file beside it of the same name is another plugin."""
        known = (offer.plugin.origin.sha256 for offer in offers(self._settings.repositories))
        if not self._settings.custom and plugin.origin.sha256 not in known:
            key = "kestra.plugins.management.custom-plugins-enabled"
            raise ManagementOff(f"{key} is false, and the wheel lies in none of the repositories")

    def _look(self) -> None:
        found = {folder: self._entry(folder) for folder in repository.entries(self._folder)}
        if found == self._seen:
            return
        for folder, entry in found.items():
            if isinstance(entry.found, Broken) and self._seen.get(folder) != entry:
                log.error("plugin.refused", folder=str(folder), reason=entry.found.reason)
        self._seen = found
        self._hold(entry.found for entry in found.values() if isinstance(entry.found, Plugin))

    def _entry(self, folder: Path) -> _Seen:
        """What is in a folder; read again only when its files have changed, for a wheel may be large."""
        state = repository.state_of(folder)
        before = self._seen.get(folder)
        return before if before is not None and before.state == state else _Seen(state, repository.read(folder))

    def _hold(self, plugins: Iterable[Plugin]) -> None:
        """Put them into the catalogue one by one: one whose names are taken by now must not cost the others."""
        kept: tuple[Plugin, ...] = ()
        for plugin in sorted(plugins, key=lambda each: each.origin.installed):
            try:
                self._catalog.check(Plugins((*kept, plugin), self._settings.default_version))
            except BadManifest as error:
                log.error("plugin.refused", plugin=plugin.origin.coordinates, reason="; ".join(error.faults))
            else:
                kept = (*kept, plugin)
        self._catalog.hold(Plugins(kept, self._settings.default_version))


def folder_of(settings: PluginManagement, state: Path) -> Path:
    """Where the plugins lie of a server with this state folder."""
    return Path(settings.folder) if settings.folder else state / "plugins"


def _same(one: Origin, other: Origin) -> bool:
    return one.coordinates == other.coordinates
