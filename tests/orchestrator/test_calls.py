"""What bodies of core tasks ask of the control plane: only for their own, only once, only as their type may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from casemate.dispatch import Ask, NotHeld, Reply, WorkerLink
from casemate.executions import Context, Execution, State
from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.jobs import Grant
from casemate.orchestrator import NotFound
from casemate.sealed import Sealed
from casemate.storage import revisions
from casemate.store import Job, kv, replies

from .parts import Clock, Plane, allow, claimed, finished, plane

pytestmark = pytest.mark.anyio

CORE = "io.kestra.plugin.core"


async def started(service: Plane, kind: str, *, flow: str = "one", **properties) -> None:
    lines = "".join(f"\n    {name}: {value}" for name, value in properties.items())
    source = f"id: {flow}\nnamespace: team.a\ntasks:\n  - id: task\n    type: {CORE}.{kind}{lines}\n"
    await service.orchestrator.create(await service.save(source))


async def granted(service: Plane, kind: str, **wanted) -> tuple[WorkerLink, Grant]:
    await started(service, kind, **wanted)
    link = await service.link()
    return link, await claimed(link)


async def asked(link: WorkerLink, grant: Grant, function: str, **arguments) -> Reply:
    return await link.ask(grant.job, grant.fence, Ask(function, arguments))


async def stored(service: Plane, key: str, namespace: str = "team.a", tenant: str = MAIN) -> kv.Entry | None:
    return await service.db.read(kv.get, TenantId(tenant), Namespace(namespace), key, service.clock())


async def put(service: Plane, key: str, value: object, namespace: str = "team.a", tenant: str = MAIN) -> None:
    entry = kv.Entry(key=key, value=value, updated=service.clock())
    await service.db.transact(kv.put, TenantId(tenant), Namespace(namespace), entry)


async def setting(service: Plane, **arguments) -> Reply:
    link, grant = await granted(service, "kv.Set", key="k", value="v")
    return await asked(link, grant, "kv.set", **{"key": "k", "value": "v", **arguments})


@pytest.mark.parametrize(
    ("value", "kind", "kept"),
    [
        ("v", None, ("v", "STRING")),
        ({"a": [1, None]}, None, ({"a": [1, None]}, "JSON")),
        (1.5, None, (1.5, "NUMBER")),
        (True, None, (True, "BOOLEAN")),
        ("123.45", "NUMBER", (123.45, "NUMBER")),
        ("42", "NUMBER", (42, "NUMBER")),
        ("true", "BOOLEAN", (True, "BOOLEAN")),
        ("2023-05-02T03:02:01+02:00", "DATETIME", ("2023-05-02T01:02:01.000Z", "DATETIME")),
        ("2023-05-02", "DATE", ("2023-05-02", "DATE")),
        ("PT5M", "DURATION", (300, "DURATION")),
        ('[{"some":"value"}]', "JSON", ([{"some": "value"}], "JSON")),
    ],
)
async def test_a_value_keeps_its_type_or_gets_the_wanted_one(service: Plane, value, kind, kept):
    assert await setting(service, value=value, type=kind) == Reply()
    entry = await stored(service, "k")
    assert entry is not None
    assert (entry.value, entry.type) == kept


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "x", "type": "NUMBER"},
        {"value": "Infinity", "type": "NUMBER"},
        {"value": "9" * 10_000, "type": "NUMBER"},
        {"value": "[" * 100_000, "type": "JSON"},
        {"value": "[NaN]", "type": "JSON"},
        {"value": "2023-05-02T03:02:01", "type": "DATETIME"},
        {"value": "yesterday", "type": "DATE"},
        {"value": "1", "type": "THING"},
        {"value": nested(65)},
        {"value": float("nan")},
        {"value": "x" * (1 << 20)},
        {"ttl": "P999999999D"},
        {"ttl": "P99999999999999999999D"},
        {"ttl": "-PT1S"},
        {"ttl": "soon"},
        {"key": "../k"},
        {"key": "/k"},
        {"key": ""},
        {"key": "k\0"},
        {"key": "k\n"},
        {"key": "k" * 257},
        {"key": None},
        {"key": ["k"]},
        {"overwrite": "no"},
        {"namespace": "nowhere"},
        {"namespace": "team.a.child"},
        {"namespace": "team."},
        {"namespace": 1},
    ],
)
async def test_what_cannot_be_kept_is_refused_and_changes_nothing(service: Plane, wrong: Mapping[str, object]):
    assert (await setting(service, **wrong)).error
    assert await service.db.read(kv.search, MAIN, service.clock()) == ((), 0)


async def test_a_flow_writes_to_its_namespace_to_parents_and_where_there_are_flows(service: Plane):
    await service.save(f"id: other\nnamespace: other.place\ntasks:\n  - {{id: a, type: {CORE}.log.Log, message: x}}\n")
    for namespace in (None, "team.a", "team", "other.place"):
        link, grant = await granted(service, "kv.Set", key="k", value="v")
        assert await asked(link, grant, "kv.set", key="k", value=1, namespace=namespace) == Reply()
        await link.report(finished(grant))
    found, _ = await service.db.read(kv.search, MAIN, service.clock())
    assert [entry.namespace for entry in found] == ["other.place", "team", "team.a"]


@pytest.mark.parametrize(
    ("kind", "function", "arguments"),
    [
        ("kv.Get", "kv.get", {"key": "k"}),
        ("kv.GetKeys", "kv.keys", {}),
        ("kv.Set", "kv.set", {"key": "k", "value": 1}),
        ("kv.Delete", "kv.delete", {"key": "k"}),
        ("namespace.DownloadFiles", "namespace.download", {"files": ["a"]}),
    ],
)
async def test_what_is_a_namespaces_own_is_for_flows_that_it_allows(service: Plane, kind, function, arguments):
    await service.save(f"id: other\nnamespace: closed\ntasks:\n  - {{id: a, type: {CORE}.log.Log, message: x}}\n")
    await put(service, "k", "kept", "closed")
    await service.storage.put(MAIN, "kestra:///closed/_files/a", b"kept")
    written = {name: json.dumps(value) for name, value in arguments.items()}
    link, grant = await granted(service, kind, **written, namespace="closed")
    for allowed, error in (("elsewhere", "Namespace closed is not allowed."), ("team", None)):
        await allow(service, "closed", allowed)
        assert (await asked(link, grant, function, namespace="closed", **arguments)).error == error


async def test_a_key_of_another_tenant_is_not_there(service: Plane):
    await put(service, "k", "theirs", tenant="other")
    link, grant = await granted(service, "kv.Get", key="k")
    assert (await asked(link, grant, "kv.get", key="k")).value == {"found": False, "value": None, "namespace": "team.a"}
    assert (await asked(link, grant, "kv.get", key="k", tenant="other")).value == {
        "found": False,
        "value": None,
        "namespace": "team.a",
    }


async def test_a_body_asks_no_more_than_its_type_may(service: Plane):
    await put(service, "k", "kept")
    link, grant = await granted(service, "log.Log", message="x")
    for function in ("kv.get", "kv.set", "kv.delete", "state.set"):
        assert (await asked(link, grant, function, key="k")).error
    link, grant = await granted(service, "kv.Get", flow="two", key="k")
    assert (await asked(link, grant, "kv.delete", key="k")).error
    assert await stored(service, "k") is not None


async def test_a_key_that_exists_is_not_overwritten_against_the_flows_wish(service: Plane):
    await put(service, "k", "first")
    refused = await setting(service, overwrite=False)
    assert refused.error == "Cannot set value for key 'k'. Key already exists and `overwrite` is set to `false`."


async def test_an_attempt_that_runs_anew_after_a_crash_is_answered_as_before(service: Plane, clock: Clock):
    link, grant = await granted(service, "kv.Set", key="k", value="v")
    assert await asked(link, grant, "kv.set", key="k", value="v", overwrite=False) == Reply()
    clock.forward(seconds=60)
    await service.orchestrator.tend()
    again = await claimed(await service.link("w2"))
    assert (again.job, again.fence > grant.fence) == (grant.job, True)
    with pytest.raises(NotHeld):
        await asked(link, grant, "kv.set", key="k", value="late")
    second = await service.link("w3")
    with pytest.raises(NotHeld):
        await asked(second, again, "kv.set", key="k", value="foreign")
    own = await service.link("w2")
    assert await asked(own, again, "kv.set", key="k", value="other", overwrite=False) == Reply()
    entry = await stored(service, "k")
    assert (entry and entry.value, entry and entry.revision) == ("v", 1)


async def test_a_deleted_key_counts_as_deleted_when_the_attempt_runs_anew(service: Plane):
    await put(service, "k", 1)
    link, grant = await granted(service, "kv.Delete", key="k")
    gone = Reply({"deleted": True, "namespace": "team.a"})
    assert await asked(link, grant, "kv.delete", key="k") == gone
    assert await asked(link, grant, "kv.delete", key="k") == gone


async def test_an_expired_key_is_missing_and_can_be_set_anew(service: Plane, clock: Clock):
    assert await setting(service, ttl="PT1M", overwrite=False) == Reply()
    clock.forward(seconds=61)
    link, grant = await granted(service, "kv.Delete", flow="two", key="k")
    assert (await asked(link, grant, "kv.delete", key="k")).value == {"deleted": False, "namespace": "team.a"}
    link, grant = await granted(service, "kv.Set", flow="three", key="k", value="new")
    assert await asked(link, grant, "kv.set", key="k", value="new", overwrite=False) == Reply()


async def test_keys_are_listed_by_prefix_in_their_own_case(service: Plane):
    for key in ("test-key", "test-second", "Test-key", "another", "te%t"):
        await put(service, key, 1)
    link, grant = await granted(service, "kv.GetKeys")
    assert (await asked(link, grant, "kv.keys", prefix="test")).value == ["test-key", "test-second"]
    assert (await asked(link, grant, "kv.keys", prefix="te%")).value == ["te%t"]
    assert len((await asked(link, grant, "kv.keys")).value) == 5


async def test_writers_at_once_lose_nothing_of_a_state(service: Plane):
    jobs = [await granted(service, "state.Set", data="{}") for _ in range(8)]
    replied = await asyncio.gather(
        *(asked(link, grant, "state.set", name="s", data={f"k{n}": n}) for n, (link, grant) in enumerate(jobs))
    )
    assert [reply.error for reply in replied] == [None] * 8
    entry = await stored(service, "one_states_tasks-states_s")
    assert entry is not None
    assert entry.value == {f"k{n}": n for n in range(8)}


async def test_states_belong_to_the_flow_or_to_the_namespace(service: Plane):
    link, grant = await granted(service, "state.Set", data="{}")
    answer = await asked(link, grant, "state.set", name="s", namespace=True, data={"a": 1})
    assert answer.value == {"key": "states_tasks-states_s", "count": 1}
    link, grant = await granted(service, "state.Get", flow="other_flow")
    own = await asked(link, grant, "state.get", name="s")
    assert own.value == {"found": False, "key": "other-flow_states_tasks-states_s", "data": {}}
    shared = await asked(link, grant, "state.get", name="s", namespace=True)
    assert shared.value == {"found": True, "key": "states_tasks-states_s", "data": {"a": 1}}
    assert (await asked(link, grant, "state.get", name="../x")).error


async def test_answers_go_with_the_end_of_their_job(service: Plane):
    link, grant = await granted(service, "kv.Set", key="k", value="v")
    await asked(link, grant, "kv.set", key="k", value="v")
    assert await link.report(finished(grant))
    assert await service.db.read(lambda tx: replies.of(tx, _job(grant), "kv.set")) is None
    with pytest.raises(NotHeld):
        await asked(link, grant, "kv.set", key="k", value="again")


async def test_answers_go_with_a_job_that_is_dropped(service: Plane, clock: Clock):
    link, grant = await granted(service, "kv.Set", key="k", value="v")
    await asked(link, grant, "kv.set", key="k", value="v")
    clock.forward(minutes=5)
    await service.orchestrator.tend()
    await service.orchestrator.kill(MAIN, grant.place.execution)
    assert await service.db.read(lambda tx: replies.of(tx, _job(grant), "kv.set")) is None


async def test_answers_go_with_their_execution(service: Plane):
    link, grant = await granted(service, "kv.Set", key="k", value="v")
    await asked(link, grant, "kv.set", key="k", value="v")
    held = await service.db.read(lambda tx: replies.of(tx, _job(grant), "kv.set"))
    assert held == {"value": None, "effects": []}
    await service.orchestrator.delete(MAIN, grant.place.execution)
    assert await service.db.read(lambda tx: replies.of(tx, _job(grant), "kv.set")) is None


def _job(grant: Grant) -> Job:
    place = grant.place
    return Job(id=grant.job, tenant=MAIN, execution=place.execution, task_run=place.task_run, attempt=1)


async def test_a_flow_deletes_files_of_its_namespace_and_no_others(service: Plane):
    theirs = (
        "kestra:///team/a/executions/e/tasks/t/r/x",  # a flow `a` of the namespace `team`
        "kestra:///team/b/one/executions/e/x",
        "kestra:///team/_files/x",
        "kestra:///team/a2/one/executions/e/x",
        "kestra:///team/a/../b/one/executions/e/x",
        "kestra:///team/a/_files",
        "/etc/passwd",
    )
    own = "kestra:///team/a/other/executions/e/tasks/t/r/x"
    for uri in (own, *theirs[:5]):
        if ".." not in uri:
            await service.storage.put(MAIN, uri, b"x")
    link, grant = await granted(service, "storage.Delete", uri=own)
    for uri in theirs:
        assert (await asked(link, grant, "storage.delete", uri=uri)).error
    assert await asked(link, grant, "storage.delete", uri=own) == Reply(True)
    assert not await service.storage.exists(MAIN, own)
    assert [await service.storage.exists(MAIN, uri) for uri in theirs[:4]] == [True] * 4


async def test_a_file_that_is_deleted_anew_counts_as_deleted_once_more(service: Plane):
    uri = "kestra:///team/a/other/executions/e/tasks/t/r/x"
    await service.storage.put(MAIN, uri, b"x")
    link, grant = await granted(service, "storage.Delete", uri=uri)
    assert await asked(link, grant, "storage.delete", uri=uri) == Reply(True)
    assert await asked(link, grant, "storage.delete", uri=uri) == Reply(True)


async def test_purging_takes_the_files_of_this_execution_only(service: Plane):
    link, grant = await granted(service, "storage.PurgeCurrentExecutionFiles")
    uri = await link.put(grant.job, grant.fence, "a.txt", b"x")
    other = "kestra:///team/a/one/executions/other/tasks/t/r/x"
    await service.storage.put(MAIN, other, b"x")
    gone = (await asked(link, grant, "storage.purge")).value
    assert uri in gone
    assert uri.rpartition("/")[0] in gone
    assert not await service.storage.exists(MAIN, uri)
    assert await service.storage.exists(MAIN, other)


async def uploaded(service: Plane, link: WorkerLink, grant: Grant, **arguments) -> Reply:
    uri = await link.put(grant.job, grant.fence, "a.txt", b"new")
    return await asked(link, grant, "namespace.upload", **{"files": {"/a/b.txt": uri}, **arguments})


@pytest.mark.parametrize(
    ("conflict", "content"), [("OVERWRITE", b"new"), ("SKIP", b"old"), ("ERROR", b"old"), (None, b"new")]
)
async def test_uploads_settle_conflicts_as_they_are_told(service: Plane, conflict: str | None, content: bytes):
    there = "kestra:///team/a/_files/a/b.txt"
    await service.storage.put(MAIN, there, b"old")
    link, grant = await granted(service, "namespace.UploadFiles", namespace="team.a", files="x")
    reply = await uploaded(service, link, grant, conflict=conflict)
    assert (reply.error is not None) is (conflict == "ERROR")
    assert await service.storage.get(MAIN, there) == content
    kept = await revisions.numbers(service.storage, MAIN, "team.a", "/a/b.txt")
    assert kept == ((1, 2) if content == b"new" else (1,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": {"../x": "kestra:///x"}},
        {"files": {"/a/../../x": "kestra:///x"}},
        {"files": {"a\0b": "kestra:///x"}},
        {"files": {"a" * 300: "kestra:///x"}},
        {"files": {"a": "/etc/passwd"}},
        {"files": {"a": "kestra:///../other/x"}},
        {"files": {"a": "kestra:///not/there"}},
        {"files": {"": "kestra:///x"}},
        {"files": {f"{number}": "kestra:///x" for number in range(10_001)}},
        {"namespace": "nowhere"},
        {"namespace": "../other"},
    ],
)
async def test_uploads_that_lead_elsewhere_are_refused(service: Plane, wrong: dict[str, object]):
    link, grant = await granted(service, "namespace.UploadFiles", namespace="team.a", files="x")
    assert (await uploaded(service, link, grant, **wrong)).error
    assert await service.storage.list(MAIN, "kestra:///team/a/_files") == ()


async def test_downloads_are_copies_among_the_files_of_the_task_run(service: Plane):
    await service.storage.put(MAIN, "kestra:///team/a/_files/a/b.txt", b"x")
    link, grant = await granted(service, "namespace.DownloadFiles", namespace="team.a", files="x")
    assert (await asked(link, grant, "namespace.list")).value == ["/a/b.txt"]
    for wrong in ("../../x", "/../x"):
        assert (await asked(link, grant, "namespace.download", files=["/a/b.txt"], destination=wrong)).error
    copies = (await asked(link, grant, "namespace.download", files=["/a/b.txt"], destination="d")).value
    assert copies == {"/a/b.txt": f"{grant.storage}/d/a/b.txt"}
    assert await service.storage.get(MAIN, copies["/a/b.txt"]) == b"x"


async def test_files_of_namespaces_are_deleted_once(service: Plane):
    await service.storage.put(MAIN, "kestra:///team/a/_files/a.txt", b"x")
    link, grant = await granted(service, "namespace.DeleteFiles", namespace="team.a", files="x")
    assert (await asked(link, grant, "namespace.delete", files=["/a.txt", "/b.txt"])).value == ["/a.txt"]
    assert (await asked(link, grant, "namespace.delete", files=["/a.txt"])).value == ["/a.txt"]
    assert not await service.storage.exists(MAIN, "kestra:///team/a/_files/a.txt")


PAUSED = f"""
id: paused
namespace: team.a
tasks:
  - {{id: pause, type: {CORE}.flow.Pause}}
"""


async def paused(service: Plane) -> Execution:
    execution = await service.orchestrator.create(await service.save(PAUSED))
    async with asyncio.timeout(10):
        async for seen in service.orchestrator.watch(MAIN, execution.id):
            if seen.state is State.PAUSED:
                return seen
    raise AssertionError


async def test_a_paused_execution_is_resumed_once_by_an_attempt(service: Plane):
    waiting = await paused(service)
    link, grant = await granted(service, "execution.Resume", executionId=waiting.id)
    assert await asked(link, grant, "executions.resume", executionId=waiting.id) == Reply()
    assert (await service.ended(waiting)).state is State.SUCCESS
    assert await asked(link, grant, "executions.resume", executionId=waiting.id) == Reply()
    link, grant = await granted(service, "execution.Resume", flow="two", executionId=waiting.id)
    assert (await asked(link, grant, "executions.resume", executionId=waiting.id)).error


@pytest.mark.parametrize(
    "wrong", [{"executionId": "nope"}, {"namespace": "other"}, {"flowId": "other"}, {"namespace": "team"}]
)
async def test_only_an_execution_that_is_named_with_its_place_is_resumed(service: Plane, wrong: dict[str, str]):
    waiting = await paused(service)
    link, grant = await granted(service, "execution.Resume", executionId="x")
    reply = await asked(link, grant, "executions.resume", **{"executionId": waiting.id, **wrong})
    assert reply.error == f"No execution found for execution id {wrong.get('executionId', waiting.id)}"
    assert (await service.orchestrator.get(MAIN, waiting.id)).state is State.PAUSED


async def with_logs(service: Plane, flow: str, *messages: str) -> Execution:
    link, grant = await granted(service, "log.Log", flow=flow, message="x")
    await link.report(finished(grant, "SUCCESS", *messages))
    return await service.orchestrator.get(MAIN, grant.place.execution)


async def test_log_entries_are_fetched_in_pieces_from_where_one_may_look(service: Plane):
    ended = await with_logs(service, "chatty", *(str(number) for number in range(501)))
    link, grant = await granted(service, "log.Fetch")
    first = (await asked(link, grant, "logs.fetch", executionId=ended.id)).value
    rest = (await asked(link, grant, "logs.fetch", executionId=ended.id, after=first["after"])).value
    assert [entry["message"] for entry in (*first["entries"], *rest["entries"])] == [str(n) for n in range(501)]
    assert rest["after"] is None
    for elsewhere in ({"namespace": "team"}, {"flowId": "other"}, {"tasksId": ["other"]}, {"level": "ERROR"}):
        assert (await asked(link, grant, "logs.fetch", executionId=ended.id, **elsewhere)).value["entries"] == []
    assert (await asked(link, grant, "logs.fetch", level="LOUD")).error


async def test_log_entries_are_purged_by_place_level_and_date(service: Plane, clock: Clock):
    await with_logs(service, "chatty", "a", "b")
    clock.forward(hours=1)
    until = clock().isoformat()
    link, grant = await granted(service, "log.PurgeLogs", endDate=until)
    assert (await asked(link, grant, "logs.purge", endDate="soon")).error
    for function in ({"namespace": "other"}, {"flowId": "other"}, {"logLevels": ["ERROR"]}, {"startDate": until}):
        link, grant = await granted(service, "log.PurgeLogs", endDate=until)
        assert (await asked(link, grant, "logs.purge", endDate=until, **function)).value == 0
    link, grant = await granted(service, "log.PurgeLogs", endDate=until)
    for _again in range(2):
        assert (await asked(link, grant, "logs.purge", endDate=until, namespace="team")).value == 2


async def test_executions_are_counted_by_flow_namespace_and_state(service: Plane):
    await with_logs(service, "counted", "a")
    await with_logs(service, "counted", "a")
    link, grant = await granted(service, "execution.Count", startDate="x", expression="x")
    flows = [{"namespace": "team.a", "flowId": "counted"}, {"namespace": "team.a", "flowId": "none"}]
    counted = (await asked(link, grant, "executions.count", flows=flows, namespaces=["team.a"])).value
    assert [one["count"] for one in counted] == [2, 0, 3]
    running = (await asked(link, grant, "executions.count", flows=flows, states=["RUNNING"])).value
    assert [one["count"] for one in running] == [0, 0]
    refused = await asked(link, grant, "executions.count", startDate="2020-01-01T00:00:00Z")
    assert refused.error == "You must provide a list of flows or namespaces"


async def test_purging_executions_takes_what_has_ended_and_what_belongs_to_it(service: Plane, clock: Clock):
    ended = await with_logs(service, "old", "a", "b")
    folder = f"kestra:///team/a/old/executions/{ended.id}"
    await service.storage.put(MAIN, f"{folder}/x", b"x")
    clock.forward(hours=1)
    waiting = await paused(service)
    link, grant = await granted(service, "execution.PurgeExecutions", endDate="x")
    until = clock().isoformat()
    kept = (await asked(link, grant, "executions.purge", endDate=until, purgeExecution=False, purgeLog=False)).value
    assert kept == {"storagesCount": 1, "metricsCount": 0}
    gone = (await asked(link, grant, "executions.purge", endDate=until, namespace="team")).value
    assert gone == {"executionsCount": 1, "logsCount": 2, "storagesCount": 0, "metricsCount": 0}
    with pytest.raises(NotFound):
        await service.orchestrator.get(MAIN, ended.id)
    for running in (waiting.id, grant.place.execution):
        assert await service.orchestrator.get(MAIN, running)


async def test_texts_are_sealed_or_refused_but_never_left_in_the_clear(service: Plane, tmp_path: Path):
    link, grant = await granted(service, "http.Request", uri="http://x")
    assert "encryption is not configured" in str((await asked(link, grant, "text.seal", text="a")).error)
    (tmp_path / "sealing").mkdir()
    async with plane(tmp_path / "sealing", context=Context(seal=lambda text: Sealed(f"<{len(text)}>"))) as sealing:
        link, grant = await granted(sealing, "http.Request", uri="http://x")
        sealed = (await asked(link, grant, "text.seal", text="abc")).value
    assert sealed == {"value": "<3>", "type": "io.kestra.datatype:aes_encrypted"}
