"""The options of a secret backend, from the configuration file or from a tenant's or namespace's own JSON.

Keys are written with hyphens or in camel case (spec/security 2.3). What nobody knows is refused: a misspelt option
must not quietly fall back to something less safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final, TypeVar, get_args, get_type_hints

from pydantic import (
    AliasChoices,
    AliasGenerator,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from casemate.secret import Secret
from casemate.secrets.errors import InvalidOptions
from casemate.settings import duration

T = TypeVar("T")


def _spellings(name: str) -> AliasChoices:
    return AliasChoices(name.replace("_", "-"), to_camel(name))


FORM = ConfigDict(
    extra="forbid", hide_input_in_errors=True, alias_generator=AliasGenerator(validation_alias=_spellings)
)
"""What every form of options says of itself: `__pydantic_config__ = FORM`, in a frozen dataclass."""


def _secret(written: object) -> Secret:
    if isinstance(written, Secret):
        return written
    if not isinstance(written, str | int) or not str(written):
        raise ValueError("a text is needed")
    return Secret(str(written))


SecretText = Annotated[Secret, PlainValidator(_secret)]
"""An option that is a credential."""


def _duration(written: object) -> timedelta:
    # A bare number says no unit.
    read = duration(written if isinstance(written, str) else "")
    if read <= timedelta():
        raise ValueError("must be more than nothing")
    return read


Duration = Annotated[timedelta, PlainValidator(_duration)]
"""`15s`, `PT15S`; more than nothing."""


def _flat(written: object) -> object:
    if not isinstance(written, Mapping) or not isinstance(below := written.get("tags"), Mapping):
        return written
    return {**{name: value for name, value in written.items() if name != "tags"}, **below}


TagFilter = Annotated[Mapping[str, str], BeforeValidator(_flat)]
"""Pairs, flat or below `tags`."""


@dataclass(frozen=True, kw_only=True)
class PrefixFilter:
    """`filter-on-prefix`: secrets whose names begin so, and whether their names keep it (spec/security 2.5)."""

    __pydantic_config__ = FORM
    prefix: str
    keep_prefix: bool = False

    def __post_init__(self) -> None:
        if not self.prefix:
            # So does every name of the store.
            raise ValueError("prefix is empty, and every name begins so")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The options that every backend has (spec/security 2.3 and 2.5); forms of backends add their own."""

    __pydantic_config__ = FORM
    tags: Mapping[str, str] | None = None
    filter_on_tags: TagFilter | None = None
    excluded_tags: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class NamedChoice(Choice):
    """The options of stores that know names and tags, and no namespaces (spec/security 2.5, 2.9)."""

    prefix: str = ""
    filter_on_prefix: PrefixFilter | None = None


def options(form: type[T], written: Mapping[str, Any], at: str) -> T:
    """The options of a backend in their form; `at` is the key they stand below (`kestra.secret.vault`).

    Raises `InvalidOptions` with every fault.
    """
    try:
        read: T = TypeAdapter(form).validate_python(written)
    except ValidationError as error:
        raise InvalidOptions(_fault(form, one, at) for one in error.errors()) from None
    return read


_ALIKE: Final = 0.8
"""From 0 to 1: how much a misspelt name has in common with the one that was meant."""
_WORDS: Final[Mapping[str, str]] = {
    "bool_parsing": "true or false is needed",
    "bool_type": "true or false is needed",
    "dataclass_type": "has options of its own, which stand below it",
    "dict_type": "names and values are needed below it",
    "mapping_type": "names and values are needed below it",
    "missing": "is needed",
    "string_type": "a text is needed (between quotes, where it looks like something else)",
    "tuple_type": "a list is needed",
}


def _fault(form: type[object], error: ErrorDetails, at: str) -> str:
    place = [str(part) for part in error["loc"]]
    return f"{'.'.join((at, *place))}: {_words(form, error, place)}"


def _words(form: type[object], error: ErrorDetails, place: Sequence[str]) -> str:
    kind = error["type"]
    if kind == "unexpected_keyword_argument":
        return _unknown(place[-1], sorted(_names(_form_at(form, place[:-1]))))
    if kind == "literal_error":
        return f"{error['ctx']['expected']} is needed"
    return _WORDS.get(kind) or error["msg"].removeprefix("Value error, ")


def _unknown(name: str, known: Sequence[str]) -> str:
    """Of an option that is written twice, once in each spelling, the second is the unknown one."""
    plain = name.replace("_", "-").lower()
    same = [one for one in known if one.replace("-", "") == plain.replace("-", "")]
    like = same or get_close_matches(plain, known, 1, _ALIKE)
    if like and name in (like[0], to_camel(like[0].replace("-", "_"))):
        return f"is written twice: as {like[0]} and as {to_camel(like[0].replace('-', '_'))}"
    return (
        f"there is no such option; did you mean {like[0]}?"
        if like
        else f"there is no such option; there are {', '.join(known)}"
    )


def _names(form: type[object]) -> Iterator[str]:
    return (field.name.replace("_", "-") for field in fields(form)) if is_dataclass(form) else iter(())


def _form_at(form: type[object], place: Sequence[str]) -> type[object]:
    for part in place:
        hints = get_type_hints(form)
        hint = next((hints[name] for name in hints if part in (name.replace("_", "-"), to_camel(name))), None)
        form = next((one for one in (hint, *get_args(hint)) if is_dataclass(one) and isinstance(one, type)), object)
    return form
