"""Messages of the domain name system (RFC 1035, RFC 6891) from a task or a resolver. No byte of them is trusted.

A question is taken apart and made anew, so that nothing but what it asks goes out. Of an answer only addresses and
aliases are read; the work that one message can cause is bounded.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

LARGEST = 65535
FORMAT_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 1, 2, 3

_HEADER = struct.Struct(">HHHHHH")
_QUESTION = struct.Struct(">HH")
_RECORD = struct.Struct(">HHIH")
_INTERNET = 1
_RESPONSE, _OPERATION, _TRUNCATED, _AVAILABLE, _CODE = 0x8000, 0x7800, 0x0200, 0x0080, 0x000F
_WISHES = 0x0130
"""Recursion desired, authentic data, checking disabled: what an asker may want."""
_SIGNATURES = 0x8000
_PLAIN_SIZE, _MOST_SIZE = 512, 4096
_LONGEST_NAME, _LONGEST_LABEL, _POINTER = 255, 63, 0xC0
_MOST_JUMPS, _MOST_RECORDS, _MOST_ALIASES = 16, 256, 16
_ODD = re.compile(rb"[^a-z0-9_-]")


class _Kind(IntEnum):
    A = 1
    CNAME = 5
    AAAA = 28
    OPT = 41


class Malformed(ValueError):
    """The bytes are no message of the kind that was expected."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; `name` is as it was written, `size` what its asker takes over datagrams."""

    id: int
    wishes: int
    name: bytes
    kind: int
    size: int = _PLAIN_SIZE
    extended: bool = False
    signatures: bool = False

    @property
    def host(self) -> str:
        """The name as text in lower case, as lists of hosts have it; bytes that no host has are escaped."""
        return _text(_labels(self.name, 0)[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver says: the addresses of the name that was asked for, each with its seconds, and its aliases."""

    addresses: tuple[tuple[str, int], ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    owner: str
    seconds: int
    alias: str = ""
    address: str = ""


def question(message: bytes) -> Question:
    """The one question in a message. Raises `Malformed` for all else, also for other classes than the Internet's."""
    identity, flags, questions, answers, authorities, extras = _header(message)
    if flags & (_RESPONSE | _OPERATION) or (questions, answers, authorities) != (1, 0, 0) or extras > 1:
        raise Malformed("not one question")
    labels, at = _labels(message, _HEADER.size, jumps=0)
    kind, network = _unpacked(_QUESTION, message, at)
    if network != _INTERNET:
        raise Malformed("another class of names")
    asked = Question(identity, flags & _WISHES, _wire(labels), kind)
    return _extended(asked, message, at + _QUESTION.size) if extras else asked


def _extended(asked: Question, message: bytes, at: int) -> Question:
    """The same with what its extension says of sizes and signatures; every other option is left behind."""
    labels, at = _labels(message, at, jumps=0)
    kind, size, flags, length = _unpacked(_RECORD, message, at)
    if kind != _Kind.OPT or labels or at + _RECORD.size + length > len(message):
        raise Malformed("not an extension")
    size = min(max(size, _PLAIN_SIZE), _MOST_SIZE)
    return Question(
        asked.id, asked.wishes, asked.name, asked.kind, size, extended=True, signatures=bool(flags & _SIGNATURES)
    )


def asked(wanted: Question, identity: int) -> bytes:
    """The message that asks a resolver, under a number of our own."""
    message = _HEADER.pack(identity, wanted.wishes, 1, 0, 0, int(wanted.extended))
    message += wanted.name + _QUESTION.pack(wanted.kind, _INTERNET)
    if wanted.extended:
        message += b"\0" + _RECORD.pack(_Kind.OPT, wanted.size, _SIGNATURES if wanted.signatures else 0, 0)
    return message


def answers(message: bytes, wanted: Question, identity: int) -> bool:
    """Is this an answer to the question that was asked under this number? All else was sent by somebody else."""
    try:
        number, flags, questions, *_ = _header(message)
        if number != identity or not flags & _RESPONSE or flags & _OPERATION or questions != 1:
            return False
        labels, at = _labels(message, _HEADER.size, jumps=0)
        same = _unpacked(_QUESTION, message, at) == (wanted.kind, _INTERNET)
        return same and _text(labels) == wanted.host
    except Malformed:
        return False


def answer(message: bytes) -> Answer:
    """What the answer section says of the name in the question. Raises `Malformed`."""
    _, flags, _, records, _, _ = _header(message)
    labels, at = _labels(message, _HEADER.size, jumps=0)
    if flags & _CODE or flags & _TRUNCATED:
        return Answer((), ())
    found, at = [], at + _QUESTION.size
    for _ in range(min(records, _MOST_RECORDS)):
        record, at = _record(message, at)
        found.append(record)
    return _followed(_text(labels), [record for record in found if record])


def _record(message: bytes, at: int) -> tuple[_Found | None, int]:
    """One record, if it is of a kind that leads to addresses, and the place of the next."""
    labels, at = _labels(message, at)
    kind, network, seconds, length = _unpacked(_RECORD, message, at)
    at += _RECORD.size
    if at + length > len(message):
        raise Malformed("a record that is longer than its message")
    packed, rest = message[at : at + length], at + length
    if network != _INTERNET:
        return None, rest
    match kind, length:
        case (_Kind.A, 4):
            return _Found(_text(labels), seconds, address=str(IPv4Address(packed))), rest
        case (_Kind.AAAA, 16):
            address = IPv6Address(packed)
            return _Found(_text(labels), seconds, address=str(address.ipv4_mapped or address)), rest
        case (_Kind.CNAME, _):
            return _Found(_text(labels), seconds, alias=_text(_labels(message, at)[0])), rest
    return None, rest


def _followed(name: str, records: list[_Found]) -> Answer:
    """The addresses of a name and of all that it is an alias for; each lives as long as the shortest of its way."""
    alias_of = {record.owner: record for record in records if record.alias}
    owners = {name: 1 << 31}
    while (step := alias_of.get(name)) and step.alias not in owners and len(owners) <= _MOST_ALIASES:
        owners[step.alias] = min(owners[name], step.seconds)
        name = step.alias
    addresses = tuple(
        (record.address, min(record.seconds, owners[record.owner]))
        for record in records
        if record.address and record.owner in owners
    )
    return Answer(addresses, tuple(owners)[1:])


def renumbered(message: bytes, wanted: Question) -> bytes:
    """An answer under the number that its asker knows."""
    return wanted.id.to_bytes(2) + message[2:]


def failure(wanted: Question, code: int) -> bytes:
    """The answer that there is none, and why."""
    flags = _RESPONSE | _AVAILABLE | wanted.wishes | code
    return _HEADER.pack(wanted.id, flags, 1, 0, 0, 0) + wanted.name + _QUESTION.pack(wanted.kind, _INTERNET)


def not_understood(message: bytes) -> bytes | None:
    """The answer to what is no question; None: it has not even a number to answer to, or is an answer itself."""
    if len(message) < _HEADER.size or message[2] & 0x80:
        return None
    return _HEADER.pack(int.from_bytes(message[:2]), _RESPONSE | FORMAT_ERROR, 0, 0, 0, 0)


def _header(message: bytes) -> tuple[int, ...]:
    return _unpacked(_HEADER, message, 0)


def _unpacked(form: struct.Struct, message: bytes, at: int) -> tuple[int, ...]:
    try:
        return form.unpack_from(message, at)
    except struct.error as error:
        raise Malformed("shorter than it says") from error


def _labels(message: bytes, at: int, jumps: int = _MOST_JUMPS) -> tuple[list[bytes], int]:
    """The labels of a name and the place behind it. A pointer leads to what stands before it, and only so often."""
    labels: list[bytes] = []
    length, end = 1, 0
    while True:
        first = _byte(message, at)
        if first >= _POINTER:
            target = (first & ~_POINTER) << 8 | _byte(message, at + 1)
            if target >= at or jumps == 0:
                raise Malformed("a pointer that leads nowhere")
            end, at, jumps = end or at + 2, target, jumps - 1
        elif first == 0:
            return labels, end or at + 1
        else:
            label = message[at + 1 : at + 1 + first]
            length += first + 1
            if first > _LONGEST_LABEL or len(label) < first or length > _LONGEST_NAME:
                raise Malformed("a label that is too long")
            labels.append(label)
            at += first + 1


def _byte(message: bytes, at: int) -> int:
    if at >= len(message):
        raise Malformed("a name that does not end")
    return message[at]


def _wire(labels: list[bytes]) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def _text(labels: list[bytes]) -> str:
    """Each label with what no host has escaped: a dot within a label must not look like one between two."""
    return ".".join(_ODD.sub(_escaped, label.lower()).decode() for label in labels)


def _escaped(odd: re.Match[bytes]) -> bytes:
    return b"\\%03d" % odd[0][0]
