"""The options of a secret backend, from the configuration file or from a tenant's or namespace's own JSON.

Keys are written with hyphens or in camel case (spec/security 2.3). What nobody knows is refused: a misspelt option
must not quietly fall back to something less safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar

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

Duration = Annotated[
    timedelta, BeforeValidator(lambda written: duration(written) if isinstance(written, str) else written)
]
"""`15s`, `PT15S`."""


@dataclass(frozen=True, kw_only=True)
class PrefixFilter:
    """`filter-on-prefix`: secrets whose names begin so, and whether their names keep it (spec/security 2.5)."""

    __pydantic_config__ = FORM
    prefix: str
    keep_prefix: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The options that every backend has (spec/security 2.3 and 2.5); forms of backends add their own."""

    __pydantic_config__ = FORM
    tags: Mapping[str, str] | None = None
    filter_on_tags: Mapping[str, str | Mapping[str, str]] | None = None
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
        faults = (
            f"{'.'.join((at, *map(str, one['loc'])))}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise InvalidOptions(faults) from None
    return read
