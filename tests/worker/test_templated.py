"""Tasks that a template writes down, in real sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.worker.conftest import CORE
from tests.worker.plane import Plane

from casemate.dispatch import Reply
from casemate.governance import configured

pytestmark = pytest.mark.anyio

TEMPLATED = f"{CORE}.templating.TemplatedTask"


def laws(*defaults):
    """The rules that plugin defaults of the configuration are."""
    return configured("kestra.plugins.defaults", defaults)


async def test_the_task_runs_that_the_template_says(plane: Plane, worker: Path):
    spec = f"id: inner\ntype: {CORE}.{{{{ kind }}}}\nformat: '{{% raw %}}{{{{ word }}}}{{% endraw %}} {{{{ word }}}}'"
    variables = {"kind": "debug.Return", "word": "hello"}
    ended = await plane.end_of(await plane.give(TEMPLATED, properties={"spec": spec}, variables=variables))
    assert (ended.state, ended.outputs) == ("SUCCESS", {"value": "hello hello"}), plane.messages()


async def test_it_asks_what_its_own_type_may(plane: Plane, worker: Path):
    plane.answers["kv.get"] = lambda _: Reply({"found": True, "value": 1, "namespace": "examples"})
    spec = f"{{id: inner, type: {CORE}.kv.Get, key: k}}"
    ended = await plane.end_of(await plane.give(TEMPLATED, properties={"spec": spec}))
    assert (ended.state, ended.outputs) == ("SUCCESS", {"value": 1}), plane.messages()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (f"{{id: a, type: {TEMPLATED}}}", f"The templated task cannot be of type '{TEMPLATED}'"),
        ("{id: a, type: nope}", "Invalid type: nope"),
        ("[", "expected node content"),
        ("", "No content to map"),
        ("{{ nothing.here }}", "nothing"),
        (f"{{id: a, type: {CORE}.kv.Set}}", "has nothing that a worker could run"),
    ],
)
async def test_what_is_no_task_for_a_worker_is_refused(plane: Plane, worker: Path, spec: str, message: str):
    ended = await plane.end_of(await plane.give(TEMPLATED, properties={"spec": spec}))
    assert ended.state == "FAILED"
    assert message in "\n".join(plane.messages("ERROR"))


async def test_plugin_defaults_reach_the_task_that_the_template_says(plane: Plane, worker: Path):
    defaults = (
        {"type": f"{CORE}.debug.Return", "values": {"format": "of the flow"}},
        {"type": f"{CORE}.debug.Return", "values": {"format": "of the server"}},
    )
    spec = f"{{id: inner, type: {CORE}.debug.Return}}"
    ended = await plane.end_of(await plane.give(TEMPLATED, properties={"spec": spec}, laws=laws(*defaults)))
    assert (ended.state, ended.outputs) == ("SUCCESS", {"value": "of the flow"}), plane.messages()


async def test_a_forced_default_is_not_escaped_by_a_template(plane: Plane, worker: Path):
    forced = {"type": f"{CORE}.debug.", "forced": True, "values": {"format": "as it must be"}}
    spec = "{id: inner, type: io.kestra.plugin.core.debug.Return, format: other}"
    ended = await plane.end_of(await plane.give(TEMPLATED, properties={"spec": spec}, laws=laws(forced)))
    assert (ended.state, ended.outputs) == ("SUCCESS", {"value": "as it must be"}), plane.messages()


async def test_a_template_cannot_be_filled_with_defaults_without_end(plane: Plane, worker: Path):
    huge = {"type": CORE, "values": {f"p{number}": 1 for number in range(1_000)}}
    things = ", ".join(f"{{type: {CORE}.x}}" for _ in range(300))
    spec = f"{{id: inner, type: {CORE}.output.OutputValues, values: {{all: [{things}]}}}}"
    ended = await plane.end_of(await plane.give(TEMPLATED, properties={"spec": spec}, laws=laws(huge)))
    assert ended.state == "FAILED"
    assert "the plugin defaults add more than" in plane.messages("ERROR")[0]
