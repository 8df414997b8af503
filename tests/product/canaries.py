"""Secrets that are easy to find, and servers that have them."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import requests
from tests.running import Server

CANARY = "canary-5e1f0c9a77d04be2a1"
OTHER = "canary-99b3aa41c8f24d0e6b"
SUBMITTED = "canary-0d62f1b8e95c47a3f0"
_KEY = base64.b64encode(bytes(range(40, 72))).decode()
_CONFIGURATION = f"kestra: {{encryption: {{secret-key: {_KEY}}}}}\n"


def started(folder: Path, within: tuple[str, ...] = (), python: str = sys.executable) -> Iterator[Server]:
    """A server with two secrets and an encryption key, its state in this folder, run by the owner of the folder."""
    file = folder / "configuration.yml"
    file.write_text(_CONFIGURATION)
    file.chmod(0o600)
    for path in (file, *folder.rglob("*")):
        os.chown(path, folder.stat().st_uid, folder.stat().st_gid)
    values = {"CANARY": CANARY, "OTHER": OTHER}
    variables = [f"SECRET_{name}={base64.b64encode(value.encode()).decode()}" for name, value in values.items()]
    running = Server(folder / "state", "-c", str(file), within=[*(within or ["env"]), *variables], python=python)
    try:
        yield running
    finally:
        running.stop()


def submitted(server: Server, flow: str, **values: str) -> requests.Response:
    """The answer to a request for an execution of a flow, with these inputs."""
    fields = {name: (None, value) for name, value in values.items()}
    return requests.post(f"{server.api}/executions/tests.told/{flow}", files=fields or None, timeout=60)
