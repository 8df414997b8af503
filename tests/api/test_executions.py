from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from casemate.executions import Attempt, Execution, History, State, TaskRun
from casemate.flows import Label
from casemate.identifiers import MAIN
from casemate.store import LogEntry, MetricEntry
from casemate.store import executions as rows
from casemate.store import logs as log_rows
from casemate.store import metrics as metric_rows

EXECUTIONS = "/api/v1/main/executions"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def execution(name, flow="hello", state=State.SUCCESS, labels=(), minutes=0, **more):
    began = NOON + timedelta(minutes=minutes)
    history = History.begun(began).to(State.RUNNING, began).to(state, began + timedelta(seconds=2))
    place = {"tenant": MAIN, "namespace": "company.team", "flow_id": flow, "flow_revision": 1}
    return Execution(id=name, history=history, labels=labels, **place, **more)


def task_run(name, task, outputs=None, state=State.SUCCESS):
    history = History.begun(NOON).to(State.RUNNING, NOON).to(state, NOON + timedelta(seconds=1))
    return TaskRun(id=name, task_id=task, history=history, attempts=(Attempt(history),), outputs=outputs)


@pytest.fixture
def keep(client, db):
    def keeping(*executions):
        async def insert():
            for one in executions:
                await db.transact(rows.insert, one)

        client.portal.call(insert)

    return keeping


def ids(client, query):
    answer = client.get(f"{EXECUTIONS}/search?{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["results"]], answer.json()["total"]


def test_an_execution_is_read_with_its_task_runs(client, keep):
    runs = {"r1": task_run("r1", "say", {"value": 1}), "r2": task_run("r2", "end")}
    keep(execution("e1", task_runs=runs, outputs={"answer": 42}, inputs={"name": "Marmot"}))
    shown = client.get(f"{EXECUTIONS}/e1").json()
    assert (shown["id"], shown["namespace"], shown["flowId"]) == ("e1", "company.team", "hello")
    assert shown["state"]["current"] == "SUCCESS"
    assert [run["taskId"] for run in shown["taskRunList"]] == ["say", "end"]
    assert client.get(f"{EXECUTIONS}/nowhere").status_code == 404


def test_outputs_have_paths_of_their_own(client, keep):
    runs = {"r1": task_run("r1", "say", {"value": 1}), "r2": task_run("r2", "end")}
    keep(execution("e1", task_runs=runs, outputs={"answer": 42}), execution("e2"))
    outputs = "/api/v1/main/outputs"
    assert client.get(f"{outputs}/executions/e1").json() == {"answer": 42}
    assert client.get(f"{outputs}/executions/e2").json() == {}
    assert client.get(f"{outputs}/tasks/e1").json() == [{"taskId": "say", "taskRunId": "r1", "inline": True}]
    assert client.get(f"{outputs}/tasks/e1/r1").json() == {"value": 1}
    assert client.get(f"{outputs}/tasks/e1/r2").json() == {}
    assert client.get(f"{outputs}/tasks/e1/r3").status_code == 404


@pytest.fixture
def some(keep):
    keep(
        execution("e1", minutes=1, labels=(Label("team", "data"),)),
        execution("e2", minutes=2, flow="other", state=State.FAILED),
        execution("e3", minutes=3, state=State.RUNNING, labels=(Label("team", "data"), Label("env", "prod"))),
    )


@pytest.mark.parametrize(
    "query",
    [
        "filters[flowId][EQUALS][k]=v",
        "filters[startDate][IN][k]=v",
        "&".join(["filters[state][NOT_EQUALS]=FAILED"] * 51),
        "filters[state][IN]=" + ",".join(["FAILED"] * 501),
        "&".join(["sort=id:asc"] * 11),
    ],
)
def test_a_search_that_asks_for_too_much_is_refused(client, query):
    answer = client.get(f"{EXECUTIONS}/search?{query}")
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Illegal argument: ")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["e3", "e2", "e1"]),
        ("sort=state.startDate:asc", ["e1", "e2", "e3"]),
        ("filters[namespace][EQUALS]=company.team", ["e3", "e2", "e1"]),
        ("filters[namespace][PREFIX]=company", ["e3", "e2", "e1"]),
        ("filters[namespace][EQUALS]=company", []),
        ("filters[scope][EQUALS]=USER&filters[kind][EQUALS]=NORMAL", ["e3", "e2", "e1"]),
        ("filters[scope][EQUALS]=SYSTEM", []),
        ("filters[scope][IN]=SYSTEM,USER", ["e3", "e2", "e1"]),
        ("filters[kind][NOT_EQUALS]=TEST", ["e3", "e2", "e1"]),
        ("filters[kind][IN]=TEST,PLAYGROUND", []),
        ("filters[flowId][EQUALS]=hello", ["e3", "e1"]),
        ("filters[state][EQUALS]=FAILED", ["e2"]),
        ("filters[state][IN]=FAILED,RUNNING", ["e3", "e2"]),
        ("filters[state][NOT_EQUALS]=SUCCESS", ["e3", "e2"]),
        ("filters[labels][EQUALS][team]=data", ["e3", "e1"]),
        ("filters[labels][EQUALS][team]=data&filters[labels][EQUALS][env]=prod", ["e3"]),
        ("filters[startDate][GREATER_THAN]=2026-11-01T12:02:00Z", ["e3"]),
        ("filters[startDate][LESS_THAN_OR_EQUAL_TO]=2026-11-01T13:02:00%2B01:00", ["e2", "e1"]),
        ("filters[q][EQUALS]=other", ["e2"]),
        ("size=2", ["e3", "e2"]),
        ("size=2&page=2", ["e1"]),
    ],
)
def test_executions_are_found_by_filters(client, some, query, found):
    shown, total = ids(client, query)
    assert shown == found
    assert total == (3 if "size" in query else len(found))


def test_a_range_of_time_ends_now(client, some, deps):
    since = deps.now() - (NOON + timedelta(minutes=2, seconds=30))
    assert ids(client, f"filters[timeRange][EQUALS]=PT{int(since.total_seconds())}S")[0] == ["e3"]


def test_the_executions_of_a_flow(client, some):
    answer = client.get(f"{EXECUTIONS}?namespace=company.team&flowId=hello").json()
    assert [one["id"] for one in answer["results"]] == ["e3", "e1"]
    assert client.get(f"{EXECUTIONS}?flowId=hello").status_code == 422


def test_the_latest_execution_of_each_flow(client, some):
    names = [{"namespace": "company.team", "id": flow} for flow in ("hello", "other", "nowhere")]
    answer = client.post(f"{EXECUTIONS}/latest", json=names).json()
    assert [(one["id"], one["status"]) for one in answer] == [("e3", "RUNNING"), ("e2", "FAILED")]
    assert client.post(f"{EXECUTIONS}/latest", json=names * 400).status_code == 422


def test_the_flow_of_an_execution_shows_no_more_than_its_outline(client, keep, source):
    text = source(extra="pluginDefaults:\n  - type: io.kestra.plugin.core.log.Log\n    values:\n      message: secret")
    client.post("/api/v1/main/flows", content=text, headers={"content-type": "application/x-yaml"})
    keep(execution("e1"))
    shown = client.get(f"{EXECUTIONS}/e1/flow").json()
    assert shown["tasks"] == [{"id": "say", "type": "io.kestra.plugin.core.log.Log"}]
    assert "secret" not in str(shown)
    assert client.get(f"{EXECUTIONS}/flows/company.team/hello").json() == shown
    assert client.get(f"{EXECUTIONS}/flows/company.team/hello?revision=7").status_code == 404


@pytest.fixture
def file(client, storage, keep):
    keep(execution("e1"), execution("e2"))
    uri = "kestra:///company/team/hello/executions/e1/tasks/say/r1/résumé.txt"
    client.portal.call(storage.put, MAIN, uri, b"content")
    return uri


def test_a_file_of_an_execution_is_downloaded_never_shown(client, file):
    answer = client.get(f"{EXECUTIONS}/e1/file", params={"path": file})
    assert answer.content == b"content"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9.txt"
    assert client.get(f"{EXECUTIONS}/e1/file/metas", params={"path": file}).json() == {"size": 7}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("kestra:///company/team/hello/executions/e1/nowhere", 404),
        ("kestra:///company/team/hello/executions/e2/tasks/say/r1/x", 422),
        ("kestra:///company/team/hello/executions/e1/../e2/x", 422),
        ("kestra:///company/team/hello/executions/e1", 422),
        ("kestra:///company/team/hello/executions/e12/x", 422),
        ("kestra:///company/team/_files/x", 422),
        ("file:///etc/passwd", 422),
        ("/etc/passwd", 422),
        ("", 422),
    ],
)
def test_no_other_file_is_read_through_an_execution(client, file, path, status):
    for end in ("file", "file/metas"):
        assert client.get(f"{EXECUTIONS}/e1/{end}", params={"path": path}).status_code == status


def test_an_execution_does_not_open_the_files_of_another(client, file):
    assert client.get(f"{EXECUTIONS}/e2/file", params={"path": file}).status_code == 422


def log(message, level="INFO", execution="e1", **more):
    seconds = more.pop("seconds", 0)
    at = NOON + timedelta(seconds=seconds)
    place = {"tenant": MAIN, "namespace": "company.team", "flow_id": "hello", "execution_id": execution}
    return LogEntry(at=at, level=level, message=message, **place, **more)


@pytest.fixture
def logged(client, db, keep):
    keep(execution("e1"))
    entries = [
        log("started", "DEBUG", task_id="say", task_run_id="r1", attempt=1),
        log("Hello", seconds=1, task_id="say", task_run_id="r1", attempt=1),
        log("broken", "ERROR", seconds=2, task_id="end", task_run_id="r2", attempt=2),
        log("elsewhere", execution="e9", seconds=3),
    ]
    client.portal.call(db.transact, log_rows.append, entries)


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", ["started", "Hello", "broken"]),
        ("minLevel=INFO", ["Hello", "broken"]),
        ("minLevel=error", ["broken"]),
        ("taskId=say", ["started", "Hello"]),
        ("taskRunId=r2", ["broken"]),
        ("attempt=0", ["started", "Hello"]),
        ("attempt=1", ["broken"]),
    ],
)
def test_the_logs_of_an_execution(client, logged, query, messages):
    answer = client.get(f"/api/v1/main/logs/e1?{query}")
    assert [entry["message"] for entry in answer.json()] == messages
    text = client.get(f"/api/v1/main/logs/e1/download?{query}")
    assert [line.split(" ", 2)[2] for line in text.text.splitlines()] == messages
    assert text.headers["content-type"].startswith("text/plain")


def test_a_log_entry_in_full(client, logged):
    assert client.get("/api/v1/main/logs/e1?minLevel=ERROR").json() == [
        {
            "namespace": "company.team",
            "flowId": "hello",
            "executionId": "e1",
            "taskId": "end",
            "taskRunId": "r2",
            "attemptNumber": 1,
            "timestamp": "2026-11-01T12:00:02.000Z",
            "level": "ERROR",
            "thread": "main",
            "message": "broken",
        }
    ]


def test_logs_of_an_execution_that_is_gone_are_none(client):
    assert client.get("/api/v1/main/logs/nowhere").json() == []


def test_a_level_that_does_not_exist_is_refused(client):
    assert client.get("/api/v1/main/logs/e1?minLevel=LOUD").status_code == 422


def test_logs_are_searched_newest_first(client, logged):
    answer = client.get("/api/v1/main/logs/search?filters[level][EQUALS]=INFO").json()
    assert [entry["message"] for entry in answer["results"]] == ["elsewhere", "broken", "Hello"]
    assert (answer["total"], answer["type"]) == (3, "OFFSET")
    one = client.get("/api/v1/main/logs/search?filters[executionId][EQUALS]=e9&sort=timestamp:desc").json()
    assert one["total"] == 1


def test_logs_are_deleted_down_to_those_asked_for(client, logged):
    assert client.delete("/api/v1/main/logs/e1?minLevel=ERROR").status_code == 204
    assert len(client.get("/api/v1/main/logs/e1").json()) == 2
    assert client.delete("/api/v1/main/logs/e1").status_code == 204
    assert client.get("/api/v1/main/logs/e1").json() == []
    assert len(client.get("/api/v1/main/logs/e9").json()) == 1


def test_the_measurements_of_an_execution(client, db, keep):
    keep(execution("e1"))
    place = {"tenant": MAIN, "namespace": "n", "flow_id": "f", "execution_id": "e1", "task_id": "t", "attempt": 1}
    one = MetricEntry(at=NOON, name="rows", kind="counter", value=3, tags={"a": "b"}, task_run_id="r1", **place)
    client.portal.call(db.transact, metric_rows.append, [one, replace(one, task_run_id="r2")])
    answer = client.get("/api/v1/main/metrics/e1").json()
    assert answer["total"] == 2
    assert (answer["results"][0]["name"], answer["results"][0]["value"]) == ("rows", 3.0)
    assert client.get("/api/v1/main/metrics/e1?taskRunId=r2").json()["total"] == 1
