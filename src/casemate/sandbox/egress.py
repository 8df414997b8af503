"""Where a task may connect to. Pure: an address and a policy in, a verdict and its rule out; the broker acts on it.

Judged is the address a connection would really use, never a name or a URL: redirects, rebinding and odd spellings of
numbers are already behind us. One machine has many IPv6 spellings of an IPv4 address, so all that an address may mean
is judged, and every meaning must be permitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from casemate.sandbox.model import Egress

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

PORTS = range(65536)


@dataclass(frozen=True, slots=True)
class Verdict:
    """May the connection be made, and which rule says so."""

    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class _Rule:
    network: Network
    allows: bool
    text: str


_DEFAULTS: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this host"),
    ("10.0.0.0/8", "private network"),
    ("100.64.0.0/10", "carrier network"),
    ("127.0.0.0/8", "loopback"),
    ("172.16.0.0/12", "private network"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private network"),
    ("198.18.0.0/15", "benchmark network"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/8", "loopback, embedded IPv4 and NAT64"),
    ("2001::/32", "Teredo"),
    ("2002::/16", "6to4"),
    ("fc00::/7", "private network"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
_GUARDED: tuple[tuple[str, str], ...] = (
    ("169.254.0.0/16", "link-local and cloud metadata"),
    ("fe80::/10", "link-local"),
    ("fd00:ec2::254/128", "cloud metadata"),
    ("fd20:ce::254/128", "cloud metadata"),
    ("100.100.100.200/32", "cloud metadata"),
    ("168.63.129.16/32", "cloud metadata"),
    ("192.0.0.192/32", "cloud metadata"),
)
"""Never opened by a wider range such as 0.0.0.0/0: only an entry that names such a range, or lies within it, does."""


def _built_in(entries: tuple[tuple[str, str], ...]) -> tuple[_Rule, ...]:
    return tuple(_Rule(ip_network(text), False, f"default: {why} {text}") for text, why in entries)


DEFAULT_RULES = _built_in(_DEFAULTS)
GUARDED_RULES = _built_in(_GUARDED)
_PUBLIC = Verdict(True, "default: public address")
_EMBEDDED_V4 = tuple(
    IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32")
)


def permits(address: str, port: int, egress: Egress) -> Verdict:
    """May a task connect to this numeric address and port? What is no address or no port is denied.

    Of the operator's `allow` and `deny` ranges the narrowest decides, and `deny` of equal ones; they go before the
    built-in rules. Raises `ValueError` for an `egress` whose ranges are none.
    """
    if not egress.open:
        return Verdict(False, "network is closed")
    if port not in PORTS:
        return Verdict(False, "not a port")
    try:
        meanings = meanings_of(address)
    except ValueError:
        return Verdict(False, "not an address")
    rules = operator_rules(egress)
    verdicts = [_verdict(meaning, rules) for meaning in meanings]
    return next((verdict for verdict in verdicts if not verdict.allowed), verdicts[0])


@lru_cache(maxsize=64)
def operator_rules(egress: Egress) -> tuple[_Rule, ...]:
    """The operator's ranges, narrowest first. Raises `ValueError` for what is no range."""
    rules = [_Rule(_range(text), False, f"deny {text}") for text in egress.deny]
    rules += [_Rule(_range(text), True, f"allow {text}") for text in egress.allow]
    return tuple(sorted(rules, key=lambda rule: -rule.network.prefixlen))


def _range(text: str) -> Network:
    network = ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < 96:
        return network
    return IPv4Network((mapped, network.prefixlen - 96))


def meanings_of(text: str) -> tuple[Address, ...]:
    """The address, IPv4-mapped ones as IPv4, and the IPv4 address that a tunnel or translator would take from it."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    return (address, *_embedded(address))


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    number = int(address)
    if number <= 1:  # "::" and "::1" embed nothing
        return ()
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    isatap = number >> 32 & 0xFDFFFFFF == 0x5EFE
    if isatap or any(address in network for network in _EMBEDDED_V4):
        return (IPv4Address(number & 0xFFFFFFFF),)
    return ()


def _verdict(address: Address, rules: tuple[_Rule, ...]) -> Verdict:
    guard = _first(address, GUARDED_RULES)
    chosen = _first(address, tuple(rule for rule in rules if guard is None or _within(rule.network, guard.network)))
    decisive = chosen or guard or _first(address, DEFAULT_RULES)
    return Verdict(decisive.allows, decisive.text) if decisive else _PUBLIC


def _first(address: Address, rules: tuple[_Rule, ...]) -> _Rule | None:
    return next((rule for rule in rules if address in rule.network), None)


def _within(network: Network, guard: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(guard, IPv4Network):
        return network.subnet_of(guard)
    if isinstance(network, IPv6Network) and isinstance(guard, IPv6Network):
        return network.subnet_of(guard)
    return False
