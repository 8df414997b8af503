"""What a hostile task may hand to the broker: any bytes at all. `scripts/fuzz` looks for longer."""

from __future__ import annotations

import errno
import socket
import struct
from ipaddress import IPv4Address, IPv6Address

from boxed_programs import python
from hypothesis import example, given
from hypothesis import strategies as st

from casemate.sandbox import Egress
from casemate.sandbox.addresses import Inet, Nobody, Unix, packed, parsed
from casemate.sandbox.egress import may_look_up, permits
from casemate.sandbox.kernel.machine import THIS

OPEN = Egress(open=True, allow=("0.0.0.0/0", "::/0", "*.example", "good.example:443"))
CLOSED = Egress(open=True, public=False, allow=("*.example", "good.example:443", "1.0.0.0/8:443"))
NAMES = ("good.example", "a.example", "other.test")

PRIVATE = (
    "0a000000",
    "7f000001",
    "a9fea9fe",
    "ac100000",
    "c0a80000",
    "64400000",
    "a83f8110",
    "646464c8",
    "e0000001",
    "00000000",
)
V4 = st.sampled_from(PRIVATE).map(bytes.fromhex) | st.binary(min_size=4, max_size=4)
PREFIXES = (
    *("00000000000000000000ffff", "000000000000000000000000", "0000000000000000ffff0000", "0064ff9b0000000000000000"),
    *("0064ff9b0001000000000000", "fe8000000000000000005efe", "260647000000000000005efe", "260647000000000002005efe"),
    *("fd00000000000000000000ec", "fec000000000000000000000", "ff0200000000000000000000"),
)
V6 = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.tuples(st.sampled_from(PREFIXES).map(bytes.fromhex), V4).map(b"".join),
    V4.map(lambda inner: b"\x20\x02" + inner + bytes(9) + b"\1"),
    V4.map(lambda inner: b"\x20\1\0\0" + bytes((8, 8, 8, 8)) + bytes(4) + bytes(0xFF - byte for byte in inner)),
)
PORT = st.binary(min_size=2, max_size=2)
INET = st.tuples(PORT, V4).map(lambda parts: struct.pack("=H", socket.AF_INET) + b"".join(parts) + bytes(8))
INET6 = st.tuples(PORT, st.binary(min_size=4, max_size=4), V6, st.binary(min_size=4, max_size=4)).map(
    lambda parts: struct.pack("=H", socket.AF_INET6) + b"".join(parts)
)
ADDRESSES = INET | INET6 | st.binary(max_size=128)


def is_public_v4(number: int) -> bool:
    """Counted by hand, not by the tables that are tested."""
    first, second = number >> 24, number >> 16 & 0xFF
    private = first in (0, 10, 127) or first >= 224 or (first, second) in ((169, 254), (192, 168), (198, 18), (198, 19))
    private |= (first == 100 and 64 <= second < 128) or (first == 172 and 16 <= second < 32)
    return not private and number not in (0xA83F8110, 0x646464C8) and number >> 8 != 0xC00000


def is_public(address: str) -> bool:
    """Nothing that this address could be taken for is private."""
    if ":" not in address:
        return is_public_v4(int(IPv4Address(address)))
    number = int(IPv6Address(address))
    top = number >> 112
    if top >> 8 in (0x00, 0xFC, 0xFD, 0xFF) or top >> 6 in (0xFE80 >> 6, 0xFEC0 >> 6) or top == 0x2002:
        return False
    isatap = number >> 32 & 0xFDFFFFFF == 0x5EFE
    return number >> 96 != 0x20010000 and (not isatap or is_public_v4(number & 0xFFFFFFFF))


def understood(raw: bytes) -> Inet | Unix | Nobody | int:
    """What the parser makes of it, or the errno that the task gets."""
    try:
        return parsed(raw)
    except OSError as error:
        return error.errno


@given(ADDRESSES)
@example(b"")
@example(struct.pack("=H", 1) + b"\0" * 110)
def test_no_bytes_break_the_address_parser(raw):
    found = understood(raw)
    if isinstance(found, Inet):
        assert parsed(packed(found.address, found.port, socket.AF_INET6)) == found
    else:
        assert isinstance(found, Unix | Nobody) or found in (errno.EINVAL, errno.EAFNOSUPPORT)


@given(ADDRESSES)
def test_no_bytes_lead_to_a_private_address(raw):
    found = understood(raw)
    if isinstance(found, Inet):
        for egress in (OPEN, CLOSED):
            if permits(found.address, found.port, egress, NAMES).allowed:
                assert is_public(found.address)


@given(ADDRESSES)
def test_with_a_closed_list_no_bytes_lead_anywhere_else(raw):
    found = understood(raw)
    if isinstance(found, Inet) and permits(found.address, found.port, CLOSED).allowed:
        assert found.address.startswith("1.")
        assert found.port == 443


@given(st.text(alphabet="abcdegilmnopstx.\\-*_0189", max_size=60))
def test_with_a_closed_list_no_other_name_is_looked_up(name):
    if may_look_up(name, CLOSED).allowed:
        assert name.endswith(".example")


NOISE = """
import ctypes, os, random, socket, time
libc = ctypes.CDLL(None)
chance = random.Random(5)
s, six, unix, read = socket.socket(), socket.socket(socket.AF_INET6), socket.socket(socket.AF_UNIX), os.pipe()[0]
for each in (s, six, unix): each.setblocking(False)
descriptors = [s.fileno(), six.fileno(), unix.fileno(), read, -1, 99, 1 << 31, (1 << 63) | s.fileno()]
buffer = ctypes.create_string_buffer(256)
places = [ctypes.addressof(buffer), ctypes.addressof(buffer) + 250, 0, 1, (1 << 64) - 1, 1 << 47, -4096]
lengths = [16, 28, 110, 128, 129, 0, 1, -1, 1 << 31, 1 << 63]
end = time.monotonic() + 1
tries = 0
while time.monotonic() < end:
    buffer.raw = bytes((chance.choice([0, 1, 2, 10, 16, 40]), 0)) + chance.randbytes(254)
    libc.syscall({connect}, *(ctypes.c_ulong(chance.choice(of)) for of in (descriptors, places, lengths)))
    tries += 1
print(tries > 100, socket.create_connection(("127.0.0.1", {port})).recv(9))
"""


def test_no_registers_break_the_broker(server):
    connect = {"x86_64": 42, "aarch64": 203}[THIS.name]
    assert python(NOISE.format(connect=connect, port=server)).output == "True b'hello'\n"
