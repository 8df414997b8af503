"""The manifests that ship with the product."""

from importlib.resources import files

import pytest

from casemate.catalog import Capability, Catalog, Kind, Role, read_manifests

FILES = sorted(file.name for file in (files("casemate") / "manifests").iterdir() if file.name.endswith(".json"))
CORE = "io.kestra.plugin.core."


def manifests(name):
    return read_manifests((files("casemate") / "manifests" / name).read_text())


@pytest.fixture(scope="module")
def catalog():
    return Catalog(manifest for name in FILES for manifest in manifests(name))


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_manifest_is_valid(name):
    assert manifests(name)


@pytest.mark.parametrize(
    ("alias", "type_"),
    [
        ("io.kestra.core.tasks.log.Log", "log.Log"),
        ("io.kestra.core.tasks.flows.Flow", "flow.Subflow"),
        ("io.kestra.core.tasks.flows.Worker", "flow.WorkingDirectory"),
        ("io.kestra.core.tasks.storages.Purge", "execution.PurgeExecutions"),
        ("io.kestra.plugin.core.storage.Purge", "execution.PurgeExecutions"),
        ("io.kestra.plugin.fs.http.Request", "http.Request"),
        ("io.kestra.core.models.triggers.types.Schedule", "trigger.Schedule"),
        ("io.kestra.core.models.conditions.types.VariableCondition", "condition.Expression"),
        ("io.kestra.plugin.core.condition.DayWeekCondition", "condition.DayWeek"),
        ("io.kestra.core.models.conditions.types.MultipleCondition", "condition.MultipleCondition"),
    ],
)
def test_old_names_lead_to_the_type(catalog, alias, type_):
    assert catalog.canonical(alias) == CORE + type_


def test_whatever_runs_code_or_uses_the_network_says_so(catalog):
    capable = {m.type: m.capabilities for m in catalog.all() if m.kind is Kind.TASK}
    assert all(Capability.RUNS_CODE in able for type_, able in capable.items() if ".scripts." in type_)
    assert all(Capability.NETWORK in able for type_, able in capable.items() if ".http." in type_)
    assert capable[CORE + "log.Log"] == frozenset()


def test_only_runnable_tasks_have_bodies_and_all_of_them_live_inside(catalog):
    bodies = [manifest for manifest in catalog.all() if manifest.body]
    assert all(manifest.role is Role.RUNNABLE for manifest in bodies)
    assert all(manifest.body.startswith("casemate.inside.") for manifest in bodies)


def test_every_property_with_a_default_is_optional(catalog):
    for manifest in catalog.all():
        defaulted = {name for name, schema in manifest.schema.properties.items() if schema.default is not None}
        assert not defaulted & manifest.schema.required, manifest.type


def test_a_templated_task_may_ask_what_any_task_may_that_takes_its_place(catalog):
    of_the_worker = {"files.keep", "files.select", "rows.render"}
    templated = catalog.find(f"{CORE}templating.TemplatedTask")
    others = [manifest.asks for manifest in catalog.all() if manifest is not templated]
    assert templated.asks == frozenset().union(*others) - of_the_worker


@pytest.mark.parametrize("area", ["debug", "execution", "http", "kv", "log", "namespace", "output", "state", "storage"])
def test_every_core_task_that_a_worker_carries_out_has_a_body(catalog, area):
    missing = [
        manifest.type
        for manifest in catalog.all()
        if manifest.type.startswith(f"{CORE}{area}.") and manifest.kind is Kind.TASK and manifest.role is Role.RUNNABLE
        if manifest.body is None
    ]
    assert missing == []
