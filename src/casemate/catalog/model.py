"""The types of an installation: those that come with it, and those of the plugins that it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from casemate.catalog.allowed import EVERYTHING, Allowed
from casemate.catalog.errors import BadManifest
from casemate.catalog.manifest import Manifest, joint_facts
from casemate.catalog.plugins import NO_PLUGINS, Plugins, Unresolved
from casemate.documents import Plain
from casemate.governance import Rulebook


class Catalog:
    """The types that exist here, found by their name or by any alias. Raises `BadManifest` when two share a name.

    `rules` are the policies and plugin defaults of the installation: whoever reads a flow has a catalog, so that
    nothing is read without them. A type that is not among the `allowed` ones is found by nobody.

    Plugins come and go while others read: `hold` puts a whole new set in place, and `edition` counts them, for those
    who keep what they worked out.
    """

    def __init__(
        self, manifests: Iterable[Manifest], rules: Rulebook | None = None, allowed: Allowed = EVERYTHING
    ) -> None:
        given = tuple(manifests)
        names = Counter(name for manifest in given for name in manifest.names)
        # An alias that shadows another plugin's type would run its body under a name that policies trust.
        if shared := [f"{name} is described more than once" for name, count in names.items() if count > 1]:
            raise BadManifest(shared)
        self._by_type = {manifest.type: manifest for manifest in given}
        self._canonical = {name: manifest.type for manifest in given for name in manifest.names}
        self.rules = rules or Rulebook()
        self.allowed = allowed
        self.edition = 0
        self.hold(NO_PLUGINS)

    def hold(self, plugins: Plugins) -> None:
        """From now on these plugins are there. Raises `BadManifest` for a name of ours; then nothing is changed."""
        self.check(plugins)
        every = (*self._by_type.values(), *plugins.manifests)
        restricted = frozenset(each.type for each in every if not self.allowed.allows(_judged_by(each)))
        self.plugins, self._restricted = plugins, restricted
        self._names = _names({**self._canonical, **plugins.canonical})
        self._facts: dict[str, Mapping[str, Plain] | None] = {}
        self.edition += 1

    def check(self, plugins: Plugins) -> None:
        """Could these plugins be there? Raises `BadManifest` for a name of a type that comes with the server."""
        if taken := sorted(self._canonical.keys() & plugins.canonical.keys()):
            raise BadManifest([f"{name} is a type that comes with the server" for name in taken])

    def find(self, name: str, version: str | None = None) -> Manifest | None:
        """The manifest of a type, by name or alias; none of one that must not be used.

        Of a type of a plugin that of this very version, and without any the one that `default` shows.
        """
        if self.is_restricted(name):
            return None
        canonical = self.canonical(name)
        return self._by_type.get(canonical) or self.plugins.find(canonical, version)

    def resolve(self, name: str, wish: str | None) -> Manifest | Unresolved | None:
        """What a flow means that names this type and, perhaps, a version. Types of the server have one only."""
        found = self.find(name)
        if found is None or found.type in self._by_type:
            return found
        return self.plugins.resolve(found.type, wish)

    def is_restricted(self, name: str) -> bool:
        """Does the type exist, by this name or alias, and must not be used here?"""
        return self.canonical(name) in self._restricted

    def canonical(self, name: str) -> str:
        """The one true name behind an alias; an unknown name stays as it is."""
        return self._canonical.get(name) or self.plugins.canonical.get(name, name)

    def names(self, name: str) -> tuple[str, ...]:
        """Every name of a type, this one first; an unknown one has no other."""
        return self._names.get(name, (name,))

    def facts(self, name: str) -> Mapping[str, Plain] | None:
        """What conditions of policies may ask for; None for an unknown type.

        Of a plugin's type what holds for any of its versions: a flow that names another one is no way around a policy.
        """
        canonical = self.canonical(name)
        if canonical not in self._facts:
            self._facts[canonical] = self._joint_facts(canonical)
        return self._facts[canonical]

    def _joint_facts(self, canonical: str) -> Mapping[str, Plain] | None:
        own = self._by_type.get(canonical)
        if canonical in self._restricted:
            return None
        versions = [each for each in self.plugins.manifests if each.type == canonical] if own is None else [own]
        return joint_facts(versions) if versions else None

    def implied(self, name: str) -> Mapping[str, Plain]:
        """The objects that are there where nothing is said; none for an unknown type."""
        manifest = self.find(name)
        return manifest.implied if manifest is not None else {}

    def enforce(self, rules: Rulebook) -> None:
        """From now on these rules hold: whoever reads a flow next reads it by them."""
        self.rules = rules

    def with_rules(self, rules: Rulebook) -> Catalog:
        """The same types under these policies and plugin defaults."""
        return self._again(self._by_type.values(), rules, self.allowed)

    def restricted_to(self, allowed: Allowed) -> Catalog:
        """The same types, of which only these may be used."""
        return self._again(self._by_type.values(), self.rules, allowed)

    def joined(self, further: Iterable[Manifest]) -> Catalog:
        """The same types and these."""
        return self._again((*self._by_type.values(), *further), self.rules, self.allowed)

    def _again(self, manifests: Iterable[Manifest], rules: Rulebook, allowed: Allowed) -> Catalog:
        """Another catalog that holds the same plugins."""
        other = Catalog(manifests, rules, allowed)
        other.hold(self.plugins)
        return other

    def all(self) -> tuple[Manifest, ...]:
        """Every type that flows may name, in the order given."""
        every = (*self._by_type.values(), *self.plugins.shown)
        return tuple(each for each in every if not each.internal and each.type not in self._restricted)

    def every_name(self) -> frozenset[str]:
        """Every name of every type there is, whether it may be used or not."""
        return frozenset((*self._canonical, *self.plugins.canonical))


def _names(canonical: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Every name with all the names of its type, itself first."""
    groups: dict[str, list[str]] = {}
    for name, type_ in canonical.items():
        groups.setdefault(type_, [type_]).append(name)
    return {name: tuple(dict.fromkeys((name, *groups[type_]))) for name, type_ in canonical.items()}


def _judged_by(manifest: Manifest) -> tuple[str, ...]:
    """The names that decide whether it may be used: a part of another type may wherever that one may."""
    return (manifest.type.partition("$")[0],) if manifest.internal else manifest.names
