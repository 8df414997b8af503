"""The door through which everything is launched: slots, launch folders, one zygote for each view of the file system."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from casemate.sandbox import folders, stub
from casemate.sandbox.broker import Broker, Outside
from casemate.sandbox.cgroups import Cgroups
from casemate.sandbox.disk import Room, keep_room, keep_shares, left, reserve
from casemate.sandbox.egress import rules_of
from casemate.sandbox.errors import LaunchFailed, WallsMissing
from casemate.sandbox.generations import Generations
from casemate.sandbox.kernel.limits import raise_open_files
from casemate.sandbox.launching import abandon, enclose
from casemate.sandbox.limits import amounts
from casemate.sandbox.model import Body, Command, Launch, Level, Places, Policy, Proxy, Survey
from casemate.sandbox.notification import judged_calls
from casemate.sandbox.orders import Bodies, Kind, Order, bodies_with
from casemate.sandbox.places import places_of
from casemate.sandbox.reaper import watched
from casemate.sandbox.recording import Touched, recorded_calls
from casemate.sandbox.report import not_held
from casemate.sandbox.running import Box, Running, job_message
from casemate.sandbox.spares import Spares
from casemate.sandbox.survey import CANARIES, canaries, explained
from casemate.sandbox.templates import host_resolv_conf, places_inside, privileged, template_of, user_of
from casemate.sandbox.watchdog import keep_memory
from casemate.sandbox.zygotes import RootRefused, Zygote

log = logging.getLogger(__name__)

_OWN_DESCRIPTORS = 65536
"""For the worker's own process, if the machine lets it have as many: some for each sandbox and connection."""


@dataclass(frozen=True, slots=True)
class _Site:
    """What is the same at either level: how many at a time, the worker's own paths, the way out."""

    slots: int
    hidden: tuple[str, ...]
    proxy: Proxy | None


@dataclass(slots=True)
class _Held:
    """What a launch has of the worker until its end, so far as it has it: the last thing is given back first."""

    slot: int | None = None
    work: Path | None = None
    """Its folder, which belongs to the task's user."""
    broker: Broker | None = None


class Sandboxes:
    """At most `slots` sandboxes at a time, whose launch folders lie below one folder. Made by `open`."""

    def __init__(self, folder: Path, level: Level, site: _Site, groups: Cgroups) -> None:
        # where tasks have no view of their own it is not the one that was asked for
        self.folder = folder
        self.level = level
        self._groups = groups
        self._hidden = site.hidden
        self._slots = site.slots
        self._outside = Outside(stub.resolvers(host_resolv_conf()), site.proxy)
        self._judged = judged_calls()
        self._recorded = (*self._judged, *recorded_calls())
        self._free: asyncio.LifoQueue[int] = asyncio.LifoQueue()
        for slot in reversed(range(site.slots)):
            self._free.put_nowait(slot)
        self._numbers = itertools.count(1)
        self._spares = Spares(folder, self._free, self._numbers, groups)
        self._zygotes = Generations()
        self._running: dict[Running, Room] = {}

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        required: Level = Level.FULL,
        slots: int = 16,
        hidden: tuple[str, ...] = (),
        proxy: Proxy | None = None,
    ) -> AsyncIterator[Sandboxes]:
        """Sandboxes for as long as the context lasts; on leaving it all of them are killed.

        Tries the walls before anything is launched, full ones first. `hidden` paths, the worker's own, are covered
        wherever a policy would show them. With a `proxy` all that tasks connect to is reached through it.
        FolderTaken: another worker has this folder. WallsMissing: the walls do not stand as `required`.
        """
        raise_open_files(_OWN_DESCRIPTORS)
        async with AsyncExitStack() as held:
            sandboxes = await cls._behind_walls(folder, required, _Site(slots, hidden, proxy), held)
            async with sandboxes._watching():
                yield sandboxes

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        """See to the limits that no wall keeps."""
        if self._groups.missing:
            log.warning("%s", self._groups.remedy)
        watching = (
            asyncio.create_task(keep_room(self.folder, self._running), name="disk"),
            asyncio.create_task(keep_shares(self._running), name="shares of the disk"),
            asyncio.create_task(keep_memory(self._running), name="memory"),
        )
        try:
            yield
        finally:
            for watch in watching:
                watch.cancel()

    @classmethod
    async def _behind_walls(cls, folder: Path, required: Level, site: _Site, held: AsyncExitStack) -> Sandboxes:
        """Full walls, or if there can be none and it is said in words that weaker ones will do, those."""
        try:
            return await cls._tried(await asyncio.to_thread(folders.prepare, folder), Level.FULL, site, held)
        except (RootRefused, LaunchFailed) as error:
            if required is not Level.CONTAINER:
                raise WallsMissing(await explained(error), required) from error
        try:
            prepared = await asyncio.to_thread(folders.prepare, folder)
            reachable = await asyncio.to_thread(folders.within_reach, folder)
            if reachable != prepared:
                held.push_async_callback(asyncio.to_thread, folders.remove, reachable)
            return await cls._tried(reachable, required, site, held)
        except (RootRefused, LaunchFailed) as error:
            raise WallsMissing(await explained(error), required) from error

    @classmethod
    async def _tried(cls, folder: Path, level: Level, site: _Site, held: AsyncExitStack) -> Sandboxes:
        """Fail closed: not one launch before the walls have been seen to hold. Raises what `_check_walls` does."""
        async with AsyncExitStack() as undo:
            await undo.enter_async_context(watched(folder))
            sandboxes = cls(folder, level, site, await asyncio.to_thread(Cgroups.found, folder, site.slots))
            undo.push_async_callback(sandboxes._close)
            await sandboxes._outside.open()
            await sandboxes._check_walls()
            await held.enter_async_context(undo.pop_all())
        return sandboxes

    def not_held(self) -> tuple[str, ...]:
        """What these walls do not hold that full ones do, in words for a person; nothing if they are full."""
        return not_held(self.level, own_users=privileged())

    def places(self, work: Path) -> Places:
        """Where a launch in this folder finds its folders, as seen from inside."""
        return places_inside(work, self.level)

    async def launch(self, launch: Launch) -> Running:
        """Start one sandbox and what it is to run, waiting for a free slot first.

        `launch.work` must lie below this object's folder; one right there that does not exist is made, which takes
        least time. LaunchFailed: nothing has run.
        """
        if launch.policy.required is Level.FULL and self.level is not Level.FULL:
            raise LaunchFailed(f"The policy requires level '{Level.FULL}', these walls are of level '{self.level}'.")
        held = _Held()
        try:
            box = await self._enclosed(launch, held)
            # as soon as can be: the task goes on while we see to the rest
            await self._told(launch, box)
        except BaseException:
            await self._give_back(held)
            raise
        # from here on the end of the sandbox undoes it all
        running = Running(launch, box, partial(self._over, held))
        self._running[running] = reserve(left(self.folder))
        self._spares.restock(at_once=False)
        return running

    async def _over(self, held: _Held, running: Running) -> None:
        """A sandbox has ended: have one made for the next launch."""
        self._running.pop(running, None)
        try:
            await self._give_back(held)
        finally:
            self._spares.restock(at_once=True)

    async def _give_back(self, held: _Held) -> None:
        """Its slot last: whoever gets it must not meet a broker or an owner of before."""
        try:
            if held.broker is not None:
                held.broker.close()
        finally:
            try:
                if held.work is not None:
                    await self._take_back(held.work)
            finally:
                if held.slot is not None:
                    self._free.put_nowait(held.slot)

    async def _enclosed(self, launch: Launch, held: _Held) -> Box:
        """A sandbox for a launch, around its folder, that waits to be told what to run."""
        place = self._place(launch.work)
        order, zygote = self._order(launch), await self._zygote(launch.policy, launch.what)
        box = await self._moved_in(zygote, order, launch.work, held)
        if box is None:
            place = self._resolved(launch.work) if launch.work.is_symlink() else place
            box = await self._new(launch, place, zygote, order, held)
        if box.for_broker:
            await self._broker(launch, box, held)
        return box

    async def _told(self, launch: Launch, box: Box) -> None:
        """A sandbox that has died meanwhile is heard of by its end."""
        try:
            await box.say(job_message(launch.what, self.places(launch.work)))
        except BaseException:
            await abandon(box)
            raise

    async def _new(self, launch: Launch, place: str, zygote: Zygote, order: Order, held: _Held) -> Box:
        """A sandbox made now."""
        if waits := self._free.empty():
            self._spares.give_way()
        held.slot = slot = await self._free.get()
        made = await self._hand_over(launch.work, user_of(slot))
        held.work = launch.work
        if waits or not made:  # for longer, perhaps, than a zygote stays that nobody asks for
            zygote = await self._zygote(launch.policy, launch.what)
        own = replace(order, id=next(self._numbers), work=place, uid=user_of(slot))
        return await enclose(zygote, own, self._groups.of(slot))

    async def _moved_in(self, zygote: Zygote, order: Order, work: Path, held: _Held) -> Box | None:
        """The sandbox that waited for such a launch, around its folder; None if none did, or the folder must stay."""
        # What earlier tasks of a WorkingDirectory left may be large, or locked: that stays where it is.
        if (os.access(work, os.F_OK) and not folders.is_small(work)) or not (spare := self._spares.take(zygote, order)):
            return None
        held.slot = spare.slot
        try:
            spare.move_in(work)
        except OSError as error:
            await abandon(spare.box)
            await asyncio.to_thread(folders.remove, spare.folder)
            raise LaunchFailed(f"The launch folder cannot be shown in the sandbox: {error}") from error
        held.work = work
        return spare.box

    async def _check_walls(self) -> None:
        """RootRefused, LaunchFailed: these walls cannot be built; WallsMissing: they were, and do not hold."""
        zygote = await self._zygote(Policy(required=self.level), Body(module=CANARIES, job={}))
        walls = await canaries(zygote, self.folder, self._groups)
        if not all(wall.stands for wall in walls):
            raise WallsMissing(Survey(Level.NONE, walls), self.level)

    def _order(self, launch: Launch) -> Order:
        """What the zygote is asked for, but for what belongs to one sandbox: one object for each kind of launch."""
        kind: Kind = "body" if isinstance(launch.what, Body) else "command"
        if launch.policy.limits.cpu is not None and "cpu" not in self._groups.controllers:
            raise LaunchFailed(f"A limit of cpu needs a control group, and there is none: {self._groups.missing}")
        groups = self._groups
        return _order_of(launch.policy, kind, self._way_out(launch.policy), groups.controllers, groups.doors)

    def _way_out(self, policy: Policy) -> tuple[str, ...]:
        """The calls that a broker is asked about, if the policy opens a way out.

        An entry that is none is noticed before anything runs.
        """
        try:
            rules_of(policy.egress)
        except ValueError as error:
            raise LaunchFailed(f"The policy's network cannot be used: {error}") from error
        if policy.learning and self.level is not Level.FULL:
            raise LaunchFailed("What a task touches can only be taken down behind full walls.")
        if policy.learning:
            return self._recorded
        return self._judged if policy.egress.open and self.level is Level.FULL else ()

    def _place(self, work: Path) -> str:
        """The launch folder as the zygote knows it. Only below our own folder: nothing else of the host is there."""
        parent, _, name = str(work).rpartition("/")
        return name if parent == str(self.folder) and name != ".." else self._resolved(work)

    def _resolved(self, work: Path) -> str:
        try:
            place = work.resolve(strict=True).relative_to(self.folder)
        except (OSError, ValueError) as error:
            raise LaunchFailed(f"The launch folder {work} must exist below {self.folder}.") from error
        if place == Path():
            raise LaunchFailed("A launch folder must not be the folder of all of them.")
        return str(place)

    async def _zygote(self, policy: Policy, what: Body | Command) -> Zygote:
        """The zygote that shows what this policy shows, and can run this; a new one if there is none."""
        template = template_of(policy, self.folder, self._slots, self._hidden, self.level)
        return await self._zygotes.of(template, _bodies_for(what))

    async def _broker(self, launch: Launch, box: Box, held: _Held) -> None:
        """Have an egress broker at work for it."""
        touched = self._touched(launch)
        try:
            listener, datagrams, streams = box.for_broker
            broker = Broker((listener, datagrams, streams), launch.policy.egress, self._outside, touched)
            broker.start()
        except (OSError, RuntimeError) as error:
            await abandon(box)
            raise LaunchFailed(f"The egress broker could not be started: {error}") from error
        held.broker = broker
        box.for_broker, box.traffic, box.touched = (), broker.destinations(), touched

    def _touched(self, launch: Launch) -> Touched | None:
        """Where what the launch touches is taken down, if it is to be."""
        policy = launch.policy
        if not policy.learning:
            return None
        covered = tuple({place for path in (*policy.forbidden, *self._hidden) for place in places_of(path)})
        return Touched(policy.visible, (*covered, sys.base_prefix), command=isinstance(launch.what, Command))

    async def _hand_over(self, work: Path, uid: int) -> bool:
        """Give a user the launch folder, made if need be; whether that was needed."""
        try:
            made = folders.make_sure(work)
            if made and privileged():
                os.chown(work, uid, uid, follow_symlinks=False)
            elif privileged():
                await folders.hand_over_promptly(work, uid, uid)
        except OSError as error:
            raise LaunchFailed(f"The launch folder cannot be given to the task's user: {error}") from error
        return made

    async def _take_back(self, work: Path) -> None:
        """Nothing keeps the task's user as owner: the next launch in its slot is another task's."""
        if privileged():
            with contextlib.suppress(FileNotFoundError):  # whoever had it launched has removed it already
                await folders.hand_over_promptly(work, os.geteuid(), os.getegid())

    async def _close(self) -> None:
        await self._spares.close()
        async with asyncio.TaskGroup() as ending:
            for running in tuple(self._running):
                ending.create_task(_ended(running, "the worker stops"))
        await self._zygotes.close()
        self._outside.close()
        await asyncio.to_thread(self._groups.close)


def _bodies_for(what: Body | Command) -> Bodies:
    return bodies_with(what.module) if isinstance(what, Body) else "none"


async def _ended(running: Running, reason: str) -> None:
    await running.kill(reason)
    await running.end()


@lru_cache(maxsize=64)
def _order_of(policy: Policy, kind: Kind, listened: tuple[str, ...], grouped: tuple[str, ...], doors: int) -> Order:
    limits = policy.limits
    return Order(
        id=0,
        kind=kind,
        work="",
        uid=0,
        listened=listened,
        threads=policy.rights.threads,
        processes=policy.rights.processes,
        temporary=limits.temporary,
        temporary_inodes=limits.temporary_inodes,
        grouped=grouped,
        doors=doors,
        # What a task holds in flight counts against its kernel user, who may be ours: see descriptors_in_flight
        limits=amounts(limits) | {"open_files": min(limits.open_files, raise_open_files(_OWN_DESCRIPTORS) // 2)},
    )
