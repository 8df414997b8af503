"""What a search may ask of one field: columns by their type, and fields that are more than a column.

Texts are compared as they are written, large and small letters apart: what is found is often killed or deleted next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import Boolean, ColumnElement, Integer, and_, false, func, or_, true

from casemate.errors import Problem, Refused
from casemate.flows import Label
from casemate.store.patterns import matching
from casemate.store.schema import Instant

Compare: TypeAlias = Callable[[ColumnElement[Any], Any], ColumnElement[bool]]

Search: TypeAlias = Callable[[str, object], ColumnElement[bool]]
"""A field that is more than a column: what an operation with a value means. Raises `Refused` for those it lacks."""

Field: TypeAlias = "ColumnElement[Any] | Search"
"""A column, or a function of operation and value where a field is more than a column."""

_SYSTEM = "system"
"""The namespace of the flows that look after the installation itself."""

NEGATIONS = ("NOT_EQUALS", "NOT_IN", "NOT_CONTAINS")


def refused(message: str, remedy: str = "", path: str = "filters") -> Refused:
    """The refusal of a search; `path` is the parameter that it is about."""
    return Refused([Problem(code="search", message=message, path=path, remedy=remedy)])


def listed(value: object) -> list[object]:
    """The values of `IN`: a list, or one value."""
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


# Columns -----------------------------------------------------------------------------------------------------------


def within(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Is the text somewhere in the column? Not LIKE, for which SQLite takes `A` and `a` for the same."""
    return func.replace(column, text, "") != column if text else column.is_not(None)


def _begins(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return func.substr(column, 1, len(text)) == text


def _ends(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return func.substr(column, func.length(column) - len(text) + 1) == text if text else column.is_not(None)


def _lacking(column: ColumnElement[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A row without a value is not what is unwanted."""
    return or_(condition, column.is_(None))


_EQUAL: Mapping[str, Compare] = {
    "EQUALS": lambda column, value: column == value,
    "NOT_EQUALS": lambda column, value: _lacking(column, column != value),
}
_ANY: Mapping[str, Compare] = {
    **_EQUAL,
    "IN": lambda column, value: column.in_(listed(value)),
    "NOT_IN": lambda column, value: _lacking(column, column.not_in(listed(value))),
    "IS_NULL": lambda column, _: column.is_(None),
    "IS_NOT_NULL": lambda column, _: column.is_not(None),
}
_ORDERED: Mapping[str, Compare] = {
    **_ANY,
    "GREATER_THAN": lambda column, value: column > value,
    "LESS_THAN": lambda column, value: column < value,
    "GREATER_THAN_OR_EQUAL_TO": lambda column, value: column >= value,
    "LESS_THAN_OR_EQUAL_TO": lambda column, value: column <= value,
}
_TEXT: Mapping[str, Compare] = {
    **_ANY,
    "STARTS_WITH": lambda column, value: _begins(column, str(value)),
    "ENDS_WITH": lambda column, value: _ends(column, str(value)),
    "CONTAINS": lambda column, value: within(column, str(value)),
    "NOT_CONTAINS": lambda column, value: _lacking(column, ~within(column, str(value))),
    "PREFIX": lambda column, value: or_(column == value, _begins(column, f"{value}.")),
    "REGEX": lambda column, value: matching(column, str(value)),
}


def compared(name: str, column: ColumnElement[Any], op: str, value: object) -> ColumnElement[bool]:
    """The condition on a column; raises `Refused`."""
    known = _operations(column)
    compare = known.get(op)
    if compare is None:
        raise refused(f"Operation {op} is not supported for field {name}", f"one of {', '.join(known)}")
    if op in ("IS_NULL", "IS_NOT_NULL"):
        return compare(column, None)
    return compare(column, _typed(name, column, value))


def _operations(column: ColumnElement[Any]) -> Mapping[str, Compare]:
    if isinstance(column.type, Boolean):
        return _EQUAL
    return _ORDERED if isinstance(column.type, Integer | Instant) else _TEXT


def _typed(name: str, column: ColumnElement[Any], value: object) -> object:
    if isinstance(value, list | tuple):
        return [_typed(name, column, each) for each in value]
    read = next((read for kind, read in _READ.items() if isinstance(column.type, kind)), str)
    try:
        return read(value) if isinstance(value, str) else value
    except (ValueError, OverflowError) as error:
        raise refused(f"{str(value)[:100]!r} is no value for the filter {name}") from error


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 1 << 31:
        raise ValueError(text)
    return number


def _date(text: str) -> datetime:
    # A plus sign that was not encoded in an address arrives as a blank.
    date = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


_READ: Mapping[type, Callable[[str], object]] = {Instant: _date, Boolean: _truth, Integer: _whole}


# More than a column ------------------------------------------------------------------------------------------------


def anywhere(*columns: ColumnElement[Any]) -> Search:
    """The field `q`: the text is somewhere in one of the columns, in any case."""

    def search(op: str, value: object) -> ColumnElement[bool]:
        if op not in ("EQUALS", "NOT_EQUALS", "CONTAINS", "NOT_CONTAINS"):
            raise refused(f"Operation {op} is not supported for field q", "one of EQUALS, NOT_EQUALS")
        found = or_(*(func.coalesce(column, "").icontains(str(value), autoescape=True) for column in columns))
        return ~found if op in NEGATIONS else found

    return search


def scoped(namespace: ColumnElement[Any]) -> Search:
    """The field `scope`: SYSTEM for what lies in the namespace `system` or below it, USER for all the rest."""
    system = or_(namespace == _SYSTEM, _begins(namespace, f"{_SYSTEM}."))
    return among({"USER": ~system, "SYSTEM": system})


def among(meanings: Mapping[str, ColumnElement[bool]]) -> Search:
    """A field with these values only, each of which means a condition."""

    def search(op: str, value: object) -> ColumnElement[bool]:
        names = ", ".join(meanings)
        if op not in ("EQUALS", "NOT_EQUALS", "IN", "NOT_IN"):
            raise refused(f"Operation {op} is not supported for a field that is one of {names}")
        # A slip of the pen in what is unwanted would find everything, and delete it.
        unknown = [str(each)[:100] for each in listed(value) if str(each) not in meanings]
        if unknown:
            raise refused(f"{unknown[0]!r} is none of the values of this field", f"one of {names}")
        found = or_(false(), *(meanings[str(each)] for each in listed(value)))
        return ~found if op in NEGATIONS else found

    return search


@dataclass(frozen=True, slots=True)
class Named:
    """A column that has one of few names; it can be sorted by."""

    column: ColumnElement[Any]
    names: tuple[str, ...]

    def __call__(self, op: str, value: object) -> ColumnElement[bool]:
        """Raises `Refused` for other names, so that a slip of the pen does not find everything else."""
        return among({name: self.column == name for name in self.names})(op, value)


# Labels ------------------------------------------------------------------------------------------------------------


def labelled(column: ColumnElement[Any]) -> Search:
    """The field `labels`, a map or texts `key:value`.

    EQUALS: all of them are there. IN: one of them. NOT_EQUALS and NOT_IN: none of them. CONTAINS: the text is in some
    key or value.
    """

    def search(op: str, value: object) -> ColumnElement[bool]:
        if op in ("CONTAINS", "NOT_CONTAINS") and not isinstance(value, Mapping):
            found = _in_some_label(column, str(value))
        elif op in _HOW:
            found = _HOW[op](within(column, _marked(label)) for label in _labels(value))
        else:
            raise refused(f"Operation {op} is not supported for field labels", f"one of {', '.join(_HOW)}, CONTAINS")
        return ~found if op in NEGATIONS else found

    return search


def _all(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    return and_(true(), *conditions)


def _some(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(false(), *conditions)


_HOW = {"EQUALS": _all, "IN": _some, "NOT_EQUALS": _some, "NOT_IN": _some}


def _in_some_label(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return false() if any(mark in text for mark in "\x1e\x1f") else within(column, text)


def marked(labels: Iterable[Label]) -> str:
    """Labels as one text in which each can be found."""
    return "".join(_marked(label) for label in labels)


def unmarked(text: str) -> tuple[Label, ...]:
    """The labels of such a text."""
    return tuple(Label(*each.split("\x1f", 1)) for each in text.strip("\x1e").split("\x1e\x1e") if each)


def _marked(label: Label) -> str:
    return f"\x1e{label.key}\x1f{label.value}\x1e"


def _labels(value: object) -> list[Label]:
    if isinstance(value, Mapping):
        return [Label(str(key), str(one)) for key, each in value.items() for one in listed(each)]
    return [Label(*_pair(str(each))) for each in listed(value)]


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(":")
    return key, value
