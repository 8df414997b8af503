"""What the attacks go for, laid out where a task must not get: files, a process, sockets, memory, with one secret."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from casemate.redteam.servers import GOOD, METADATA, redirecting, replying, resolving, saying

SECRET = "REDTEAM"  # noqa: S105 - the name under which flows ask for it
_HIDDEN_INSIDE = ("/tmp", "/work", "/dev", "/proc", "/var/tmp")  # noqa: S108 - cannot be shown inside
_WEB = 80
_NAMES = 53
_REMOVE = 0
_CREATE = 0o1666
_SHARED_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """`token` is the secret; `values` is what payloads are told: where it lies, and its digest, but never itself.

    `shown` is a folder that the policy shows and `forbidden` what it forbids in there; empty where no folder can be
    made that may be shown.
    """

    token: str
    values: Mapping[str, object]
    folder: Path
    shown: Path | None
    forbidden: tuple[Path, ...]


@contextlib.contextmanager
def laid_out(state: Path, *, own_network: bool, resolvers: tuple[str, ...] = (), config: Path | None) -> Iterator[Bait]:
    """All the bait for as long as the context lasts. `own_network`: this process is in one that answers as a cloud."""
    token = f"redteam-{secrets.token_hex(16)}"
    run = f"rt{secrets.token_hex(4)}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casemate-redteam-")))
        folder.chmod(0o755)
        shown = _shown(stack)
        values = {
            "run": run,
            "digest": hashlib.sha256(token.encode()).hexdigest(),
            "uid": os.getuid(),
            "worker": os.getpid(),
            "state": str(state),
            "database": str(state / "casemate.db"),
            "config": str(config or _secret(folder / "application.yml", token)),
            "shown": str(shown) if shown else "",
            "own_network": own_network,
            "metadata": METADATA,
            "good": GOOD,
            **_files(folder, token),
            **_sibling(stack, folder, token),
            **_memory(stack, run, token),
            **_sockets(stack, folder, run, token, own_network=own_network),
        }
        if own_network:
            _name_servers(stack, resolvers)
        forbidden = _forbidden(shown, token) if shown else ()
        yield Bait(token=token, values=values, folder=folder, shown=shown, forbidden=forbidden)


def _files(folder: Path, token: str) -> dict[str, object]:
    for number in range(20):
        _secret(folder / f"scrap-{number}", token)
    other = folder / "other"
    other.mkdir()
    return {
        "folder": str(folder),
        "secret": str(_secret(folder / "secret", token)),
        "tool": str(_tool(folder / "tool")),
        "other": str(_secret(other / "secret", token)),
        "scrap": str(folder / "scrap-"),
    }


def _secret(path: Path, token: str) -> Path:
    """A file with the secret that everybody may read: only a wall keeps it."""
    path.write_text(token)
    path.chmod(0o644)
    return path


def _tool(path: Path) -> Path:
    """A program that everybody may run."""
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def _shown(stack: ExitStack) -> Path | None:
    """A folder of the host where a policy may show it, readable for everybody."""
    for place in ("/var/lib", "/srv", "/opt", os.path.expanduser("~"), os.getcwd()):
        if any(Path(place).is_relative_to(hidden) for hidden in _HIDDEN_INSIDE) or not os.access(place, os.W_OK):
            continue
        with contextlib.suppress(OSError):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casemate-redteam-", dir=place)))
            folder.chmod(0o755)
            return folder
    return None


def _forbidden(shown: Path, token: str) -> tuple[Path, ...]:
    folder = shown / "forbidden"
    folder.mkdir()
    _secret(folder / "secret", token)
    (shown / "open").write_text("open")
    (shown / "link").symlink_to(folder / "secret")
    return folder, _secret(shown / "forbidden.txt", token)


_SIBLING = """
import ctypes, os, sys
secret = os.environ["SECRET"].encode()
kept = ctypes.create_string_buffer(secret)
file = open(sys.argv[1])
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
print(ctypes.addressof(kept), file.fileno(), flush=True)
sys.stdin.read()
"""


def _sibling(stack: ExitStack, folder: Path, token: str) -> dict[str, object]:
    """A process of the same user that has the secret in its environment, arguments, memory and an open file."""
    command = [sys.executable, "-I", "-S", "-c", _SIBLING, str(folder / "secret"), token]
    sibling = subprocess.Popen(  # noqa: S603 - our own interpreter and text
        command, env={"SECRET": token}, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    stack.callback(sibling.wait)
    stack.callback(sibling.kill)  # whatever an attack did to it
    assert sibling.stdout is not None
    address, descriptor = sibling.stdout.readline().split()
    return {"sibling": sibling.pid, "sibling_address": int(address), "sibling_descriptor": int(descriptor)}


def _memory(stack: ExitStack, run: str, token: str) -> dict[str, object]:
    """System V and POSIX shared memory with the secret."""
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    key = secrets.randbits(30) | 1
    segment = libc.shmget(key, _SHARED_BYTES, _CREATE)
    stack.callback(libc.shmctl, segment, _REMOVE, None)
    place = libc.shmat(segment, None, 0)
    ctypes.memmove(place, token.encode(), len(token))
    libc.shmdt(ctypes.c_void_p(place))
    posix = Path("/dev/shm") / run  # noqa: S108 - where POSIX shared memory is
    stack.callback(posix.unlink, missing_ok=True)
    return {"shared_key": key, "shared_file": str(_secret(posix, token))}


def _sockets(stack: ExitStack, folder: Path, run: str, token: str, *, own_network: bool) -> dict[str, object]:
    everywhere = ("0.0.0.0", "::") if own_network else ("127.0.0.1", "::1")  # noqa: S104 - of the own network
    port = _WEB if own_network else 0
    one = stack.enter_context(saying(token, socket.create_server((everywhere[0], port))))
    six = _listening6(everywhere[1], port)
    good = stack.enter_context(saying("welcome", socket.create_server((GOOD, 0))))
    target = f"http://{METADATA if own_network else '127.0.0.1'}:{one}/"
    named, abstract = folder / "socket", f"\0{run}"
    places = {"named": _unix(str(named)), "abstract": _unix(abstract)}
    for listening in places.values():
        stack.enter_context(saying(token, listening))
    named.chmod(0o777)
    return {
        "port": one,
        "port6": stack.enter_context(saying(token, six)) if six else 0,
        "datagrams": stack.enter_context(replying(token, _datagrams((everywhere[0], 0)))),
        "good_port": good,
        "redirect_port": stack.enter_context(redirecting(target, socket.create_server((GOOD, 0)))),
        "named": str(named),
        "abstract": run,
    }


def _listening6(address: str, port: int) -> socket.socket | None:
    try:
        return socket.create_server((address, port), family=socket.AF_INET6)
    except OSError:
        return None


def _unix(name: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(name)
    listening.listen()
    return listening


def _datagrams(address: tuple[str, int]) -> socket.socket:
    datagrams = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(address)
    return datagrams


def _name_servers(stack: ExitStack, resolvers: tuple[str, ...]) -> None:
    for address in resolvers or ("127.0.0.1",):
        with contextlib.suppress(OSError):
            stack.enter_context(resolving(_datagrams((address, _NAMES))))
