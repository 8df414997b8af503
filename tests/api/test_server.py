"""The server object: where it listens, how it starts and how it stops."""

import asyncio
import socket

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from casemate.api import AddressTaken, Deps, Unprotected, app, serve
from casemate.secret import Secret
from casemate.settings import BasicAuth

pytestmark = pytest.mark.anyio

AUTH = BasicAuth(username="u", password=Secret("p"), realm="Kestra", open_urls=())


@pytest.fixture
def over(db, storage, catalog):
    def made(**more):
        return app(Deps(db=db, orchestrator=None, storage=storage, catalog=catalog, version="0", **more))

    return made


async def served(application, host="127.0.0.1"):
    """The address of a server, and its task."""
    ready = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(application, host, 0, ready.set_result))
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    return ready.result(), task


async def asked(address, path="/ping"):
    host, port = address.removeprefix("http://").rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def stopped(task):
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()


async def test_it_answers_once_it_says_so_and_stops_when_cancelled(over):
    address, task = await served(over())
    answer = await asked(address)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"pong")
    assert b"server:" not in answer.lower()
    await stopped(task)
    with pytest.raises(OSError):
        await asked(address)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.org"])
async def test_without_credentials_it_listens_on_loopback_only(over, host):
    with pytest.raises(Unprotected, match="without credentials"):
        await serve(over(), host, 0, lambda _: None)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_loopback_has_several_names(over, host):
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    address, task = await served(over(), host)
    assert (await asked(address)).startswith(b"HTTP/1.1 200")
    await stopped(task)


async def test_with_credentials_it_listens_anywhere(over):
    address, task = await served(over(basic_auth=AUTH), "0.0.0.0")
    answer = await asked(address.replace("0.0.0.0", "127.0.0.1"), "/api/v1/configs")
    assert answer.startswith(b"HTTP/1.1 401")
    await stopped(task)


async def test_an_address_that_is_taken_is_said_to_be(over):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(AddressTaken, match="cannot listen on 127"):
        await serve(over(), "127.0.0.1", other.getsockname()[1], lambda _: None)


async def test_answers_without_end_do_not_keep_it_from_stopping(over):
    async def endless(_request):
        async def parts():
            while True:
                yield b"x"
                await asyncio.sleep(0.01)

        return StreamingResponse(parts())

    application = Starlette(routes=[Route("/", endless)])
    application.state.deps = over().state.deps
    address, task = await served(application)
    reading = asyncio.create_task(asked(address, "/"))
    await asyncio.sleep(0.1)
    await stopped(task)
    await asyncio.wait_for(reading, 5)


async def test_an_answer_under_way_is_finished(over):
    begun = asyncio.Event()

    async def slow(_request):
        begun.set()
        await asyncio.sleep(0.3)
        return PlainTextResponse("done")

    application = Starlette(routes=[Route("/", slow)])
    application.state.deps = over().state.deps
    address, task = await served(application)
    reading = asyncio.create_task(asked(address, "/"))
    await begun.wait()
    await stopped(task)
    assert (await reading).endswith(b"done")
