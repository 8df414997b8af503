"""One operation of the API as a value. A table of them is router, authoriser, audit and documentation at once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from starlette.responses import Response

from casemate.errors import CasemateError

if TYPE_CHECKING:
    from casemate.api.call import Call

MEBIBYTE = 1 << 20


class Public(Enum):
    """The permission of what anyone may do."""

    PUBLIC = "public"


PUBLIC = Public.PUBLIC

Resource: TypeAlias = Literal[
    "EXECUTION", "FLOW", "INSTANCE", "KVSTORE", "NAMESPACE", "POLICY", "SECRET", "TRIGGER", "VERSIONED_PLUGIN"
]
Action: TypeAlias = Literal[
    "ACCESS_FILES",
    "ACCESS_LOGS",
    "ACCESS_OUTPUTS",
    "BACKFILL",
    "CHANGE_LABELS",
    "CREATE",
    "DELETE",
    "DISABLE",
    "ENABLE",
    "EXECUTE",
    "EXPORT",
    "FOLLOW",
    "FORCE_RUN",
    "IMPORT",
    "KILL",
    "LIST",
    "MANAGE_FILES",
    "PAUSE",
    "REPLAY",
    "RESTART",
    "RESUME",
    "UNLOCK",
    "UNQUEUE",
    "UPDATE",
    "VALIDATE",
    "VIEW",
]
Permission: TypeAlias = tuple[Resource, Action]
"""A resource and an action on it: `("FLOW", "EXECUTE")` (spec/security 4.3)."""

Answer: TypeAlias = Response | Mapping[str, object] | list[object] | str | bool | None
"""What an operation gives: JSON values, a text, nothing (204), or a response of its own."""

Run: TypeAlias = "Callable[[Call], Awaitable[Answer]]"
Verb: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class IncompleteTable(CasemateError):
    """The table of operations cannot be served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What an operation reads: its media types (none: any), its shape, and the most bytes it may have.

    Without a `limit` the server's limit for uploads holds.
    """

    types: tuple[str, ...] = ()
    model: Any = None
    limit: int | None = MEBIBYTE
    required: bool = True


ANYTHING = Body(required=False)
# A flow may have 1 MiB (the reader of documents says so with a place); requests with several flows may have more.
FLOWS = Body(
    types=("application/x-yaml", "application/yaml", "text/yaml", "application/json"), model=str, limit=16 * MEBIBYTE
)
FORM = Body(types=("multipart/form-data", "application/x-www-form-urlencoded"), limit=None, required=False)
TEXT = Body(types=("text/plain",), model=str)


def json_of(model: Any) -> Body:
    """A JSON body of that shape."""
    return Body(types=("application/json",), model=model, limit=4 * MEBIBYTE)


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: what is called, who may (`can`), what the log calls it (`audit`), what goes in and out, what runs.

    `asks` names the query parameters with their types. All others are refused, unless the operation `hears_all` of
    them or only looks at one thing. `returns` is the shape of the answer, `produces` its media type, `status` its code
    when all went well.
    """

    verb: Verb
    path: str
    _: KW_ONLY
    can: Permission | Public
    audit: str
    run: Run
    body: Body = ANYTHING
    asks: Mapping[str, type] = field(default_factory=dict)
    hears_all: bool = False
    returns: Any = None
    produces: str = "application/json"
    status: int = 200
    name: str = ""

    @property
    def title(self) -> str:
        """The name of the operation in documents."""
        return self.name or self.run.__name__

    @property
    def specificity(self) -> tuple[int, ...]:
        """Where the row stands among the others."""
        return specificity(self.path)


def specificity(path: str) -> tuple[int, ...]:
    """Orders paths so that written-out segments win over parameters, and those over the rest of a path."""
    return tuple(_vagueness(segment) for segment in path.split("/"))


def _vagueness(segment: str) -> int:
    if segment.endswith(":path}"):
        return 2
    return 1 if segment.startswith("{") else 0


def checked(table: Iterable[Operation]) -> tuple[Operation, ...]:
    """The table, most specific paths first; refuses rows that nobody could be asked a permission for, and doubles."""
    rows = tuple(sorted(table, key=lambda row: row.specificity))
    faults = [fault for row in rows for fault in _faults(row)]
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = (row.verb, re.sub(r"{\w+", "{", row.path))
        faults += [f"{row.verb} {row.path} stands twice"] if key in seen else []
        seen.add(key)
    if faults:
        raise IncompleteTable("; ".join(faults))
    return rows


def _faults(row: Operation) -> Iterable[str]:
    # Guards against a check that somebody forgot: see test_a_row_without_a_permission_cannot_be_served.
    if row.can is not PUBLIC and not _is_permission(row.can):
        yield f"{row.verb} {row.path} has no permission"
    if not re.fullmatch(r"[a-z-]+(:[a-z-]+)+", row.audit):
        yield f"{row.verb} {row.path} has no audit tag"


def _is_permission(can: object) -> bool:
    return isinstance(can, tuple) and len(can) == 2 and all(can)
