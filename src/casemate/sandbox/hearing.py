"""Hearing a sandbox: its output as lines, a body's messages, all within bounds that nobody inside can move."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias

from casemate.sandbox.lines import Lines
from casemate.sandbox.model import Body, Event, Launch, Line, Told
from casemate.sandbox.waiting import Ears, ears

_BATCHES_AHEAD = 16
"""How many pieces of output may wait for their reader before the sandbox itself has to wait."""
_BYTES_AHEAD = 1 << 20
"""How much may wait: what is in a message takes a multiple of its size once it is read."""
_MESSAGE_LIMIT = 16 << 20
_MOST_VALUES = 500_000
"""In one message: an empty list takes three bytes of it, and thirty times as many here."""
_IN_QUOTES = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?')
"""Matches wherever it begins, so that no text makes it look twice at anything."""
_CHUNK = 1 << 16

Output: TypeAlias = Literal["stdout", "stderr"]
Condemn: TypeAlias = Callable[[str, str], None]
"""Is called to end the sandbox, with the limit that was passed, or without one and with a reason."""
_FULL = {"temporary", "temporary_inodes"}
"""Limits of which process 1 of a command says at the end that nothing was left."""


class _Batch(NamedTuple):
    """Events that were heard together, and how many bytes they were."""

    events: tuple[Event, ...]
    size: int


class _Stream:
    """One pipe or socket that does not block, read whenever there is something, except while it rests."""

    def __init__(self, descriptor: int, take: Callable[[bytes], None], to: Ears) -> None:
        """`take` gets each piece, and nothing at the end. The descriptor stays the caller's."""
        self._descriptor = descriptor
        self._ears = to
        self._take = take
        self._over = False

    def resume(self) -> None:
        """Read on, unless the end was seen."""
        if not self._over:
            self._ears.listen(self._descriptor, self._read)

    def rest(self) -> None:
        """Read nothing for a while: whoever speaks has to wait when the kernel's buffer is full."""
        if not self._over:
            self._ears.forget(self._descriptor)

    def close(self) -> None:
        """Read no more; before the descriptor is closed."""
        self.rest()
        self._over = True

    def _read(self) -> None:
        try:
            chunk = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self.close()
        self._take(chunk)


class Hearing:
    """What one sandbox says, in batches, for one reader. When the reader lags behind, the sandbox has to wait."""

    def __init__(self, launch: Launch, stdout: int, stderr: int, channel: int, condemn: Condemn) -> None:
        self._launch = launch
        self._condemn = condemn
        self._batches: asyncio.Queue[_Batch | None] = asyncio.Queue()
        to = ears()
        self._streams: tuple[_Stream, ...] = (
            _Stream(stdout, self._output("stdout"), to),
            _Stream(stderr, self._output("stderr"), to),
            _Stream(channel, self._messages(), to),
        )
        self._speaking = len(self._streams)
        self._silent = asyncio.Event()
        self._resting = False
        self._heard = 0
        self._waiting = 0
        self.exited: int | None = None
        """The status of a command as its process 1 tells it, see wait(2)."""
        self.full: tuple[str, ...] = ()
        """Limits that it had reached then."""

    def begin(self) -> None:
        """Listen from now on."""
        for stream in self._streams:
            stream.resume()

    async def until_silent(self) -> None:
        """Until every stream has ended and all of it waits for the reader."""
        await self._silent.wait()

    def close(self) -> None:
        """Listen no more."""
        for stream in self._streams:
            stream.close()
        # What leads back here goes now: a ring of objects stays in memory until all of it is searched for rings.
        self._streams, self._condemn = (), _too_late

    def finish(self) -> None:
        """Tell the reader that nothing more comes."""
        self._batches.put_nowait(None)

    async def batch(self) -> tuple[Event, ...] | None:
        """The next events, in order within each stream; None after the last."""
        batch = await self._batches.get()
        if batch is None:
            return None
        self._waiting -= batch.size
        if self._resting and not self._far_ahead():
            self._resting = False
            self.begin()
        return batch.events

    def _output(self, name: Output) -> Callable[[bytes], None]:
        lines = Lines(self._launch.policy.limits.line)

        def take(chunk: bytes) -> None:
            if not chunk:
                self._offer_lines(name, lines.rest())
                self._fall_silent()
            elif self._within_limit(chunk):
                self._offer_lines(name, lines.feed(chunk))

        return take

    def _messages(self) -> Callable[[bytes], None]:
        lines = Lines(_MESSAGE_LIMIT)

        def take(chunk: bytes) -> None:
            if not chunk:
                self._fall_silent()
            elif self._within_limit(chunk):
                for line in lines.feed(chunk):
                    self._take_message(line)

        return take

    def _fall_silent(self) -> None:
        self._speaking -= 1
        if not self._speaking:
            self._silent.set()

    def _offer_lines(self, name: Output, lines: list[bytes]) -> None:
        if lines:
            now = datetime.now(UTC)
            events = tuple(Line(name, line.decode(errors="replace"), now) for line in lines)
            self._offer(events, sum(map(len, lines)))

    def _take_message(self, line: bytes) -> None:
        """A body's code shares a process with whatever it was fed: nothing it says is believed to be well-formed."""
        message = _message(line)
        if message is None:
            self._condemn("", "broken message")
        elif isinstance(self._launch.what, Body):
            self._offer((Told(message, datetime.now(UTC)),), len(line))
        elif isinstance(status := message.get("exited"), int) and _is_status(status):
            self.exited = status
            self.full = tuple(_FULL.intersection(message))

    def _offer(self, events: tuple[Event, ...], size: int) -> None:
        self._batches.put_nowait(_Batch(events, size))
        self._waiting += size
        if not self._resting and self._far_ahead():
            self._resting = True
            for stream in self._streams:
                stream.rest()

    def _far_ahead(self) -> bool:
        return self._batches.qsize() >= _BATCHES_AHEAD or self._waiting >= _BYTES_AHEAD

    def _within_limit(self, chunk: bytes) -> bool:
        """Count output; the piece that passes the limit, and all after it, is dropped and the sandbox killed."""
        self._heard += len(chunk)
        if self._heard <= self._launch.policy.limits.output:
            return True
        self._condemn("output", "")
        return False


def _too_late(_limit: str, _reason: str) -> None:
    """There is nothing left to end."""


def _is_status(status: int) -> bool:
    """Whether it is what wait(2) says of a process that has ended."""
    return 0 <= status < 1 << 16 and (os.WIFEXITED(status) or os.WIFSIGNALED(status))


def _message(line: bytes) -> dict[str, object] | None:
    """The JSON object in a line; None if it is anything else, or more than a worker should hold."""
    if _values(line) > _MOST_VALUES and _values(_IN_QUOTES.sub(b"", line)) > _MOST_VALUES:
        return None
    try:
        message = _JSON.decode(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _values(line: bytes) -> int:
    """No fewer values than this text has, if it is JSON."""
    return line.count(b",") + line.count(b"[") + line.count(b"{")


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)
"""Made once: each would be some microseconds of every message."""
