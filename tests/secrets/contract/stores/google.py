"""Google Secret Manager, on a fake of its wire."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa
from tests.fakes.secret_manager import PROJECT, SecretManagerFake, secret_manager
from tests.secrets.contract.store import Store

from casemate.secrets.backend import Backend
from casemate.secrets.kinds import opened


@contextlib.contextmanager
def project() -> Iterator[Store]:
    """A project of the tests."""
    stranger = rsa.generate_private_key(65537, 2048)
    with secret_manager() as fake:
        wrong = fake.account(stranger)
        yield Store(
            open=lambda **options: open_project(fake, **options),
            wrong=lambda: open_project(fake, service_account=wrong),
            at=lambda port: open_project(fake, endpoint=f"127.0.0.1:{port}", read_timeout="1s"),
            credentials=(fake.account(), wrong),
            speaks="grpc",
            longest=60_000,
        )


def open_project(fake: SecretManagerFake, read_only: bool = False, **options: object) -> Backend:
    """A backend on the fake."""
    written = {
        "project": PROJECT,
        "service-account": fake.account(),
        "endpoint": fake.address,
        "ca-cert": fake.authority_file,
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return opened("google-secret-manager", written, read_only=read_only, at="kestra.secret.google-secret-manager")
