"""Plugins that were installed: what each brings, and which version of it a flow means (spec/isolation 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from casemate.catalog.errors import BadManifest
from casemate.catalog.manifest import Installed
from casemate.catalog.origin import Origin
from casemate.versions import CURRENT, LATEST, NONE, NotAVersion, Version, chosen, wanted

DEFAULT_VERSION: Final = "kestra.plugins.management.default-version"
"""The key that says which version is meant where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One version of a plugin with all its types."""

    origin: Origin
    title: str
    manifests: tuple[Installed, ...]
    description: str = ""
    release_notes: str = ""

    def moved_to(self, origin: Origin) -> Plugin:
        """The same from there."""
        manifests = tuple(replace(each, origin=origin) for each in self.manifests)
        return replace(self, origin=origin, manifests=manifests)

    def installed_at(self, date: datetime) -> Plugin:
        """The same with the date of its installation."""
        return self.moved_to(replace(self.origin, installed=date))


@dataclass(frozen=True, slots=True)
class Unresolved:
    """No version of a type is meant that is there: what to say, and what to do."""

    message: str
    remedy: str


class Plugins:
    """All plugins that are there, and which version is meant where none is named: a version, or one of `NAMED`.

    Raises `BadManifest` when two plugins give a name to different types.
    """

    def __init__(self, plugins: Iterable[Plugin], default: str = LATEST) -> None:
        self.plugins = tuple(sorted(plugins, key=lambda each: (each.origin.plugin, each.origin.version)))
        self.default = default
        self.manifests = tuple(manifest for plugin in self.plugins for manifest in plugin.manifests)
        self.canonical = _canonical(self.manifests)
        self._versions: dict[str, dict[Version, Installed]] = {}
        for manifest in self.manifests:
            self._versions.setdefault(manifest.type, {})[manifest.origin.version] = manifest

    def versions(self, name: str) -> tuple[Version, ...]:
        """The versions of a type that are there, the oldest first."""
        return tuple(self._versions.get(name, ()))

    def find(self, name: str, version: str | None = None) -> Installed | None:
        """The type in this very version; without one in that which is meant, or at least in the newest."""
        there = self._versions.get(name, {})
        if version is not None:
            return next((each for number, each in there.items() if str(number) == version), None)
        meant = self.resolve(name, None) if there else None
        return meant if isinstance(meant, Installed) else there[max(there)] if there else None

    def resolve(self, name: str, wish: str | None) -> Installed | Unresolved:
        """The type in the version that a flow means by what it says, or says not."""
        there = self._versions[name]
        listed = f"installed are {', '.join(map(str, there))}"
        said = wish or self.default
        if said in (NONE, CURRENT) and wish:
            return Unresolved(f"Invalid version '{wish}'", listed)
        if said == NONE:
            return Unresolved(f"A version of '{name}' must be given", f"{DEFAULT_VERSION} is NONE; {listed}")
        if said == CURRENT:
            return max(there.values(), key=lambda each: each.origin.installed)
        try:
            found = chosen(wanted(said), there)
        except NotAVersion:
            return Unresolved(f"Invalid version '{said}'", "write MAJOR.MINOR.PATCH, its beginning, LATEST or OLDEST")
        if found is None:
            because = "" if wish else f"{DEFAULT_VERSION} asks for it; "
            return Unresolved(f"No version '{said}' of '{name}' is installed", because + listed)
        return there[found]

    @cached_property
    def shown(self) -> tuple[Installed, ...]:
        """Each type once, as lists and schemas have it."""
        return tuple(found for name in self._versions if (found := self.find(name)))


def _canonical(manifests: Iterable[Installed]) -> Mapping[str, str]:
    """The true name behind each; versions of one plugin may give it aliases, and another plugin must not take it."""
    owners: dict[str, tuple[str, str]] = {}
    for manifest in manifests:
        for name in manifest.names:
            owner = owners.setdefault(name, (manifest.origin.plugin, manifest.type))
            if owner != (manifest.origin.plugin, manifest.type):
                raise BadManifest([f"{name} is a name of {owner[1]} of {owner[0]} already"])
    return {name: type_ for name, (_, type_) in owners.items()}


NO_PLUGINS: Final = Plugins(())
"""Where none was installed."""
