"""Which addresses of the web a task may ask: the operator's lists, held against every hop (spec/isolation 10.2).

An entry names a scheme, a host, a port and the beginning of a path. Both sides are brought to one spelling first, so
that no other way of writing a number, a name or a path is a way around. The walls judge the same connections once more
by the address they lead to.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - behind the walls an import would come too late
import posixpath
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

ALLOWED, DENIED = "kestra.tasks.http.allowed-list", "kestra.tasks.http.denied-list"

_PORTS = {"http": 80, "https": 443}
_MOST_DECODINGS = 8
_EMBEDDED = tuple(IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))


class UriRefused(Exception):
    """The address is closed to HTTP tasks."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address of the web in the one spelling that is compared."""

    scheme: str
    host: str
    port: int | None
    paths: tuple[str, ...]
    """As it is sent, and as a server may understand it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Both lists. An empty list of what is allowed allows everything; what is denied is denied in any case."""

    allowed: tuple[Place, ...] = ()
    denied: tuple[Place, ...] = ()

    @classmethod
    def of(cls, lists: Mapping[str, Any]) -> Filter:
        """The filter that the texts of `allowed` and `denied` make."""
        return cls(*(tuple(_place(urlsplit(text)) for text in lists.get(name, ())) for name in ("allowed", "denied")))

    def check(self, uri: str) -> None:
        """Raises `UriRefused` for an address that may not be asked."""
        if not self.allowed and not self.denied:
            return
        asked = _place(urlsplit(uri))
        if self.allowed and not any(_allows(entry, asked) for entry in self.allowed):
            raise UriRefused(f"The URI {_shown(uri)} is not in the configured allowed list ({ALLOWED}).")
        self._check_denied(uri, asked)

    def check_number(self, uri: str, number: str) -> None:
        """Raises `UriRefused` if what may not be asked is what its name leads to."""
        if self.denied:
            self._check_denied(uri, replace(_place(urlsplit(uri)), host=_host(number)))

    def _check_denied(self, uri: str, asked: Place) -> None:
        if any(_denies(entry, asked) for entry in self.denied):
            raise UriRefused(f"The URI {_shown(uri)} is in the configured denied list ({DENIED}).")


def _shown(uri: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]*@", "", uri)


def _allows(entry: Place, asked: Place) -> bool:
    """However a server reads the path, it must lie in the folder that is allowed."""
    folders = [path.rstrip("/") for path in entry.paths]
    return _same(entry, asked) and all(
        any(path == folder or path.startswith(f"{folder}/") for folder in folders) for path in asked.paths
    )


def _denies(entry: Place, asked: Place) -> bool:
    """In whatever case, and in one reading at least."""
    starts = tuple(path.rstrip("/").lower() for path in entry.paths)
    return _same(entry, asked) and any(path.lower().startswith(starts) for path in asked.paths)


def _same(entry: Place, asked: Place) -> bool:
    if (entry.scheme, entry.port) != (asked.scheme, asked.port):
        return False
    return asked.host.endswith(entry.host[1:]) if entry.host.startswith("*.") else asked.host == entry.host


def _place(parts: SplitResult) -> Place:
    port = parts.port or _PORTS.get(parts.scheme)
    return Place(parts.scheme, _host(parts.hostname or ""), port, (parts.path or "/", _understood(parts.path)))


def _host(name: str) -> str:
    """A name as the domain name system spells it; a number, also one that is written as a system call takes it."""
    if ":" in name:
        return _number(name)
    try:
        plain = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name
    plain = plain.lower().removesuffix(".")
    try:
        return str(IPv4Address(socket.inet_aton(plain)))
    except OSError:
        return plain


def _number(text: str) -> str:
    """An IPv6 address; one that leads to an IPv4 address is that."""
    try:
        address = IPv6Address(text.partition("%")[0])
    except ValueError:
        return text
    inner = int(address) & 0xFFFF_FFFF
    embedded = inner > 1 and any(address in network for network in _EMBEDDED)
    return str(IPv4Address(inner)) if embedded else str(address)


def _understood(path: str) -> str:
    """A path without escapes, backslashes, doubled slashes and steps upwards."""
    for _ in range(_MOST_DECODINGS):
        if (plain := unquote(path)) == path:
            break
        path = plain
    steps = [step.partition(";")[0] for step in path.replace("\\", "/").split("/")]
    normal = posixpath.normpath("/" + "/".join(step for step in steps if step))
    return normal + "/" if path.endswith("/") and normal != "/" else normal
