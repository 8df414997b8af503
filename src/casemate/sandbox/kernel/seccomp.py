"""Filters of system calls, see seccomp(2): what a task has no business asking the kernel for, it cannot ask.

The list of forbidden calls stands beside the other walls: a task that has no capability would be refused most of them
anyway, but the code behind them is the kernel's least tried.
"""

from __future__ import annotations

import ctypes
import errno
from functools import cache

from casemate.sandbox.kernel import bpf, namespaces
from casemate.sandbox.kernel.bpf import Program
from casemate.sandbox.kernel.calls import system_call
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


def load(program: bytes) -> None:
    """Put this process and all its children behind a filter, for good.

    Needs no_new_privs. EINVAL: not a program the kernel accepts; ENOMEM: filters are longer than 32768 instructions in
    all.
    """
    _load(program, 0)


def load_listened(program: bytes) -> int:
    """The same, for a program that asks a listener: returns the listener's descriptor, see seccomp_unotify(2).

    A call that the listener has heard of is broken off by deadly signals only; before Linux 5.19 every signal does so,
    and the call starts anew. EBUSY: this process has a filter with a listener already.
    """
    try:
        return _load(program, _NEW_LISTENER | _WAIT_KILLABLE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return _load(program, _NEW_LISTENER)


@cache
def task_filter(machine: Machine = THIS, *, sockets: bool = True) -> bytes:
    """The filter of every task. Without `sockets` it has none but connected pairs of its own."""
    return bpf.assembled(
        bpf.joined(
            (
                *_only_native_calls(machine),
                bpf.if_greater(NEWEST_CALL, bpf.fail(errno.ENOSYS)),
                *(_if_call(machine, name, bpf.fail(errno.ENOSYS)) for name in NOT_THERE),
                *(_if_call(machine, name, bpf.fail(errno.EPERM)) for name in FORBIDDEN),
                _if_call(machine, "clone", *_no_new_namespaces()),
                _if_call(machine, "socket", *(_plain_sockets() if sockets else _no_sockets())),
                _if_call(machine, "socketpair", *_unix_pairs()),
                _if_call(machine, "ioctl", *_no_typing_for_others()),
                _if_call(machine, "fcntl", *_no_leases()),
                _if_call(machine, "personality", *_no_other_personality()),
                _if_call(machine, "setrlimit", *_no_core_limit()),
                _if_call(machine, "prlimit64", *_no_other_core_limit()),
                bpf.answer(bpf.ALLOW),
            )
        )
    )


@cache
def sharing_filter(machine: Machine = THIS) -> bytes:
    """The filter of a task that shares network, processes and System V objects with everybody: it opens no socket.

    Pairs of connected sockets stay, but of the kinds that cannot be sent to an address.
    """
    return bpf.assembled(
        bpf.joined(
            (
                *_only_native_calls(machine),
                *(_if_call(machine, name, bpf.fail(errno.EPERM)) for name in SHARED),
                *(_if_call(machine, name, *_only_itself(0)) for name in OF_OTHERS),
                *(_if_call(machine, name, *_not_all(user), *_only_itself(1)) for name, user in OF_MANY.items()),
                _if_call(machine, "socket", bpf.fail(errno.EACCES)),
                _if_call(machine, "socketpair", *_connected_pairs()),
                bpf.answer(bpf.ALLOW),
            )
        )
    )


@cache
def rights_filter(
    *, threads: bool, processes: bool, programs: bool, body: bool = False, machine: Machine = THIS
) -> bytes:
    """What a task may start besides itself: threads, processes, and whether it may become another program.

    The process of a body is one that must die with its parent, so it may not ask for anything else.
    """
    return bpf.assembled(
        bpf.joined(
            (
                *_only_native_calls(machine),
                _if_call(machine, "clone3", bpf.fail(errno.ENOSYS)),
                _if_call(machine, "clone", *_clone_rights(threads=threads, processes=processes)),
                _if_call(machine, "prctl", *_no_other_parting()) if body else (),
                *(() if processes else (_if_call(machine, name, bpf.fail(errno.EPERM)) for name in ("fork", "vfork"))),
                *(
                    ()
                    if programs
                    else (_if_call(machine, name, bpf.fail(errno.EPERM)) for name in ("execve", "execveat"))
                ),
                bpf.answer(bpf.ALLOW),
            )
        )
    )


@cache
def uncounted_filter(machine: Machine = THIS) -> bytes:
    """For a task whose memory no control group counts: no files in memory but in file trees that have a size."""
    calls = (_if_call(machine, "memfd_create", bpf.fail(errno.ENOSYS)), bpf.answer(bpf.ALLOW))
    return bpf.assembled(bpf.joined((*_only_native_calls(machine), *calls)))


@cache
def modes_filter(machine: Machine = THIS) -> bytes:
    """For a task that can write where others may run programs: none of its files makes them its user.

    Modes that a new file is given need no filter: the kernel takes such bits away with the first byte written.
    """
    refused = bpf.if_any_bit(_SET_USER_OR_GROUP, bpf.fail(errno.EPERM))
    calls = (
        _if_call(machine, name, bpf.argument(place), refused, bpf.answer(bpf.ALLOW))
        for name, place in _MODE_PLACES.items()
    )
    return bpf.assembled(bpf.joined((*_only_native_calls(machine), *calls, bpf.answer(bpf.ALLOW))))


def _load(program: bytes, flags: int) -> int:
    return system_call("seccomp", _SET_MODE_FILTER, flags, _Filter(len(program) // 8, program))


def _if_call(machine: Machine, name: str, *body: Program) -> Program:
    """A test for one call; nothing where the machine has no such call."""
    return bpf.if_equal(machine.numbers[name], *body) if name in machine.numbers else ()


def _only_native_calls(machine: Machine) -> tuple[Program, ...]:
    """Kill whoever calls as another architecture, where the same numbers mean other calls; then load the number."""
    x32 = bpf.if_at_least(_X32, bpf.answer(bpf.KILL)) if machine is X86_64 else ()
    return (
        bpf.architecture(),
        bpf.unless_equal(machine.audit, bpf.answer(bpf.KILL)),
        bpf.number(),
        x32,
    )


def _no_new_namespaces() -> tuple[Program, ...]:
    return (bpf.argument(0), bpf.if_any_bit(_NEW_NAMESPACES, bpf.fail(errno.EPERM)), bpf.answer(bpf.ALLOW))


def _clone_rights(*, threads: bool, processes: bool) -> tuple[Program, ...]:
    refused = bpf.fail(errno.EPERM)
    # a process that shares memory and goes on beside its parent is a thread by another name
    sharing_refused = bpf.if_any_bit(_CLONE_MEMORY, bpf.unless_any_bit(_CLONE_WAIT, refused))
    threads_refused = () if threads else (*bpf.if_any_bit(_CLONE_THREAD, refused), *sharing_refused)
    processes_refused = () if processes else bpf.unless_any_bit(_CLONE_THREAD, refused)
    return (bpf.argument(0), threads_refused, processes_refused, bpf.answer(bpf.ALLOW))


def _plain_sockets() -> tuple[Program, ...]:
    """Unix, IPv4, IPv6 and route-netlink sockets: not raw, and of no family that reaches past the namespace."""
    return (
        bpf.argument(0),
        bpf.if_equal(_UNIX, bpf.answer(bpf.ALLOW)),
        bpf.if_equal(_NETLINK, bpf.argument(2), bpf.if_equal(0, bpf.answer(bpf.ALLOW)), bpf.fail(errno.EPERM)),
        bpf.if_equal(_INET, *_stream_or_datagram()),
        bpf.if_equal(_INET6, *_stream_or_datagram()),
        bpf.fail(errno.EAFNOSUPPORT),
    )


def _no_sockets() -> tuple[Program, ...]:
    """The error that a connection would meet in an empty network."""
    return (bpf.fail(errno.ENETUNREACH),)


def _unix_pairs() -> tuple[Program, ...]:
    """The kernel makes both sockets, and loads the module for their family, before it finds that they make no pair."""
    return (bpf.argument(0), bpf.if_equal(_UNIX, bpf.answer(bpf.ALLOW)), bpf.fail(errno.EAFNOSUPPORT))


def _connected_pairs() -> tuple[Program, ...]:
    """A datagram socket of a pair can still be sent to any name."""
    return (
        bpf.argument(1),
        bpf.masked(_SOCKET_TYPE),
        bpf.if_equal(_STREAM, bpf.answer(bpf.ALLOW)),
        bpf.if_equal(_SEQUENTIAL, bpf.answer(bpf.ALLOW)),
        bpf.fail(errno.EACCES),
    )


def _not_all(of_a_user: int) -> tuple[Program, ...]:
    return (bpf.argument(0), bpf.if_equal(of_a_user, bpf.fail(errno.EPERM)))


def _only_itself(place: int) -> tuple[Program, ...]:
    return (bpf.argument(place), bpf.if_equal(0, bpf.answer(bpf.ALLOW)), bpf.fail(errno.EPERM))


def _stream_or_datagram() -> tuple[Program, ...]:
    """TCP and UDP. The kernel loads modules for whatever else is asked for, and grows new ones: SCTP, MPTCP, SMC."""
    return (
        bpf.argument(1),
        bpf.masked(_SOCKET_TYPE),
        bpf.if_equal(_STREAM, *_protocols(_THE_USUAL, _TCP)),
        bpf.if_equal(_DATAGRAM, *_protocols(_THE_USUAL, _UDP)),
        bpf.if_equal(_RAW, bpf.fail(errno.EPERM)),
        bpf.if_equal(_PACKET, bpf.fail(errno.EPERM)),
        bpf.fail(errno.EPROTONOSUPPORT),
    )


def _protocols(*allowed: int) -> tuple[Program, ...]:
    these = (bpf.if_equal(protocol, bpf.answer(bpf.ALLOW)) for protocol in allowed)
    return (bpf.argument(2), *these, bpf.fail(errno.EPROTONOSUPPORT))


def _no_typing_for_others() -> tuple[Program, ...]:
    """TIOCSTI puts words into a terminal's mouth, TIOCLINUX pastes into the console."""
    refused = bpf.fail(errno.EPERM)
    return (
        bpf.argument(1),
        bpf.if_equal(_TERMINAL_TYPES, refused),
        bpf.if_equal(_TERMINAL_CONSOLE, refused),
        bpf.answer(bpf.ALLOW),
    )


def _no_leases() -> tuple[Program, ...]:
    """Who holds a lease on a file lets everybody wait who opens it, and an ordinary user's tasks may on his own."""
    refused = bpf.fail(errno.EPERM)
    return (
        bpf.argument(1),
        bpf.if_equal(_SET_LEASE, refused),
        bpf.if_equal(_SET_DELEGATION, refused),
        bpf.answer(bpf.ALLOW),
    )


def _no_other_parting() -> tuple[Program, ...]:
    refused = bpf.if_equal(_DIE_WITH_PARENT, bpf.fail(errno.EPERM))
    return (bpf.argument(0), refused, bpf.answer(bpf.ALLOW))


def _no_core_limit() -> tuple[Program, ...]:
    return (bpf.argument(0), bpf.if_equal(_CORE_LIMIT, _PRETENDED), bpf.answer(bpf.ALLOW))


def _no_other_core_limit() -> tuple[Program, ...]:
    """See `limits`: 1 keeps the kernel from dumping at all. Who wants no dumps has them, so the call seems to work."""
    allowed = bpf.answer(bpf.ALLOW)
    asks_only = (bpf.unless_equal(0, _PRETENDED), bpf.upper_half(2), bpf.unless_equal(0, _PRETENDED), allowed)
    return (bpf.argument(1), bpf.unless_equal(_CORE_LIMIT, allowed), bpf.argument(2), *asks_only)


def _no_other_personality() -> tuple[Program, ...]:
    """Only asking and the default: others turn off address randomisation or emulate old systems."""
    allowed = bpf.answer(bpf.ALLOW)
    return (bpf.argument(0), bpf.if_equal(0, allowed), bpf.if_equal(_QUERY_PERSONALITY, allowed), bpf.fail(errno.EPERM))
