"""Files and rows of bodies, in real sandboxes: what they are given, what they may keep, what is rendered for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.worker.conftest import CORE
from tests.worker.plane import Plane

pytestmark = pytest.mark.anyio

ROWS = b'{key:"k1",value:1}\n{key:"k2",value:2}\n{key:"k3",value:"x"}\n'


async def test_a_body_finds_the_files_that_its_properties_name_and_keeps_new_ones(plane: Plane, worker: Path):
    plane.files["kestra:///a/one.txt"], plane.files["kestra:///a/two.txt"] = b"1" * 5000, b"2"
    wanted = {"files": ["kestra:///a/one.txt", "kestra:///a/two.txt"], "extension": ".txt"}
    ended = await plane.end_of(await plane.give(f"{CORE}.storage.Concat", properties=wanted))
    assert ended.state == "SUCCESS", plane.messages()
    assert plane.files[ended.outputs["uri"]] == b"1" * 5000 + b"2"


async def test_an_address_that_leads_nowhere_fails_the_task(plane: Plane, worker: Path):
    wanted = {"files": ["kestra:///a/one.txt"]}
    ended = await plane.end_of(await plane.give(f"{CORE}.storage.Concat", properties=wanted))
    assert ended.state == "FAILED"
    assert "Unable to read the file 'kestra:///a/one.txt'" in plane.messages("ERROR")[0]


async def test_rows_are_rendered_by_the_worker_with_their_fields_as_variables(plane: Plane, worker: Path):
    plane.files["kestra:///rows.ion"] = ROWS
    wanted = {
        "from": "kestra:///rows.ion",
        "filterCondition": "{{ value > limit }}",
        "errorOrNullBehavior": "EXCLUDE",
    }
    job = await plane.give(f"{CORE}.storage.FilterItems", properties=wanted, variables={"limit": 1})
    ended = await plane.end_of(job)
    assert ended.state == "SUCCESS", plane.messages()
    assert (ended.outputs["processedItemsTotal"], ended.outputs["droppedItemsTotal"]) == (3, 2)
    assert plane.files[ended.outputs["uri"]] == b'{key:"k2",value:2}\n'


async def test_a_template_that_fails_for_a_row_fails_the_task_in_its_own_words(plane: Plane, worker: Path):
    plane.files["kestra:///rows.ion"] = ROWS
    wanted = {"from": "kestra:///rows.ion", "filterCondition": "{{ value % 2 == 0 }}"}
    ended = await plane.end_of(await plane.give(f"{CORE}.storage.FilterItems", properties=wanted))
    assert ended.state == "FAILED"
    assert "value" in plane.messages("ERROR")[0]


async def test_files_come_back_by_pattern_without_what_the_worker_has_put_there(plane: Plane, worker: Path):
    plane.files["kestra:///in.yml"] = b"stored"
    wanted = {"inputs": {"a/x.txt": "x", "a/y.yml": "kestra:///in.yml", "z": "z"}, "outputs": ["**"]}
    ended = await plane.end_of(await plane.give(f"{CORE}.storage.LocalFiles", properties=wanted))
    assert ended.state == "SUCCESS", plane.messages()
    assert {path: plane.files[uri] for path, uri in ended.outputs["uris"].items()} == {
        "a/x.txt": b"x",
        "a/y.yml": b"stored",
        "z": b"z",
    }


async def test_a_name_that_leads_out_makes_no_file(plane: Plane, worker: Path):
    wanted = {"inputs": {"../../x": "x"}}
    ended = await plane.end_of(await plane.give(f"{CORE}.storage.LocalFiles", properties=wanted))
    assert ended.state == "FAILED"
    assert not (worker.parent / "x").exists()
