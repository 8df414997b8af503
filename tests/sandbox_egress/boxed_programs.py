"""Programs behind the broker, run to their end. As a script: one of them, described as JSON, for another user."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from casemate.sandbox import Egress, Proxy
from casemate.sandbox.broker import Broker, Outside

BOX = Path(__file__).with_name("box.py")
LOOPBACK = Egress(open=True, allow=("127.0.0.0/8", "::1/128"))
SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass(frozen=True)
class Ran:
    """What a program behind the broker printed, and where it went."""

    output: str
    code: int
    reached: list[list[object]]
    denied: list[list[object]]


def boxed(
    *program: str,
    egress: Egress = LOOPBACK,
    resolvers: tuple[str, ...] = (),
    proxy: Proxy | None = None,
    patience: float = 5,
    outside: Outside | None = None,
    folder: str = "/",
) -> Ran:
    """Run a program behind the broker to its end."""
    ours, theirs = socket.socketpair()
    uid = 200_123 if os.getuid() == 0 else 0
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, str(BOX), str(theirs.fileno()), str(uid), *program],
            pass_fds=(theirs.fileno(),),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        theirs.close()
        _, descriptors, _, _ = socket.recv_fds(ours, 16, 3)
    if len(descriptors) != 3:
        raise RuntimeError(f"the box did not start: {process.communicate()[0]}")
    shared, outside = outside is not None, outside or Outside(resolvers, proxy, patience=timedelta(seconds=patience))
    if outside.upstream:
        asyncio.run(outside.upstream.find())
    broker = Broker(tuple(descriptors), egress, outside)
    broker.start()
    try:
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        broker.close()
        if not shared:
            outside.close()
    traffic = broker.destinations()
    return Ran(output, process.returncode, _places(traffic.reached, "times"), _places(traffic.denied, "reason"))


def _places(noted: Iterable[Mapping[str, object]], what: str) -> list[list[object]]:
    """Address, port, and the host where it is known; a look-up has no address."""
    return [[each[key] for key in ("address", "port", "host", what) if key in each] for each in noted]


def python(code: str, *, body: bool = False, **options: Any) -> Ran:
    """Run Python code behind the broker: as a program of its own, or as `body` in the very process that was forked."""
    return boxed(*(("-",) if body else (SYSTEM_PYTHON, "-I", "-c")), code, **options)


def python_as(user: int, code: str, **options: Any) -> Ran:
    """The same where the worker is an ordinary user. PermissionError: this user may not even read our files."""
    done = subprocess.run(
        [SYSTEM_PYTHON, __file__, json.dumps({"code": code, **options})],
        user=user,
        group=user,
        extra_groups=[],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
    )
    if done.returncode:
        raise PermissionError(done.stderr)
    return Ran(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(python(**json.loads(sys.argv[1])))))
