"""The two stores of AWS, on moto's server, each with a user who may do no more than the documentation asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

from tests.aws import MANAGING, REGION, WRONG, Aws, Login, running_aws
from tests.secrets.contract.store import Store

from casemate.secrets.backend import Backend
from casemate.secrets.kinds import opened


@contextlib.contextmanager
def secrets_manager() -> Iterator[Store]:
    """Values of up to 64 KiB."""
    yield _store(running_aws(), "aws-secret-manager", 65_536)


@contextlib.contextmanager
def parameter_store() -> Iterator[Store]:
    """Values of up to 4 KiB in the standard tier."""
    yield _store(running_aws(), "aws-ssm-parameter-store", 4_096)


def _store(aws: Aws, kind: str, longest: int) -> Store:
    login = aws.user(f"manager-{kind}", MANAGING)
    return Store(
        open=partial(_opened, kind, aws.address, login),
        wrong=partial(_opened, kind, aws.address, WRONG),
        at=lambda port: _opened(kind, f"http://127.0.0.1:{port}", login, read_timeout="1s"),
        credentials=(login.secret, WRONG.secret),
        longest=longest,
    )


def _opened(kind: str, address: str, login: Login, read_only: bool = False, **options: object) -> Backend:
    written = {
        **login.options,
        "region": REGION,
        "endpoint-override": address,
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return opened(kind, written, read_only=read_only, at=f"kestra.secret.{kind}")
