"""`a.b` and `a[b]`: keys of maps, indexes of lists, and a closed table of members. Nothing of Python is reachable."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.expressions.budget import Meter
from casemate.expressions.errors import Fault, Undefined
from casemate.expressions.printing import java_text
from casemate.expressions.values import Entry, class_name, is_number, items


def attribute(target: object, key: object, meter: Meter) -> object:
    """The value there; raises `Undefined` when there is none."""
    if isinstance(target, Mapping):
        return _entry(target, key, meter)
    if isinstance(target, Entry) and key in ("key", "value"):
        return target.key if key == "key" else target.value
    elements = items(target)
    if elements is None:
        raise Undefined(java_text(key, meter))
    return _element(elements, key, meter)


def _entry(target: Mapping[object, object], key: object, meter: Meter) -> object:
    if is_number(key) and target:
        first = next(iter(target))
        if not is_number(first):
            raise Fault(f"type class {class_name(first)} not supported for key {java_text(key, meter)}")
    try:
        return target[key]
    except (KeyError, TypeError):  # a list or map is never a key
        raise Undefined(java_text(key, meter)) from None


def _element(elements: list[object] | tuple[object, ...], key: object, meter: Meter) -> object:
    text = java_text(key, meter)
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) >= len(elements):
        raise Undefined(text)
    return elements[int(text)]
