"""All walls around one child, in the only order that works, as calls that are ready before the child is born."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from casemate.sandbox import stub
from casemate.sandbox.kernel import capabilities, cgroups, landlock, limits, mounts, namespaces, processes, seccomp
from casemate.sandbox.kernel.calls import Call, Opened, Ready, ready
from casemate.sandbox.kernel.landlock import Access
from casemate.sandbox.notification import broker_rules
from casemate.sandbox.orders import ROOT, TASK_ID, Order, Template
from casemate.sandbox.zygote.channel import encoded
from casemate.sandbox.zygote.root import HOST, HOST_PROCESSES, LAUNCHES

CHANNEL = 3
"""The descriptor of a child's way to the worker; 0, 1 and 2 are what they always are."""
_ZYGOTE, _RULES, _DOORS = 4, 5, 6
"""Of the zygote, of the rules for files, of the control groups that it enters; all are closed by its walls."""

_FLAGS = namespaces.PROCESSES | namespaces.MOUNT | namespaces.IPC | namespaces.UTS

_LIMITS = {"memory": "memory", "pids": "processes"}
_COUNTED = {"memory": "memory", "pids": "processes", "cpu": "processor time"}
_SHARED_MEMORY, _SHARED_FILES = 64 << 20, 100_000
NEW_FILES = 0o022
_OWN_RIGHTS = {
    "/proc": Access.READ,
    "/dev/shm": Access.ALL,  # noqa: S108 - inside it is private
    "/tmp": Access.ALL,  # noqa: S108 - inside it is private
    "/work": Access.ALL,
}
"""What may be done to what each sandbox has for itself."""
_LAUNCHES = os.fsencode(LAUNCHES)
_REMEMBERED = 256
"""Slots have the same users again and again, and descriptors mostly the same numbers."""
_ABOUT_KEYS = ("keys", "key-users")
"""Keys belong to kernel users, and an ordinary user's tasks are that user: see tests/attacks/test_keys.py."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a zygote finds out and opens once, for the walls of all its children."""

    template: Template
    itself: int
    """A pidfd of the zygote."""
    nothing: int
    """A descriptor of /dev/null."""
    room: int
    """Another, which a child closes: what it opens next has no higher number."""
    abi: int
    """Of Landlock; 0 where there is none."""
    places: Mapping[int, Access]
    """What may be done to files below descriptors of what all sandboxes are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The walls of all sandboxes of one kind: their calls, and between them those that each has for itself."""

    order: Order
    ground: Ground
    born_into: int
    """The namespaces that it has to itself."""
    offline: bool
    """Whether it may have a network that was another's."""
    before_work: tuple[Ready, ...]
    work: Ready
    before_user: tuple[Ready, ...]
    after_user: tuple[Ready, ...]
    last: tuple[Ready, ...]
    """After the report."""
    for_broker: tuple[Opened, ...]


class Walls(NamedTuple):
    """The walls of one sandbox, ready to be raised; `report` is the line that says that they stand.

    The first part of the calls puts descriptors in their places; until then `channel` is the zygote's of the way out.
    """

    calls: tuple[tuple[Ready, ...], ...]
    for_broker: tuple[Opened, ...]
    report: bytes
    last: tuple[Ready, ...]
    channel: int


def found(template: Template, itself: int) -> Ground:
    """Look around, and open what all children need."""
    abi = landlock.version()
    rights = _shown_rights(template)
    places = {place: rights[path] for path, place in landlock.opened(rights).items()}
    nothing, room = (os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC) for _ in range(2))
    return Ground(template, itself, nothing, room, abi, places)


def plan(order: Order, ground: Ground) -> Plan:
    """What all sandboxes that are ordered like this have in common."""
    command_filter(order)  # is remembered: to assemble it takes longer than to load it
    itself, datagrams, streams, listener = Opened(), Opened(), Opened(), Opened()
    listened = bool(order.listened)
    before_work = (
        Call("umask", (NEW_FILES,)),
        *enter_groups(range(_DOORS, _DOORS + order.doors)),
        processes.own_directory(HOST_PROCESSES, itself),
    )
    before_user = (
        *_arrange_files(order),
        *processes.die_first(itself),
        *(namespaces.raise_loopback() if listened or order.kind == "command" else ()),
        *(stub.opened(datagrams, streams) if listened else ()),
    )
    after_user = (
        *(() if ground.template.privileged else _own_user(itself)),
        Call("close", (itself,)),
        *capabilities.drop_all(),
        # after the user namespace: one made under a limit of processes imposes it on all that share its parent
        *limit(order),
        *_confine(ground.abi),
        # A change of user would make the kernel forget it, so not earlier: tests/attacks/worker_killed_leaves_nothing.
        # A zygote that was killed meanwhile has left us behind: see tests/chaos/test_walls.
        *processes.die_with_parent(_ZYGOTE),
        Call("close", (_ZYGOTE,)),
        *_filter_calls(order, ground.template, listener),
    )
    (work,) = ready((mounts.bind(LAUNCHES, "/work"),))
    return Plan(
        order,
        ground,
        _born_into(order),
        _is_offline(order),
        ready(before_work),
        work,
        ready(before_user),
        ready(after_user),
        ready(limit_open_files(order)),
        (listener, datagrams, streams) if listened else (),
    )


def around(plan: Plan, work: bytes, uid: int, channel: int, stdout: int, stderr: int, *doors: int) -> Walls:
    """The walls of one sandbox: of its own are the launch folder, the kernel user if we are root, and descriptors."""
    own_user, report = _as_user(plan, uid)
    calls = (
        _kept(plan, channel, stdout, stderr, *doors),
        plan.before_work,
        (plan.work.about(b"%s/%s" % (_LAUNCHES, work)),),
        plan.before_user,
        own_user,
        plan.after_user,
    )
    return Walls(calls, plan.for_broker, report, plan.last, channel)


def _is_offline(order: Order) -> bool:
    """Whether a sandbox has no sockets at all. A program may always talk to itself, a body has no need to."""
    return order.kind == "body" and not order.listened


def _born_into(order: Order) -> int:
    """The kinds of namespaces that a child has to itself from its birth on.

    What has no sockets leaves nothing behind in a network, and gets one that an earlier one of its kind was in.
    """
    return _FLAGS if _is_offline(order) else _FLAGS | namespaces.NETWORK


@lru_cache(maxsize=_REMEMBERED)
def _kept(plan: Plan, channel: int, stdout: int, stderr: int, *doors: int) -> tuple[Ready, ...]:
    """The rules are made before the descriptors of the places that they name are closed with all others."""
    ground, kept = plan.ground, (channel, stdout, stderr, *doors)
    rules = max((ground.nothing, ground.itself, ground.room, *ground.places, *kept)) + 1
    made = _rules(ground, rules, closed=landlock.TO_PORTS if plan.order.listened else 0)
    return ready((*made, *processes.keep_only(ground.nothing, stdout, stderr, channel, ground.itself, rules, *doors)))


def _rules(ground: Ground, descriptor: int, closed: int) -> Iterator[Call]:
    """Landlock's, for what all sandboxes see, at this descriptor; where there is none, another in its place.

    Only the broker binds, see `notification`: a stream of its network could be bound there once its peer is gone.
    """
    if not ground.abi:
        yield Call("dup3", (ground.nothing, descriptor, os.O_CLOEXEC))
        return
    files, made = landlock.handled(ground.abi), Opened()
    yield Call("close", (ground.room,))
    yield landlock.ruleset(files, ground.abi, made, closed=closed)
    for place, access in ground.places.items():
        yield landlock.allow(made, place, access & files)
    yield Call("dup3", (made, descriptor, os.O_CLOEXEC))


@lru_cache(maxsize=_REMEMBERED)
def _as_user(plan: Plan, uid: int) -> tuple[tuple[Ready, ...], bytes]:
    """What makes this process the sandbox's own user, and the report of the walls around it."""
    become = processes.become(uid) if plan.ground.template.privileged else ()
    return ready(become), encoded({"ready": _words(plan.order, plan.ground, uid)})


def enter_groups(doors: range) -> tuple[Call, ...]:
    """As soon as descriptors are in their places, so that what is made for it counts as its own.

    Nobody can leave from where no group is mounted.
    """
    entered = ((cgroups.enter(door), Call("close", (door,))) for door in doors)
    return tuple(itertools.chain.from_iterable(entered))


def _arrange_files(order: Order) -> tuple[Call, ...]:
    """When the own launch folder is taken: cover what is shared, drop the host."""
    about_keys = [name for name in _ABOUT_KEYS if os.path.exists(f"{HOST_PROCESSES}/{name}")]  # a kernel may have none
    return (
        mounts.mount_memory("/tmp", size=order.temporary, files=order.temporary_inodes, mode=0o1777),  # noqa: S108 - inside it is private
        mounts.mount_memory("/dev/shm", size=_SHARED_MEMORY, files=_SHARED_FILES, mode=0o1777),  # noqa: S108 - private inside
        mounts.mount_processes("/proc"),
        *(mounts.bind("/dev/null", f"/proc/{name}") for name in about_keys),
        *limits.limit_ipc(HOST_PROCESSES),
        mounts.detach(HOST),
        Call("chdir", ("/work",)),
    )


def _own_user(itself: Opened) -> tuple[Call, ...]:
    """A user namespace of its own, where we are nobody in particular, when we are not root."""
    return (
        namespaces.unshare(namespaces.USER),
        *namespaces.map_identity(itself, TASK_ID, ROOT, ROOT),
        *limits.limit_watchers(itself),
        *capabilities.empty_bounding_set(),
    )


def limit(order: Order) -> tuple[Call, ...]:
    """Limit a process and its children, but for `limit_open_files`."""
    fixed = {"core": limits.NO_CORE, "locked_memory": 1 << 20, "message_queues": 0, "signals": 1024}
    return limits.limit(**fixed, **_each_process(order))


def limit_open_files(order: Order) -> tuple[Call, ...]:
    """The limit that comes last, when no descriptor is to be sent any more: see tests/attacks/descriptors_in_flight."""
    most = order.limits.get("open_files")
    return limits.limit(open_files=None if most is None else int(most))


def _each_process(order: Order) -> dict[str, int | None]:
    """Limits that the kernel keeps for each process or user, where no control group has them.

    The user of a slot may be the user of a slot of another worker on this machine, and its processes count, too.
    """
    counted = {"cpu", "open_files", *(_LIMITS[each] for each in order.grouped if each in _LIMITS)}
    return {name: None if each is None else int(each) for name, each in order.limits.items() if name not in counted}


def _filter_calls(order: Order, template: Template, listener: Opened) -> Iterator[Call]:
    """Last of all, because the filter forbids most of the above."""
    if order.listened and order.kind == "body":
        yield processes.show_memory()  # the broker reads the addresses that this very process connects to
    else:
        yield processes.hide_memory()
    calls = seccomp.filter_of(*call_rules(order, template))
    yield seccomp.load_listened(calls, listener) if order.listened else seccomp.load(calls)


def call_rules(order: Order, template: Template) -> Iterator[seccomp.Rules]:
    """Which calls a sandbox is answered how. What a command may start comes later, in its own process."""
    if order.listened:
        yield broker_rules(order.listened)
    yield seccomp.task_rules(sockets=not _is_offline(order))
    if template.contained:
        yield seccomp.sharing_rules()
    if "memory" not in order.grouped:
        yield seccomp.uncounted_rules()
    if template.writable:
        yield seccomp.modes_rules()
    if order.kind == "body":
        threads, forks = order.threads, order.processes
        yield seccomp.rights_rules(threads=threads, processes=forks, programs=forks, body=True)


def command_filter(order: Order) -> bytes:
    """For what a command may start, empty if it may start anything; the rights of a body are in its only filter."""
    if order.kind == "body" or (order.threads and order.processes):
        return b""
    return seccomp.filter_of(seccomp.rights_rules(threads=order.threads, processes=order.processes, programs=True))


def _confine(abi: int) -> tuple[Call, ...]:
    """When everything is mounted that is its own: a rule is for what lies there, not for a name."""
    if not abi:
        return (Call("close", (_RULES,)),)
    files = landlock.handled(abi)
    own = (landlock.allow_below(_RULES, path, access & files) for path, access in _OWN_RIGHTS.items())
    return *itertools.chain.from_iterable(own), *landlock.restrict(_RULES)


def _shown_rights(template: Template) -> dict[str, Access]:
    return {
        **dict.fromkeys(_shown(template), Access.RUN),
        **dict.fromkeys(template.writable, Access.ALL),
        "/": Access.READ_DIRECTORY,
        "/etc": Access.RUN,
        "/dev": Access.DEVICES,
    }


def _shown(template: Template) -> list[str]:
    """Each place once: `/bin` is mostly a link to what lies in `/usr`."""
    named = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", template.prefix, *template.visible)
    places = {os.path.realpath(path) for path in named if os.path.exists(path)}
    return [place for place in sorted(places) if not any(place.startswith(f"{other}/") for other in places)]


def _words(order: Order, ground: Ground, uid: int) -> dict[str, str]:
    """The walls by name, for the report: each of them stands, or there is no sandbox."""
    network = ", no sockets (seccomp)" if _is_offline(order) else ", egress broker" if order.listened else ""
    return {
        "processes": "pid namespace",
        "ipc": "ipc and uts namespaces",
        "network": f"empty network namespace{network}",
        "user": f"own kernel user {uid}" if ground.template.privileged else "user namespace",
        "privileges": "no capabilities, no_new_privs",
        "limits": ", ".join((*limits_in_words(order), "sized memory file trees")),
        "files": "mount namespace, private root" + (f", Landlock ABI {ground.abi}" if ground.abi else ""),
        "system calls": "seccomp, native architecture only",
        "rights": ", ".join(rights(order)),
    }


def limits_in_words(order: Order) -> Iterator[str]:
    """What keeps the limits of a sandbox."""
    counted = [name for controller, name in _COUNTED.items() if controller in order.grouped]
    if counted:
        yield f"control groups ({', '.join(counted)} of the whole sandbox)"
    if "memory" not in order.grouped:
        yield "memory of the whole sandbox is only watched"
    yield "rlimits per process"


def rights(order: Order) -> Iterator[str]:
    """What the sandbox may start, in words."""
    yield "threads allowed" if order.threads else "threads denied (seccomp)"
    yield "processes allowed" if order.processes else "processes denied (seccomp)"
