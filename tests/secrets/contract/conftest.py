"""The stores of the contract, each started once for all its tests."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.secrets.contract.store import Place, Store
from tests.secrets.contract.stores import aws, azure, elasticsearch, google, jdbc, vault

from casemate.identifiers import Namespace, TenantId
from casemate.secrets.backend import Backend

STORES = {
    "aws-secret-manager": aws.secrets_manager,
    "aws-ssm-parameter-store": aws.parameter_store,
    "azure-key-vault": azure.vault,
    "elasticsearch": elasticsearch.elasticsearch,
    "google-secret-manager": google.project,
    "jdbc-sqlite": jdbc.sqlite,
    "jdbc-postgres": jdbc.postgres,
    "vault-2": vault.version_two,
    "vault-1": vault.version_one,
}


@pytest.fixture(scope="session", params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One store after the other."""
    with STORES[request.param]() as running:
        yield running


@pytest.fixture
def backend(store: Store) -> Iterator[Backend]:
    """The store, opened by an instance that manages its secrets."""
    opened = store.open(prefix="ours")
    yield opened
    opened.close()


@pytest.fixture
def place() -> Place:
    """Somewhere new."""
    return Place(tenant=TenantId(f"t-{uuid4().hex[:12]}"), namespace=Namespace("company.team"))
