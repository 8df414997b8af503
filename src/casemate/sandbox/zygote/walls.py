"""All walls around one child, in the only order that works. Every step raises OSError when the kernel refuses it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from functools import cache

from casemate.sandbox import stub
from casemate.sandbox.kernel import capabilities, cgroups, landlock, limits, mounts, namespaces, processes, seccomp
from casemate.sandbox.kernel.landlock import Access
from casemate.sandbox.orders import ROOT, TASK_ID, Order, Template
from casemate.sandbox.zygote.root import HOST, HOST_PROCESSES, LAUNCHES

_FLAGS = namespaces.PROCESSES | namespaces.MOUNT | namespaces.IPC | namespaces.UTS

_LIMITS = {"memory": "memory", "pids": "processes"}
_COUNTED = {"memory": "memory", "pids": "processes", "cpu": "processor time"}
_SHARED_MEMORY, _SHARED_FILES = 64 << 20, 100_000
_ABOUT_KEYS = ("/proc/keys", "/proc/key-users")
"""Keys belong to kernel users, and an ordinary user's tasks are that user: see tests/attacks/test_keys.py."""


class Raised:
    """The walls that stand so far, by name; and what the egress broker is to get, if there is one."""

    def __init__(self) -> None:
        self.walls: dict[str, str] = {}
        self.for_broker: tuple[int, ...] = ()


def is_offline(order: Order) -> bool:
    """Whether a sandbox has no sockets at all. A program may always talk to itself, a body has no need to."""
    return order.kind == "body" and not order.listened


def born_into(order: Order) -> int:
    """The kinds of namespaces that a child has to itself from its birth on.

    What has no sockets leaves nothing behind in a network, and gets one that an earlier one of its kind was in.
    """
    return _FLAGS if is_offline(order) else _FLAGS | namespaces.NETWORK


def raise_around(order: Order, template: Template, parent: int, doors: Iterable[int]) -> Raised:
    """Build every wall around this process. Afterwards it may be told what to run, not before.

    `parent` is a pidfd of the zygote, `doors` are descriptors that lead into control groups; they are closed here.
    """
    raised = Raised()
    raised.walls |= {"processes": "pid namespace", "ipc": "ipc and uts namespaces"}
    enter_groups(doors)
    itself = _arrange_files(order)
    processes.die_first(itself)
    _arrange_network(order, raised)
    _give_up_power(order, template, itself, raised)
    # after the user namespace: one made under a limit of processes imposes it on all that share its parent
    limit(order, raised, "sized memory file trees")
    _confine(order, template, raised)
    # A change of user would make the kernel forget it, so not earlier: see tests/attacks/worker_killed_leaves_nothing.
    # A zygote that was killed meanwhile has left us behind: see tests/chaos/test_walls.
    processes.die_with_parent(parent)
    os.close(parent)
    _filter_calls(order, template, raised)
    return raised


def enter_groups(doors: Iterable[int]) -> None:
    """First of all, so that what is made for it counts as its own; nobody can leave from where no group is mounted."""
    try:
        for door in doors:
            cgroups.enter(door)
            os.close(door)
    except OSError as error:  # such as EINVAL for a worker of real-time priority, which the groups have no time for
        raise OSError(error.errno, f"its control groups cannot be entered: {error.strerror}") from error


def _arrange_files(order: Order) -> int:
    """Take the own launch folder, cover what is shared, drop the host; the result describes our place in procfs."""
    itself = os.open(f"{HOST_PROCESSES}/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    mounts.bind(f"{LAUNCHES}/{order.work}", "/work")
    mounts.mount_memory("/tmp", size=order.temporary, files=order.temporary_inodes, mode=0o1777)  # noqa: S108 - inside it is private
    mounts.mount_memory("/dev/shm", size=_SHARED_MEMORY, files=_SHARED_FILES, mode=0o1777)  # noqa: S108 - private inside
    mounts.mount_processes("/proc")
    for name in _ABOUT_KEYS:
        if os.path.exists(name):  # a kernel may have none
            mounts.bind("/dev/null", name)
    limits.limit_ipc(HOST_PROCESSES)
    mounts.detach(HOST)
    os.chdir("/work")
    return itself


def _arrange_network(order: Order, raised: Raised) -> None:
    """Nothing is connected to this network; a program may talk to itself, and with a broker to its resolver's stub."""
    raised.walls["network"] = "empty network namespace" + (", no sockets (seccomp)" if is_offline(order) else "")
    if order.kind == "command" or order.listened:
        namespaces.raise_loopback()
    if order.listened:
        raised.for_broker = tuple(each.detach() for each in stub.opened())


def _give_up_power(order: Order, template: Template, itself: int, raised: Raised) -> None:
    """Become nobody in particular: an own kernel user when we are root, a user namespace of its own otherwise."""
    if template.privileged:
        os.setgroups([])
        os.setresgid(order.uid, order.uid, order.uid)
        os.setresuid(order.uid, order.uid, order.uid)
        raised.walls["user"] = f"own kernel user {order.uid}"
    else:
        namespaces.unshare(namespaces.USER)
        namespaces.map_identity(itself, TASK_ID, ROOT, ROOT)
        limits.limit_watchers(itself)
        capabilities.empty_bounding_set()
        raised.walls["user"] = "user namespace"
    os.close(itself)
    capabilities.drop_all()
    raised.walls["privileges"] = "no capabilities, no_new_privs"


def limit(order: Order, raised: Raised, *others: str) -> None:
    """Limit this process and its children, but for `limit_open_files`; `others` are limits that stand already."""
    fixed = {"core": limits.NO_CORE, "locked_memory": 1 << 20, "message_queues": 0, "signals": 1024}
    limits.limit(**fixed, **_each_process(order))
    raised.walls["limits"] = ", ".join((*_limits(order), *others))


def limit_open_files(order: Order) -> None:
    """The limit that comes last, when no descriptor is to be sent any more: see tests/attacks/descriptors_in_flight."""
    if (most := order.limits.get("open_files")) is not None:
        limits.limit(open_files=int(most))


def _each_process(order: Order) -> dict[str, int | None]:
    """Limits that the kernel keeps for each process or user, where no control group has them.

    The user of a slot may be the user of a slot of another worker on this machine, and its processes count, too.
    """
    counted = {"cpu", "open_files", *(_LIMITS[each] for each in order.grouped if each in _LIMITS)}
    return {name: None if each is None else int(each) for name, each in order.limits.items() if name not in counted}


def _limits(order: Order) -> Iterator[str]:
    counted = [name for controller, name in _COUNTED.items() if controller in order.grouped]
    if counted:
        yield f"control groups ({', '.join(counted)} of the whole sandbox)"
    if "memory" not in order.grouped:
        yield "memory of the whole sandbox is only watched"
    yield "rlimits per process"


def _confine(order: Order, template: Template, raised: Raised) -> None:
    abi = landlock.version()
    raised.walls["files"] = "mount namespace, private root"
    if abi:
        # Only the broker binds, see `notification`: a stream of its network could be bound there once its peer is gone.
        landlock.confine(_file_rights(template), abi, closed=landlock.TO_PORTS if order.listened else 0)
        raised.walls["files"] += f", Landlock ABI {abi}"


@cache
def _file_rights(template: Template) -> dict[str, Access]:
    """Found out once by the zygote: what its root shows does not change."""
    return {
        **dict.fromkeys(_shown(template), Access.RUN),
        **dict.fromkeys(template.writable, Access.ALL),
        "/": Access.READ_DIRECTORY,
        "/etc": Access.RUN,
        "/proc": Access.READ,
        "/dev": Access.DEVICES,
        "/dev/shm": Access.ALL,  # noqa: S108 - inside it is private
        "/tmp": Access.ALL,  # noqa: S108 - inside it is private
        "/work": Access.ALL,
    }


def _shown(template: Template) -> list[str]:
    """Each place once: `/bin` is mostly a link to what lies in `/usr`."""
    named = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", template.prefix, *template.visible)
    places = {os.path.realpath(path) for path in named if os.path.exists(path)}
    return [place for place in sorted(places) if not any(place.startswith(f"{other}/") for other in places)]


def _filter_calls(order: Order, template: Template, raised: Raised) -> None:
    """Last of all, because the filters forbid most of the above; the broker's first, so that it has a listener."""
    if order.listened:
        raised.for_broker = (seccomp.load_listened(base64.b64decode(order.listened)), *raised.for_broker)
        raised.walls["network"] = "empty network namespace, egress broker"
    if order.listened and order.kind == "body":
        processes.show_memory()  # the broker reads the addresses that this very process connects to
    else:
        processes.hide_memory()
    seccomp.load(seccomp.filter_of(*call_rules(order, template)))
    raised.walls["system calls"] = "seccomp, native architecture only"
    raised.walls["rights"] = ", ".join(rights(order))


def call_rules(order: Order, template: Template) -> Iterator[seccomp.Rules]:
    """Which calls a sandbox is answered how. What a command may start comes later, in its own process."""
    yield seccomp.task_rules(sockets=not is_offline(order))
    if template.contained:
        yield seccomp.sharing_rules()
    if "memory" not in order.grouped:
        yield seccomp.uncounted_rules()
    if template.writable:
        yield seccomp.modes_rules()
    if order.kind == "body":
        threads, forks = order.threads, order.processes
        yield seccomp.rights_rules(threads=threads, processes=forks, programs=forks, body=True)


def prepare(template: Template) -> None:
    """Have ready before the first child what all of them need."""
    _file_rights(template)


def assemble_filters(order: Order, template: Template) -> None:
    """Have them ready before the first child of this kind: to assemble a filter takes longer than to load it."""
    seccomp.filter_of(*call_rules(order, template))
    _command_filter(order)


def restrict_rights(order: Order) -> None:
    """Load the filter for what a command may start, unless it may start anything."""
    if filter_of_command := _command_filter(order):
        seccomp.load(filter_of_command)


def _command_filter(order: Order) -> bytes:
    if order.kind == "body" or (order.threads and order.processes):
        return b""
    return seccomp.filter_of(seccomp.rights_rules(threads=order.threads, processes=order.processes, programs=True))


def rights(order: Order) -> Iterator[str]:
    """What the sandbox may start, in words."""
    yield "threads allowed" if order.threads else "threads denied (seccomp)"
    yield "processes allowed" if order.processes else "processes denied (seccomp)"
