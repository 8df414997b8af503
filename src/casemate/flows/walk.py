"""From nodes to values: one walk, guided by schemas, that notes every problem and never stops at the first.

The walk calls itself once or twice for each list or map inside another, which the limit on a document's depth bounds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any, Final

from casemate.catalog import Format, Holds, Installed, Manifest, Schema, refused
from casemate.documents import Mapping, Mark, Node, Path, Scalar, Sequence, plain, printed
from casemate.errors import Problem
from casemate.flows.checks import CHECKS
from casemate.flows.coerce import coerce
from casemate.flows.constraints import when_absent, when_given
from casemate.flows.findings import Finding, mark_of
from casemate.flows.grammar import PLUGINS, Grammar, common, nearest
from casemate.flows.labels import read_labels
from casemate.flows.misfits import JAVA, Misfit, java_name, mismatch

ILLEGAL: Final = "Illegal flow yaml: "
NAMES: Final = ("unknown-property", "unknown-type", "restricted-type")
"""The codes of problems with names, which Kestra's parser places in its own form."""

_ASK: Final = "the administrator of this installation decides which types may be used"

BROKEN: Final = object()
"""Stands for a value that was refused."""

_ADVICE: Final = 50
"""How many problems get a suggestion: comparing names is slow, and a text can hold thousands of wrong ones."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An object with a `type` that the walk has met; no manifest when the type is unknown."""

    place: Holds
    path: Path
    values: AnyMapping[str, Any]
    manifest: Manifest | None
    written: str


@dataclass(slots=True)
class Walk:
    """One walk over one document, with what it has found so far. `lenient` lets unknown properties pass."""

    grammar: Grammar
    lenient: bool = False
    versions: AnyMapping[Path, str] = field(default_factory=dict)
    """Versions of plugins that are meant, whatever the text itself says at their places."""
    problems: list[Problem] = field(default_factory=list)
    deprecated: list[Path] = field(default_factory=list)
    unused: dict[Path, str] = field(default_factory=dict)
    classes: dict[Path, str] = field(default_factory=dict)
    """The Java classes of the objects on the way, for Kestra's names of places."""
    seen: list[Seen] = field(default_factory=list)

    def read(self, node: Node, schema: Schema, path: Path) -> Any:
        """The value of a node, or `BROKEN`; None for null."""
        if isinstance(node, Scalar) and node.value is None:
            return None
        if schema.forbidden:
            return self.refuse("constraint", "must be null", path, node.mark)
        if schema.holds is not None:
            return self.read_held(node, schema.holds, path)
        if schema.format is Format.LABELS:
            return self._labels(node, schema, path)
        if not schema.types:
            return plain(node)
        match node:
            case Scalar():
                return self._scalar(node, schema, path)
            case Sequence() if "array" in schema.types:
                return self._list(node, schema, path)
            case Mapping() if "object" in schema.types:
                return self.read_object(node, schema, path) if schema.properties else self._map(node, schema, path)
        return self._unlike(node, schema, path)

    def read_object(self, node: Mapping, schema: Schema, path: Path, named: str | None = None) -> dict[str, Any]:
        """The properties of an object, defaults filled in.

        `named` is how a violation of the whole object is addressed, when not by its path.
        """
        values: dict[str, Any] = {}
        self.classes[path] = java_name(schema)
        for entry in node.entries:
            own = schema.properties.get(entry.key)
            if own is None:
                self._unknown(entry.key, entry.mark, schema, path)
                continue
            if own.deprecated:
                self.deprecated.append((*path, entry.key))
            if own.unused and plain(entry.value) not in (None, own.default):
                self.unused[*path, entry.key] = own.unused
            name = own.alias_of or entry.key
            if own.alias_of is None or name not in values:
                values[name] = self.read(entry.value, own, (*path, entry.key))
        self._constrain(node, schema, path, values)
        for check in schema.checks:
            for finding in CHECKS[check](values, self.grammar):
                self.report(finding, node, path, named)
        return values

    def read_held(self, node: Node, place: Holds, path: Path) -> Any:
        """An object whose `type` decides what it is."""
        if not isinstance(node, Mapping):
            return self._misfit(mismatch(node, common(place)), path, node.mark)
        name, version = _text_at(node, "type"), self.versions.get(path) or _text_at(node, "version") or None
        kin = self.grammar.find(place, name, version)
        if kin is None:
            return self._stranger(node, place, path, name, version)
        if place in PLUGINS and kin.manifest is not None and kin.manifest.deprecated:
            self.deprecated.append(path)
        before = len(self.seen)
        values = self.read_object(node, kin.schema, path, _name_of(node, place))
        if isinstance(kin.manifest, Installed) and version:
            values["version"] = version
        self.seen.insert(before, Seen(place, path, values, kin.manifest, name))  # parents first
        return values

    def report(self, finding: Finding, node: Node, path: Path, named: str | None = None) -> None:
        """Note what a rule has found about the object of this node."""
        mark = mark_of(node, finding.at)
        shown = printed(path if finding.whole else (*path, *finding.at))
        if named is not None and (finding.whole or not finding.at):
            shown = named
        self._note("constraint", finding.message, shown, mark, finding.remedy)

    def refuse(self, code: str, message: str, path: Path, mark: Mark, remedy: str = "") -> Any:
        """Note a problem; the value is broken."""
        self._note(code, message, printed(path), mark, remedy, reference(path, self.classes) if code in NAMES else "")
        return BROKEN

    def _note(self, code: str, message: str, path: str, mark: Mark, remedy: str, reference: str = "") -> None:
        self.problems.append(
            Problem(
                code=code,
                message=message,
                path=path,
                line=mark.line,
                column=mark.column,
                remedy=remedy,
                reference=reference,
            )
        )

    def _misfit(self, misfit: Misfit, path: Path, mark: Mark) -> Any:
        prefix, code = (ILLEGAL, "wrong-type") if misfit.illegal else ("", "constraint")
        return self.refuse(code, prefix + misfit.message, path, mark, misfit.remedy)

    def _scalar(self, node: Scalar, schema: Schema, path: Path) -> Any:
        value = coerce(node, schema)
        return self._misfit(value, path, node.mark) if isinstance(value, Misfit) else value

    def _list(self, node: Sequence, schema: Schema, path: Path) -> Any:
        if schema.items is None or not (schema.items.types or schema.items.holds):
            return plain(node)
        values = []
        for index, item in enumerate(node.items):
            value = self.read(item, schema.items, (*path, index))
            if value is None:
                self.refuse("constraint", "must not be null", (*path, index), item.mark)
            values.append(value)
        return values

    def _map(self, node: Mapping, schema: Schema, path: Path) -> Any:
        if schema.values is None:
            return plain(node)
        return {entry.key: self.read(entry.value, schema.values, (*path, entry.key)) for entry in node.entries}

    def _labels(self, node: Node, schema: Schema, path: Path) -> Any:
        values = read_labels(node)
        if isinstance(values, Misfit):
            return self._misfit(values, path, node.mark)
        for check in schema.checks:
            for finding in CHECKS[check]({"labels": values}, self.grammar):
                self.report(finding, node, path)
        return values

    def _unlike(self, node: Node, schema: Schema, path: Path) -> Any:
        # A dynamic text may be written as a list or a map: it then is the JSON text of it.
        if schema.dynamic and "string" in schema.types and not schema.choices and schema.format is None:
            return json.dumps(plain(node), ensure_ascii=False, separators=(",", ":"))
        return self._misfit(mismatch(node, schema), path, node.mark)

    def _unknown(self, key: str, mark: Mark, schema: Schema, path: Path) -> None:
        if self.lenient:
            return
        known = ", ".join(f'"{name}"' for name in schema.known)
        listed = f"not marked as ignorable ({len(schema.known)} known properties: {known}])"
        message = f'Unrecognized field "{key}" (class {java_name(schema)}), {listed}'
        meant = nearest(key, schema.properties) if len(self.problems) < _ADVICE else None
        self.refuse("unknown-property", message, (*path, key), mark, f"did you mean {meant}?" if meant else "")

    def _stranger(self, node: Mapping, place: Holds, path: Path, name: str, version: str | None) -> Any:
        """An object of no known type, or version: its common properties are still looked at."""
        mark = mark_of(node, ("type",))
        if not name:
            return self.refuse("unknown-type", "Invalid type: null", path, mark, "give it a type")
        if unresolved := self.grammar.unresolved(place, name, version):
            place_of = mark_of(node, ("version",)) if node.entry("version") else mark
            self.refuse("unknown-version", unresolved.message, (*path, "version"), place_of, unresolved.remedy)
        else:
            self._refuse_type(place, name, path, mark)
        shared = Walk(self.grammar, lenient=True, classes=self.classes)
        values = shared.read_object(node, common(place), path, _name_of(node, place))
        self.problems += shared.problems
        self.seen.append(Seen(place, path, values, None, name))
        return BROKEN

    def _refuse_type(self, place: Holds, name: str, path: Path, mark: Mark) -> None:
        if not self.grammar.catalog.is_restricted(name):
            self.refuse("unknown-type", f"Invalid type: {name}", path, mark, self._advice(place, name))
            return
        invalid, why = refused(name)
        self.refuse("unknown-type", invalid, path, mark)
        self.refuse("restricted-type", why, path, mark, _ASK)

    def _advice(self, place: Holds, name: str) -> str:
        """What may have been meant by an unknown type."""
        if len(self.problems) >= _ADVICE:
            return ""
        if meant := self.grammar.nearest(place, name):
            return f"did you mean {meant}?"
        # There are few of these: a flow that asks for Docker or Kubernetes is best told what there is instead.
        there = ", ".join(self.grammar.names(place)) if place is Holds.TASK_RUNNER else ""
        return f"the task runner is not there; this installation has {there}" if there else ""

    def _constrain(self, node: Mapping, schema: Schema, path: Path, values: dict[str, Any]) -> None:
        """Bean constraints of each property (spec/engine 13.1), and defaults for what is absent."""
        for name, own in schema.demanding:
            value = values.get(name)
            if value is None:
                for message in when_absent(own, required=name in schema.required):
                    self.refuse("constraint", message, (*path, name), mark_of(node, (name,)))
                if own.default is not None:
                    values[name] = own.default
            elif value is not BROKEN:
                for message in when_given(value, own):
                    self.refuse("constraint", message, (*path, name), mark_of(node, (name,)))


def reference(path: Path, classes: AnyMapping[Path, str]) -> str:
    """Jackson's name of a place: each step with the class that it leads out of (spec/engine 1.1)."""
    owners = (classes.get(path[:depth]) for depth in range(len(path)))
    steps = zip(path, owners, strict=True)
    return "->".join(
        f"{owner or JAVA['array']}[{step}]" if isinstance(step, int) else f'{owner or JAVA["object"]}["{step}"]'
        for step, owner in steps
    )


def _text_at(node: Mapping, key: str) -> str:
    """The text behind a key; nothing where there is none."""
    entry = node.entry(key)
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else ""


def _name_of(node: Mapping, place: Holds) -> str | None:
    """Kestra names a task or an input by its id."""
    entry = node.entry("id") or node.entry("name")
    named = place in (Holds.TASK, Holds.INPUT) and entry is not None and isinstance(entry.value, Scalar)
    return entry.value.text if named and entry is not None and isinstance(entry.value, Scalar) else None
