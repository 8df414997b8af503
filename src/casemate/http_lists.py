"""Entries of `kestra.tasks.http.allowed-list` and `denied-list`: which addresses of the web HTTP tasks may ask.

Here is what an entry must look like, and which connections it leaves or closes as a whole. What a request may do by its
path is decided where the request is made, hop by hop (`inside.http_filter`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from casemate.destinations import Host, NotADestination, Range, parsed

_PORTS: Final = {"http": 80, "https": 443}
_EXAMPLES: Final = "Write a URL such as https://api.example.com/v1 or https://*.example.com:8443"


@dataclass(frozen=True, slots=True)
class WebPlace:
    """What an entry means: one scheme and port, a host or what lies below it, and a path that others begin with."""

    text: str
    scheme: str
    place: Range | Host | None
    """Without the task's own loopback, which is no place that a connection could leave for."""
    path: str

    @property
    def is_whole(self) -> bool:
        """Is every path of the host meant?"""
        return self.path in ("", "/")


def web_place(text: str) -> WebPlace:
    """What an entry means. Raises `NotADestination`."""
    parts, port = _split(text)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise NotADestination(f"{text} is no URL with http:// or https:// and a host", _EXAMPLES)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise NotADestination(f"{text} is judged by scheme, host, port and path only", _EXAMPLES)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    own = parts.hostname.removesuffix(".").rpartition(".")[2] == "localhost"
    place = None if own else parsed(f"{host}:{port or _PORTS[parts.scheme]}")
    return WebPlace(text, parts.scheme, place, parts.path)


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError as error:
        raise NotADestination(f"{text} is no URL", _EXAMPLES) from error


def written(place: Range | Host) -> str:
    """A place as an entry of `casemate.isolation.egress.allow` or `deny`."""
    match place:
        case Host(name, below, port):
            text = f"*.{name}" if below else name
        case Range(network, port):
            text = f"[{network}]" if network.version == 6 else str(network)
    return text if port is None else f"{text}:{port}"
