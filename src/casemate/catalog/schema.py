"""What a property may hold: the part of JSON Schema that manifests may use, and a few words of our own.

Our words begin with `x-`, so that any JSON Schema tool can still read a manifest:

- `x-class`: the name that Kestra's messages give to this object;
- `x-dynamic`: a text with an expression is accepted whatever the type, and converted after rendering;
- `x-late`: left as it is written; the body has it rendered once for each row of what it reads;
- `x-file`: the files that it names by `kestra://` addresses are put into the working directory;
- `x-typed`: rendered, one expression keeps the type of its value;
- `x-not`: text that must not be `blank` or `empty`, absent counting as both;
- `x-holds`: an object whose own `type` decides what it is (a task, a condition, an input...);
- `x-alias-of`: another name of a property; what is written under it counts as written under the true one;
- `x-newer`: accepted, though the Kestra version whose messages we repeat does not list it;
- `x-unused`: accepted, though nothing here looks at it; the reason, for whoever gives it;
- `x-forbidden`: must not be given;
- `x-checks`: rules that look at more than one property.

`minItems: 1` means Kestra's "not empty", for which an absent list is empty. `default` is filled in when nothing is
given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from casemate.catalog.errors import BadManifest
from casemate.patterns import PatternRefused, compiled

Type: TypeAlias = Literal["string", "integer", "number", "boolean", "array", "object"]


class Format(StrEnum):
    """What a text must be able to mean."""

    DURATION = "duration"
    DATE_TIME = "date-time"
    INSTANT = "instant"
    DATE = "date"
    TIME = "time"
    OFFSET_TIME = "offset-time"
    TIMEZONE = "timezone"
    REGEX = "regex"
    SIZE = "size"
    LABELS = "labels"  #: not a text: a map or a list of `{key, value}`


class Holds(StrEnum):
    """What an object can be whose `type` decides over its properties."""

    TASK = "task"
    TRIGGER = "trigger"
    CONDITION = "condition"
    TASK_RUNNER = "task-runner"
    INPUT = "input"
    RETRY = "retry"
    SLA = "sla"


class Check(StrEnum):
    """A rule over several properties; the flow language knows what each one means."""

    ARRAY_INPUT = "array-input"
    DAG = "dag"
    FILE_INPUT = "file-input"
    FILTER = "filter"
    NO_SYSTEM_LABELS = "no-system-labels"
    PLUGIN_DEFAULT = "plugin-default"
    QUOTAS = "quotas"
    RETRY = "retry"
    SCHEDULE = "schedule"
    SCRIPT_RUNNER = "script-runner"
    SWITCH = "switch"
    TIME_WINDOW = "time-window"
    WEBHOOK = "webhook"
    WORKER_GROUP = "worker-group"
    WORKING_DIRECTORY = "working-directory"


def _several(written: object) -> object:
    return written if isinstance(written, list | tuple | frozenset) else [written]


def _readable(pattern: str | None) -> str | None:
    """What values are held against later, when it is too late to tell the author of a manifest."""
    try:
        if pattern is not None:
            compiled(pattern)
    except PatternRefused as error:
        raise ValueError(f"this is no regular expression of RE2: {error}") from error
    return pattern


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What one property, or the properties of one object, may hold. No `types` means anything at all."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    types: Annotated[frozenset[Type], BeforeValidator(_several), Field(alias="type")] = frozenset()
    title: str = ""
    description: str = ""
    default: Any = None
    deprecated: bool = False
    choices: Annotated[tuple[str, ...], Field(alias="enum")] = ()
    format: Format | None = None
    pattern: Annotated[str | None, AfterValidator(_readable)] = None
    shortest: Annotated[int | None, Field(alias="minLength")] = None
    longest: Annotated[int | None, Field(alias="maxLength")] = None
    least: Annotated[float | None, Field(alias="minimum")] = None
    above: Annotated[float | None, Field(alias="exclusiveMinimum")] = None
    not_empty: Annotated[Literal[1] | None, Field(alias="minItems")] = None
    items: Schema | None = None
    properties: Mapping[str, Schema] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    values: Annotated[Schema | None, Field(alias="additionalProperties")] = None
    java: Annotated[str, Field(alias="x-class")] = ""
    dynamic: Annotated[bool, Field(alias="x-dynamic")] = False
    late: Annotated[bool, Field(alias="x-late")] = False
    file: Annotated[bool, Field(alias="x-file")] = False
    typed: Annotated[bool, Field(alias="x-typed")] = False
    must_not_be: Annotated[Literal["blank", "empty"] | None, Field(alias="x-not")] = None
    holds: Annotated[Holds | None, Field(alias="x-holds")] = None
    alias_of: Annotated[str | None, Field(alias="x-alias-of")] = None
    newer: Annotated[bool, Field(alias="x-newer")] = False
    unused: Annotated[str, Field(alias="x-unused")] = ""
    forbidden: Annotated[bool, Field(alias="x-forbidden")] = False
    checks: Annotated[tuple[Check, ...], Field(alias="x-checks")] = ()

    @cached_property
    def demanding(self) -> tuple[tuple[str, Schema], ...]:
        """The properties that something is asked of, whether they are given or not."""
        return tuple((name, own) for name, own in self.properties.items() if name in self.required or own.constrained)

    @property
    def constrained(self) -> bool:
        """A value of the right type can still be wrong here, or a missing one has a default."""
        limits = (self.default, self.must_not_be, self.not_empty, self.pattern, self.longest, self.least, self.above)
        return any(limit is not None for limit in limits)

    @property
    def known(self) -> tuple[str, ...]:
        """The names Kestra lists when it refuses an unknown one."""
        return tuple(name for name, schema in self.properties.items() if not schema.newer)


_SCHEMA: TypeAdapter[Schema] = TypeAdapter(Schema)


def read_schema(written: Mapping[str, object], where: str = "") -> Schema:
    """A schema from its JSON form. Raises `BadManifest` with every fault; `where` names its owner in the message."""
    try:
        return _SCHEMA.validate_python(written)
    except ValidationError as error:
        raise BadManifest(faults_of(error, where)) from error


def faults_of(error: ValidationError, where: str) -> list[str]:
    """Every fault that pydantic found, each with its place."""
    return [".".join([where, *map(str, fault["loc"])]).strip(".") + ": " + fault["msg"] for fault in error.errors()]
