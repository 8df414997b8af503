"""Labels: a map, or a list of `{key, value}`; system labels belong to the server (spec/engine 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from casemate.catalog import Schema
from casemate.documents import Mapping, Node, Scalar, Sequence
from casemate.flows.misfits import Misfit, mismatch

SYSTEM: Final = "system."
READ_ONLY: Final = "system.readOnly"

_LABELS: Final = Schema(types=frozenset(("array",)), java="java.util.ArrayList<io.kestra.core.models.Label>")
_LABEL: Final = Schema(types=frozenset(("object",)), java="io.kestra.core.models.Label")


def read_labels(node: Node) -> list[dict[str, str]] | Misfit:
    """The labels of a node as a list of `{key, value}`, values as text."""
    match node:
        case Mapping(entries=entries):
            return _collected((entry.key, entry.value) for entry in entries)
        case Sequence(items=items):
            if stranger := next((item for item in items if not isinstance(item, Mapping)), None):
                return mismatch(stranger, _LABEL)
            return _collected(_pair(item) for item in items if isinstance(item, Mapping))
        case Scalar():
            return mismatch(node, _LABELS)


def offending(labels: Iterable[dict[str, str]]) -> list[tuple[int, str]]:
    """The system labels among these that only the server may set: position, and `key=value`."""
    return [
        (index, f"{label['key']}={label['value']}")
        for index, label in enumerate(labels)
        if label["key"].startswith(SYSTEM) and label["key"] != READ_ONLY
    ]


def _pair(item: Mapping) -> tuple[str, Node | None]:
    key, value = item.entry("key"), item.entry("value")
    name = key.value.text if key is not None and isinstance(key.value, Scalar) else ""
    return name, value.value if value is not None else None


def _collected(pairs: Iterable[tuple[str, Node | None]]) -> list[dict[str, str]] | Misfit:
    labels = []
    for key, value in pairs:
        if not key or value is None:
            return Misfit("a label needs a key and a value", "write it like - {key: team, value: data}")
        if not isinstance(value, Scalar):
            return Misfit(f"Unsupported type for key: {key}", "a label's value is a text, a number or true or false")
        labels.append({"key": key, "value": value.text})
    return labels
