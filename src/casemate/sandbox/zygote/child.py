"""The life of one sandbox: close what is not ours, raise the walls, report them, do the one thing, be gone."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from typing import NoReturn

from casemate.sandbox.kernel import processes
from casemate.sandbox.orders import Order, Template
from casemate.sandbox.zygote import body, command, contained, walls
from casemate.sandbox.zygote.channel import Channel

CHANNEL, _PARENT, _DOORS = 3, 4, 5
_NO_WALLS = 70


def open_outputs() -> None:
    """Have the text files that every child prints to, on the descriptors that will be its output and its errors."""
    sys.stdout, sys.stderr = (
        os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        for descriptor in (1, 2)
    )


def live(
    order: Order, template: Template, parent: int, channel: int, stdout: int, stderr: int, *doors: int
) -> NoReturn:
    """Never returns, so that no code of the zygote runs in a child."""
    code = _NO_WALLS
    try:
        nothing = os.open("/dev/null", os.O_RDWR)
        processes.keep_only(nothing, stdout, stderr, channel, parent, *doors)
        code = _lived(order, template, Channel(CHANNEL), range(_DOORS, _DOORS + len(doors)))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _lived(order: Order, template: Template, channel: Channel, doors: Iterable[int]) -> int:
    os.umask(0o022)
    try:
        raised = (contained if template.contained else walls).raise_around(order, template, _PARENT, doors)
    except OSError as error:
        # fail closed: without every wall there is no task
        channel.tell({"refused": str(error)})
        return _NO_WALLS
    channel.tell({"ready": raised.walls}, *raised.for_broker)
    for descriptor in raised.for_broker:
        os.close(descriptor)
    # Not before: the kernel compares it with what all tasks of our user have in flight, and would not send ours.
    walls.limit_open_files(order)
    return body.run(channel) if order.kind == "body" else command.run(channel, order, template)
