from importlib.resources import files

import pytest
from starlette.testclient import TestClient

from casemate.api import Deps, app
from casemate.catalog import Catalog, read_manifests
from casemate.dispatch import Embedded
from casemate.orchestrator import Orchestrator
from casemate.secrets import EnvironmentSecrets, Secrets
from casemate.storage import Storage
from casemate.store import Database


@pytest.fixture(scope="session")
def catalog():
    found = files("casemate.manifests").iterdir()
    return Catalog(
        [manifest for file in found if file.name.endswith(".json") for manifest in read_manifests(file.read_text())]
    )


@pytest.fixture
def db(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/casemate.db")
    yield database
    database.close()


@pytest.fixture
def storage(tmp_path):
    return Storage.local(tmp_path / "storage")


@pytest.fixture
def deps(db, storage, catalog):
    orchestrator = Orchestrator(db, storage, Embedded(), Secrets(EnvironmentSecrets({})), catalog)
    return Deps(db=db, orchestrator=orchestrator, storage=storage, catalog=catalog, version="0.0.0-test")


@pytest.fixture
def client(deps):
    with TestClient(app(deps), base_url="http://localhost:8080") as serving:
        yield serving


@pytest.fixture
def call(server):
    """Calls an operation of the module's server."""
    return server.call


def _source(flow="hello", namespace="company.team", message="Hello", extra=""):
    return f"""id: {flow}
namespace: {namespace}
{extra}
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: {message}
"""


@pytest.fixture
def source():
    """Writes the source of a small flow."""
    return _source
