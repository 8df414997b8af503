"""The filters of system calls, run on a machine of our own: what they answer on both architectures."""

import bisect
import ctypes
import errno
import itertools
import json
import os
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.filters import answer, data, decoded, looked_at, run, strictest

from casemate.sandbox.kernel import bpf, capabilities, seccomp
from casemate.sandbox.kernel.calls import do
from casemate.sandbox.kernel.machine import ARM64, NEWEST_CALL, THIS, X86_64
from casemate.sandbox.notification import broker_rules, judged_calls
from casemate.sandbox.orders import Order, Template
from casemate.sandbox.recording import recorded_calls
from casemate.sandbox.zygote.walls import call_rules

EPERM = 0x0005_0000 | errno.EPERM
ENOSYS = 0x0005_0000 | errno.ENOSYS
ASK = 0x7FC0_0000
MACHINES = [X86_64, ARM64]
JUDGED = ("socket", "socketpair", "ioctl", "personality")
"""Calls whose arguments decide."""
THREAD = 0x003D_0F00
FORK = 0x0120_0011
NOTHING = {"threads": False, "processes": False, "programs": False, "body": True}
ALONE = (seccomp.task_rules(sockets=False), seccomp.rights_rules(**NOTHING))
TOGETHER = {
    "body": ALONE,
    "body that may start anything": (
        seccomp.task_rules(),
        seccomp.rights_rules(threads=True, processes=True, programs=True, body=True),
    ),
    "body with threads": (
        seccomp.task_rules(sockets=False),
        seccomp.rights_rules(threads=True, processes=False, programs=False, body=True),
    ),
    "body with processes": (
        seccomp.task_rules(sockets=False),
        seccomp.rights_rules(threads=False, processes=True, programs=True, body=True),
    ),
    "command": (seccomp.task_rules(), seccomp.uncounted_rules(), seccomp.modes_rules()),
    "everything": (
        seccomp.task_rules(),
        seccomp.sharing_rules(),
        seccomp.uncounted_rules(),
        seccomp.modes_rules(),
        seccomp.rights_rules(**NOTHING),
    ),
    "refusals in another order": (
        seccomp.rights_rules(**NOTHING),
        seccomp.sharing_rules(),
        seccomp.task_rules(sockets=False),
    ),
}
"""Rules that are loaded as one filter, the newest at the end."""

together = pytest.mark.parametrize("rules", TOGETHER.values(), ids=TOGETHER)
LIBC = ctypes.CDLL(None, use_errno=True)
_words = st.integers(0, 3) | st.integers(0, 2**32 - 1)

machines = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


@machines
def test_forbidden_calls_fail_and_the_others_pass(machine):
    program = seccomp.filter_of(seccomp.task_rules(), machine=machine)
    named = {*seccomp.FORBIDDEN, *seccomp.NOT_THERE, "clone", *JUDGED}
    for call in machine.numbers:
        expected = EPERM if call in seccomp.FORBIDDEN else ENOSYS if call in seccomp.NOT_THERE else bpf.ALLOW
        if call not in ("clone", *JUDGED):
            assert answer(program, machine, call) == expected, call
    unnamed = set(range(300)) - {machine.numbers[name] for name in named if name in machine.numbers}
    assert {answer(program, machine, number) for number in unnamed} == {bpf.ALLOW}


def test_every_call_with_an_answer_exists_on_some_machine():
    for rules in _with_broker(TOGETHER["everything"]):
        for call in rules.calls:
            assert any(call in machine.numbers for machine in MACHINES), call


@machines
def test_numbers_are_different_calls(machine):
    assert len(set(machine.numbers.values())) == len(machine.numbers)


@machines
def test_calls_newer_than_what_was_looked_at_are_not_there(machine):
    program = seccomp.filter_of(seccomp.task_rules(), machine=machine)
    assert answer(program, machine, NEWEST_CALL) == bpf.ALLOW
    assert answer(program, machine, NEWEST_CALL + 1) == ENOSYS
    assert answer(program, machine, 5000) == ENOSYS


@machines
def test_whoever_calls_as_another_machine_is_killed(machine):
    for program in (
        seccomp.filter_of(seccomp.task_rules(), machine=machine),
        seccomp.filter_of(
            seccomp.rights_rules(threads=False, processes=False, programs=False, body=True), machine=machine
        ),
    ):
        for other in (0x4000_0003, 0x4000_0028, X86_64.audit if machine is ARM64 else ARM64.audit):
            assert answer(program, machine, 0, audit=other) == bpf.KILL
    assert answer(seccomp.filter_of(seccomp.task_rules(), machine=X86_64), X86_64, 0x4000_0000) == bpf.KILL


@machines
def test_clone_makes_threads_and_processes_but_no_namespaces(machine):
    program = seccomp.filter_of(seccomp.task_rules(), machine=machine)
    assert answer(program, machine, "clone", THREAD) == bpf.ALLOW
    assert answer(program, machine, "clone", FORK) == bpf.ALLOW
    for flag in (1 << 17, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30):
        assert answer(program, machine, "clone", flag | 17) == EPERM
        assert answer(program, machine, "clone", THREAD | flag) == EPERM


@machines
def test_sockets_are_unix_inet_and_route(machine):
    program = seccomp.filter_of(seccomp.task_rules(), machine=machine)
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
    program = seccomp.filter_of(seccomp.task_rules(), machine=machine)
    assert answer(program, machine, "socketpair", 1, 1 | 0x80000) == bpf.ALLOW
    for family in (0, 2, 10, 16, 30, 38, 40, 40 | 1 << 32):
        assert answer(program, machine, "socketpair", family, 1) != bpf.ALLOW, family


@machines
def test_nobody_types_for_others_or_changes_personality(machine):
    program = seccomp.filter_of(seccomp.task_rules(), machine=machine)
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
    rules = seccomp.rights_rules(threads=threads, processes=processes, programs=programs)
    program = seccomp.filter_of(rules, machine=machine)
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
    program = seccomp.filter_of(seccomp.task_rules(sockets=False), machine=machine)
    assert answer(program, machine, "socket", family, 1, 0) == 0x0005_0000 | errno.ENETUNREACH
    assert answer(program, machine, "socketpair", 1, 1, 0) == bpf.ALLOW
    assert answer(program, machine, "socketpair", 2, 1, 0) != bpf.ALLOW


@machines
def test_a_task_that_shares_the_network_opens_no_socket(machine):
    program = seccomp.filter_of(seccomp.sharing_rules(), machine=machine)
    for family in range(50):
        assert answer(program, machine, "socket", family, 1) == 0x0005_0000 | errno.EACCES
    kinds = {kind for kind in range(16) if answer(program, machine, "socketpair", 1, kind | 0o2004000) == bpf.ALLOW}
    assert kinds == {1, 5}


@machines
def test_a_task_that_shares_processes_changes_itself_only(machine):
    program = seccomp.filter_of(seccomp.sharing_rules(), machine=machine)
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
    program = seccomp.filter_of(seccomp.sharing_rules(), machine=machine)
    for call in seccomp.SHARED:
        assert call not in machine.numbers or answer(program, machine, call) == EPERM, call
    named = {*seccomp.SHARED, *seccomp.OF_OTHERS, *seccomp.OF_MANY, "socket", "socketpair"}
    unnamed = set(range(300)) - {machine.numbers[name] for name in named if name in machine.numbers}
    assert {answer(program, machine, number) for number in unnamed} == {bpf.ALLOW}


def _one_after_the_other(rules, machine, call):
    """What a kernel would make of a filter for each of these rules."""
    number, audit = (int.from_bytes(call[at : at + 4], "little") for at in (0, 4))
    if audit != machine.audit or (machine is X86_64 and number >= 0x4000_0000):
        return bpf.KILL
    if number > NEWEST_CALL:
        return strictest([run(each.unknown, call) for each in rules])
    programs = (_of_numbers(each, machine).get(number, bpf.answer(bpf.ALLOW)) for each in rules)
    return strictest([run(program, call) for program in programs])


@cache
def _of_numbers(rules, machine):
    return {machine.numbers[name]: program for name, program in rules.calls.items() if name in machine.numbers}


def _with_broker(rules):
    """With those of a broker that is asked as much as can be, as it is about a task that is learned from."""
    return (broker_rules((*judged_calls(), *recorded_calls())), *rules)


@machines
@together
@pytest.mark.parametrize("brokered", [False, True])
def test_one_filter_answers_every_number_as_several_would(machine, rules, brokered):
    rules = _with_broker(rules) if brokered else rules
    program = decoded(seccomp.filter_of(*rules, machine=machine))
    far = (0x3FFF_FFFF, 0x4000_0000, 0x4000_0038, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
    for audit in (machine.audit, X86_64.audit, ARM64.audit, 0x4000_0003, 0x4000_0028, 0, 0xFFFF_FFFF):
        for number in (*range(NEWEST_CALL + 200), *far):
            call = data(number, audit, ())
            assert run(program, call) == _one_after_the_other(rules, machine, call), (number, audit)


@machines
@together
@pytest.mark.parametrize("brokered", [False, True])
def test_one_filter_answers_all_arguments_as_several_would(machine, rules, brokered):
    """Those on both sides of whatever is compared with, in each place that is looked at, together."""
    rules = _with_broker(rules) if brokered else rules
    program = decoded(seccomp.filter_of(*rules, machine=machine))
    judged = 0
    for number in {number for each in rules for number in _of_numbers(each, machine)}:
        programs = (_of_numbers(each, machine).get(number) for each in rules)
        values = looked_at(program for program in programs if program)
        places = [sorted(values.get(place, {0})) for place in range(max(values, default=-1) + 1)]
        for arguments in itertools.product(*places):
            call = data(number, machine.audit, arguments)
            assert run(program, call) == _one_after_the_other(rules, machine, call), (number, arguments)
        judged += bool(values)
    assert judged >= 8


@given(
    st.sampled_from(MACHINES),
    st.permutations(TOGETHER["everything"]),
    st.integers(0, NEWEST_CALL + 1),
    st.lists(st.integers(0, 2**64 - 1), max_size=6),
)
def test_one_filter_answers_whatever_is_asked_as_several_would(machine, rules, number, arguments):
    call = data(number, machine.audit, arguments)
    program = decoded(seccomp.filter_of(*rules, machine=machine))
    assert run(program, call) == _one_after_the_other(rules, machine, call)


@machines
def test_a_listener_is_asked_by_the_oldest_rules_only(machine):
    """A call that others would fail, such as a clone into new namespaces, would go on when the listener says so."""
    broker = broker_rules(recorded_calls())
    with pytest.raises(ValueError, match="before others"):
        seccomp.filter_of(seccomp.task_rules(), broker, machine=machine)
    program = seccomp.filter_of(broker, seccomp.task_rules(), machine=machine)
    assert answer(program, machine, "clone", 1 << 28 | 17) == EPERM
    assert answer(program, machine, "clone", THREAD) == ASK


@pytest.mark.parametrize("template", ["own", "contained"])
@pytest.mark.parametrize("kind", ["body", "command"])
@pytest.mark.parametrize("learning", [False, True])
def test_a_sandbox_gets_rules_in_the_order_that_holds(template, kind, learning):
    contained = template == "contained"
    listened = () if contained else (*judged_calls(), *(recorded_calls() if learning else ()))
    order = Order(id=1, kind=kind, work="w", uid=1, listened=listened)
    given = Template(folder="/f", prefix="/usr", writable=("/w",), contained=contained)
    rules = tuple(call_rules(order, given))
    program = seccomp.filter_of(*rules)
    asking = [each for each in rules if bpf.answer(ASK) in each.calls.values()]
    assert asking == ([rules[0]] if listened else [])
    for number in range(NEWEST_CALL + 2):
        call = data(number, THIS.audit, (1 << 28 | 17, 1, 1))
        assert run(decoded(program), call) == _one_after_the_other(rules, THIS, call)


@together
def test_the_kernel_answers_as_our_machine_does(rules):
    """Calls that are refused, so that none of them is made; what is allowed is tried by the attacks."""
    program = seccomp.filter_of(*rules)
    expected = {number: answer(program, THIS, number) for number in range(NEWEST_CALL + 200)}
    refused = {number: its & 0xFFFF for number, its in expected.items() if its != bpf.ALLOW}
    ours, theirs = os.pipe()
    if (child := os.fork()) == 0:
        try:
            capabilities.forbid_new()
            do(seccomp.load(program))
            os.write(theirs, json.dumps([_error_of(number) for number in refused]).encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        assert json.loads(told.read()) == list(refused.values())
    assert os.waitpid(child, 0)[1] == 0


def _error_of(call):
    ctypes.set_errno(0)
    return LIBC.syscall(call, 0, 0, 0, 0, 0, 0) and ctypes.get_errno()


_bodies = st.recursive(
    st.sampled_from([bpf.answer(bpf.ALLOW), bpf.fail(1), bpf.fail(2)]),
    lambda inner: st.one_of(
        *(
            st.builds(lambda test, value, one, other: (*test(value, one), *other), st.just(test), _words, inner, inner)
            for test in (bpf.if_equal, bpf.if_any_bit)
        ),
        st.builds(lambda place, then: (*bpf.argument(place), *then), st.integers(0, 1), inner),
    ),
    max_leaves=8,
).map(lambda body: (*bpf.argument(0), *body))


@given(_bodies, _bodies, st.lists(_words, min_size=2, max_size=2))
def test_the_second_is_asked_where_the_first_would_allow(first, then, arguments):
    call = data(0, 0, arguments)
    alone = run(first, call)
    assert run(bpf.in_turn(first, then), call) == (run(then, call) if alone == bpf.ALLOW else alone)


@given(
    st.dictionaries(st.integers(1, 2**32 - 1), st.tuples(st.integers(0, 300), st.integers(0, 9)), max_size=60),
    st.lists(st.integers(0, 2**32 - 1)),
)
def test_a_number_is_answered_by_the_range_that_it_is_in(ranges, others):
    """However long programs are: no jump is too far."""
    starts = {0: (0, 1), **ranges}
    programs = {start: (*bpf.masked(7) * length, *bpf.fail(its)) for start, (length, its) in starts.items()}
    program = (*bpf.number(), *bpf.by_range(programs))
    at = sorted(starts)
    for number in {*at, *(start - 1 for start in ranges), *others}:
        _, its = starts[at[bisect.bisect_right(at, number) - 1]]
        assert run(program, data(number, 0, ())) == bpf.fail(its)[0].constant


@pytest.mark.parametrize("program", [(), bpf.if_equal(1, bpf.answer(bpf.ALLOW)) + bpf.argument(0)])
def test_a_range_without_an_answer_is_refused(program):
    with pytest.raises(ValueError, match="without an answer"):
        bpf.by_range({0: bpf.answer(bpf.ALLOW), 7: program})


def test_what_several_ranges_run_is_there_once():
    one, other = (*bpf.argument(1), *bpf.fail(1)), bpf.answer(bpf.ALLOW)
    program = bpf.by_range({number: one if number % 2 else other for number in range(100)})
    assert len(program) == 99 + len(one) + len(other)
