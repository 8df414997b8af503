"""Azure Key Vault, on a fake of its wire."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.fakes.key_vault import CLIENT, SECRET, TENANT, KeyVaultFake, key_vault
from tests.secrets.contract.store import Store

from casemate.secrets.backend import Backend
from casemate.secrets.kinds import opened

WRONG = "this-secret-is-wrong"


@contextlib.contextmanager
def vault() -> Iterator[Store]:
    """A vault of the tests."""
    with key_vault() as fake:

        def wrong() -> Backend:
            login = {"tenant-id": TENANT, "client-id": CLIENT, "client-secret": WRONG}
            return open_vault(fake, client_secret=login)

        yield Store(
            open=lambda **options: open_vault(fake, **options),
            wrong=wrong,
            at=lambda port: open_vault(
                fake, key_vault_uri=f"https://127.0.0.1:{port}", connect_timeout="1s", read_timeout="1s"
            ),
            credentials=(SECRET, WRONG),
            speaks="https",
            certificate=fake.certificate,
            longest=25_000,
        )


def open_vault(fake: KeyVaultFake, read_only: bool = False, **options: object) -> Backend:
    """A backend on the fake."""
    written = {
        "key-vault-uri": f"https://{fake.host}",
        "client-secret": {"tenant-id": TENANT, "client-id": CLIENT, "client-secret": SECRET},
        "authority-host": fake.host,
        "ca-cert": fake.authority_file,
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return opened("azure-key-vault", written, read_only=read_only, at="kestra.secret.azure-key-vault")
