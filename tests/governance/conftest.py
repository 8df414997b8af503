"""A small installation, and flows under rules."""

from importlib.resources import files

import pytest

from casemate.catalog import Catalog, read_manifests
from casemate.documents import Mark, node_of, plain, read
from casemate.governance import Placed, Rulebook, Scope, configured, govern, read_policy

RULES = "io.kestra.plugin.ee.rules."


@pytest.fixture(scope="session")
def catalog():
    folder = files("casemate") / "manifests"
    texts = [file.read_text() for file in folder.iterdir() if file.name.endswith(".json")]
    return Catalog(manifest for text in texts for manifest in read_manifests(text))


@pytest.fixture(scope="session")
def policy_of():
    """A policy of YAML-like values; rules may be named without their long prefix."""

    def policy(*rules, id_="p", scope=Scope.STATIC, namespace=None, **more):
        spelled = [{**rule, "type": f"{RULES}{rule['type']}"} for rule in rules]
        found = read_policy(node_of({"id": id_, "rules": spelled, **more}, Mark(1, 1)))
        assert not isinstance(found, tuple), found
        return Placed(policy=found, scope=scope, namespace=namespace, tenant="main" if namespace else None)

    return policy


@pytest.fixture(scope="session")
def governed(catalog):
    """What the rules make of the single task of a flow, or of a whole flow."""

    def outcome(flow, *policies, defaults=(), namespace="company.team"):
        rules = Rulebook(placed=policies, configured=configured("kestra.plugins.defaults", defaults))
        whole = flow if "tasks" in flow else {"tasks": [{"id": "t", **flow}]}
        text = {"id": "f", "namespace": namespace, **whole}
        return govern(read(_yaml(text)), rules.laws("main", namespace), catalog, records=True)

    return outcome


@pytest.fixture(scope="session")
def task():
    """The first task of an outcome, without its id and type."""

    def values(outcome):
        found = plain(outcome.resolved.root)["tasks"][0]
        return {name: value for name, value in found.items() if name not in ("id", "type")}

    return values


def _yaml(value):
    import json

    return json.dumps(value)
