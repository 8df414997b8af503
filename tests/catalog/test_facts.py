"""What conditions of policies ask the types of an installation."""

from casemate.catalog import Capability, Catalog, Installed, Kind, Origin, Plugin, Plugins
from casemate.versions import version

RUNNER = {"properties": {"code": {"type": "string"}, "taskRunner": {"type": "object"}}}
PLAIN = {"properties": {"code": {"type": "string"}}}


def plugin(number, properties, *capabilities, aliases=()):
    origin = Origin(group="company", artifact="code", version=version(number), sha256="0" * 64)
    manifest = Installed(
        type="company.Code",
        kind=Kind.TASK,
        title="x",
        properties=properties,
        capabilities=frozenset(capabilities),
        aliases=aliases,
        origin=origin,
    )
    return Plugin(origin=origin, title="x", manifests=(manifest,))


def test_a_version_that_a_flow_may_name_is_no_way_around_a_policy():
    catalog = Catalog(())
    catalog.hold(
        Plugins([plugin("1.0.0", RUNNER, Capability.RUNS_CODE, aliases=("company.Old",)), plugin("2.0.0", PLAIN)])
    )
    facts = catalog.facts("company.Old")
    assert facts == {
        "manifest.kind": "task",
        "manifest.capabilities": ["runs-code"],
        "manifest.properties": ["code"],
    }
    assert catalog.names("company.Code") == ("company.Code", "company.Old")


def test_what_is_gone_has_no_facts_any_more():
    catalog = Catalog(())
    catalog.hold(Plugins([plugin("1.0.0", PLAIN)]))
    assert catalog.facts("company.Code") is not None
    catalog.hold(Plugins([]))
    assert catalog.facts("company.Code") is None
    assert catalog.names("company.Code") == ("company.Code",)
