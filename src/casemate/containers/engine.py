"""An engine of containers, spoken to by its HTTP interface: Docker's own, or Podman's of the same form.

Only the worker's process speaks to it. Whoever can use its socket is root on its machine, so no sandbox ever sees it.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import httpx2

from casemate.containers.errors import ContainerError, EngineAway, EngineRefused
from casemate.secret import Secret

_PATIENCE: Final = httpx2.Timeout(60, connect=5)
_STREAMS: Final = httpx2.Timeout(60, connect=5, read=None)
"""What is heard of a container may keep silent for hours; its task's own time ends it."""
_CHUNK: Final = 1 << 16
_LARGEST: Final = 1 << 20
"""Bytes of one line about a pull."""
_NO_CERTIFICATES: Final = (
    "`DOCKER_TLS_VERIFY` asks for ca.pem, cert.pem and key.pem in {folder} (`DOCKER_CERT_PATH` or its default), "
    "and they cannot be read: {reason}"
)


class Engine:
    """One engine; its connections are kept. Everything raises `EngineAway` and `EngineRefused`."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.starts_init = True
        """Does it have a first process for containers, that passes signals on? Found out by the first that has none."""
        self.held: set[str] = set()
        """Containers that a job watches."""
        self.stuck: set[str] = set()
        """Containers that are to be gone, and that it did not remove."""
        base, transport = _transport(host)
        self._client = httpx2.AsyncClient(base_url=base, transport=transport, timeout=_PATIENCE, trust_env=False)
        self._about: Mapping[str, Any] | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def about(self) -> Mapping[str, Any]:
        """What it says of itself; asked once."""
        if self._about is None:
            self._about = dict(await self._json("GET", "/info"))
        return self._about

    async def has_image(self, image: str) -> bool:
        """Is the image there?"""
        return await self._exists(f"/images/{quote(image, safe='/:@')}/json")

    async def pull(self, image: str, auth: Secret | None) -> None:
        """Have it fetch an image, as whoever `auth` says."""
        headers = {"X-Registry-Auth": auth.reveal()} if auth else {}
        request = self._client.build_request(
            "POST", "/images/create", params={"fromImage": image}, headers=headers, timeout=_STREAMS
        )
        async with self._sent(request) as answer:
            async for line in _lines(answer):
                if error := line.get("error"):
                    raise EngineRefused(500, str(error))

    async def create(self, wanted: Mapping[str, object]) -> tuple[str, tuple[str, ...]]:
        """A new container, not started yet: its id, and warnings about what the engine does not do."""
        made = await self._json("POST", "/containers/create", content=json.dumps(wanted))
        return str(made["Id"]), tuple(map(str, made.get("Warnings") or ()))

    async def put(self, container: str, folder: str, packed: IO[bytes]) -> None:
        """Unpack a tar in a folder of a container."""
        size = packed.seek(0, os.SEEK_END)
        packed.seek(0)
        headers = {"Content-Type": "application/x-tar", "Content-Length": str(size)}
        path = f"/containers/{container}/archive"
        request = self._client.build_request(
            "PUT", path, params={"path": folder}, content=_pieces(packed), headers=headers, timeout=_STREAMS
        )
        async with self._sent(request):
            pass

    async def take(self, container: str, folder: str) -> AsyncIterator[bytes]:
        """A tar of what is in a folder of a container."""
        path = f"/containers/{container}/archive"
        request = self._client.build_request("GET", path, params={"path": f"{folder}/."}, timeout=_STREAMS)
        async with self._sent(request) as answer:
            async for chunk in answer.aiter_bytes(_CHUNK):
                yield chunk

    async def start(self, container: str) -> None:
        """Start it."""
        await self._do("POST", f"/containers/{container}/start")

    async def output(self, container: str) -> AsyncGenerator[bytes]:
        """What it has written and writes, in frames, until it ends."""
        params = {"follow": "1", "stdout": "1", "stderr": "1"}
        path = f"/containers/{container}/logs"
        request = self._client.build_request("GET", path, params=params, timeout=_STREAMS)
        async with self._sent(request) as answer:
            async for chunk in answer.aiter_bytes():
                yield chunk

    async def wait(self, container: str) -> None:
        """Wait until it runs no more."""
        await self._do("POST", f"/containers/{container}/wait", timeout=_STREAMS)

    async def inspect(self, container: str) -> Mapping[str, Any]:
        """What is known of it."""
        return dict(await self._json("GET", f"/containers/{container}/json"))

    async def stop(self, container: str, seconds: int) -> None:
        """SIGTERM, and SIGKILL after these seconds."""
        with contextlib.suppress(EngineRefused):
            await self._do("POST", f"/containers/{container}/stop", params={"t": str(seconds)}, timeout=_STREAMS)

    async def remove(self, container: str) -> None:
        """Kill it if it runs, and remove it with its volumes. One that is gone is removed."""
        try:
            await self._do("DELETE", f"/containers/{container}", params={"force": "1", "v": "1"})
        except EngineRefused as error:
            # 409: it is being removed already.
            if error.status not in (404, 409):
                raise

    async def labelled(self, labels: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
        """All containers that have these labels."""
        filters = json.dumps({"label": [f"{name}={value}" for name, value in labels.items()]})
        found = await self._json("GET", "/containers/json", params={"all": "1", "filters": filters})
        return tuple(found)

    async def _exists(self, path: str) -> bool:
        try:
            await self._do("GET", path)
        except EngineRefused as error:
            if error.status == 404:
                return False
            raise
        return True

    async def _json(self, method: str, path: str, **more: Any) -> Any:
        return json.loads(await self._do(method, path, **more))

    async def _do(self, method: str, path: str, **more: Any) -> bytes:
        headers = {"Content-Type": "application/json"} if "content" in more else {}
        async with self._sent(self._client.build_request(method, path, headers=headers, **more)) as answer:
            return await answer.aread()

    @contextlib.asynccontextmanager
    async def _sent(self, request: httpx2.Request) -> AsyncIterator[httpx2.Response]:
        try:
            answer = await self._client.send(request, stream=True)
            try:
                if answer.is_error:
                    raise EngineRefused(answer.status_code, _reason(await answer.aread()))
                yield answer
            finally:
                await answer.aclose()
        except httpx2.TransportError as error:
            raise EngineAway(self.host) from error


def _transport(host: str) -> tuple[str, httpx2.AsyncHTTPTransport]:
    """Where requests go, and by which way. Raises `EngineAway` for an address of no known kind."""
    scheme, _, place = host.partition("://")
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=8)
    if scheme == "unix" and place:
        return "http://engine", httpx2.AsyncHTTPTransport(uds=place, limits=limits)
    if scheme in ("tcp", "http", "https") and place:
        secured = scheme == "https" or bool(os.environ.get("DOCKER_TLS_VERIFY"))
        verify = _trusted() if secured else True
        return f"{'https' if secured else 'http'}://{place}", httpx2.AsyncHTTPTransport(verify=verify, limits=limits)
    raise EngineAway(host)


def _trusted() -> ssl.SSLContext:
    """The certificates of `DOCKER_CERT_PATH`, by which the worker knows the engine and the engine the worker.

    Raises `ContainerError` where they cannot be read.
    """
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    try:
        context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    except OSError as error:
        raise ContainerError(_NO_CERTIFICATES.format(folder=folder, reason=error)) from error
    return context


def _reason(content: bytes) -> str:
    try:
        said = json.loads(content)
        return str(said["message"])
    except (ValueError, KeyError, TypeError):
        return content[:500].decode("utf-8", "replace")


async def _pieces(packed: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := packed.read(_CHUNK):
        yield chunk


async def _lines(answer: httpx2.Response) -> AsyncIterator[Mapping[str, Any]]:
    """The JSON objects that come line by line. Raises `EngineRefused` for what is none: registries are quoted there."""
    rest = b""
    async for chunk in answer.aiter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        rest = rest[-_LARGEST:]
        for line in filter(bytes.strip, whole):
            yield _told(line)
    if rest.strip():
        yield _told(rest)


def _told(line: bytes) -> Mapping[str, Any]:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        said = line[:200].decode("utf-8", "replace")
        raise EngineRefused(500, f"what the engine says of it cannot be read: {said}") from error
