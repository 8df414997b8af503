"""Entries of the lists of destinations that an operator opens and closes: ranges of addresses, and names of hosts.

What a connection may do by them is decided where it is made. Here is only what a text means; one that could mean two
things, or looks like an address and is none, means nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

_BRACKETS: Final = re.compile(r"\[(?P<inner>[^\[\]]*)\](?::(?P<port>.*))?")
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_LONGEST_NAME: Final = 253
_MAPPED: Final = 96
_EXAMPLES: Final = (
    "Write a range such as 10.1.0.0/16, or a host such as api.example.com or *.example.com, perhaps with :PORT"
)


class NotADestination(ValueError):
    """The text is no entry of such a list; `remedy` says what to write instead."""

    def __init__(self, message: str, remedy: str = _EXAMPLES) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Range:
    """Addresses, IPv4-mapped ones as IPv4, at one port or at all."""

    network: Network
    port: int | None


@dataclass(frozen=True, slots=True)
class Host:
    """A name of the domain name system in lower case, or what lies below it, at one port or at all."""

    name: str
    below: bool
    port: int | None

    def covers(self, name: str) -> bool:
        """Is this lower-case name meant? `*.example.com` does not mean `example.com`."""
        return name.endswith(f".{self.name}") if self.below else name == self.name


def parsed(text: str) -> Range | Host:
    """What an entry means. Raises `NotADestination`.

    An IPv6 address or range with a port stands in brackets: `[2001:db8::/32]:443`.
    """
    place, port = _split(text)
    if text.startswith("[") or "/" in place or ":" in place or _NUMBER.fullmatch(place.rpartition(".")[2].lower()):
        return Range(_network(place), port)
    return _host(place, port)


def _split(text: str) -> tuple[str, int | None]:
    if "://" in text:
        rest = text.partition("://")[2].partition("/")[0]
        raise NotADestination(f"{text} is a URL, and not judged by its scheme or path", f"Write the host alone: {rest}")
    if found := _BRACKETS.fullmatch(text):
        port = found["port"]
        return found["inner"], None if port is None else _port(port, text)
    if text.count(":") == 1:
        place, _, port = text.partition(":")
        return place, _port(port, text)
    return text, None


def _port(port: str, text: str) -> int:
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise NotADestination(f"{text} names no port", "Write a number from 1 to 65535 after the colon")
    return int(port)


def _network(place: str) -> Network:
    if "%" in place:
        raise NotADestination(f"{place} belongs to one interface, and ranges to all", "Leave away what begins with %")
    try:
        return _unmapped(ip_network(place))
    except ValueError as error:
        raise NotADestination(f"{place} is no range of addresses", _nearest(place)) from error


def _nearest(place: str) -> str:
    """What may have been meant: the same range without bits of a host."""
    try:
        return f"Write {ip_network(place, strict=False)}"
    except ValueError:
        return _EXAMPLES


def _unmapped(network: Network) -> Network:
    """A connection to an IPv4-mapped address is one to the IPv4 address."""
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED))


def _host(place: str, port: int | None) -> Host:
    below = place.startswith("*.")
    name = place.removeprefix("*.").removesuffix(".").lower()
    if place == "*":
        raise NotADestination("* means every host", "Leave it away: casemate.isolation.egress.public opens all of them")
    if not name.isascii():
        raise NotADestination(f"{place} is not spelled as the domain name system spells it", _spelled(name))
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise NotADestination(f"{place or 'an empty text'} is no name of a host")
    if name.rpartition(".")[2] == "localhost":
        remedy = "Write 127.0.0.0/8 to open the loopback of the machine to all tasks"
        raise NotADestination(f"{place} is the task's own loopback, which needs no rule", remedy)
    return Host(name, below, port)


def _spelled(name: str) -> str:
    try:
        return f"Write {name.encode('idna').decode()}"
    except UnicodeError:
        return _EXAMPLES
