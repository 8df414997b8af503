"""How did an attempt end? Pure: from what was seen to a state and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from casemate.sandbox import End, Isolation

Verdict = Literal["SUCCESS", "WARNING", "FAILED"]

_SIGNALLED: Final = 128


def exit_code(end: End) -> int:
    """The exit code as a shell counts it: a program ended by signal 9 has 137."""
    return end.exit_code if end.exit_code is not None else _SIGNALLED + (end.signal or 0)


def of_script(end: End, *, warn: bool) -> tuple[Verdict, tuple[str, ...]]:
    """The end of a command; `warn` when words on standard error are to count."""
    if end.killed is not None:
        return "FAILED", (f"killed: {end.killed}",)
    if code := exit_code(end):
        return "FAILED", (f"Command failed with exit code {code}", *limits(end))
    return "WARNING" if warn else "SUCCESS", ()


def of_body(end: End, *, failed: bool) -> tuple[Verdict, tuple[str, ...]]:
    """The end of a body; `failed` when it said so itself, with its own words."""
    if end.killed is not None:
        return "FAILED", (f"killed: {end.killed}",)
    if failed:
        return "FAILED", limits(end)
    if end.exit_code == 0:
        return "SUCCESS", ()
    how = f"by signal {end.signal}" if end.signal else f"with exit code {exit_code(end)}"
    return "FAILED", (f"The task ended unexpectedly, {how}", *limits(end))


def limits(end: End) -> tuple[str, ...]:
    """A word about each limit that was reached without being the end of it all."""
    return tuple(f"The sandbox reached its {limit}" for limit in end.met)


def report(isolation: Isolation, complained: Iterable[Mapping[str, object]] = ()) -> Mapping[str, object]:
    """The isolation report as it is kept with the task run; `complained` is what the task itself said it was denied."""
    touched = {} if isolation.touched is None else {"touched": dict(isolation.touched)}
    return touched | {
        "level": isolation.level.value,
        "walls": dict(isolation.walls),
        "policy": isolation.policy,
        "allowed": dict(isolation.allowed),
        "denied": [dict(one) for one in (*isolation.denied, *complained)],
        "reached": [dict(one) for one in isolation.reached],
        "limitsHit": list(isolation.limits_hit),
        "resources": dict(isolation.resources),
    }
