"""The zygote's loop: take orders from the worker, fork a child for each, say when it has ended. EOF ends everything."""

from __future__ import annotations

import errno
import gc
import json
import os
import select
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import NamedTuple, NoReturn, TypeAlias

from casemate.sandbox import orders
from casemate.sandbox.kernel import capabilities, cgroups, namespaces, processes
from casemate.sandbox.kernel.calls import Ready, do, make, ready
from casemate.sandbox.orders import MESSAGE_LIMIT, Bodies, Order, Own, Template, bodies_with
from casemate.sandbox.zygote import child, contained, root, walls, warden
from casemate.sandbox.zygote.walls import Ground, Plan

_STREAMS = 3
"""The channel, standard output and standard error of a sandbox."""
_DESCRIPTORS = _STREAMS + len(cgroups.CONTROLLERS)
_PLANS = 64
"""Kinds of sandboxes whose walls are remembered; the one that came first is forgotten first."""


_Entry: TypeAlias = tuple[Ready, ...]
"""What brings this process into a network."""


class _Child(NamedTuple):
    order: int
    process: int
    network: _Entry | None
    """The way into the network that it was put into, for the next one."""


def serve(descriptor: int) -> int:
    """Prepare once, then serve until the worker closes its end of the socket; every child dies with this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    processes.rename("sandbox")
    control = socket.socket(fileno=descriptor)
    template = orders.template(control.recv(MESSAGE_LIMIT))
    load_bodies(template.bodies)
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError(
            "a task body starts a thread when it is imported; a process with threads cannot be forked safely"
        )
    try:
        ground = _prepare(template)
    except OSError as error:
        _notify(control, {"refused": error.strerror, "errno": error.errno})
        return 1
    nursery = _Nursery(control, template, ground)
    _notify(control, {"ready": True})
    nursery.serve()
    return 0


def load_bodies(wanted: Bodies) -> None:
    """Import the task bodies that will be asked for now, because the private root does not have the package."""
    if wanted == "none":
        return
    room = import_module("casemate.inside")
    names = (name.removesuffix(".py") for name in sorted(os.listdir(room.__path__[0])) if name.endswith(".py"))
    for name in names:
        if name != "__init__" and bodies_with(name) == wanted:
            import_module(f"casemate.inside.{name}")


def _prepare(template: Template) -> Ground | None:
    """The ground for walls, if there can be full ones."""
    if template.contained:
        contained.prepare(template)
    else:
        root.build(template)
    do(*processes.die_with_parent())
    capabilities.forbid_new()
    if template.privileged or not template.contained:  # who has no power at all cannot give it up, either
        do(*capabilities.empty_bounding_set())
    ground = None if template.contained else walls.found(template, os.pidfd_open(os.getpid()))
    child.prepare()
    child.warm_up(template)
    # the pages of everything loaded so far stay shared with the children
    gc.collect()
    gc.disable()
    gc.freeze()
    return ground


def _notify(control: socket.socket, notice: Mapping[str, object]) -> None:
    control.send(json.dumps(notice).encode())


class _Nursery:
    """The children that live, by the descriptor that becomes readable when they end."""

    def __init__(self, control: socket.socket, template: Template, ground: Ground | None) -> None:
        self._control = control
        self._template = template
        self._ground = ground
        self._end = signal.SIGTERM if template.contained else signal.SIGKILL
        self._children: dict[int, _Child] = {}
        self._itself = os.pidfd_open(os.getpid())
        self._networks: list[_Entry] = []
        self._plans: dict[bytes, Plan] = {}
        self._poller = select.epoll()
        self._poller.register(control, select.EPOLLIN)

    def serve(self) -> None:
        """Until the worker is gone."""
        while True:
            for descriptor, _ in self._poller.poll():
                if descriptor in self._children:
                    self._bury(descriptor)
                elif not self._obey():
                    self._end_all()
                    return

    def _obey(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(
            self._control, MESSAGE_LIMIT, _DESCRIPTORS, flags=socket.MSG_CMSG_CLOEXEC
        )
        if not message:
            return False
        first, _, second = message.partition(b"\n")
        if not second:
            self._kill(json.loads(first)["kill"])
        else:
            self._bear(orders.own(first), second, descriptors)
        return True

    def _bear(self, own: Own, shared: bytes, descriptors: list[int]) -> None:
        try:
            if self._ground is None:
                self._bear_contained(own, shared, descriptors)
            else:
                self._bear_behind(self._plan(shared, self._ground), own, descriptors)
        except OSError as error:
            _notify(self._control, {"ended": own.id, "refused": str(error)})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _plan(self, shared: bytes, ground: Ground) -> Plan:
        """One for all orders that are the same but for what is a sandbox's own."""
        if shared not in self._plans:
            while len(self._plans) >= _PLANS:
                self._plans.pop(next(iter(self._plans)))
            self._plans[shared] = walls.plan(orders.order(shared), ground)
        return self._plans[shared]

    def _bear_behind(self, plan: Plan, own: Own, descriptors: list[int]) -> None:
        _check_arrived(plan.order, descriptors)
        around = walls.around(plan, own.work, own.uid, *descriptors)
        network = self._enter_idle_network() if plan.offline else None
        try:
            process = namespaces.fork_into(plan.born_into)
            if process == 0:
                child.live(around, plan.order, self._template)
        except OSError:
            self._leave(network)
            raise
        self._watch(_Child(own.id, process, network))

    def _bear_contained(self, own: Own, shared: bytes, descriptors: list[int]) -> None:
        order = replace(orders.order(shared), id=own.id, work=os.fsdecode(own.work), uid=own.uid)
        _check_arrived(order, descriptors)
        contained.assemble_filters(order, self._template)
        process = namespaces.fork_into(0)
        if process == 0:
            _stand_beside(order, self._template, self._itself, descriptors)
        self._watch(_Child(own.id, process, None))

    def _enter_idle_network(self) -> _Entry:
        """Go into an empty network that no living child is in, where the next one is born; the way back to it."""
        if self._networks:
            make(self._networks[-1])
            return self._networks.pop()
        do(namespaces.unshare(namespaces.NETWORK))
        network = os.open(f"{root.HOST_PROCESSES}/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        return ready((namespaces.enter_network(network),))

    def _leave(self, network: _Entry | None) -> None:
        if network is not None:
            self._networks.append(network)

    def _watch(self, born: _Child) -> None:
        """OSError: it cannot be watched, so nobody could end it or would bury it; it lives no more."""
        end = None
        try:
            end = os.pidfd_open(born.process)
            self._poller.register(end, select.EPOLLIN)
        except OSError:
            os.kill(born.process, self._end)
            os.waitpid(born.process, 0)
            self._leave(born.network)
            if end is not None:
                os.close(end)
            raise
        self._children[end] = born

    def _kill(self, order: int) -> None:
        """End the first process of a sandbox, and with it all others there. One that has ended needs no killing."""
        for alive in self._children.values():
            if alive.order == order:
                os.kill(alive.process, self._end)

    def _end_all(self) -> None:
        for alive in self._children.values():
            os.kill(alive.process, self._end)
        for alive in self._children.values():
            os.waitpid(alive.process, 0)

    def _bury(self, end: int) -> None:
        ended = self._children.pop(end)
        self._poller.unregister(end)
        os.close(end)
        self._leave(ended.network)
        _, status, usage = os.wait4(ended.process, 0)
        cpu = usage.ru_utime + usage.ru_stime
        # put together by hand: an encoder touches pages that the children share, and each is copied then
        notice = b'{"ended": %d, "status": %d, "cpu": %a, "memory": %d}'
        self._control.send(notice % (ended.order, status, cpu, usage.ru_maxrss * 1024))


def _check_arrived(order: Order, descriptors: list[int]) -> None:
    """OSError: the kernel has left some of its descriptors out, as it does when this process may have no more."""
    if len(descriptors) != _STREAMS + order.doors:
        raise OSError(errno.EMFILE, f"only {len(descriptors)} of its descriptors arrived: {os.strerror(errno.EMFILE)}")


def _stand_beside(order: Order, template: Template, zygote: int, descriptors: list[int]) -> NoReturn:
    def live(parent: int) -> NoReturn:
        child.live_contained(order, template, parent, *descriptors)

    warden.stand_beside(live, order.uid if template.privileged else None, zygote)
