"""What comes out of a sandbox, decoded strictly: whoever wrote it may be hostile, and everything behind believes us.

Two dialects reach the worker: lines of a script, `::{...}::` (spec/isolation 6.4), and messages of a body
(`sandbox.Told`). Both end as one value, `Said`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, cast, get_args

from casemate.jobs import Level, Metric
from casemate.worker.errors import Malformed

DEPTH = 64
"""How deep a value may be nested. Deeper ones would end the recursion of those who print them later."""

TAGS = 64
"""How many tags one metric may have."""

_LEVELS: frozenset[str] = frozenset(get_args(Level))


@dataclass(frozen=True, slots=True)
class Failure:
    """A body says that the task failed."""

    message: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A body has a question, and waits."""

    function: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message from inside, with all that it may hold."""

    outputs: Mapping[str, object] | None = None
    confided: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Outputs that are to be encrypted, as texts."""
    question: Asked | None = None
    metrics: tuple[Metric, ...] = ()
    logs: tuple[tuple[Level, str], ...] = ()
    failure: Failure | None = None
    masks: tuple[str, ...] = field(default=(), repr=False)
    """Values that logs must not show from now on."""


def marked(line: str) -> bool:
    """Whether a line of a script is a message: `::{...}::` from its first to its last character."""
    return len(line) >= 6 and line.startswith("::{") and line.endswith("}::")


def from_line(line: str) -> Said:
    """The message in a marked line; unknown keys mean nothing. Raises `Malformed` with the reason."""
    content = _json(line[2:-2])
    return Said(
        outputs=_outputs(content),
        metrics=tuple(_metric(one) for one in _list(content.get("metrics"), "metrics")),
        logs=tuple(_log(one) for one in _list(content.get("logs"), "logs")),
        masks=_masks(content.get("mask")),
        confided=_confided(content),
    )


def from_body(message: Mapping[str, object]) -> Said:
    """The message of a body. Raises `Malformed` with the reason."""
    content = _map(message, "message")
    failed = content.get("failed")
    return Said(
        outputs=_outputs(content) if "outputs" in content else _outputs(failed),
        question=_asked(content["ask"]) if "ask" in content else None,
        metrics=(_metric(content["metric"]),) if "metric" in content else (),
        logs=(_log(content["log"]),) if "log" in content else (),
        failure=None if failed is None else _failure(failed),
    )


def sound(value: object, depth: int = DEPTH) -> object:
    """The value if it is JSON that everyone can write again: finite numbers, text that is Unicode, bounded depth."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return _text(value)
        case float():
            return value if math.isfinite(value) else _refuse("a number is not finite")
        case list() | tuple() if depth:
            return [sound(item, depth - 1) for item in value]
        case Mapping() if depth:
            return {_key(key): sound(item, depth - 1) for key, item in value.items()}
        case list() | tuple() | Mapping():
            return _refuse(f"nested deeper than {DEPTH} levels")
        case _:
            return _refuse(f"{type(value).__name__} is not JSON")


def _json(text: str) -> Mapping[str, object]:
    try:
        return _map(json.loads(text, parse_constant=lambda name: _refuse(f"{name} is not JSON")), "message")
    except RecursionError:
        raise Malformed(f"nested deeper than {DEPTH} levels") from None
    except ValueError as error:
        raise Malformed(str(error)) from None


def _refuse(reason: str) -> NoReturn:
    raise Malformed(reason)


def _text(value: str) -> str:
    # Half a surrogate pair cannot be written as UTF-8: it would break the database or the answer of the API.
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _key(key: object) -> str:
    return _text(key) if isinstance(key, str) else _refuse("a key is not text")


def _map(value: object, name: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        _refuse(f"`{name}` is not a map")
    return cast("dict[str, object]", sound(value))


def _list(value: object, name: str) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else _refuse(f"`{name}` is not a list")


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _outputs(value: object) -> dict[str, object] | None:
    outputs = _field(value, "outputs")
    return None if outputs is None else _map(outputs, "outputs")


def _confided(content: Mapping[str, object]) -> dict[str, str]:
    values = _map(content.get("encryptedOutputs"), "encryptedOutputs")
    return {name: _printed(value) for name, value in values.items()}


def _failure(value: object) -> Failure:
    message, trace = _field(value, "message"), _field(value, "trace")
    return Failure(_printed(message) or "The task failed without saying why.", _printed(trace))


def _asked(value: object) -> Asked:
    function = _field(value, "function")
    if not isinstance(function, str):
        _refuse("a question names no function")
    return Asked(function, _map(_field(value, "arguments"), "arguments"))


def _log(value: object) -> tuple[Level, str]:
    if not isinstance(value, Mapping):
        _refuse("a log entry is not a map")
    level = str(value.get("level") or "INFO").upper()
    return cast("Level", level) if level in _LEVELS else "INFO", _printed(value.get("message"))


def _masks(value: object) -> tuple[str, ...]:
    """One value or several; anything but texts and numbers is refused, as nobody could tell what of it is secret."""
    several = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, str | int | float) and not isinstance(one, bool) for one in several):
        _refuse("`mask` is not a text")
    return tuple(map(str, several))


def _printed(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _metric(value: object) -> Metric:
    if not isinstance(value, Mapping):
        _refuse("a metric is not a map")
    name, kind, number = value.get("name"), value.get("type", value.get("kind")), value.get("value")
    if not isinstance(name, str) or not name:
        _refuse("a metric has no name")
    if kind not in ("counter", "timer"):
        _refuse(f"metric `{name}` is neither a counter nor a timer")
    if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > 1e300:
        _refuse(f"metric `{name}` has no value")
    return Metric(name=name, kind=kind, value=float(number), tags=_tags(value.get("tags")))


def _tags(value: object) -> dict[str, str]:
    tags = _map(value, "tags")
    if len(tags) > TAGS:
        _refuse(f"a metric has more than {TAGS} tags")
    return {key: _printed(item) for key, item in tags.items()}
