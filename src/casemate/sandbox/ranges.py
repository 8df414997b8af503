"""The built-in rules of addresses, and what an address means: one machine has many spellings of an IPv4 address."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

DEFAULTS: tuple[tuple[str, str], ...] = (
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
GUARDED: tuple[tuple[str, str], ...] = (
    ("169.254.0.0/16", "link-local and cloud metadata"),
    ("fe80::/10", "link-local"),
    ("fd00:ec2::254/128", "cloud metadata"),
    ("fd20:ce::254/128", "cloud metadata"),
    ("100.100.100.200/32", "cloud metadata"),
    ("168.63.129.16/32", "cloud metadata"),
    ("192.0.0.192/32", "cloud metadata"),
)
"""Never opened by a wider range such as 0.0.0.0/0: only an entry that names such a range, or lies within it, does."""

_LOOPBACK: Mapping[int, Address] = {4: IPv4Address("127.0.0.1"), 6: IPv6Address("::1")}
_EMBEDDED_V4 = tuple(
    IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32")
)


def meanings_of(text: str) -> tuple[Address, ...]:
    """The address, IPv4-mapped ones as IPv4, and what else it leads to.

    That is the IPv4 address that a tunnel or translator would take from it, and of "any" the loopback. Raises
    `ValueError` for what is no address.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_unspecified:
        return (address, _LOOPBACK[address.version])
    return (address,) if isinstance(address, IPv4Address) else (address, *_embedded(address))


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    number = int(address)
    if address.is_loopback:
        return ()
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    isatap = number >> 32 & 0xFDFFFFFF == 0x5EFE
    if isatap or any(address in network for network in _EMBEDDED_V4):
        return (IPv4Address(number & 0xFFFFFFFF),)
    return ()


def within(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    """Does all of a range lie in the other?"""
    if isinstance(network, IPv4Network) and isinstance(other, IPv4Network):
        return network.subnet_of(other)
    if isinstance(network, IPv6Network) and isinstance(other, IPv6Network):
        return network.subnet_of(other)
    return False
