"""The filters of system calls, run on a machine of our own: what they answer on both architectures."""

import errno
import struct

import pytest

from casemate.sandbox.kernel import bpf, seccomp
from casemate.sandbox.kernel.machine import ARM64, NEWEST_CALL, X86_64

EPERM = 0x0005_0000 | errno.EPERM
ENOSYS = 0x0005_0000 | errno.ENOSYS
MACHINES = [X86_64, ARM64]
JUDGED = ("socket", "socketpair", "ioctl", "personality")
"""Calls whose arguments decide."""
THREAD = 0x003D_0F00
FORK = 0x0120_0011

machines = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


def answer(program, machine, call, *arguments, audit=None):
    """What a kernel would make of the program for this call."""
    number = machine.numbers[call] if isinstance(call, str) else call
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    memory = struct.pack("<iIQ6Q", number, audit or machine.audit, 0, *words)
    instructions = list(struct.iter_unpack("HBBI", program))
    place = loaded = 0
    while True:
        code, then, otherwise, constant = instructions[place]
        place += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("<I", memory, constant)
            case 0x54:
                loaded &= constant
            case 0x06:
                return constant
            case 0x15 | 0x25 | 0x35 | 0x45:
                holds = {0x15: loaded == constant, 0x25: loaded > constant, 0x35: loaded >= constant}
                place += then if holds.get(code, bool(loaded & constant)) else otherwise


@machines
def test_forbidden_calls_fail_and_the_others_pass(machine):
    program = seccomp.task_filter(machine)
    named = {*seccomp.FORBIDDEN, *seccomp.NOT_THERE, "clone", *JUDGED}
    for call in machine.numbers:
        expected = EPERM if call in seccomp.FORBIDDEN else ENOSYS if call in seccomp.NOT_THERE else bpf.ALLOW
        if call not in ("clone", *JUDGED):
            assert answer(program, machine, call) == expected, call
    unnamed = set(range(300)) - {machine.numbers[name] for name in named if name in machine.numbers}
    assert {answer(program, machine, number) for number in unnamed} == {bpf.ALLOW}


def test_every_forbidden_call_exists_on_some_machine():
    for call in (*seccomp.FORBIDDEN, *seccomp.NOT_THERE):
        assert any(call in machine.numbers for machine in MACHINES), call


@machines
def test_numbers_are_different_calls(machine):
    assert len(set(machine.numbers.values())) == len(machine.numbers)


@machines
def test_calls_newer_than_what_was_looked_at_are_not_there(machine):
    program = seccomp.task_filter(machine)
    assert answer(program, machine, NEWEST_CALL) == bpf.ALLOW
    assert answer(program, machine, NEWEST_CALL + 1) == ENOSYS
    assert answer(program, machine, 5000) == ENOSYS


@machines
def test_whoever_calls_as_another_machine_is_killed(machine):
    for program in (
        seccomp.task_filter(machine),
        seccomp.rights_filter(threads=False, processes=False, programs=False, machine=machine),
    ):
        for other in (0x4000_0003, 0x4000_0028, X86_64.audit if machine is ARM64 else ARM64.audit):
            assert answer(program, machine, 0, audit=other) == bpf.KILL
    assert answer(seccomp.task_filter(X86_64), X86_64, 0x4000_0000) == bpf.KILL


@machines
def test_clone_makes_threads_and_processes_but_no_namespaces(machine):
    program = seccomp.task_filter(machine)
    assert answer(program, machine, "clone", THREAD) == bpf.ALLOW
    assert answer(program, machine, "clone", FORK) == bpf.ALLOW
    for flag in (1 << 17, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30):
        assert answer(program, machine, "clone", flag | 17) == EPERM
        assert answer(program, machine, "clone", THREAD | flag) == EPERM


@machines
def test_sockets_are_unix_inet_and_route(machine):
    program = seccomp.task_filter(machine)
    for allowed in ((1, 1), (1, 5), (2, 1), (2, 2), (10, 1 | 0x80800), (16, 3, 0), (2, 2, 17), (2, 1, 6)):
        assert answer(program, machine, "socket", *allowed) == bpf.ALLOW, allowed
    for refused in (
        (0,),
        (3,),
        (17, 3),
        (38, 5),
        (40, 1),
        (2, 3),
        (10, 3 | 0x800),
        (2, 10),
        (16, 3, 9),
        (2, 1, 262),
        (10, 1, 132),
    ):
        assert answer(program, machine, "socket", *refused) != bpf.ALLOW, refused
    assert answer(program, machine, "socket", 40 | 1 << 32, 1) != bpf.ALLOW


@machines
def test_pairs_of_sockets_are_unix(machine):
    program = seccomp.task_filter(machine)
    assert answer(program, machine, "socketpair", 1, 1 | 0x80000) == bpf.ALLOW
    for family in (0, 2, 10, 16, 30, 38, 40, 40 | 1 << 32):
        assert answer(program, machine, "socketpair", family, 1) != bpf.ALLOW, family


@machines
def test_nobody_types_for_others_or_changes_personality(machine):
    program = seccomp.task_filter(machine)
    assert answer(program, machine, "ioctl", 0, 0x5412) == EPERM
    assert answer(program, machine, "ioctl", 0, 0x5412 | 1 << 32) == EPERM
    assert answer(program, machine, "ioctl", 0, 0x5401) == bpf.ALLOW
    assert answer(program, machine, "personality", 0xFFFFFFFF) == bpf.ALLOW
    assert answer(program, machine, "personality", 0x0040000) == EPERM


@machines
@pytest.mark.parametrize("threads", [True, False])
@pytest.mark.parametrize("processes", [True, False])
@pytest.mark.parametrize("programs", [True, False])
def test_rights_are_exactly_those_given(machine, threads, processes, programs):
    program = seccomp.rights_filter(threads=threads, processes=processes, programs=programs, machine=machine)
    assert answer(program, machine, "clone", THREAD) == (bpf.ALLOW if threads else EPERM)
    assert answer(program, machine, "clone", FORK) == (bpf.ALLOW if processes else EPERM)
    assert answer(program, machine, "clone3") == ENOSYS
    assert answer(program, machine, "execve") == (bpf.ALLOW if programs else EPERM)
    assert answer(program, machine, "execveat") == (bpf.ALLOW if programs else EPERM)
    if machine is X86_64:
        assert answer(program, machine, "vfork") == (bpf.ALLOW if processes else EPERM)


def test_a_jump_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="too long"):
        bpf.if_equal(1, *([bpf.answer(0)] * 256))


@machines
@pytest.mark.parametrize("family", [1, 2, 10, 16, 17, 40])
def test_what_has_no_network_makes_no_sockets(machine, family):
    program = seccomp.task_filter(machine, sockets=False)
    assert answer(program, machine, "socket", family, 1, 0) == 0x0005_0000 | errno.ENETUNREACH
    assert answer(program, machine, "socketpair", 1, 1, 0) == bpf.ALLOW
    assert answer(program, machine, "socketpair", 2, 1, 0) != bpf.ALLOW


@machines
def test_a_task_that_shares_the_network_opens_no_socket(machine):
    program = seccomp.sharing_filter(machine)
    for family in range(50):
        assert answer(program, machine, "socket", family, 1) == 0x0005_0000 | errno.EACCES
    kinds = {kind for kind in range(16) if answer(program, machine, "socketpair", 1, kind | 0o2004000) == bpf.ALLOW}
    assert kinds == {1, 5}


@machines
def test_a_task_that_shares_processes_changes_itself_only(machine):
    program = seccomp.sharing_filter(machine)
    for call in seccomp.OF_OTHERS:
        assert answer(program, machine, call, 0) == bpf.ALLOW, call
        assert answer(program, machine, call, 4711) == EPERM, call
    for call, user in seccomp.OF_MANY.items():
        for what in (1, 2, 3):
            expected = EPERM if what == user else bpf.ALLOW
            assert answer(program, machine, call, what, 0) == expected, (call, what)
            assert answer(program, machine, call, what, 4711) == EPERM, (call, what)


@machines
def test_a_task_that_shares_objects_makes_none(machine):
    program = seccomp.sharing_filter(machine)
    for call in seccomp.SHARED:
        assert call not in machine.numbers or answer(program, machine, call) == EPERM, call
    named = {*seccomp.SHARED, *seccomp.OF_OTHERS, *seccomp.OF_MANY, "socket", "socketpair"}
    unnamed = set(range(300)) - {machine.numbers[name] for name in named if name in machine.numbers}
    assert {answer(program, machine, number) for number in unnamed} == {bpf.ALLOW}
