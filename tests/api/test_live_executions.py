import json
import threading

import pytest

from casemate.api.entrance import COOKIE
from casemate.api.throttle import GUESSES

from .live import live

HELLO = """
id: hello
namespace: company.team
labels:
  team: data
inputs:
  - id: name
    type: STRING
  - id: age
    type: INT
    required: false
    min: 1
  - id: data
    type: FILE
    required: false
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "Hello {{ inputs.name }}"
  - id: give
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.name }}!"
outputs:
  - id: greeting
    type: STRING
    value: "{{ outputs.give.value }}"
"""

NAP = """
id: nap
namespace: company.team
tasks:
  - id: sleep
    type: io.kestra.plugin.core.flow.Sleep
    duration: PT1H
"""

CHOICE = """
id: choice
namespace: company.team
inputs:
  - id: more
    type: BOOLEAN
    defaults: false
  - id: which
    type: STRING
    required: false
    dependsOn:
      inputs: [more]
      condition: "{{ inputs.more }}"
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: x
"""

OFF = """
id: "off"
namespace: company.team
disabled: true
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: never
"""

HOOK = """
id: hook
namespace: company.team
tasks:
  - id: give
    type: io.kestra.plugin.core.debug.Return
    format: "{{ trigger.body.who ?? trigger.body }}"
triggers:
  - id: called
    type: io.kestra.plugin.core.trigger.Webhook
    key: s3cret-key
"""

CONDITIONAL = """
id: conditional
namespace: company.team
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: called
triggers:
  - id: called
    type: io.kestra.plugin.core.trigger.Webhook
    key: s3cret-key
    conditions:
      - type: io.kestra.plugin.core.condition.Expression
        expression: "{{ trigger.body.go }}"
"""


GUARDED = HOOK.replace("id: hook", "id: guarded")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("live")) as running:
        for source in (HELLO, NAP, CHOICE, OFF, HOOK, GUARDED, CONDITIONAL):
            running.save(source)
        yield running


@pytest.fixture
def start(call):
    def starting(flow="hello", query="wait=true", parts=(("name", (None, "Marmot")),)):
        answer = call("POST", f"executions/company.team/{flow}?{query}", files=list(parts) or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return starting


def events(response):
    """The events of a stream with their ids."""
    found, name = [], None
    for line in response.iter_lines(decode_unicode=True):
        if line.startswith("id: "):
            name = line.removeprefix("id: ")
        elif line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_an_execution_runs_to_its_end_while_its_starter_waits(start):
    execution = start()
    assert execution["state"]["current"] == "SUCCESS"
    assert execution["inputs"] == {"name": "Marmot", "age": None, "data": None}
    assert execution["outputs"] == {"greeting": "Marmot!"}
    assert [run["taskId"] for run in execution["taskRunList"]] == ["say", "give"]
    assert execution["url"] == f"http://localhost:8080/ui/main/executions/company.team/hello/{execution['id']}"


def test_without_waiting_the_answer_comes_at_once(call, start):
    execution = start("nap", "", ())
    assert execution["state"]["current"] in ("CREATED", "RUNNING")
    call("DELETE", f"executions/{execution['id']}/actions/kill")


def test_a_flow_without_inputs_needs_no_body_at_all(call):
    answer = call("POST", "executions/company.team/nap")
    assert answer.status_code == 200
    call("DELETE", f"executions/{answer.json()['id']}")


def test_an_empty_form_is_no_input(call):
    headers = {"content-type": "multipart/form-data; boundary=none"}
    answer = call("POST", "executions/company.team/hello", data="--none--\r\n", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["message"] == (
        "Invalid entity: name: Invalid input for `name`, missing required input, but received `null`"
    )


def test_every_problem_of_the_inputs_is_told(call):
    parts = [("age", (None, "0"))]
    answer = call("POST", "executions/company.team/hello", files=parts)
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["problems"]] == ["name", "age"]


def test_a_form_that_cannot_be_read_is_refused(call):
    headers = {"content-type": "multipart/form-data"}
    assert call("POST", "executions/company.team/hello", data="x", headers=headers).status_code == 400


def test_inputs_may_come_from_a_plain_form(call):
    answer = call("POST", "executions/company.team/hello?wait=true", data={"name": "Ada", "age": "3"})
    assert answer.json()["inputs"] == {"name": "Ada", "age": 3, "data": None}


def test_a_file_is_kept_and_can_be_downloaded(call, start):
    execution = start(parts=[("name", (None, "x")), ("data", ("../../some file.csv", b"a,b\n1,2\n"))])
    uri = execution["inputs"]["data"]
    assert uri == f"kestra:///company/team/hello/executions/{execution['id']}/inputs/data/some file.csv"
    answer = call("GET", f"executions/{execution['id']}/file", params={"path": uri})
    assert answer.content == b"a,b\n1,2\n"


def test_older_clients_name_the_input_in_place_of_the_file(start):
    execution = start(parts=[("name", (None, "x")), ("files", ("data", b"content"))])
    assert execution["inputs"]["data"].startswith("kestra:///")


def test_a_file_for_an_input_that_is_a_text_is_its_text(start):
    assert start(parts=[("name", ("name.txt", b"Marmot"))])["inputs"]["name"] == "Marmot"


def test_an_empty_file_is_refused(call):
    parts = [("name", (None, "x")), ("data", ("empty", b""))]
    answer = call("POST", "executions/company.team/hello", files=parts)
    assert answer.status_code == 422
    assert "Can't upload file: data" in answer.json()["message"]


def test_a_file_goes_again_if_the_execution_does_not_come_to_be(call, server, tmp_path_factory):
    before = stored_files(tmp_path_factory)
    assert call("POST", "executions/company.team/hello", files=[("data", ("f", b"content"))]).status_code == 422
    assert stored_files(tmp_path_factory) == before


def stored_files(tmp_path_factory):
    folder = next(tmp_path_factory.getbasetemp().glob("live*")) / "storage"
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_labels_are_those_of_the_flow_then_the_given_ones(start):
    labels = start(query="wait=true&labels=env:prod&labels=url:http://a:1")["labels"]
    assert [(label["key"], label["value"]) for label in labels][:3] == [
        ("team", "data"),
        ("env", "prod"),
        ("url", "http://a:1"),
    ]


@pytest.mark.parametrize("query", ["labels=:x", "labels=system.label:x", "scheduleDate=soon", "revision=x"])
def test_a_start_that_makes_no_sense_is_refused(call, query):
    assert call("POST", f"executions/company.team/hello?{query}", data={"name": "x"}).status_code == 422


def test_only_what_exists_and_is_enabled_is_started(call):
    assert call("POST", "executions/company.team/nowhere").status_code == 404
    assert call("POST", "executions/company.team/hello?revision=9", data={"name": "x"}).status_code == 404
    disabled = call("POST", "executions/company.team/off")
    assert disabled.status_code == 409
    assert "disabled" in disabled.json()["message"]


def test_inputs_are_validated_without_starting_anything(call):
    before = call("GET", "executions/search").json()["total"]
    answer = call("POST", "executions/company.team/hello/validate", files=[("age", (None, "3"))]).json()
    assert (answer["id"], answer["namespace"]) == ("hello", "company.team")
    by_id = {one["input"]["id"]: one for one in answer["inputs"]}
    assert by_id["age"]["value"] == 3
    assert by_id["name"]["errors"][0]["message"].startswith("Invalid input for `name`, missing required input")
    assert call("GET", "executions/search").json()["total"] == before


def test_an_input_that_is_not_asked_for_keeps_what_was_given(call):
    parts = [("which", (None, "this"))]
    more, which = call("POST", "executions/company.team/choice/validate", files=parts).json()["inputs"]
    assert (more["value"], more["isDefault"]) == (False, True)
    assert (which["value"], which["enabled"]) == ("this", False)


def test_an_execution_is_followed_to_its_end(call, server, start):
    execution = start("nap", "", ())
    response = call("GET", f"executions/{execution['id']}/follow", stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    killing = threading.Timer(0.3, call, ("DELETE", f"executions/{execution['id']}/actions/kill"))
    killing.start()
    found = events(response)
    killing.join()
    assert found[0][0] == "start"
    assert {name for name, _ in found[1:-1]} <= {"progress"}
    assert (found[-1][0], found[-1][1]["state"]["current"]) == ("end", "KILLED")


def test_one_that_has_ended_is_followed_in_one_event(call, start):
    found = events(call("GET", f"executions/{start()['id']}/follow", stream=True))
    assert [(name, value["state"]["current"]) for name, value in found] == [("end", "SUCCESS")]
    assert call("GET", "executions/nowhere/follow").status_code == 404


def test_logs_are_followed_until_the_execution_has_ended(call, start):
    found = events(call("GET", f"logs/{start()['id']}/follow?minLevel=INFO", stream=True))
    assert [value.get("message") for _, value in found] == ["Hello Marmot", None]
    assert found[-1] == ("end", {})
    assert call("GET", "logs/nowhere/follow").status_code == 404


def test_an_execution_is_killed_once(call, start):
    execution = start("nap", "", ())
    answer = call("DELETE", f"executions/{execution['id']}/actions/kill")
    assert answer.status_code == 200
    assert answer.json()["id"] == execution["id"]
    events(call("GET", f"executions/{execution['id']}/follow", stream=True))
    again = call("DELETE", f"executions/{execution['id']}/actions/kill?isOnKillCascade=false")
    assert again.status_code == 409
    assert again.json()["message"] == "Illegal state: Execution is already finished, can't kill it"
    assert call("DELETE", "executions/nowhere/actions/kill").status_code == 404


def test_many_are_killed_or_none(call, start):
    one, two, over = start("nap", "", ())["id"], start("nap", "", ())["id"], start()["id"]
    refused = call("DELETE", "executions/kill/by-ids", json=[one, over, "nowhere"])
    assert refused.status_code == 400
    assert over in refused.json()["message"]
    assert "nowhere was not found" in refused.json()["message"]
    assert call("DELETE", "executions/kill/by-ids", json=[one, one]).json() == {"count": 1}
    query = "filters[flowId][EQUALS]=nap&filters[state][IN]=CREATED,RUNNING"
    assert call("DELETE", f"executions/kill/by-query?{query}").json()["count"] >= 1
    for name in (one, two):
        assert events(call("GET", f"executions/{name}/follow", stream=True))[-1][1]["state"]["current"] == "KILLED"


def test_what_follows_an_end_is_killed_with_many(call, server):
    source = """
id: epilogue
namespace: test
tasks: [{id: done, type: io.kestra.plugin.core.debug.Return, format: x}]
afterExecution: [{id: long, type: io.kestra.plugin.core.flow.Sleep, duration: PT1M}]
"""
    assert call("POST", "flows", data=source, headers={"Content-Type": "application/x-yaml"}).status_code == 200
    name = call("POST", "executions/test/epilogue").json()["id"]
    ended = server.reached(name, "SUCCESS")
    assert ended["id"] == name
    assert call("DELETE", "executions/kill/by-ids", json=[name]).json() == {"count": 1}
    states = [entry["state"]["current"] for _, entry in events(call("GET", f"executions/{name}/follow", stream=True))]
    assert set(states) == {"SUCCESS"}
    runs = {run["taskId"]: run["state"]["current"] for run in call("GET", f"executions/{name}").json()["taskRunList"]}
    assert runs == {"done": "SUCCESS", "long": "KILLED"}
    assert call("DELETE", "executions/kill/by-ids", json=[name]).status_code == 400


def test_an_execution_is_deleted_with_its_logs(call, start):
    name = start()["id"]
    assert call("DELETE", f"executions/{name}").status_code == 204
    assert call("GET", f"executions/{name}").status_code == 404
    assert call("GET", f"logs/{name}").json() == []
    assert call("DELETE", f"executions/{name}").status_code == 404


def test_logs_and_files_may_outlive_their_execution(call, start):
    name = start(parts=(("name", (None, "Ada")), ("data", ("a.txt", b"kept"))))["id"]
    assert call("DELETE", f"executions/{name}?deleteLogs=false&deleteStorage=false").status_code == 204
    assert call("GET", f"executions/{name}").status_code == 404
    assert call("GET", f"logs/{name}").json()[0]["message"] == "Hello Ada"
    name = start()["id"]
    assert call("DELETE", f"executions/{name}").status_code == 204
    assert call("GET", f"logs/{name}").json() == []


def test_a_deletion_that_is_misspelt_deletes_nothing(call, start):
    name = start(query="wait=true&labels=mine:1")["id"]
    for query in ("filter[labels][EQUALS][mine]=1", "labelss=mine:1", "filters[label][EQUALS]=x", "scopes=USER"):
        assert call("DELETE", f"executions/by-query?{query}").status_code == 422
    assert call("GET", f"executions/{name}").status_code == 200
    assert call("DELETE", "executions/by-query?labels=mine:1&namespace=company").json() == {"count": 1}
    assert call("GET", f"executions/{name}").status_code == 404


def test_many_are_deleted_or_none(call, start):
    over, running = start()["id"], start("nap", "", ())["id"]
    assert call("DELETE", "executions/by-ids", json=[over, running]).status_code == 400
    assert call("DELETE", "executions/by-ids?includeNonTerminated=true", json=[over, running]).json() == {"count": 2}
    name = start(query="wait=true&labels=only:this")["id"]
    assert call("DELETE", "executions/by-query?filters[labels][EQUALS][only]=this").json() == {"count": 1}
    assert call("GET", f"executions/{name}").status_code == 404


def evaluate(call, execution, expression, path="", **query):
    headers = {"content-type": "text/plain"}
    return call(
        "POST", f"executions/{execution}/actions/eval{path}", data=expression.encode(), params=query, headers=headers
    )


def test_an_expression_is_tried_out(call, start):
    execution = start()
    name, run = execution["id"], execution["taskRunList"][1]["id"]
    assert evaluate(call, name, "{{ outputs.give.value }}").json() == {"result": "Marmot!"}
    assert evaluate(call, name, "{{ task.id }}", f"/{run}").json() == {"result": "give"}
    assert evaluate(call, name, "{{ task.id }}", taskRunId=run).json() == {"result": "give"}
    assert "nothing" in evaluate(call, name, "{{ nothing }}").json()["error"]
    assert evaluate(call, name, "{{ x }}", "/nowhere").status_code == 404
    assert evaluate(call, "nowhere", "{{ x }}").status_code == 404


def test_trying_out_expressions_opens_no_secret(call, start):
    answer = evaluate(call, start()["id"], "{{ secret('TOKEN') }}").json()
    assert "result" not in answer
    assert "opensesame" not in answer["error"]


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT"])
def test_a_webhook_starts_its_flow(call, verb):
    body = None if verb == "GET" else json.dumps({"who": "Ada"})
    answer = call(verb, "executions/webhook/company.team/hook/s3cret-key?a=1&a=2", data=body, headers={"x-from": "t"})
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["namespace"], shown["flowId"]) == ("company.team", "hook")
    variables = shown["trigger"]["variables"]
    assert variables["body"] == (None if verb == "GET" else {"who": "Ada"})
    assert variables["parameters"] == {"a": ["1", "2"]}
    assert variables["headers"]["x-from"] == ["t"]
    if verb != "GET":
        events(call("GET", f"executions/{shown['id']}/follow", stream=True))
        assert call("GET", f"executions/{shown['id']}").json()["state"]["current"] == "SUCCESS"


def test_a_webhook_does_not_keep_what_opens_our_doors(call):
    theirs = call("POST", "executions/webhook/company.team/hook/s3cret-key", headers={"cookie": "their=own"})
    assert theirs.json()["trigger"]["variables"]["headers"]["cookie"] == ["their=own"]
    ours = call("POST", "executions/webhook/company.team/hook/s3cret-key", headers={"cookie": f"{COOKIE}=session"})
    assert "cookie" not in ours.json()["trigger"]["variables"]["headers"]


def test_a_body_that_is_no_json_is_a_text(call):
    answer = call("POST", "executions/webhook/company.team/hook/s3cret-key", data=b"plain \xff text")
    assert answer.json()["trigger"]["variables"]["body"] == "plain \ufffd text"


@pytest.mark.parametrize("body", ['{"a": NaN}', "[Infinity]", "-Infinity", "9" * 5000, "[" * 5000, '"\ud800'])
def test_what_only_some_would_read_as_json_is_a_text(call, body):
    answer = call("POST", "executions/webhook/company.team/hook/s3cret-key", data=body.encode(errors="replace"))
    assert answer.status_code == 200
    assert answer.json()["trigger"]["variables"]["body"] == body.encode(errors="replace").decode()


def test_a_body_that_is_nested_too_deeply_to_be_walked_through_is_a_text(call):
    path = "executions/webhook/company.team/hook/s3cret-key"
    for depth, kind in ((150, list), (250, str), (900, str)):
        execution = call("POST", path, data="[" * depth + "]" * depth).json()
        assert isinstance(execution["trigger"]["variables"]["body"], kind)
        events(call("GET", f"executions/{execution['id']}/follow", stream=True))


@pytest.mark.parametrize("path", ["hook/wrong-key", "nowhere/s3cret-key", "hello/s3cret-key", "hook/s3cret-key/more"])
def test_a_wrong_key_and_a_wrong_flow_look_alike(call, path):
    answer = call("POST", f"executions/webhook/company.team/{path}")
    assert answer.status_code == 404
    assert answer.json()["message"] == "Not Found: Webhook not found"


def test_half_a_character_is_never_kept(call):
    body = '{"who": "\\ud800"}'
    started = call("POST", "executions/webhook/company.team/hook/s3cret-key", data=body).json()
    assert started["trigger"]["variables"]["body"] == body
    assert call("GET", "executions/search").status_code == 200
    names = [{"namespace": "company.team", "id": "\ud800"}]
    answer = call("POST", "flows/export/by-ids", data=json.dumps(names), headers={"content-type": "application/json"})
    assert (answer.status_code, "Unicode" in answer.json()["message"]) == (422, True)


def test_guessing_the_key_of_a_webhook_gets_slow(call):
    path = "executions/webhook/company.team/{}/{}"
    guesses = [call("POST", path.format("guarded", f"guess-{number}")) for number in range(GUESSES + 1)]
    assert [one.status_code for one in guesses] == [404] * GUESSES + [429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    # Nor is a right guess looked at; other webhooks are not held up.
    assert call("POST", path.format("guarded", "s3cret-key")).status_code == 429
    assert call("POST", path.format("hook", "s3cret-key")).status_code == 200


def test_a_webhook_whose_condition_does_not_hold_starts_nothing(call):
    path = "executions/webhook/company.team/conditional/s3cret-key"
    assert call("POST", path, json={"go": False}).status_code == 204
    assert call("POST", path, json={"go": True}).status_code == 200
