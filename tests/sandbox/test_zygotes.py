"""One zygote under hardship: each launch stands behind all walls or is refused in words, and none harms another."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.sandbox import LaunchFailed, Policy, folders
from casemate.sandbox.cells import Cell
from casemate.sandbox.kernel import cgroups
from casemate.sandbox.kernel.cgroups import Group
from casemate.sandbox.launching import abandon, enclose
from casemate.sandbox.limits import amounts
from casemate.sandbox.notification import judged_calls
from casemate.sandbox.orders import Bodies, Order
from casemate.sandbox.templates import privileged, template_of, user_of
from casemate.sandbox.zygotes import Zygote

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def zygote(folder: Path, bodies: Bodies) -> AsyncIterator[Zygote]:
    started = await Zygote.start(replace(template_of(Policy(), folder, 1), bodies=bodies))
    try:
        yield started
    finally:
        await started.close()


def order_in(folder: Path, **fields: object) -> Order:
    work = folders.make(folder, "one")
    if privileged():
        os.chown(work, user_of(0), user_of(0))
    return Order(id=1, work=work.name, uid=user_of(0), limits=amounts(Policy().limits), **fields)


def children_of(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def descriptors_of(process: int) -> set[str]:
    return set(os.listdir(f"/proc/{process}/fd"))


def free_numbers() -> list[int]:
    """Of descriptors that this process may still have, the first ones."""
    opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(8)]
    for each in opened:
        os.close(each)
    return opened


@pytest.fixture(autouse=True)
def _nothing_closes_by_itself() -> None:
    """What earlier tests have left: descriptors are counted here."""
    gc.collect()


@pytest.fixture
def group() -> Iterator[Group]:
    own = next((tree.own for tree in cgroups.trees() if "pids" in tree.controllers), None)
    if own is None or not os.access(own.path, os.W_OK):
        pytest.skip("no control group can be made")
    made = cgroups.below(own, f"casemate-test-{os.getpid()}")
    yield made
    cgroups.remove(made)


async def test_one_group_may_have_several_controllers(tmp_path, group):
    """As all have that are of version 2; the other name stands for one whose files nobody asks for."""
    cell = Cell({"pids": group, "hugetlb": group})
    order = order_in(tmp_path, kind="body", grouped=cell.controllers, doors=len(cell.doors))
    async with zygote(tmp_path, "plain") as one:
        box = await enclose(one, order, cell)
        assert len(cgroups.members(group)) == 1
        await abandon(box)
        assert not one.uncovered, "the mounts of a sandbox are its own"
    cell.close()


async def test_what_is_abandoned_is_closed_though_its_end_is_not_waited_for(tmp_path):
    async with zygote(tmp_path, "plain") as one:
        ready = descriptors_of(os.getpid())
        box = await enclose(one, order_in(tmp_path, kind="body", listened=judged_calls()))
        assert box.for_broker
        ending = asyncio.create_task(abandon(box))
        while one._ends and not ending.cancelling():
            await asyncio.sleep(0)
            ending.cancel()
        await asyncio.wait({ending})
        assert ending.cancelled()
        assert descriptors_of(os.getpid()) == ready


@pytest.mark.parametrize("room", [0, 1, 2])
async def test_a_worker_without_room_for_all_that_a_broker_needs_gives_the_sandbox_up(tmp_path, room):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with zygote(tmp_path, "plain") as one:
        ready = descriptors_of(os.getpid())
        enclosing = asyncio.create_task(enclose(one, order_in(tmp_path, kind="body", listened=judged_calls())))
        while not one._ends:  # noqa: ASYNC110 - it has to be sent first, which rings no bell
            await asyncio.sleep(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free_numbers()[room], hard))
        try:
            with pytest.raises(LaunchFailed, match=f"Only {room} of 3 descriptors"):
                await enclosing
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert descriptors_of(os.getpid()) == ready
        assert not children_of(one._process.pid)


@pytest.mark.parametrize(("kind", "bodies"), [("body", "plain"), ("command", "none")])
async def test_a_zygote_that_runs_out_of_descriptors_refuses_and_goes_on(tmp_path, kind, bodies):
    order, outcomes = order_in(tmp_path, kind=kind), []
    async with zygote(tmp_path, bodies) as one:
        process = one._process.pid
        open_ones = list(map(int, descriptors_of(process)))
        _, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
        for number, most in enumerate(range(len(open_ones), max(open_ones) + 20)):
            resource.prlimit(process, resource.RLIMIT_NOFILE, (most, hard))
            try:
                box = await enclose(one, replace(order, id=number))
            except LaunchFailed as error:
                outcomes.append(str(error))
            else:
                assert not box.ended.done()
                outcomes.append("stands")
                await abandon(box)
            assert not children_of(process)
    assert [stands for stands, _ in itertools.groupby(outcomes, lambda said: said == "stands")] == [False, True]
    assert not [said for said in outcomes if "ended with status" in said]
