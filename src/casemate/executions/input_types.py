"""The types of inputs and outputs: how a raw value is read, checked and kept (spec/engine 2.2, 2.4).

Values are *live* while they are checked and seen by templates (a date is a `date`) and *stored* as JSON (a date is its
ISO text).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypeAlias, TypeVar

import re2

from casemate import documents, durations
from casemate.errors import Refused
from casemate.executions.texts import read_json
from casemate.expressions import printed
from casemate.patterns import PatternRefused, compiled, within_effort
from casemate.secret import HIDDEN

Properties: TypeAlias = Mapping[str, object]
T = TypeVar("T")

_URI = re2.compile(
    r"^[a-z]+:\/\/(?:www\.)?[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b(?:[-a-zA-Z0-9()@:%_+.~#?&\/=]*)$"
)
_EMAIL = re2.compile(r"^$|^[a-zA-Z0-9_!#$%&’*+/=?`{|}~^.-]+@[a-zA-Z0-9.-]+$")
_INT_BOUND = 1 << 31
_WHOLE = re.compile(r"[-+]?[0-9]+")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?")
_LONGEST_NUMBER = 1000
"""Characters: longer ones take long to read, and mean nothing that could be held."""


class Misfit(ValueError):
    """A value does not suit its type; the message is Kestra's and complete. `value` is the offending part of a list."""

    def __init__(self, message: str, value: object = None) -> None:
        self.value = value
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """One type. `read` raises Misfit, or any other ValueError whose text is shown as the cause."""

    read: Callable[[object, Properties], Any]
    check: Callable[[Any, Properties], None] = lambda _live, _properties: None
    stored: Callable[[Any], object] = lambda live: live
    shown: Callable[[Any], str] = printed


def typed(kind: str, raw: object, properties: Properties) -> Any:
    """The live value of a raw one, checked. Raises Misfit."""
    type_ = TYPES[kind]
    try:
        live = type_.read(raw, properties)
    except Misfit:
        raise
    except (ValueError, Refused) as error:
        if is_secret(kind, properties):
            raise Misfit(f"Expected `{kind}` but received `{HIDDEN}`") from None
        cause = f"with errors:\n```\n{error}\n```"
        raise Misfit(f"Expected `{kind}` but received `{printed(raw)}` {cause}") from error
    type_.check(live, properties)
    return live


def is_secret(kind: str, properties: Properties) -> bool:
    """Is a value of this type a SECRET, or a list of them?"""
    return "SECRET" in (kind, properties.get("itemType"))


def _text(raw: object, _properties: Properties) -> str:
    return raw if isinstance(raw, str) else printed(raw)


def _int(raw: object, _properties: Properties) -> int:
    number = int(_numeral(raw, _WHOLE))
    if not -_INT_BOUND <= number < _INT_BOUND:
        raise ValueError(f'Value out of range. Value:"{raw}" Radix:10')
    return number


def _float(raw: object, _properties: Properties) -> float:
    number = float(_numeral(raw, _DECIMAL))
    if not math.isfinite(number):
        raise ValueError(f'Value out of range. Value:"{raw}"')
    return number


def _numeral(raw: object, form: re.Pattern[str]) -> str:
    text = printed(raw)
    if isinstance(raw, bool) or len(text) > _LONGEST_NUMBER or not form.fullmatch(text):
        raise ValueError(f'For input string: "{text}"')
    return text


def _bool(raw: object, _properties: Properties) -> bool:
    return printed(raw).lower() == "true"


def _instant(raw: object, _properties: Properties) -> datetime:
    text = printed(raw)
    day, _, clock = text.partition("T")
    try:
        moment = datetime.fromisoformat(text) if _DAY.fullmatch(day) and _CLOCK.match(clock) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"Text '{text}' could not be parsed: there is no such date in UTC") from error
    except ValueError as error:
        raise ValueError(f"Text '{text}' could not be parsed: {error}") from error
    raise ValueError(f"Text '{text}' could not be parsed: it is written like 2024-12-31T23:59:59Z")


def _date(raw: object, _properties: Properties) -> date:
    return _written_as(_DAY, printed(raw), date.fromisoformat, "2024-12-31")


def _time(raw: object, _properties: Properties) -> time:
    return _written_as(_CLOCK, printed(raw), time.fromisoformat, "23:59:59")


def _written_as(form: re.Pattern[str], text: str, read: Callable[[str], T], example: str) -> T:
    """Python reads other forms of ISO 8601 too, which Kestra refuses."""
    if not form.fullmatch(text):
        raise ValueError(f"Text '{text}' could not be parsed: it is written like {example}")
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"Text '{text}' could not be parsed: {error}") from error


def _duration(raw: object, _properties: Properties) -> Any:
    return durations.parse(printed(raw))


def _file(raw: object, _properties: Properties) -> str:
    uri = printed(raw)
    if not uri.startswith("kestra://"):
        raise ValueError("a file is the URI of a file in the internal storage, kestra:///...")
    return uri


def _json(raw: object, _properties: Properties) -> object:
    return read_json(raw) if isinstance(raw, str) else raw


def _yaml(raw: object, _properties: Properties) -> object:
    return documents.plain(documents.read(raw, subject="yaml").root) if isinstance(raw, str) else raw


def _uri(raw: object, _properties: Properties) -> str:
    uri = printed(raw)
    if not _URI.match(uri):
        raise Misfit(f"Expected `URI` but received `{uri}`")
    return uri


def _email(raw: object, _properties: Properties) -> str:
    address = printed(raw)
    if not _EMAIL.match(address):
        raise Misfit("The input must be a valid email")
    return address


def _array(raw: object, properties: Properties) -> list[object]:
    item = properties.get("itemType")
    return [element if item is None else _element(str(item), element) for element in _list(raw)]


def _multiselect(raw: object, properties: Properties) -> list[object]:
    return [_element(str(properties.get("itemType") or "STRING"), element) for element in _list(raw)]


def _list(raw: object) -> list[object]:
    elements = read_json(raw) if isinstance(raw, str) else raw
    if not isinstance(elements, list):
        raise ValueError(f"Expected a list, but received {printed(raw)}")
    return elements


def _element(kind: str, raw: object) -> object:
    """An element in the form it is stored in, for lists are stored whole."""
    type_ = TYPES[kind]
    try:
        return type_.stored(type_.read(raw, {}))
    except ValueError as error:
        shown = "null" if raw is None else printed(raw)
        raise Misfit(f"Unable to parse array element as `{kind}` on `{shown}`") from error


def _check_pattern(live: str, properties: Properties) -> None:
    pattern = properties.get("validator")
    if pattern is None:
        return
    try:
        fits = within_effort(compiled(str(pattern)), live).fullmatch(live)
    except PatternRefused as error:
        raise Misfit(f"its validator `{pattern}` is not a regular expression that can be used: {error}") from error
    if not fits:
        raise Misfit(f"it must match the pattern `{pattern}`")


def _check_choice(live: str, properties: Properties) -> None:
    choices = properties.get("values")
    if isinstance(choices, list) and properties.get("allowCustomValue") is not True:
        texts = [printed(choice) for choice in choices]
        if live not in texts:
            raise Misfit(f"it must match the values `[{', '.join(texts)}]`", live)


def _check_choices(live: list[object], properties: Properties) -> None:
    if properties.get("values") is not None and properties.get("options") is not None:
        raise Misfit("you can't define both `values` and `options`")
    choices = properties.get("values") or properties.get("options")
    for element in live:
        _check_choice(printed(element), {**properties, "values": choices})


def _check_bounds(low: str, high: str, words: tuple[str, str], kind: str) -> Callable[[Any, Properties], None]:
    def check(live: Any, properties: Properties) -> None:
        type_ = TYPES[kind]
        for name, word, outside in ((low, words[0], int.__lt__), (high, words[1], int.__gt__)):
            if properties.get(name) is None:
                continue
            bound = type_.read(properties[name], {})
            if outside((live > bound) - (live < bound), 0):
                raise Misfit(f"{word} `{type_.shown(bound)}`")

    return check


_NUMBERS = ("min", "max", ("it must be more than", "it must be less than"))
_DATES = ("after", "before", ("it must be after", "it must be before"))
_LENGTHS = ("min", "max", ("It must be more than", "It must be less than"))


def _iso(live: date | time) -> str:
    return live.isoformat().replace("+00:00", "Z")


TYPES: Mapping[str, Type] = {
    "STRING": Type(read=_text, check=_check_pattern),
    "SECRET": Type(read=_text, check=_check_pattern),
    "ENUM": Type(read=_text, check=_check_choice),
    "SELECT": Type(read=_text, check=_check_choice),
    "MULTISELECT": Type(read=_multiselect, check=_check_choices),
    "INT": Type(read=_int, check=_check_bounds(*_NUMBERS, "INT")),
    "FLOAT": Type(read=_float, check=_check_bounds(*_NUMBERS, "FLOAT")),
    "BOOLEAN": Type(read=_bool),
    "BOOL": Type(read=_bool),
    "DATETIME": Type(read=_instant, check=_check_bounds(*_DATES, "DATETIME"), stored=_iso),
    "DATE": Type(read=_date, check=_check_bounds(*_DATES, "DATE"), stored=_iso),
    "TIME": Type(read=_time, check=_check_bounds(*_DATES, "TIME"), stored=_iso),
    "DURATION": Type(
        read=_duration, check=_check_bounds(*_LENGTHS, "DURATION"), stored=durations.printed, shown=durations.printed
    ),
    "FILE": Type(read=_file),
    "JSON": Type(read=_json),
    "YAML": Type(read=_yaml),
    "URI": Type(read=_uri),
    "EMAIL": Type(read=_email),
    "ARRAY": Type(read=_array),
}
"""Every type by its name."""

_LIVE = frozenset(("DATETIME", "DATE", "TIME", "DURATION"))


def live(kind: str, stored: object) -> object:
    """The value templates see for a stored one. What does not read as its type stays as it is."""
    if kind not in _LIVE or not isinstance(stored, str):
        return stored
    try:
        return TYPES[kind].read(stored, {})
    except ValueError:
        return stored
