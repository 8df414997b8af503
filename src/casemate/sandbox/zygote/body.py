"""Runs one task body, of `casemate.inside` or of a plugin, in this process, behind the walls."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TypeAlias

from casemate.sandbox.zygote.channel import Channel

_ROOM = "casemate.inside."
PRIVATE = "/tmp"  # noqa: S108 - where it is this one it is private
"""Where temporary files go, unless the worker names another place."""
_REHEARSED = {"module": "", "job": {"properties": {}}, "places": {"work": "", "temporary": PRIVATE}}

Body: TypeAlias = Callable[..., None]
"""`run` of a module of that room: it takes its job, how to tell, and if it has questions how to ask."""


class Refused(Exception):
    """The worker did not give what the body asked for; the message says why."""


def run(channel: Channel) -> int:
    """Hear of one job, do it, tell what happened; the exit code is 1 if it failed."""
    rehearse(channel)
    message = channel.hear()
    if message is None:
        return 0
    return _done(message, None, channel)


def rehearse(channel: Channel) -> None:
    """Go through a job that is none: what is touched and found out now need not be when there is one."""
    channel.rehearse(_REHEARSED)
    _done(_REHEARSED, _nothing, channel)


def _nothing(_job: object, _tell: object, _ask: object) -> None:
    """The body of the rehearsal."""


def _done(message: Mapping[str, object], body: Body | None, channel: Channel) -> int:
    """Run the body that the message names, if none is given."""
    if (temporary := _temporary(message)) != PRIVATE:
        os.environ["TMPDIR"] = temporary
    failed = False

    def tell(told: Mapping[str, object]) -> None:
        nonlocal failed
        failed = failed or "failed" in told
        channel.tell(told)

    def ask(function: str, **arguments: object) -> object:
        channel.tell({"ask": {"function": function, "arguments": arguments}})
        reply = channel.hear()
        if reply is None or "refused" in reply:
            raise Refused(str(reply["refused"]) if reply else "The worker is gone.")
        return reply["answer"]

    try:
        body = body or _meant(message)
        # Most bodies have no questions, and no use for a third argument.
        body(*(message["job"], tell, ask)[: body.__code__.co_argcount])
    except BaseException as error:
        tell({"failed": failure(error)})
    sys.stdout.flush()
    sys.stderr.flush()
    return 1 if failed else 0


def failure(error: BaseException) -> dict[str, object]:
    """An exception as a message: its text, the texts of its causes, nearest first, and its trace."""
    return {
        "message": _text(error),
        "causes": [_text(cause) for cause in _causes(error)],
        "trace": "".join(traceback.format_exception(error)),
    }


def _temporary(message: Mapping[str, object]) -> str:
    places = message["places"]
    assert isinstance(places, dict)
    return str(places["temporary"])


def _meant(message: Mapping[str, object]) -> Body:
    """A body of ours, or of a plugin: that is imported from its wheel only here, where every wall stands."""
    module, wheel = str(message["module"]), str(message.get("wheel", ""))
    if not wheel:
        return _known(module)
    sys.path.append(wheel)  # behind the standard library: no plugin takes the place of one of its modules
    body: Body = import_module(module).run
    return body


def _known(module: str) -> Body:
    """Only bodies that the zygote has loaded: a name from outside never makes this process import anything."""
    if not module.startswith(_ROOM) or module not in sys.modules:
        raise LookupError(f"There is no task body {module}.")
    body: Body = sys.modules[module].run
    return body


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    while (cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        if cause in causes:
            break
        causes.append(cause)
        error = cause
    return causes
