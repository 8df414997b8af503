"""The catalog of the core types, and flows that are right but for one thing."""

from importlib.resources import files

import pytest

from casemate.catalog import Catalog, read_manifests
from casemate.flows import read_flow
from casemate.identifiers import MAIN


@pytest.fixture(scope="session")
def catalog():
    folder = files("casemate") / "manifests"
    texts = [file.read_text() for file in folder.iterdir() if file.name.endswith(".json")]
    return Catalog(manifest for text in texts for manifest in read_manifests(text))


@pytest.fixture(scope="session")
def told(catalog):
    """Every problem of a text as `LINE:COLUMN PATH: MESSAGE`."""

    def problems(text):
        flow = read_flow(text, catalog, MAIN)
        found = flow if isinstance(flow, tuple) else ()
        return [f"{each.line}:{each.column} {each.path}: {each.message}" for each in found]

    return problems


@pytest.fixture(scope="session")
def flow_of(catalog):
    """The flow of a text that has no problems."""

    def flow(text):
        read = read_flow(text, catalog, MAIN)
        assert not isinstance(read, tuple), [each.located("flow.yaml") for each in read]
        return read

    return flow
