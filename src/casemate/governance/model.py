"""Policies as values: rules that change what a flow says, and rules that judge it (spec/isolation 4.1, 4.2).

These classes are also the form in which policies are written: `read` makes them of YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

from casemate.governance.effort import usable
from casemate.governance.words import FACTS, LISTS, LONE, MANIFEST, Action, Enforcement, Operator, Target

_STRICT: Final = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _some(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("must not be empty")
    return values


_Action: TypeAlias = Annotated[Action, BeforeValidator(_upper)]
_Target: TypeAlias = Annotated[Target, BeforeValidator(_upper)]
_Path: TypeAlias = Annotated[str, Field(min_length=1)]
_Paths: TypeAlias = Annotated[tuple[_Path, ...], AfterValidator(_some)]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Where:
    """One condition on the plugin that a rule is about; all of them must hold. `field` is the path of a property.

    Raises `ValueError` for an operator without its value, and for a pattern that RE2 refuses.
    """

    field: _Path
    operator: Annotated[Operator, BeforeValidator(_upper)]
    value: Any = None

    def __post_init__(self) -> None:
        if self.field.startswith(MANIFEST) and self.field not in FACTS:
            raise ValueError(f"{self.field} is not known; there are {', '.join(FACTS)}")
        if self.operator in LONE and self.value is not None:
            raise ValueError(f"{self.operator} takes no value")
        if self.operator in LISTS and not isinstance(self.value, list):
            raise ValueError(f"{self.operator} takes a list of values")
        if self.operator not in LONE and self.value is None:
            raise ValueError(f"{self.operator} needs a value")
        if self.operator is Operator.REGEX:
            usable(str(self.value))


_Where: TypeAlias = tuple[Where, ...]


def _check_where(on: Target, where: _Where) -> None:
    if where and on is Target.FLOW:
        raise ValueError("where is for plugins: on must be PLUGIN")


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Add:
    """Give properties where they are missing, or in any case (`override`). A null that overrides removes."""

    type: Literal["io.kestra.plugin.ee.rules.Add"] = "io.kestra.plugin.ee.rules.Add"
    on: _Target
    where: _Where = ()
    values: Annotated[Mapping[str, Any], Field(min_length=1)]
    override: bool = False

    def __post_init__(self) -> None:
        _check_where(self.on, self.where)
        if not self.override and None in self.values.values():
            raise ValueError("a null adds nothing: with override: true it removes")


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Delete:
    """Take properties away, whoever has written them."""

    type: Literal["io.kestra.plugin.ee.rules.Delete"] = "io.kestra.plugin.ee.rules.Delete"
    on: _Target
    where: _Where = ()
    properties: _Paths

    def __post_init__(self) -> None:
        _check_where(self.on, self.where)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Deny:
    """Refuse the plugins that the conditions mean, wherever they stand."""

    type: Literal["io.kestra.plugin.ee.rules.Deny"] = "io.kestra.plugin.ee.rules.Deny"
    on: _Target
    where: _Where = ()
    action: _Action = Action.BLOCK
    error_message: str = ""

    def __post_init__(self) -> None:
        if self.on is Target.FLOW:
            raise ValueError("Deny is for plugins: on must be PLUGIN")


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Restrict:
    """Refuse values of a property that are outside these limits. A property that is absent breaks nothing."""

    type: Literal["io.kestra.plugin.ee.rules.Restrict"] = "io.kestra.plugin.ee.rules.Restrict"
    on: _Target
    where: _Where = ()
    property: _Path
    min: float | str | None = None
    max: float | str | None = None
    enum: Annotated[tuple[Any, ...], AfterValidator(_some)] | None = None
    regex: str | None = None
    equals: Any = None
    action: _Action = Action.BLOCK
    error_message: str = ""

    def __post_init__(self) -> None:
        _check_where(self.on, self.where)
        if all(limit is None for limit in (self.min, self.max, self.enum, self.regex, self.equals)):
            raise ValueError("one of min, max, enum, regex and equals is needed")
        if self.regex is not None:
            usable(self.regex)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Require:
    """Refuse what lacks one of these properties. Blank texts and empty lists and maps count as lacking."""

    type: Literal["io.kestra.plugin.ee.rules.Require"] = "io.kestra.plugin.ee.rules.Require"
    on: _Target
    where: _Where = ()
    properties: _Paths
    action: _Action = Action.BLOCK
    error_message: str = ""

    def __post_init__(self) -> None:
        _check_where(self.on, self.where)


Mutation: TypeAlias = Add | Delete
Validation: TypeAlias = Deny | Restrict | Require
Rule: TypeAlias = Add | Delete | Deny | Restrict | Require


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Aim:
    """Which part of its scope a policy is for: some tenants, or some namespaces with all below them."""

    tenants: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Policy:
    """Rules under one name. Raises `ValueError` for an `id` that is no label of RFC 1123."""

    id: str
    display_name: str | None = None
    description: str | None = None
    enforcement: Annotated[Enforcement, BeforeValidator(_upper)] = Enforcement.ACTIVE
    target: Aim | None = None
    rules: Annotated[
        tuple[Annotated[Add | Delete | Deny | Restrict | Require, Field(discriminator="type")], ...],
        AfterValidator(_some),
    ]

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.id):
            raise ValueError("id must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last")
