"""Vault's two engines, on a real OpenBao."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

from tests.openbao import ROOT, OpenBao, openbao_running
from tests.secrets.contract.store import Store

from casemate.secrets.backend import Backend
from casemate.secrets.kinds import opened

WRONG = "hvs.this-token-is-wrong"


@contextlib.contextmanager
def version_two() -> Iterator[Store]:
    """With tags."""
    with openbao_running() as server:
        yield _store(server, 2)


@contextlib.contextmanager
def version_one() -> Iterator[Store]:
    """Without."""
    with openbao_running() as server:
        yield _store(server, 1)


def _store(server: OpenBao, version: int) -> Store:
    mount = server.engine("secrets-of-flows", version)
    open_here = partial(_opened, mount, version, server.address, ROOT)
    return Store(
        open=open_here,
        wrong=partial(_opened, mount, version, server.address, WRONG),
        at=lambda port: _opened(mount, version, f"http://127.0.0.1:{port}", ROOT, read_timeout="1s"),
        credentials=(ROOT, WRONG),
        tags=version == 2,
        descriptions=version == 2,
        longest=500_000,
    )


def _opened(
    mount: str, version: int, address: str, token: str, prefix: str = "", read_only: bool = False, **options: object
) -> Backend:
    written = {
        "address": address,
        "token": {"token": token},
        "root-engine": mount,
        "engine-version": version,
        "prefix": prefix,
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return opened("vault", written, read_only=read_only, at="kestra.secret.vault")
