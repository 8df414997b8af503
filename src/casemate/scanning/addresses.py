"""Addresses of metadata services in any notation that a program would take for one (spec/isolation 10.1).

The resolver of a C library reads an IPv4 address in one to four parts, each decimal, octal or hexadecimal, the last one
filling what is left. Clients of HTTP decode percent signs and fold wide digits before. All of these are undone here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias
from urllib.parse import unquote

from casemate.scanning.model import Place, Span

_Address: TypeAlias = IPv4Address | IPv6Address

METADATA: Final = (
    "169.254.0.0/16",
    "fd00:ec2::/64",
    "fd20:ce::254/128",
    "100.100.100.200/32",
    "168.63.129.16/32",
    "192.0.0.192/32",
)
"""Ranges in which clouds serve credentials to whoever asks: AWS, Azure, Google, Alibaba, Oracle, DigitalOcean."""
NAMES: Final = frozenset(
    (
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
    )
)
_MIRRORS: Final = (".nip.io", ".sslip.io", ".xip.io", ".rbndr.us", ".1u.ms")
"""Public name servers that answer with the address that stands in the name."""
_ALONE: Final = frozenset(
    map(int, map(IPv4Address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16")))
)
"""A plain number that stands alone is an address only if it is one of these: there are many numbers in a flow."""

_NETWORKS: Final = tuple(map(ip_network, METADATA))
_LIKELY: Final = re.compile(r"[0-9:%]|metadata|instance-data|[^\x00-\x7f]", re.IGNORECASE)
_URL: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,30}:)?[/\\]{2}(?:[^\s/\\?#'\"<>@]*@)?(\[[^\]\s]*\]|[^\s/\\?#'\"<>\[\]:,;|)}]+)",
    re.IGNORECASE,
)
_NUMBER: Final = r"(?:0x[0-9a-f]+|[0-9]+)"
_QUAD: Final = re.compile(rf"(?<![\w.])({_NUMBER}(?:\.{_NUMBER}){{0,3}})(?![\w]|\.[0-9])", re.IGNORECASE)
_COLONS: Final = re.compile(
    r"(?<![\w:.])((?:[0-9a-f]{0,4}:){2,7}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f]{1,4})?)(?![\w:])", re.IGNORECASE
)
_NAME: Final = re.compile(
    r"(?<![\w.-])(?:metadata\.(?:google\.internal|goog|azure\.internal|tencentyun\.com|packet\.net|platformequinix\.com)"
    r"|instance-data\.ec2\.internal)\.?(?![\w-])|(?<![\w./-])instance-data(?=[/:])"
    r"|(?<![\w./-])metadata(?=(?::[0-9]{1,5})?/+(?:computemetadata|0\.1/meta-data)\b)",
    re.IGNORECASE,
)
_MIRRORED: Final = re.compile(
    rf"(?<![\w.-])([\w.-]{{1,253}}(?:{'|'.join(map(re.escape, _MIRRORS))}))\.?(?![\w-])", re.IGNORECASE
)
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
"""Characters that names of hosts lose when they are looked up."""
_DIGIT: Final = re.compile(r"\d")
_JOINT: Final = re.compile(r"['\"]\s*[~+]\s*['\"]|['\"]{2}(?=[0-9a-z.])", re.IGNORECASE)
"""Where a program or an expression joins two texts: `'169.254.' ~ '169.254'`."""
_CONSTANT: Final = re.compile(r"\{\{-?\s*(['\"])([^'\"{}]*)\1\s*-?\}\}")
"""An expression that is one text: `{{ '169.254' }}`."""
_QUOTED: Final = re.compile(r"(?<=[0-9a-z.:\[])(?:['\"]|\\\n|\\)+(?=[0-9a-z.:\]])")
"""What a shell takes away within a word: quotes, backslashes, ends of lines behind them."""
_HIDDEN: Final = re.compile(
    rf"%[0-9a-f]{{2}}|[^\x00-\x7f]|{_JOINT.pattern}|{_CONSTANT.pattern}|{_QUOTED.pattern}", re.IGNORECASE
)
"""Where there is something to undo."""
_SHORTEST: Final = 7
"""Characters: `192.192`."""
_LONGEST_NUMBER: Final = 40


def metadata(_place: Place, text: str) -> Iterator[Span]:
    """Every address of a metadata service in a text, and every name of one."""
    if len(text) < _SHORTEST or not _LIKELY.search(text):
        return
    found = [*_plain(text)]
    yield from found
    if _HIDDEN.search(text):
        # What only a program or a client of HTTP puts together stands nowhere in the text: all of it is pointed at.
        hidden = next((span for undone in _undone(_without(text, found)) for span in _plain(undone)), None)
        if hidden is not None:
            yield Span(0, len(text), hidden.what)


def _plain(text: str) -> Iterator[Span]:
    """What stands in the text as it is, none within another."""
    ends = 0
    for span in sorted((*_in_urls(text), *_bare(text)), key=lambda span: (span.begin, -span.end)):
        if span.begin >= ends:
            yield span
            ends = span.end


def _without(text: str, found: Sequence[Span]) -> str:
    """The text without what was found: somebody may have said that it may stay."""
    begins = (0, *(span.end for span in found))
    ends = (*(span.begin for span in found), len(text))
    return "x".join(text[begin:end] for begin, end in zip(begins, ends, strict=True))


def _undone(text: str) -> Iterator[str]:
    """The text as a program reads it that joins texts, and as a shell does; its characters in their plain form."""
    joined = _folded(_JOINT.sub("", _CONSTANT.sub(r"\2", text)))
    yield joined
    yield _QUOTED.sub("", joined)


def _in_urls(text: str) -> Iterator[Span]:
    """Hosts of addresses with a scheme, where any notation counts."""
    for found in _URL.finditer(text):
        host = _folded(found[1]).strip("[]").removesuffix(".")
        address = _address(host)
        if address is not None and is_metadata(address):
            yield Span(found.start(1), found.end(1), _said(found[1], address))
        elif address is None and _names_metadata(host):
            yield Span(found.start(1), found.end(1), _shown(found[1]))


def _bare(text: str) -> Iterator[Span]:
    """Addresses and names that stand in a text without a scheme, as in `curl 0xa9fea9fe/latest`."""
    for found in _QUAD.finditer(text):
        address = ipv4(found[1]) if len(found[1]) >= _SHORTEST else None
        if address is not None and is_metadata(address) and (_looks_like_one(found[1]) or int(address) in _ALONE):
            yield Span(found.start(1), found.end(1), _said(found[1], address))
    for found in _COLONS.finditer(text):
        six = ipv6(found[1])
        if six is not None and is_metadata(six):
            yield Span(found.start(1), found.end(1), _said(found[1], six))
    for found in _NAME.finditer(text):
        yield Span(found.start(), found.end(), found[0])
    for found in _MIRRORED.finditer(text):
        if _names_metadata(_folded(found[1])):
            yield Span(found.start(1), found.end(1), _shown(found[1]))


def _looks_like_one(text: str) -> bool:
    """Four parts, or a hexadecimal number: what is no address is seldom written so."""
    return text.count(".") == 3 or "x" in text.lower()


def _said(written: str, address: _Address) -> str:
    plain = str(_meanings(address)[-1])
    return plain if plain == written.strip("[]") else f"{_shown(written)}, which is {plain}"


def _shown(written: str) -> str:
    return written if len(written) <= 80 else f"{written[:77]}..."


def _folded(text: str) -> str:
    """As a client of HTTP reads it: percent signs decoded twice at most, digits and dots of any script made plain."""
    visible = _INVISIBLE.sub("", unquote(unquote(text)))
    plain = unicodedata.normalize("NFKC", visible).replace("。", ".").lower()
    return plain if plain.isascii() else _DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), plain)


def _address(host: str) -> _Address | None:
    return ipv6(host) if ":" in host else ipv4(host)


def _names_metadata(host: str) -> bool:
    if not host.endswith(_MIRRORS):
        return host in NAMES
    pieces = re.split(r"[.-]", host)
    quads = (".".join(pieces[begin : begin + 4]) for begin in range(len(pieces) - 3))
    hexes = (f"0x{piece}" for piece in pieces if re.fullmatch("[0-9a-f]{8}", piece))
    return any(address is not None and is_metadata(address) for address in map(ipv4, (*quads, *hexes)))


def ipv4(text: str) -> IPv4Address | None:
    """The address that the C library's `inet_aton` reads, or None. Parts that are too large wrap, as in some."""
    parts = text.lower().split(".")
    if not 1 <= len(parts) <= 4 or any(len(part) > _LONGEST_NUMBER for part in parts):
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    *heads, last = [number for number in numbers if number is not None]
    value = last % (1 << (8 * (4 - len(heads))))
    return IPv4Address(value | sum(head % 256 << (24 - 8 * index) for index, head in enumerate(heads)))


def _number(text: str) -> int | None:
    if re.fullmatch("0x[0-9a-f]+", text):
        return int(text, 16)
    if re.fullmatch("0[0-7]+", text):
        return int(text, 8)
    return int(text) if re.fullmatch("[0-9]+", text) else None


def ipv6(text: str) -> IPv6Address | None:
    """The IPv6 address of a text, with or without a zone; None if it is none."""
    try:
        return IPv6Address(text.partition("%")[0])
    except ValueError:
        return None


def is_metadata(address: _Address) -> bool:
    """Does this address lead to a metadata service, perhaps through a tunnel or translator?"""
    return any(_within(meaning, network) for meaning in _meanings(address) for network in _NETWORKS)


def _within(address: _Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def _meanings(address: _Address) -> tuple[_Address, ...]:
    """The address, and the IPv4 address that is embedded in it."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped or address.sixtofour:
        return (address, *filter(None, (address.ipv4_mapped, address.sixtofour)))
    if address.teredo:
        return (address, *address.teredo)
    number = int(address)
    isatap = number >> 32 & 0xFDFFFFFF == 0x5EFE
    if isatap or any(address in network for network in _EMBEDDING):
        return (address, IPv4Address(number & 0xFFFFFFFF))
    return (address,)


_EMBEDDING: Final = tuple(IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"))
