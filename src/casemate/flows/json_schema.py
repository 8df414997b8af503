"""JSON Schema (2020-12) of flows, and of every type that may stand in them, for editors and other tools.

It accepts whatever the reader of flows accepts: scalars that become the wanted type, expressions, nulls for "not
given". It refuses unknown properties and types. Rules over several properties are the reader's alone, and it asks for
what is required even where a plugin default gives it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from casemate.catalog import Catalog, Format, Holds, Manifest, Schema
from casemate.flows import vocabulary
from casemate.flows.grammar import Grammar, Kin, common, flow_schema, grammar_of
from casemate.flows.words import purpose

Json: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_OWNERS: Final = {
    Holds.TASK: "Task",
    Holds.TRIGGER: "AbstractTrigger",
    Holds.CONDITION: "Condition",
    Holds.TASK_RUNNER: "TaskRunner",
    Holds.INPUT: "Input",
    Holds.RETRY: "Retry",
    Holds.SLA: "SLA",
}
_EXPRESSION: Final = r"\{[{%]"
_TEXTS: Final[Mapping[str, str]] = {
    "integer": r"^\s*([-+]?[0-9]+\s*)?$",
    "number": r"^\s*([-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*)?$",
    "boolean": r"^(\s*|true|True|TRUE|false|False|FALSE)$",
}
"""Texts that become a number or a boolean."""
_SCALARS: Final = ("string", "number", "boolean")
_LABELS: Final[Json] = {
    "type": ["object", "array", "null"],
    "additionalProperties": {"type": list(_SCALARS)},
    "items": {
        "type": "object",
        "properties": {"key": {"type": list(_SCALARS)}, "value": {"type": list(_SCALARS)}},
        "required": ["key", "value"],
    },
}


def flow_json_schema(catalog: Catalog) -> Json:
    """The schema of a flow."""
    own = _object(flow_schema(), "Flow")
    return {"$schema": DIALECT, "title": "Flow", **own, "$defs": _definitions(grammar_of(catalog))}


def held_json_schema(place: Holds, catalog: Catalog) -> Json:
    """The schema of a single task, trigger, condition, input... of any type."""
    definitions = _definitions(grammar_of(catalog))
    return {"$schema": DIALECT, "title": place.value, "$ref": _reference(place), "$defs": definitions}


def type_json_schema(place: Holds, name: str, catalog: Catalog) -> Json | None:
    """The schema of one type at one kind of place, by its name or an alias; None if there is no such type there."""
    grammar = grammar_of(catalog)
    found = grammar.kin(place).get(catalog.canonical(name))
    if found is None:
        return None
    every = _definitions(grammar)
    own = _kin(place, *found)
    return {"$schema": DIALECT, **own, "$defs": _reachable(own, every)}


def manifest_json_schema(place: Holds, manifest: Manifest, catalog: Catalog) -> Json:
    """The schema of a type at one kind of place, in the version that this manifest is of."""
    grammar = grammar_of(catalog)
    own = _kin(place, grammar.kin_of(place, manifest), manifest.names)
    return {"$schema": DIALECT, **own, "$defs": _reachable(own, _definitions(grammar))}


def meant_type(name: str, catalog: Catalog) -> str | None:
    """The type that was probably meant by a name that is none."""
    found = (grammar_of(catalog).nearest(place, name) for place in Holds)
    return next((each for each in found if each is not None), None)


def input_types() -> Mapping[str, str]:
    """The types of inputs, and the names that Kestra's messages give them."""
    return {name: written["x-class"] for name, written in vocabulary.INPUTS.items()}


def _definitions(grammar: Grammar) -> Json:
    """One for each type, and one for each kind of place that goes by `type`."""
    found: Json = {}
    for place in Holds:
        kinds = grammar.kin(place)
        found[place.value] = _by_type(place, kinds)
        found[_shared(place)] = _object(common(place), _OWNERS[place])
        found |= {_key(place, name): _kin(place, kin, names) for name, (kin, names) in kinds.items()}
    return found


def _by_type(place: Holds, kinds: Mapping[str, tuple[Kin, tuple[str, ...]]]) -> Json:
    every = [name for _, names in kinds.values() for name in names]
    needs = ["type", *(("id",) if "id" in common(place).properties and place is not Holds.INPUT else ())]
    # One branch for each type would be tried by `anyOf` for each child again: only the one that is meant is.
    chosen = [
        {
            "if": {"properties": {"type": {"enum": list(names)}}, "required": ["type"]},
            "then": {"$ref": f"#/$defs/{_key(place, name)}"},
        }
        for name, (_, names) in kinds.items()
    ]
    return {"type": "object", "properties": {"type": {"enum": every}}, "required": needs, "allOf": chosen}


def _kin(place: Holds, kin: Kin, names: Iterable[str]) -> Json:
    """The schema of one type."""
    manifest = kin.manifest
    shown = _object(kin.schema, _OWNERS[place])
    for name, schema in common(place).properties.items():
        if kin.schema.properties.get(name) is schema:
            shown["properties"][name] = {"$ref": f"#/$defs/{_shared(place)}/properties/{name}"}
    shown["properties"]["type"] = {"description": "The type.", "enum": list(names)}
    if manifest is not None:
        description = {"description": manifest.description} if manifest.description else {}
        shown = {"title": manifest.title, **description, **shown}
        if manifest.deprecated:
            shown["deprecated"] = True
    return shown


def _object(schema: Schema, owner: str) -> Json:
    """An object with known properties only."""
    needed = [name for name, own in schema.properties.items() if _is_needed(name, own, schema)]
    properties = {name: _property(name, own, owner, name in needed) for name, own in schema.properties.items()}
    shown: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    others = {name: [name, *_aliases(name, schema)] for name in needed}
    plain = [name for name, names in others.items() if len(names) == 1]
    choices = [{"anyOf": [{"required": [each]} for each in names]} for names in others.values() if len(names) > 1]
    return {**shown, **({"required": plain} if plain else {}), **({"allOf": choices} if choices else {})}


def _is_needed(name: str, own: Schema, schema: Schema) -> bool:
    demanded = name in schema.required or own.must_not_be is not None or own.not_empty is not None
    return demanded and own.default is None and own.alias_of is None


def _aliases(name: str, schema: Schema) -> list[str]:
    return [other for other, own in schema.properties.items() if own.alias_of == name]


def _property(name: str, schema: Schema, owner: str, needed: bool) -> Json:
    """What one property may hold, and what it is for."""
    notes: Json = {"description": purpose(owner, name, schema)}
    if schema.default is not None:
        notes["default"] = schema.default
    if schema.deprecated or schema.alias_of:
        notes["deprecated"] = True
    return {**notes, **_value(schema, nullable=not needed)}


def _value(schema: Schema, *, nullable: bool) -> Json:
    if schema.forbidden:
        return {"type": "null"}
    if schema.holds is not None:
        held: Json = {"$ref": _reference(schema.holds)}
        return {"if": {"not": {"type": "null"}}, "then": held} if nullable else held
    if schema.format is Format.LABELS:
        return _LABELS
    if not schema.types:
        return {} if nullable else {"not": {"type": "null"}}
    return _joined(_kinds(schema, nullable=nullable))


def _kinds(schema: Schema, *, nullable: bool) -> Iterator[Json]:
    """What it may be, each kind of value for itself."""
    scalar = _scalar(schema)
    if scalar is not None:
        yield scalar
    yield from _containers(schema)
    if nullable:
        yield {"type": "null"}


def _joined(kinds: Iterable[Json]) -> Json:
    """Any of the kinds. Their rules do not meet, so one schema holds them all; what is wrong then has its own place."""
    found = [each for kind in kinds for each in kind.get("anyOf", [kind])]
    if all("type" in kind for kind in found):
        types = [name for kind in found for name in ([kind["type"]] if isinstance(kind["type"], str) else kind["type"])]
        rules = {name: rule for kind in found for name, rule in kind.items()}
        return {**rules, "type": types if len(types) > 1 else types[0]}
    return {"anyOf": found}


def _containers(schema: Schema) -> Iterator[Json]:
    anything = schema.dynamic and "string" in schema.types and not schema.choices and schema.format is None
    if "array" in schema.types or anything:
        yield _array(schema)
    if "object" in schema.types or anything:
        yield _map(schema)


def _array(schema: Schema) -> Json:
    shown: Json = {"type": "array"}
    if schema.items is not None and (schema.items.types or schema.items.holds):
        shown["items"] = _value(schema.items, nullable=False)
    return {**shown, "minItems": 1} if schema.not_empty else shown


def _map(schema: Schema) -> Json:
    if schema.properties:
        return _object(schema, schema.java.rpartition(".")[2].rpartition("$")[2])
    if schema.values is not None:
        return {"type": "object", "additionalProperties": _value(schema.values, nullable=True)}
    return {"type": "object"}


def _scalar(schema: Schema) -> Json | None:
    """Scalars that the reader turns into what is wanted; expressions, where they are rendered first."""
    if "string" in schema.types:
        return _text(schema)
    for wanted, pattern in _TEXTS.items():
        if wanted in schema.types:
            texts = f"({pattern})|{_EXPRESSION}" if schema.dynamic else pattern
            kinds = ["boolean", "number", "string"] if wanted == "boolean" else ["number", "string"]
            return {"type": kinds, "pattern": texts, **_limits(schema)}
    return {"type": "string", "pattern": _EXPRESSION} if schema.dynamic else None


def _text(schema: Schema) -> Json:
    if schema.choices:
        known: Json = {"enum": list(schema.choices)}
        return {"anyOf": [known, {"type": "string", "pattern": _EXPRESSION}]} if schema.dynamic else known
    shown: Json = {"type": list(_SCALARS)}
    if schema.pattern is not None:
        shown["pattern"] = f"^(?:{schema.pattern.removeprefix('^')})$"
    elif schema.must_not_be is not None:
        shown["pattern"] = r"\S" if schema.must_not_be == "blank" else r"[\s\S]"
    if schema.longest is not None:
        shown |= {"minLength": schema.shortest or 0, "maxLength": schema.longest}
    return shown


def _limits(schema: Schema) -> Json:
    limits = {"minimum": schema.least, "exclusiveMinimum": schema.above}
    return {name: value for name, value in limits.items() if value is not None}


def _reference(place: Holds) -> str:
    return f"#/$defs/{place.value}"


def _shared(place: Holds) -> str:
    """Where the properties stand that all types at such a place have."""
    return f"{place.value}.common"


def _key(place: Holds, name: str) -> str:
    """Types have names of their own everywhere; `STRING` is only an input."""
    return name if "." in name else f"{place.value}.{name}"


_REFERENCE: Final = re.compile(r"#/\$defs/([^/]+)(?:/.+)?")


def _reachable(schema: Json, definitions: Mapping[str, Any]) -> Json:
    """The definitions that a schema needs, and those that these need."""
    found: Json = {}
    fresh = list(_references(schema))
    while fresh:
        name = fresh.pop()
        if name not in found:
            found[name] = definitions[name]
            fresh += _references(definitions[name])
    return found


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        reference = value.get("$ref")
        match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        if match:
            yield match[1]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
