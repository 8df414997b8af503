"""The life of one sandbox: raise the walls, report them, do the one thing, be gone."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from casemate.sandbox.kernel import processes
from casemate.sandbox.kernel.calls import Call, do, make, ready
from casemate.sandbox.orders import Order, Template
from casemate.sandbox.zygote import body, command, contained
from casemate.sandbox.zygote.channel import Channel, encoded
from casemate.sandbox.zygote.walls import CHANNEL, NEW_FILES, Walls, limit_open_files

_PARENT, _DOORS = 4, 5
_NO_WALLS = 70
_OFTEN = 24
"""After so many times Python has settled how it runs a piece of code."""
_SHORT = 64


def prepare() -> None:
    """Have what every child needs: the text files that it prints to, on the descriptors that will be its output and
    its errors, and the name of its folder for temporary files.
    """
    os.environ["TMPDIR"] = body.PRIVATE
    sys.stdout, sys.stderr = (
        os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        for descriptor in (1, 2)
    )


def warm_up(template: Template) -> None:
    """Go in the zygote through what every child goes through.

    What Python finds out about code when it runs (where names are, of which types their values are, what a library
    calls) it writes down beside the code. A child that is born with it need not, in pages that would be copied for it.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(theirs.fileno())
        for _ in range(_OFTEN):
            make(ready((Call("umask", (NEW_FILES,)),)))
            channel.send(encoded({}))
            ours.recv(_SHORT)
            ours.send(encoded({}))
            channel.hear()
            if template.bodies == "none":
                command.rehearse(channel, template)
            else:
                body.rehearse(channel)


def live(walls: Walls, order: Order, template: Template) -> NoReturn:
    """Behind walls that are ready. Never returns, so that no code of the zygote runs in a child."""
    _end_with(lambda: _lived(walls, order, template))


def live_contained(
    order: Order, template: Template, parent: int, channel: int, stdout: int, stderr: int, *doors: int
) -> NoReturn:
    """The same where there are no namespaces; `parent` is a pidfd of the warden."""

    def lived() -> int:
        try:
            nothing = os.open("/dev/null", os.O_RDWR)
            do(*processes.keep_only(nothing, stdout, stderr, channel, parent, *doors))
        except OSError as error:
            return _refused(error, channel)
        return _lived_contained(order, template, range(_DOORS, _DOORS + len(doors)))

    _end_with(lived)


def _end_with(life: Callable[[], int]) -> NoReturn:
    code = _NO_WALLS
    try:
        code = life()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _lived(walls: Walls, order: Order, template: Template) -> int:
    way_out = walls.channel
    try:
        for calls in walls.calls:
            make(calls)
            way_out = CHANNEL
    except OSError as error:
        return _refused(error, way_out)
    channel = Channel(CHANNEL)
    for_broker = [each.number for each in walls.for_broker]
    channel.send(walls.report, *for_broker)
    for descriptor in for_broker:
        os.close(descriptor)
    # Not before: the kernel compares it with what all tasks of our user have in flight, and would not send ours.
    make(walls.last)
    return _occupied(channel, order, template)


def _lived_contained(order: Order, template: Template, doors: range) -> int:
    try:
        walls = contained.raise_around(order, template, _PARENT, doors)
    except OSError as error:
        return _refused(error, CHANNEL)
    channel = Channel(CHANNEL)
    channel.tell({"ready": walls})
    do(*limit_open_files(order))
    return _occupied(channel, order, template)


def _refused(error: OSError, way_out: int) -> int:
    """Fail closed: without every wall there is no task."""
    Channel(way_out).tell({"refused": str(error)})
    return _NO_WALLS


def _occupied(channel: Channel, order: Order, template: Template) -> int:
    return body.run(channel) if order.kind == "body" else command.run(channel, order, template)
