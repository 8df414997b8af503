"""The filter, run by a small machine of our own for both architectures, and the addresses it lets us see."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.filters import answer

from casemate.sandbox.addresses import Inet, Nobody, Unix, packed, packed_path, parsed
from casemate.sandbox.kernel.machine import ARM64, X86_64, Machine
from casemate.sandbox.kernel.seccomp import filter_of
from casemate.sandbox.notification import broker_rules

ALLOW, ASK, KILL, UNSUPPORTED, NOT_THERE = 0x7FFF0000, 0x7FC00000, 0x80000000, 0x0005005F, 0x00050026
FAST_OPEN = 0x20000000
CALLS = {X86_64.name: (42, 44, 46, 307), ARM64.name: (203, 206, 211, 269)}
UNKNOWN = Machine(name="riscv64", audit=0xC00000F3, numbers={})


def brokered(machine: Machine) -> bytes:
    return filter_of(broker_rules(("connect",)), machine=machine)


@pytest.mark.parametrize("machine", [X86_64, ARM64], ids=lambda machine: machine.name)
def test_connect_asks_and_sends_that_connect_fail(machine):
    program = brokered(machine)
    connect, sendto, sendmsg, sendmmsg = CALLS[machine.name]
    assert answer(program, machine, connect, 3, 1, 16) == ASK
    assert answer(filter_of(broker_rules(("connect", "bind")), machine=machine), machine, "bind") == ASK
    for number, place in ((sendto, 3), (sendmsg, 2), (sendmmsg, 3)):
        plain, fast = [0] * 6, [0] * 6
        fast[place] = FAST_OPEN | 0x4000
        plain[place] = 0x4000
        assert answer(program, machine, number, *plain) == ALLOW
        assert answer(program, machine, number, *fast) == UNSUPPORTED
    for name in ("io_uring_setup", "io_uring_enter", "io_uring_register"):
        assert answer(program, machine, machine.numbers[name]) == NOT_THERE


@pytest.mark.parametrize(("machine", "number"), [(X86_64, 54), (ARM64, 208)], ids=["x86_64", "aarch64"])
def test_a_close_that_waits_cannot_be_wished_for(machine, number):
    program = brokered(machine)
    assert answer(program, machine, number, 3, socket.SOL_SOCKET, socket.SO_LINGER) == 0x00050000
    assert answer(program, machine, number, 3, socket.SOL_SOCKET, socket.SO_KEEPALIVE) == ALLOW
    assert answer(program, machine, number, 3, socket.IPPROTO_TCP, socket.SO_LINGER) == ALLOW


@pytest.mark.parametrize(("machine", "other"), [(X86_64, ARM64), (ARM64, X86_64)], ids=lambda machine: machine.name)
def test_another_architecture_is_killed(machine, other):
    assert answer(brokered(machine), other, CALLS[other.name][0]) == KILL


def test_another_way_to_call_is_killed():
    assert answer(brokered(X86_64), X86_64, 0x40000000 + 42) == KILL


def test_on_an_unknown_machine_everything_is_killed():
    assert answer(brokered(UNKNOWN), UNKNOWN, 0) == KILL


@given(st.sampled_from([X86_64, ARM64]), st.integers(0, 0x3FFFFFFF), st.lists(st.integers(0, 2**64 - 1), max_size=6))
def test_connect_is_the_only_call_that_asks(machine, number, arguments):
    judged = answer(brokered(machine), machine, number, *arguments)
    assert (judged == ASK) == (number == CALLS[machine.name][0])


@given(st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_an_ipv4_address_is_read_as_the_kernel_reads_it(number, port):
    address = str(IPv4Address(number))
    assert parsed(packed(address, port, socket.AF_INET)) == Inet(address, port)
    assert parsed(packed(address, port, socket.AF_INET6)) == Inet(address, port)


@given(st.integers(2**48, 2**128 - 1), st.integers(0, 65535))
def test_an_ipv6_address_is_read_as_the_kernel_reads_it(number, port):
    address = str(IPv6Address(number))
    assert parsed(packed(address, port, socket.AF_INET6)) == Inet(address, port)
    with pytest.raises(OSError, match="family"):
        packed(address, port, socket.AF_INET)


@given(st.binary(max_size=128))
def test_any_bytes_are_an_address_or_an_error(raw):
    with contextlib.suppress(OSError):
        assert isinstance(parsed(raw), Inet | Unix | Nobody)


def test_unix_names_end_where_the_kernel_ends_them():
    assert parsed(packed_path(b"/a/b")) == Unix(b"/a/b")
    assert parsed(packed_path(b"/a\0rest")) == Unix(b"/a")
    assert parsed(packed_path(b"\0a\0b")).is_abstract
    for raw in (packed_path(b"")[:2], packed_path(b"x" * 200)):
        with pytest.raises(OSError, match="name"):
            parsed(raw)


@pytest.mark.parametrize(
    ("address", "inside"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("0.0.0.0", True), ("::1", True), ("::", True), ("10.0.0.1", False)],
)
def test_what_stays_inside(address, inside):
    assert Inet(address, 80).is_inside is inside
