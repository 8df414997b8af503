"""Descriptors that are heard by one epoll behind the event loop."""

import asyncio
import os

import pytest

from casemate.sandbox.waiting import ears, readable

pytestmark = pytest.mark.anyio


@pytest.fixture
def pipes():
    opened = [os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) for _ in range(3)]
    yield opened
    for descriptor in (end for pipe in opened for end in pipe):
        os.close(descriptor)


async def test_one_that_breaks_does_not_keep_the_others_from_being_called(pipes):
    told, broken = asyncio.Event(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context["exception"]))

    def breaks() -> None:
        ears().forget(pipes[0][0])
        raise ZeroDivisionError

    ears().listen(pipes[0][0], breaks)
    ears().listen(pipes[1][0], told.set)
    for _, writing in pipes:
        os.write(writing, b"x")
    async with asyncio.timeout(5):
        await told.wait()
    ears().forget(pipes[1][0])
    assert [type(error) for error in broken] == [ZeroDivisionError]


async def test_what_is_forgotten_is_not_called(pipes):
    (first, one), (second, other), (third, last) = pipes
    called = []

    def only_one(descriptor: int) -> None:
        called.append(descriptor)
        ears().forget(first)
        ears().forget(second)

    ears().listen(first, lambda: only_one(first))
    ears().listen(second, lambda: only_one(second))
    for writing in (one, other, last):
        os.write(writing, b"x")
    async with asyncio.timeout(5):
        await readable(third)
    assert len(called) == 1


async def test_a_number_can_be_listened_to_again(pipes):
    told = asyncio.Event()
    reading, writing = pipes[0]
    for _ in range(2):
        ears().listen(reading, told.set)
        os.write(writing, b"x")
        async with asyncio.timeout(5):
            await told.wait()
        ears().forget(reading)
        os.read(reading, 10)
        told.clear()


async def test_the_end_is_heard_as_well():
    reading, writing = os.pipe()
    os.close(writing)
    async with asyncio.timeout(5):
        await readable(reading)
    os.close(reading)
