"""A value that nobody but its task may see, looked for in all that the product leaves behind and answers."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.running import Server

ANSWERS: list[bytes] = []
"""Whatever the watched servers have answered."""


class Watched(Server):
    """Keeps whatever it has answered."""

    def ask(self, verb: str, path: str, **more: Any) -> requests.Response:
        answer = requests.request(verb, f"{self.api}{path}", timeout=60, **more)
        ANSWERS.append(answer.content + repr(answer.headers).encode())
        return answer

    def until(self, execution: str, *states: str) -> dict[str, Any]:
        end = time.monotonic() + 90
        while (found := self.ask("GET", f"/executions/{execution}").json())["state"]["current"] not in states:
            assert time.monotonic() < end, found["state"]
            time.sleep(0.1)
        return found


def traces(state: Path, canary: str) -> list[str]:
    """Where the canary sings: in files of the state folder, in the server's log, in answers."""
    places = [*(file for file in state.rglob("*") if file.is_file()), state.with_name(f"{state.name}.log")]
    contents = [(str(place), place.read_bytes()) for place in places]
    contents += [(f"answer {number}", answer) for number, answer in enumerate(ANSWERS)]
    songs = list(_songs(canary.encode()))
    return [f"{place}: {_around(content, song)!r}" for place, content in contents for song in songs if song in content]


def _around(content: bytes, song: bytes) -> bytes:
    at = content.index(song)
    return content[max(at - 120, 0) : at + 60]


def _songs(canary: bytes) -> Iterator[bytes]:
    """It itself, in hexadecimal digits, and within Base64 wherever it begins."""
    yield canary
    yield canary.hex().encode()
    yield canary.hex().upper().encode()
    for before in range(3):
        digits = base64.b64encode(bytes(before) + canary)
        yield digits[(0, 2, 3)[before] : (before + len(canary)) * 8 // 6]
