"""The tests, `value is name` (spec/engine 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from casemate.expressions.errors import Fault
from casemate.expressions.json_reading import begins_with_json
from casemate.expressions.values import class_name, is_whole, items


def is_empty(value: object) -> bool:
    """Null, blank text, an empty list or map."""
    if isinstance(value, str):
        return not value.strip("".join(map(chr, range(0x21))))
    if isinstance(value, Mapping):
        return not value
    found = items(value)
    return value is None or (found is not None and not found)


def _is_defined(value: object) -> bool:
    return value is not None


def _is_null(value: object) -> bool:
    return value is None


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_iterable(value: object) -> bool:
    return items(value) is not None


def _remainder(value: object, name: str) -> int:
    if value is None:
        raise Fault(f'Can not pass null value to "{name}" test.')
    if not is_whole(value):
        raise Fault(f"class {class_name(value)} cannot be cast to class java.lang.Long")
    return value % 2


def _is_even(value: object) -> bool:
    return _remainder(value, "even") == 0


def _is_odd(value: object) -> bool:
    return _remainder(value, "odd") == 1


def _is_json(value: object) -> bool:
    if not isinstance(value, str):
        raise Fault(f"class {class_name(value)} cannot be cast to class java.lang.String")
    return begins_with_json(value)


PREDICATES: Mapping[str, Callable[[object], bool]] = {
    "defined": _is_defined,
    "null": _is_null,
    "empty": is_empty,
    "even": _is_even,
    "odd": _is_odd,
    "iterable": _is_iterable,
    "map": _is_map,
    "json": _is_json,
}
