"""`casemate eval --jsonl`: templates evaluated one by one, outside of any execution; for checking the language.

Only here are dates given as tagged maps, and only here do files come with the question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from casemate import durations
from casemate.expressions.errors import ExpressionError, Fault
from casemate.expressions.javatime.dates import read_date
from casemate.expressions.javatime.locales import DEFAULT
from casemate.expressions.javatime.texts import ZULU
from casemate.expressions.javatime.zones import zone
from casemate.expressions.property_types import converted
from casemate.expressions.render import render, render_typed
from casemate.expressions.world import World
from casemate.masking import Mask

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line asked."""

    template: object
    variables: Mapping[str, object]
    recursive: bool = False
    mode: str = ""
    zone: tzinfo | None = None
    files: Mapping[str, str] = field(default_factory=dict)  #: by URI
    namespace_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  #: by namespace and path


def answer(request: Mapping[str, Any], world: World) -> dict[str, object]:
    """`{"id", "value"}` for a decoded line, or `{"id", "error"}` with the error's text; the value is plain JSON.

    The world answers for secrets, chance, ciphers and jq; files come with the request, the KV store is empty.
    """
    asked = request.get("id")
    try:
        question = read_request(request)
        return {"id": asked, "value": _plain(_value(question, _Asked(question, world)))}
    except ExpressionError as error:
        return {"id": asked, "error": str(error)}


def read_request(request: Mapping[str, Any]) -> Question:
    """A decoded line as a question; raises `ExpressionError` for what can not be understood."""
    setup = request.get("setup") or {}
    try:
        return Question(
            template=request.get("template"),
            variables={name: _untagged(value) for name, value in (request.get("vars") or {}).items()},
            recursive=bool(request.get("recursive")),
            mode=request.get("mode") or "",
            zone=zone(request["tz"]) if request.get("tz") else None,
            files=setup.get("storage") or {},
            namespace_files=setup.get("namespace_files") or {},
        )
    except (Fault, ValueError, AttributeError, TypeError) as error:
        raise ExpressionError(f"The request can not be read: {error}") from error


def _value(question: Question, world: World) -> object:
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
    """The caller's world with the files of the question and an empty KV store."""

    question: Question
    beyond: World

    @property
    def now(self) -> datetime:
        return self.beyond.now

    @property
    def zone(self) -> tzinfo:
        return self.question.zone or self.beyond.zone

    @property
    def mask(self) -> Mask:
        return self.beyond.mask

    def secret(self, key: str, namespace: str | None, subkey: str | None, inherit: bool) -> str:
        return self.beyond.secret(key, namespace, subkey, inherit)

    def full_secret(self, key: str, namespace: str | None, inherit: bool) -> Mapping[str, object]:
        return self.beyond.full_secret(key, namespace, inherit)

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
        return self.beyond.encrypt(key, plaintext)

    def decrypt(self, key: str, encrypted: str) -> str:
        return self.beyond.decrypt(key, encrypted)

    def uuid(self) -> UUID:
        return self.beyond.uuid()

    def random_int(self, lower: int, upper: int) -> int:
        return self.beyond.random_int(lower, upper)

    def error_logs(self) -> Sequence[Mapping[str, object]]:
        return self.beyond.error_logs()

    def jq(self, expression: str, value: object) -> list[object]:
        return self.beyond.jq(expression, value)

    def _namespace(self) -> str:
        flow = self.question.variables.get("flow")
        return str(flow.get("namespace", "")) if isinstance(flow, Mapping) else ""
