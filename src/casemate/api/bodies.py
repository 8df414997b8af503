"""Bodies as they come in: never longer than allowed, and never for ever."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.types import Message, Receive

from casemate.api.errors import Declined
from casemate.api.limits import Limits


def received(request: Request, most: int, limits: Limits) -> Receive:
    """What `request.receive` gives, refused as soon as the body turns out to have more than `most` bytes (413), or
    to come more slowly than the limits allow (408). What comes behind the body may take its time.
    """
    too_large = Declined(413, f"The body has more than the {most} bytes that are allowed here")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise too_large
    began, taken, whole = time.monotonic(), 0, False

    async def receive() -> Message:
        nonlocal taken, whole
        left = None if whole else began + limits.allows(taken) - time.monotonic()
        try:
            async with asyncio.timeout(left):
                message = await request.receive()
        except TimeoutError:
            raise Declined(408, "Request Timeout: the body comes too slowly") from None
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > most:
            raise too_large
        return message

    return receive
