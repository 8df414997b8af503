"""`casemate eval --jsonl`: templates evaluated one by one, outside of any execution; for checking the language.

Only here are dates given as tagged maps, and only here do files come with the question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, NoReturn, Protocol
from uuid import UUID

from casemate import durations
from casemate.expressions.errors import ExpressionError, Fault, NeedsWorld
from casemate.expressions.javatime.dates import read_date
from casemate.expressions.javatime.locales import DEFAULT
from casemate.expressions.javatime.texts import ZULU
from casemate.expressions.javatime.zones import zone
from casemate.expressions.property_types import converted
from casemate.expressions.render import render, render_typed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Chance(Protocol):
    """Where randomness, ciphers and foreign programs come from; the command line gives the real ones."""

    def uuid(self) -> UUID:
        """A random UUID."""

    def random_int(self, lower: int, upper: int) -> int:
        """A random number below `upper`."""

    def encrypt(self, key: str, plaintext: str) -> str:
        """AES-GCM."""

    def decrypt(self, key: str, encrypted: str) -> str:
        """The opposite."""

    def jq(self, expression: str, value: object) -> list[object]:
        """All results of a jq program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line asked."""

    id: object
    template: object
    variables: Mapping[str, object]
    recursive: bool = False
    mode: str = ""
    zone: tzinfo = UTC
    files: Mapping[str, str] = field(default_factory=dict)  #: by URI
    namespace_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  #: by namespace and path


def read_request(request: Mapping[str, Any]) -> Question:
    """A decoded line as a question; raises `ExpressionError` for what can not be understood."""
    setup = request.get("setup") or {}
    try:
        return Question(
            id=request.get("id"),
            template=request.get("template"),
            variables={name: _untagged(value) for name, value in (request.get("vars") or {}).items()},
            recursive=bool(request.get("recursive")),
            mode=request.get("mode") or "",
            zone=zone(request["tz"]) if request.get("tz") else UTC,
            files=setup.get("storage") or {},
            namespace_files=setup.get("namespace_files") or {},
        )
    except (Fault, ValueError, AttributeError, TypeError) as error:
        raise ExpressionError(f"The question can not be read: {error}") from error


def answer(question: Question, now: datetime, chance: Chance) -> dict[str, object]:
    """`{"id", "value"}`, or `{"id", "error"}` with the error's text; the value is plain JSON."""
    world = _Asked(question, now, question.zone, chance)
    try:
        return {"id": question.id, "value": _plain(_value(question, world))}
    except ExpressionError as error:
        return {"id": question.id, "error": str(error)}


def _value(question: Question, world: _Asked) -> object:
    if question.mode == "typed" and isinstance(question.template, str):
        return render_typed(question.template, question.variables, world)
    value = render(question.template, question.variables, world, recursive=question.recursive)
    kind = question.mode.removeprefix("property:") if question.mode.startswith("property:") else ""
    return converted(value, kind) if kind and isinstance(value, str) else value


# ---- tagged values


def _zoned(text: str) -> datetime:
    stamp = read_date(text, None, DEFAULT)
    where = stamp.zone or ZULU
    return datetime.combine(stamp.day, stamp.clock or datetime.min.time(), where)


def _local(text: str) -> datetime:
    return _zoned(text).replace(tzinfo=None)


def _instant(text: str) -> datetime:
    return _zoned(text).astimezone(UTC)


_TAGS: Mapping[str, Callable[[Any], object]] = {
    "$zoned": _zoned,
    "$instant": _instant,
    "$localdatetime": _local,
    "$localdate": date.fromisoformat,
    "$date_epoch_ms": lambda millis: _EPOCH + timedelta(milliseconds=millis),
    "$duration": durations.parse,
}


def _untagged(value: Any) -> object:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag in _TAGS:
            return _TAGS[tag](inner)
    return {key: _untagged(item) for key, item in value.items()}


def _plain(value: object) -> object:
    """Dates as ISO texts, durations tagged, so that the value is JSON."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case timedelta():
            return {"$duration": durations.printed(value)}
        case None | bool() | int() | float() | str():
            return value
    return str(value)


# ---- the world of one question


@dataclass(frozen=True, slots=True)
class _Asked:
    """The files of the question, an empty KV store, no secrets."""

    question: Question
    now: datetime
    zone: tzinfo
    chance: Chance

    def secret(self, key: str, namespace: str | None, subkey: str | None) -> NoReturn:
        raise ExpressionError(f"Cannot find secret for key '{key}'.")

    def kv(self, key: str, namespace: str | None, error_on_missing: bool) -> None:
        if error_on_missing:
            place = namespace or self._namespace()
            raise ExpressionError(f"The key '{key}' does not exist in the namespace '{place}'.")

    def read(self, path: str, namespace: str | None) -> str:
        files = self.question.files
        if not path.startswith("kestra:"):
            files = self.question.namespace_files.get(namespace or self._namespace(), {})
        for name in (path, f"/{path}", path.removeprefix("/")):
            if name in files:
                return files[name]
        raise ExpressionError(f"{path} (File not found)")

    def file_size(self, path: str, namespace: str | None) -> int:
        return len(self.read(path, namespace).encode())

    def encrypt(self, key: str, plaintext: str) -> str:
        return self.chance.encrypt(key, plaintext)

    def decrypt(self, key: str, encrypted: str) -> str:
        return self.chance.decrypt(key, encrypted)

    def uuid(self) -> UUID:
        return self.chance.uuid()

    def random_int(self, lower: int, upper: int) -> int:
        return self.chance.random_int(lower, upper)

    def error_logs(self) -> Sequence[Mapping[str, object]]:
        raise ExpressionError(
            "The 'errorLogs' function can only be used in the Worker as it access logs from the database."
        )

    def jq(self, expression: str, value: object) -> list[object]:
        return self.chance.jq(expression, value)

    def _namespace(self) -> str:
        flow = self.question.variables.get("flow")
        return str(flow.get("namespace", "")) if isinstance(flow, Mapping) else ""


def no_jq(expression: str, value: object) -> NoReturn:
    """What a `Chance` without jq answers."""
    raise NeedsWorld("jq")
