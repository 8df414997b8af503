"""One zygote under hardship: each launch stands behind all walls or is refused in words, and none harms another."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from casemate.sandbox import Policy, folders
from casemate.sandbox.cells import Cell
from casemate.sandbox.kernel import cgroups
from casemate.sandbox.kernel.cgroups import Group
from casemate.sandbox.launching import abandon, enclose
from casemate.sandbox.limits import amounts
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
    cell.close()
