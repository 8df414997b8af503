"""Every example does what its first lines promise."""

import csv
import json
import sqlite3
import tarfile
import time
from pathlib import Path

import pytest
import yaml

from tests.running import EXAMPLES, casemate


def ran(example: str, *arguments: str) -> dict:
    done = casemate("run", EXAMPLES / example, "--json", *arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout)


def task_runs(execution: dict, task: str) -> list[dict]:
    return [run for run in execution["taskRunList"] if run["taskId"] == task]


def test_welcome_hands_values_from_script_to_script():
    execution = ran("welcome.yaml")
    assert execution["state"]["current"] == "SUCCESS"
    assert execution["outputs"]["mean"] == pytest.approx(6.75)
    assert execution["outputs"]["green"] == "GREEN for friend"
    assert execution["outputs"]["report"].startswith("kestra:///")
    assert {run["value"] for run in task_runs(execution, "paint")} == {"red", "green", "blue"}
    assert task_runs(execution, "high")
    assert not task_runs(execution, "low")


def test_welcome_takes_inputs():
    execution = ran("welcome.yaml", "-i", "name=Ada", "-i", "numbers=[1, 2]")
    assert execution["outputs"]["green"] == "GREEN for Ada"
    assert execution["outputs"]["mean"] == pytest.approx(1.5)
    assert task_runs(execution, "low")


def test_the_pipeline_loads_a_database(tmp_path: Path):
    execution = ran("parallel-etl.yaml", "--state", str(tmp_path))
    assert execution["outputs"]["loaded"] == 14
    assert execution["outputs"]["busiest_decade"] == "1950s"
    assert execution["outputs"]["mean_height"] == pytest.approx(8283.9)
    file = next(path for path in tmp_path.rglob("*mountains.sqlite") if path.is_file())
    with sqlite3.connect(file) as database:
        assert database.execute("select mountains from country where name = 'Nepal'").fetchone() == (8,)


def test_the_pipeline_takes_another_file(tmp_path: Path):
    file = tmp_path / "two.csv"
    file.write_text("name,height_m,countries,first_ascent\nA,8001,X,1950\nB,9000,X/Y,1951\nC,100,Z,1900\n")
    execution = ran("parallel-etl.yaml", "-i", f"mountains=@{file}")
    assert execution["outputs"]["loaded"] == 2


def test_the_pipeline_carries_the_file_that_ships_with_it():
    carried = yaml.safe_load((EXAMPLES / "parallel-etl.yaml").read_text())["variables"]["mountains"]
    assert carried == (EXAMPLES / "data" / "mountains.csv").read_text()
    assert len(list(csv.DictReader(carried.splitlines()))) == 14


def test_fan_out_makes_two_hundred_task_runs_with_a_result_each():
    begun = time.monotonic()
    execution = ran("fan-out.yaml")
    assert len(execution["taskRunList"]) == 200
    results = [run["outputs"]["value"] for run in task_runs(execution, "square")]
    assert len(results) == len(set(results)) == 199
    assert execution["outputs"] == {"results": 199, "last": "199 squared is 39601"}
    assert time.monotonic() - begun < 60


def test_tasks_share_a_working_directory_and_find_it_again_in_the_cache(tmp_path: Path):
    first = ran("working-directory.yaml", "--state", str(tmp_path))
    assert [run["taskId"] for run in first["taskRunList"]] == ["site", "generate", "index", "pack", "done"]
    assert first["outputs"]["made"] == 5
    archive = next(path for path in tmp_path.rglob("*site.tar.gz") if path.is_file())
    with tarfile.open(archive) as packed:
        assert sum(name.endswith(".html") for name in packed.getnames()) == 6
    second = ran("working-directory.yaml", "--state", str(tmp_path), "-i", "pages=7")
    assert second["outputs"]["made"] == 2


def test_every_wall_holds():
    execution = ran("walls.yaml")
    assert [run["state"]["current"] for run in execution["taskRunList"]] == ["SUCCESS"] * 5
    for run in execution["taskRunList"]:
        assert run["isolation"]["level"] == "full"
    (metadata,) = task_runs(execution, "metadata")
    # The first address is written in four ways. Unknown names and the sandbox's own loopback are no denials.
    denied = {one["address"]: one["times"] for one in metadata["isolation"]["denied"]}
    assert denied == {"169.254.169.254": 4, "169.254.170.2": 1, "fd00:ec2::254": 1}
    assert "6 connections denied." in casemate("run", EXAMPLES / "walls.yaml", "--quiet").stdout


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_every_example_is_valid(example):
    done = casemate("flow", "validate", EXAMPLES / example)
    assert done.returncode == 0, done.stdout + done.stderr
