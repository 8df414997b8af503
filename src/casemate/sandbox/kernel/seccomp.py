"""Filters of system calls, see seccomp(2): what a task has no business asking the kernel for, it cannot ask.

The list of forbidden calls stands beside the other walls: a task that has no capability would be refused most of them
anyway, but the code behind them is the kernel's least tried.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from casemate.sandbox.kernel import bpf, namespaces
from casemate.sandbox.kernel.bpf import Program
from casemate.sandbox.kernel.calls import Call, Opened, system_call
from casemate.sandbox.kernel.machine import NEWEST_CALL, THIS, X86_64, Machine

NOT_THERE = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3")
"""Calls that pretend not to exist. io_uring does other calls' work unseen; clone3's flags sit in memory where no
filter can read them, and libc falls back to clone."""

FORBIDDEN = (
    # other processes' memory and descriptors
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp", "userfaultfd"),
    # other views of the machine, and mounts
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "mount_setattr", "move_mount", "open_tree"),
    *("fsopen", "fsconfig", "fsmount", "fspick"),
    # files by handle, past every path
    *("name_to_handle_at", "open_by_handle_at", "lookup_dcookie", "fanotify_init"),
    # keys live in the user's session, outside every namespace
    *("add_key", "request_key", "keyctl"),
    # programs and modules for the kernel, and looking into it
    *("bpf", "perf_event_open", "syslog", "memfd_secret", "init_module", "finit_module", "delete_module"),
    *("create_module", "get_kernel_syms", "query_module", "kexec_load", "kexec_file_load"),
    # the machine as a whole
    *("reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "vhangup", "sethostname", "setdomainname"),
    *("settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "ioperm", "iopl", "modify_ldt"),
    *("migrate_pages", "move_pages", "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl"),
)

SHARED = (
    # System V objects and POSIX message queues are named by numbers and names that everyone sees
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl"),
    *("mq_open", "mq_unlink"),
    # files that may not be read can still be watched
    *("inotify_init", "inotify_init1"),
)
"""Calls that reach other tasks, or what they do, where no namespace lies between."""

OF_OTHERS = ("prlimit64", "sched_setparam", "sched_setscheduler", "sched_setaffinity", "sched_setattr")
"""Calls that change the process whose number comes first; only 0, the caller, passes."""

OF_MANY = {"setpriority": 2, "ioprio_set": 3}
"""Calls that change a process, a group of them, or by this first argument all of a user; 0, the caller, passes."""

_NEW_NAMESPACES = (
    namespaces.MOUNT
    | namespaces.CGROUP
    | namespaces.UTS
    | namespaces.IPC
    | namespaces.USER
    | namespaces.PROCESSES
    | namespaces.NETWORK
)
_CLONE_THREAD, _CLONE_MEMORY, _CLONE_WAIT = 0x0001_0000, 0x0000_0100, 0x0000_4000
"""A thread, the same memory, and not going on before the child has its own, as vfork(2)."""
_X32 = 0x4000_0000

_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_SOCKET_TYPE, _STREAM, _DATAGRAM, _RAW, _SEQUENTIAL, _PACKET = 0xF, 1, 2, 3, 5, 10
_THE_USUAL, _TCP, _UDP = 0, 6, 17
_TERMINAL_TYPES, _TERMINAL_CONSOLE = 0x5412, 0x541C
_SET_LEASE, _SET_DELEGATION = 1024, 1040
_MODE_PLACES = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2}
_SET_USER_OR_GROUP = 0o6000
_CORE_LIMIT = 4
_PASS = bpf.answer(bpf.ALLOW)
_REFUSED = bpf.fail(errno.EPERM)
_KILL = bpf.answer(bpf.KILL)
_PRETENDED = bpf.fail(0)
"""The call is not made, and says that it was."""
_DIE_WITH_PARENT = 1
_QUERY_PERSONALITY = 0xFFFF_FFFF

_SET_MODE_FILTER = 1
_NEW_LISTENER = 1 << 3
_WAIT_KILLABLE = 1 << 5


class _Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def load(program: bytes) -> Call:
    """Put this process and all its children behind a filter, for good.

    Needs no_new_privs. EINVAL: not a program the kernel accepts; ENOMEM: filters are longer than 32768 instructions in
    all.
    """
    return Call("seccomp", (_SET_MODE_FILTER, 0, _Filter(len(program) // 8, program)))


def load_listened(program: bytes, listener: Opened) -> Call:
    """The same, for a program that asks a listener, whose descriptor it returns, see seccomp_unotify(2).

    A call that the listener has heard of is broken off by deadly signals only; before Linux 5.19 every signal does so,
    and the call starts anew. EBUSY: this process has a filter with a listener already.
    """
    return Call("seccomp", (_SET_MODE_FILTER, _listening(), _Filter(len(program) // 8, program)), into=listener)


@cache
def _listening() -> int:
    """The flags for a listener that this kernel knows: it looks for a program, which is not there, only after those."""
    try:
        system_call("seccomp", _SET_MODE_FILTER, _NEW_LISTENER | _WAIT_KILLABLE, None)
    except OSError as error:
        if error.errno == errno.EINVAL:
            return _NEW_LISTENER
    return _NEW_LISTENER | _WAIT_KILLABLE


@dataclass(frozen=True, eq=False, slots=True)
class Rules:
    """What to answer to which call, by its name; one that is not named passes. A machine need not have all of them.

    A filter is made of rules by `filter_of`. Rules are told apart as objects, so to look for the filter costs nothing.
    """

    calls: Mapping[str, Program]
    unknown: Program = _PASS
    """The answer to calls that are newer than all that were looked at."""


@cache
def filter_of(*rules: Rules, machine: Machine = THIS) -> bytes:
    """One filter that answers as those of these rules would, loaded one after the other.

    The kernel runs the newest filter first and takes the strictest answer, the newest of those that are as strict, see
    seccomp(2). Rules pass a call or fail it, so the first that does not pass it decides; only the oldest may ask a
    listener, which is less strict. Whoever calls as another machine, where the same numbers mean other calls, is
    killed.

    A filter costs while it is loaded: the kernel tries it on every call there is, to pass those that need no look at
    their arguments without asking it again, and translates it for the processor. Hence one filter, short, and few tests
    for each number: see docs/decisions/0032-one-filter.md.
    """
    if not machine.numbers:
        return bpf.assembled(_KILL)
    calls: dict[int, Program] = {}
    unknown = _PASS
    for newer in rules:
        unknown = bpf.in_turn(newer.unknown, unknown)
        named = {machine.numbers[name]: each for name, each in newer.calls.items() if name in machine.numbers}
        for number, program in named.items():
            calls[number] = bpf.in_turn(program, calls.get(number, _PASS))
    starts = {0: _PASS}
    for number, program in sorted(calls.items()):
        starts |= {number: program, number + 1: _PASS}
    starts[NEWEST_CALL + 1] = unknown
    if machine is X86_64:
        starts[_X32] = _KILL
    foreign = bpf.unless_equal(machine.audit, _KILL)
    return bpf.assembled((*bpf.architecture(), *foreign, *bpf.number(), *bpf.by_range(starts)))


@cache
def task_rules(*, sockets: bool = True) -> Rules:
    """Those of every task. Without `sockets` it has none but connected pairs of its own."""
    judged = {
        "clone": _no_new_namespaces(),
        "socket": _plain_sockets() if sockets else _no_sockets(),
        "socketpair": _unix_pairs(),
        "ioctl": _no_typing_for_others(),
        "fcntl": _no_leases(),
        "personality": _no_other_personality(),
        "setrlimit": _no_core_limit(),
        "prlimit64": _no_other_core_limit(),
    }
    not_there = dict.fromkeys(NOT_THERE, bpf.fail(errno.ENOSYS))
    return Rules(not_there | dict.fromkeys(FORBIDDEN, _REFUSED) | judged, unknown=bpf.fail(errno.ENOSYS))


@cache
def sharing_rules() -> Rules:
    """Those of a task that shares network, processes and System V objects with everybody: it opens no socket.

    Pairs of connected sockets stay, but of the kinds that cannot be sent to an address.
    """
    sockets = {"socket": bpf.fail(errno.EACCES), "socketpair": _connected_pairs()}
    of_others = dict.fromkeys(OF_OTHERS, _only_itself(0))
    of_many = {name: (*_not_all(user), *_only_itself(1)) for name, user in OF_MANY.items()}
    return Rules(dict.fromkeys(SHARED, _REFUSED) | of_others | of_many | sockets)


@cache
def rights_rules(*, threads: bool, processes: bool, programs: bool, body: bool = False) -> Rules:
    """What a task may start besides itself: threads, processes, and whether it may become another program.

    The process of a body is one that must die with its parent, so it may not ask for anything else.
    """
    refused = (*(() if processes else ("fork", "vfork")), *(() if programs else ("execve", "execveat")))
    clones = {"clone3": bpf.fail(errno.ENOSYS), "clone": _clone_rights(threads=threads, processes=processes)}
    return Rules(dict.fromkeys(refused, _REFUSED) | clones | ({"prctl": _no_other_parting()} if body else {}))


@cache
def uncounted_rules() -> Rules:
    """For a task whose memory no control group counts: no files in memory but in file trees that have a size."""
    return Rules({"memfd_create": bpf.fail(errno.ENOSYS)})


@cache
def modes_rules() -> Rules:
    """For a task that can write where others may run programs: none of its files makes them its user.

    Modes that a new file is given need no filter: the kernel takes such bits away with the first byte written.
    """
    return Rules({name: _no_user_or_group_of_its_own(place) for name, place in _MODE_PLACES.items()})


def _no_new_namespaces() -> Program:
    return bpf.joined(bpf.argument(0), bpf.if_any_bit(_NEW_NAMESPACES, _REFUSED), _PASS)


def _clone_rights(*, threads: bool, processes: bool) -> Program:
    # a process that shares memory and goes on beside its parent is a thread by another name
    sharing_refused = bpf.if_any_bit(_CLONE_MEMORY, bpf.unless_any_bit(_CLONE_WAIT, _REFUSED))
    threads_refused = () if threads else (*bpf.if_any_bit(_CLONE_THREAD, _REFUSED), *sharing_refused)
    processes_refused = () if processes else bpf.unless_any_bit(_CLONE_THREAD, _REFUSED)
    return bpf.joined(bpf.argument(0), threads_refused, processes_refused, _PASS)


def _plain_sockets() -> Program:
    """Unix, IPv4, IPv6 and route-netlink sockets: not raw, and of no family that reaches past the namespace."""
    return bpf.joined(
        bpf.argument(0),
        bpf.if_equal(_UNIX, _PASS),
        bpf.if_equal(_NETLINK, bpf.argument(2), bpf.if_equal(0, _PASS), _REFUSED),
        bpf.unless_equal(_INET, bpf.unless_equal(_INET6, bpf.fail(errno.EAFNOSUPPORT))),
        _stream_or_datagram(),
    )


def _no_sockets() -> Program:
    """The error that a connection would meet in an empty network."""
    return bpf.fail(errno.ENETUNREACH)


def _unix_pairs() -> Program:
    """The kernel makes both sockets, and loads the module for their family, before it finds that they make no pair."""
    return bpf.joined(bpf.argument(0), bpf.if_equal(_UNIX, _PASS), bpf.fail(errno.EAFNOSUPPORT))


def _connected_pairs() -> Program:
    """A datagram socket of a pair can still be sent to any name."""
    return bpf.joined(
        bpf.argument(1),
        bpf.masked(_SOCKET_TYPE),
        bpf.if_equal(_STREAM, _PASS),
        bpf.if_equal(_SEQUENTIAL, _PASS),
        bpf.fail(errno.EACCES),
    )


def _not_all(of_a_user: int) -> Program:
    return bpf.joined(bpf.argument(0), bpf.if_equal(of_a_user, _REFUSED))


def _only_itself(place: int) -> Program:
    return bpf.joined(bpf.argument(place), bpf.if_equal(0, _PASS), _REFUSED)


def _no_user_or_group_of_its_own(place: int) -> Program:
    return bpf.joined(bpf.argument(place), bpf.if_any_bit(_SET_USER_OR_GROUP, _REFUSED), _PASS)


def _stream_or_datagram() -> Program:
    """TCP and UDP. The kernel loads modules for whatever else is asked for, and grows new ones: SCTP, MPTCP, SMC."""
    return bpf.joined(
        bpf.argument(1),
        bpf.masked(_SOCKET_TYPE),
        bpf.if_equal(_STREAM, _protocols(_THE_USUAL, _TCP)),
        bpf.if_equal(_DATAGRAM, _protocols(_THE_USUAL, _UDP)),
        bpf.if_equal(_RAW, _REFUSED),
        bpf.if_equal(_PACKET, _REFUSED),
        bpf.fail(errno.EPROTONOSUPPORT),
    )


def _protocols(*allowed: int) -> Program:
    these = (bpf.if_equal(protocol, _PASS) for protocol in allowed)
    return bpf.joined(bpf.argument(2), *these, bpf.fail(errno.EPROTONOSUPPORT))


def _no_typing_for_others() -> Program:
    """TIOCSTI puts words into a terminal's mouth, TIOCLINUX pastes into the console."""
    return bpf.joined(
        bpf.argument(1), bpf.if_equal(_TERMINAL_TYPES, _REFUSED), bpf.if_equal(_TERMINAL_CONSOLE, _REFUSED), _PASS
    )


def _no_leases() -> Program:
    """Who holds a lease on a file lets everybody wait who opens it, and an ordinary user's tasks may on his own."""
    return bpf.joined(
        bpf.argument(1), bpf.if_equal(_SET_LEASE, _REFUSED), bpf.if_equal(_SET_DELEGATION, _REFUSED), _PASS
    )


def _no_other_parting() -> Program:
    return bpf.joined(bpf.argument(0), bpf.if_equal(_DIE_WITH_PARENT, _REFUSED), _PASS)


def _no_core_limit() -> Program:
    return bpf.joined(bpf.argument(0), bpf.if_equal(_CORE_LIMIT, _PRETENDED), _PASS)


def _no_other_core_limit() -> Program:
    """See `limits`: 1 keeps the kernel from dumping at all. Who wants no dumps has them, so the call seems to work."""
    asks_only = (bpf.unless_equal(0, _PRETENDED), bpf.upper_half(2), bpf.unless_equal(0, _PRETENDED), _PASS)
    return bpf.joined(bpf.argument(1), bpf.unless_equal(_CORE_LIMIT, _PASS), bpf.argument(2), *asks_only)


def _no_other_personality() -> Program:
    """Only asking and the default: others turn off address randomisation or emulate old systems."""
    return bpf.joined(bpf.argument(0), bpf.if_equal(0, _PASS), bpf.if_equal(_QUERY_PERSONALITY, _PASS), _REFUSED)
