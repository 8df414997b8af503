"""Tasks that work in one folder, through real sandboxes: what they share, and what they must not."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from tests.worker.conftest import CORE, SCRIPTS, empty, eventually, running
from tests.worker.plane import Plane, grant

from casemate.dispatch import Reply
from casemate.identifiers import JobId
from casemate.jobs import Grant

pytestmark = pytest.mark.anyio

SHELL = f"{SCRIPTS}.shell.Commands"
TEMPLATED = f"{CORE}.templating.TemplatedTask"
PYTHON = f"{SCRIPTS}.python.Script"


def shell(name: str, *commands: str, **more: object) -> Grant:
    """A task that runs these commands."""
    properties = {"commands": list(commands)} | more.pop("properties", {})
    return grant(JobId(name), SHELL, properties=properties, **more)


def python(name: str, script: str, **more: object) -> Grant:
    properties = {"script": script} | more.pop("properties", {})
    return grant(JobId(name), PYTHON, properties=properties, **more)


async def both(plane: Plane, *tasks: Grant, **wanted: object):
    """How the folder's job ended, once it has."""
    return await plane.end_of(await plane.share(*tasks, **wanted))


async def test_tasks_find_what_earlier_ones_left_and_the_folder_is_gone_at_the_end(plane: Plane, worker: Path):
    end = await both(
        plane,
        shell("one", "echo left > file; mkdir -m 700 own; echo deep > own/file; chmod 600 own/file"),
        shell("two", "cat file own/file; echo more >> own/file; rm file"),
        properties={"outputFiles": ["own/*", "file"]},
    )
    assert end.state == "SUCCESS"
    assert plane.messages("INFO") == ["left", "deep"]
    assert end.outputs is not None
    [(path, uri)] = end.outputs["outputFiles"].items()
    assert (path, plane.files[uri]) == ("own/file", b"deep\nmore\n")
    await eventually(lambda: empty(worker))


async def test_without_files_that_match_there_are_no_outputs(plane: Plane, worker: Path):
    end = await both(plane, shell("one", "true"), properties={"outputFiles": ["*.csv"]})
    assert end.outputs is None


async def test_input_files_and_files_of_the_namespace_are_there_before_the_first_task(plane: Plane, worker: Path):
    plane.files["kestra:///ns/sub/a.txt"] = b"from the namespace\n"
    plane.answers["namespace_files"] = lambda _: Reply({"sub/a.txt": "kestra:///ns/sub/a.txt"})
    wanted = {"inputFiles": {"in/b.txt": "{{ inputs.word }}"}, "namespaceFiles": {"enabled": True}}
    end = await both(
        plane, shell("one", "cat sub/a.txt in/b.txt"), properties=wanted, variables={"inputs": {"word": "given"}}
    )
    assert end.state == "SUCCESS"
    assert plane.messages("INFO") == ["from the namespace", "given"]


async def test_files_are_kept_also_when_a_task_failed(plane: Plane, worker: Path):
    end = await both(
        plane, shell("one", "echo a > a", "exit 3"), shell("two", "touch b"), properties={"outputFiles": ["*"]}
    )
    assert end.state == "SUCCESS", "what the failure means is for the engine to say"
    assert end.outputs is not None
    assert list(end.outputs["outputFiles"]) == ["a"]
    assert "two" not in plane.ended


async def test_a_folder_that_cannot_be_filled_runs_nothing(plane: Plane, worker: Path):
    end = await both(plane, shell("one", "true"), properties={"inputFiles": {"../out": "x"}})
    assert end.state == "FAILED"
    assert "one" not in plane.ended


async def test_a_process_does_not_outlive_its_task(plane: Plane, worker: Path):
    await both(
        plane,
        shell("one", "(trap '' TERM HUP; while :; do echo alive > beat; sleep 0.01; done) & sleep 0.2"),
        shell("two", "rm -f beat; sleep 0.3; ls -A"),
    )
    assert plane.ended[JobId("two")].state == "SUCCESS"
    assert plane.messages("INFO") == []


async def test_temporary_files_and_shared_memory_are_private_to_each_task(plane: Plane, worker: Path):
    await both(
        plane, shell("one", "touch /tmp/a /dev/shm/b"), shell("two", "ls -A /tmp /dev/shm | grep '[ab]$' || true")
    )
    assert plane.messages("INFO") == []


async def test_a_script_with_its_secrets_is_gone_before_the_next_task(plane: Plane, worker: Path):
    script = "print('{{ secret(\"PASSWORD\") }}' == 'tell-nobody')"
    await both(
        plane,
        python("one", script, secrets={"PASSWORD": "tell-nobody"}),
        shell("two", "ls -A; grep -r tell-nobody . || echo clean"),
    )
    assert plane.messages("INFO") == ["True", "clean"]


async def test_what_one_task_wrote_down_of_its_secret_is_masked_when_the_next_prints_it(plane: Plane, worker: Path):
    await both(
        plane,
        shell("one", "echo {{ secret('PASSWORD') }} > file", secrets={"PASSWORD": "tell-nobody"}),
        shell("two", "cat file"),
    )
    assert plane.messages("INFO") == ["********"]


async def test_results_of_one_task_are_not_those_of_the_next(plane: Plane, worker: Path):
    wanted = {"outputDirectory": True}
    await both(
        plane,
        shell("one", "echo 1 > $OUTPUT_DIR/one", properties=wanted),
        shell("two", "echo 2 > $OUTPUT_DIR/two", properties=wanted),
    )
    first, second = plane.ended[JobId("one")].outputs, plane.ended[JobId("two")].outputs
    assert first is not None
    assert second is not None
    assert (list(first["outputFiles"]), list(second["outputFiles"])) == (["one"], ["two"])


@pytest.mark.parametrize("trap", ["ln -s {0} dir", "ln -s {0} dir; ln -s {0}/file .script.py", "mkfifo dir"])
async def test_traps_for_the_files_of_the_next_task_lead_nowhere(plane: Plane, worker: Path, tmp_path: Path, trap: str):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    end = await both(
        plane,
        shell("one", trap.format(outside)),
        python("two", "print('ran')", properties={"inputFiles": {"dir/file": "caught"}}),
    )
    assert end.state == "SUCCESS"
    assert plane.ended[JobId("two")].state == "FAILED"
    assert plane.messages("ERROR") == ["Unable to write the file 'dir/file': Not a directory"]
    assert list(outside.iterdir()) == []


async def test_a_link_where_a_script_belongs_gives_way(plane: Plane, worker: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("kept")
    await both(
        plane,
        shell("one", f"ln -s {outside} .script.py; ln -s {outside.parent} .output"),
        python("two", "print('ran')", properties={"outputDirectory": True}),
    )
    assert plane.messages("INFO") == ["ran"]
    assert outside.read_text() == "kept"


async def test_only_real_files_are_results_of_the_folder(plane: Plane, worker: Path):
    plant = "ln -s /etc/shadow link; ln -s /etc tree; mkfifo pipe; mkdir sub; echo x > sub/real; chmod 4755 sub/real"
    end = await both(plane, shell("one", plant), properties={"outputFiles": ["**"]})
    assert end.outputs is not None
    assert list(end.outputs["outputFiles"]) == ["sub/real"]


async def test_local_files_are_made_for_the_others_and_taken_from_them(plane: Plane, worker: Path):
    local = f"{CORE}.storage.LocalFiles"
    await both(
        plane,
        grant(JobId("make"), local, properties={"inputs": {"out/a.txt": "made"}}),
        shell("between", "cat out/a.txt; echo more > out/b.txt"),
        grant(JobId("take"), local, properties={"outputs": ["out/*"]}),
        shell("after", "ls -A out"),
    )
    assert plane.messages("INFO") == ["made"]
    taken = plane.ended[JobId("take")].outputs
    assert taken is not None
    assert sorted(taken["uris"]) == ["out/a.txt", "out/b.txt"]


async def test_tasks_that_work_on_no_files_are_not_shown_them(plane: Plane, worker: Path):
    plane.files["kestra:///a.txt"] = b"a"
    concat = f"{CORE}.storage.Concat"
    twice = [grant(JobId(f"c{n}"), concat, properties={"files": ["kestra:///a.txt"]}) for n in range(2)]
    await both(plane, *twice, shell("look", "ls -A"))
    assert [plane.ended[JobId(f"c{n}")].state for n in range(2)] == ["SUCCESS", "SUCCESS"]
    assert plane.messages("INFO") == []


async def test_a_task_written_down_by_a_template_works_in_the_folder_too(plane: Plane, worker: Path):
    spec = f"id: x\ntype: {CORE}.storage.LocalFiles\ninputs: {{made: x}}"
    await both(plane, grant(JobId("one"), TEMPLATED, properties={"spec": spec}), shell("two", "ls -A"))
    assert plane.messages("INFO") == ["made"]


async def test_a_set_user_id_bit_gives_the_next_task_nothing(plane: Plane, worker: Path):
    await both(
        plane,
        shell("one", "cp /bin/sh sh; chmod 6755 sh; id -u > uid"),
        shell("two", "./sh -p -c 'id -ru; id -u' | uniq | wc -l; grep -c '^NoNewPrivs:.1' /proc/self/status"),
    )
    assert plane.messages("INFO") == ["1", "1"]


async def test_a_task_cannot_lock_the_next_one_out(plane: Plane, worker: Path):
    end = await both(
        plane,
        shell("one", "mkdir shut; echo x > shut/x; chmod 0 shut; chmod 0 ."),
        shell("two", "chmod 700 shut; cat shut/x"),
    )
    assert end.state == "SUCCESS"
    assert plane.messages("INFO") == ["x"]
    await eventually(lambda: empty(worker))


async def test_a_tree_deeper_than_a_path_does_not_stop_the_next_task(plane: Plane, worker: Path):
    script = "import os\nfor _ in range(700): os.mkdir('deeper'); os.chdir('deeper')"
    end = await both(plane, python("one", script), shell("two", "echo on"), properties={"outputFiles": ["**"]})
    assert end.state == "SUCCESS"
    assert plane.messages("INFO") == ["on"]
    await eventually(lambda: empty(worker))


async def test_a_folder_is_out_of_reach_for_the_tasks_of_others(plane: Plane, worker: Path):
    held = await plane.share(shell("one", "echo x > flag; chmod 777 . flag; echo begun; sleep 100"))
    await plane.until(lambda: "begun" in plane.messages())
    [folder] = [f"{worker}/{name}" for name in os.listdir(worker) if not name.startswith(".")]
    assert "flag" in os.listdir(folder)
    looks = (f"cat {folder}/flag", f"ls -A {worker}", "cat /work/../*/flag", "cat /proc/[0-9]*/root/work/flag")
    spy = await plane.share(shell("spy", *(f"{look} || true" for look in looks), "find . /tmp -name flag"))
    assert (await plane.end_of(spy)).state == "SUCCESS"
    assert plane.messages("INFO") == ["begun"]
    await plane.kill(held)
    assert (await plane.end_of(held)).state == "KILLED"


async def test_a_folder_that_waits_takes_no_slot(plane: Plane, tmp_path: Path):
    async with running(plane, tmp_path / "work", slots=1):
        held = await plane.share(shell("one", "echo shared"))
        plane.waiting.add(held)
        assert (
            await plane.end_of(await plane.give(SHELL, properties={"commands": ["echo between"]}))
        ).state == "SUCCESS"
        plane.go_on()
        assert (await plane.end_of(held)).state == "SUCCESS"
    assert plane.messages("INFO") == ["between", "shared"]


async def test_many_folders_share_one_slot_without_blocking_each_other(plane: Plane, tmp_path: Path):
    async with running(plane, tmp_path / "work", slots=1):
        held = [await plane.share(shell(f"{n}a", "true"), shell(f"{n}b", "true")) for n in range(4)]
        for job in held:
            assert (await plane.end_of(job)).state == "SUCCESS"


async def test_a_kill_ends_a_folder_that_waits(plane: Plane, worker: Path):
    held = await plane.share()
    plane.waiting.add(held)
    await eventually(lambda: not empty(worker))
    await plane.kill(held)
    assert (await plane.end_of(held)).state == "KILLED"
    await eventually(lambda: empty(worker))


async def test_a_kill_of_the_folder_ends_the_task_in_it(plane: Plane, worker: Path):
    held = await plane.share(shell("one", "echo begun; sleep 100"))
    await plane.until(lambda: "begun" in plane.messages())
    await plane.kill(held)
    assert (await plane.end_of(held)).state == "KILLED"
    assert plane.ended[JobId("one")].state == "KILLED"
    await eventually(lambda: empty(worker))


async def test_a_timeout_covers_all_tasks_together(plane: Plane, worker: Path):
    end = await both(plane, shell("one", "true"), shell("two", "sleep 100"), timeout="PT1S")
    assert end.state == "FAILED"
    assert plane.ended[JobId("two")].state == "KILLED"
    assert plane.messages("ERROR")[0] == "Timeout after PT1S"


async def test_a_folder_that_went_to_someone_else_is_given_up_in_silence(plane: Plane, worker: Path):
    held = await plane.share(shell("one", "echo begun; sleep 100"))
    await plane.until(lambda: "begun" in plane.messages())
    plane.taken_away |= {held, JobId("one")}
    await plane.kill(JobId("one"))
    await eventually(lambda: empty(worker))
    assert plane.ended == {}


async def test_a_worker_that_stops_leaves_no_folder(plane: Plane, tmp_path: Path):
    folder = tmp_path / "work"
    async with running(plane, folder):
        await plane.share(shell("one", "echo begun; sleep 100"))
        await plane.until(lambda: "begun" in plane.messages())
    assert empty(folder)
    assert plane.ended == {}


# What is kept for the next execution ----------------------------------------------------------------------------------

CACHE = {"cache": {"patterns": ["kept/**"], "ttl": "PT1H"}}


def packed(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


async def cached(plane: Plane, content: bytes | None) -> None:
    plane.answers["cache"] = lambda _: Reply(None if content is None else "kestra:///cache.zip")
    plane.files["kestra:///cache.zip"] = content or b""


async def test_files_come_back_in_the_next_execution(plane: Plane, worker: Path):
    await cached(plane, None)
    held = await plane.share(
        shell("one", "mkdir kept; echo a > kept/a; chmod +x kept/a; ln -s a kept/l"), properties=CACHE
    )
    await plane.end_of(held)
    assert packed(plane.caches[held]).namelist() == ["kept/a"]
    await cached(plane, plane.caches[held])
    again = await plane.share(shell("two", "cat kept/a; test -x kept/a"), properties=CACHE)
    assert (await plane.end_of(again)).state == "SUCCESS"
    assert plane.ended[JobId("two")].state == "SUCCESS"
    assert plane.messages("INFO") == ["a"]
    assert again not in plane.caches, "nothing has changed"


async def test_a_changed_file_is_kept_anew_also_when_a_task_failed(plane: Plane, worker: Path):
    await cached(plane, None)
    first = await plane.share(shell("one", "mkdir kept; echo a > kept/a"), properties=CACHE)
    await plane.end_of(first)
    await cached(plane, plane.caches[first])
    second = await plane.share(shell("two", "echo b > kept/a; false"), properties=CACHE)
    await plane.end_of(second)
    assert packed(plane.caches[second]).read("kept/a") == b"b\n"


async def test_nothing_is_kept_where_nothing_matches(plane: Plane, worker: Path):
    await cached(plane, None)
    held = await plane.share(shell("one", "touch other"), properties=CACHE)
    await plane.end_of(held)
    assert plane.caches == {}


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", "kept/../../escaped"])
async def test_a_cache_that_leads_out_is_not_used_and_nothing_of_it_is_there(plane: Plane, worker: Path, name: str):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("kept/good", "x")
        writing.writestr(name, "x")
    await cached(plane, archive.getvalue())
    held = await plane.share(shell("one", "ls -A"), properties=CACHE)
    assert (await plane.end_of(held)).state == "SUCCESS"
    assert plane.messages("INFO") == []
    assert plane.messages("WARN")[0].startswith("The cache cannot be used: ")
    await eventually(lambda: empty(worker))
    assert not list(worker.parent.rglob("escaped"))


def damaged() -> bytes:
    """An archive whose one file is no DEFLATE at all."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("kept", "x" * 1000)
    start = 30 + len("kept")  # what stands before its content
    return archive.getvalue()[:start] + b"\xff" * 4 + archive.getvalue()[start + 4 :]


def unspeakable() -> bytes:
    """An archive whose one file has a name that is no text."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("\u00e9", "x")
    return archive.getvalue().replace("\u00e9".encode(), b"\xff\xff")


@pytest.mark.parametrize("content", [damaged(), unspeakable()], ids=["damaged", "unspeakable"])
async def test_a_damaged_cache_costs_the_job_nothing(plane: Plane, worker: Path, content: bytes):
    await cached(plane, content)
    assert (await both(plane, shell("one", "ls -A"), properties=CACHE)).state == "SUCCESS"
    assert plane.messages("WARN")[0].startswith("The cache cannot be used: ")
    assert plane.messages("INFO") == []


async def test_a_broken_cache_is_not_used(plane: Plane, worker: Path):
    await cached(plane, b"no archive")
    assert (await both(plane, shell("one", "ls -A"), properties=CACHE)).state == "SUCCESS"
    assert plane.messages("WARN") == ["The cache cannot be used: File is not a zip file"]


async def test_the_control_plane_is_told_how_old_a_cache_may_be(plane: Plane, worker: Path):
    asked = []
    plane.answers["cache"] = lambda arguments: asked.append(dict(arguments)) or Reply()
    await both(plane, properties=CACHE)
    await both(plane, properties={"cache": {"patterns": ["*"]}})
    assert asked == [{"ttl": 3600.0}, {"ttl": None}]
