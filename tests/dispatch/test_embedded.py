"""The embedded dispatch carries hints and kills; losing or doubling them is the control plane's business."""

from __future__ import annotations

import anyio
import pytest

from casemate.dispatch import Embedded, LinkLost
from casemate.identifiers import Fence, JobId, WorkerId
from casemate.jobs import Hint, Kill

pytestmark = pytest.mark.anyio

ANN, BOB = WorkerId("ann"), WorkerId("bob")


class Joins:
    """A control plane that only lets workers in."""

    def __init__(self) -> None:
        self.joined: list[WorkerId] = []

    async def join(self, worker: WorkerId) -> None:
        self.joined.append(worker)


def hint(number: int, queue: str = "default") -> Hint:
    return Hint(JobId(f"job-{number}"), queue)


@pytest.fixture
def dispatch() -> Embedded:
    embedded = Embedded(capacity=3)
    embedded.serve(Joins())
    return embedded


async def test_a_worker_cannot_connect_before_somebody_answers():
    with pytest.raises(LinkLost):
        await Embedded().link(ANN)


async def test_a_connecting_worker_is_announced(dispatch: Embedded):
    await dispatch.link(ANN)
    assert dispatch.control.joined == [ANN]


async def test_hints_come_in_order_and_once(dispatch: Embedded):
    link = await dispatch.link(ANN)
    assert await dispatch.offer([hint(1), hint(2)]) == 2
    assert [await link.next(), await link.next()] == [hint(1), hint(2)]
    with anyio.move_on_after(0.01) as waiting:
        await link.next()
    assert waiting.cancelled_caught


async def test_hints_that_do_not_fit_are_not_taken(dispatch: Embedded):
    assert await dispatch.offer([hint(n) for n in range(5)]) == 3
    assert await dispatch.offer([hint(9)]) == 0


async def test_a_hint_that_is_in_line_is_not_put_there_twice(dispatch: Embedded):
    assert await dispatch.offer([hint(1), hint(2), hint(3)]) == 3
    assert await dispatch.offer([hint(2), hint(1)]) == 2
    link = await dispatch.link(ANN)
    assert [await link.next() for _ in range(3)] == [hint(1), hint(2), hint(3)]
    await dispatch.offer([hint(2)])
    assert await link.next() == hint(2)


async def test_each_hint_goes_to_one_of_the_waiting_workers(dispatch: Embedded):
    taken: list[Hint | Kill] = []

    async def take(worker: WorkerId) -> None:
        link = await dispatch.link(worker)
        taken.append(await link.next())

    async with anyio.create_task_group() as group:
        group.start_soon(take, ANN)
        group.start_soon(take, BOB)
        await anyio.wait_all_tasks_blocked()
        await dispatch.offer([hint(1), hint(2)])
    assert sorted(taken, key=lambda each: each.job) == [hint(1), hint(2)]


async def test_a_cancelled_wait_takes_no_hint_with_it(dispatch: Embedded):
    ann, bob = await dispatch.link(ANN), await dispatch.link(BOB)
    with anyio.move_on_after(0.01):
        await ann.next()
    await dispatch.offer([hint(1)])
    with anyio.fail_after(1):
        assert await bob.next() == hint(1)


async def test_a_kill_reaches_its_worker_before_any_hint(dispatch: Embedded):
    ann = await dispatch.link(ANN)
    await dispatch.offer([hint(1)])
    kill = Kill(JobId("job-0"), Fence(4))
    assert await dispatch.kill(ANN, kill)
    assert [await ann.next(), await ann.next()] == [kill, hint(1)]


async def test_a_busy_worker_hears_kills_only(dispatch: Embedded):
    ann = await dispatch.link(ANN)
    await dispatch.offer([hint(1)])
    with anyio.move_on_after(0.01) as waiting:
        await ann.next(kills_only=True)
    assert waiting.cancelled_caught
    await dispatch.kill(ANN, Kill(JobId("job-0"), Fence(1)))
    assert isinstance(await ann.next(kills_only=True), Kill)


async def test_a_kill_for_an_unknown_worker_is_not_delivered(dispatch: Embedded):
    assert not await dispatch.kill(BOB, Kill(JobId("job-0"), Fence(1)))


async def test_queues_are_apart(dispatch: Embedded):
    await dispatch.offer([hint(1, "gpu"), hint(2)])
    ann = await dispatch.link(ANN, "gpu")
    assert await ann.next() == hint(1, "gpu")
