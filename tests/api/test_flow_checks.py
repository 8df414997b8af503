FLOWS = "/api/v1/main/flows"
YAML = {"content-type": "application/x-yaml"}
CHECK = f"{FLOWS}/validate"


def check(client, text):
    answer = client.post(CHECK, content=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_valid_flow_has_no_constraints(client, source):
    assert check(client, source()) == [
        {
            "index": 0,
            "namespace": "company.team",
            "flow": "hello",
            "outdated": False,
            "deprecationPaths": [],
            "warnings": [],
            "infos": [],
        }
    ]


def test_every_violation_is_a_line_and_every_problem_has_its_place(client, source):
    (found,) = check(client, "revision: 0\nconcurrency: {limit: 0}\n" + source())
    assert found["flow"] == "hello"
    assert found["constraints"].splitlines() == [
        "revision: must be greater than or equal to 1",
        "concurrency.limit: must be greater than 0",
    ]
    assert [one["line"] for one in found["problems"]] == [1, 2]


def test_of_what_cannot_be_parsed_the_first_is_told_as_kestra_does_and_all_have_their_places(client, source):
    (found,) = check(client, "revision: 0\n" + source() + "    mesage: 3\n    nothing: 4\n")
    (line,) = found["constraints"].splitlines()
    place = 'io.kestra.core.models.flows.Flow["tasks"]->java.util.ArrayList[0]->io.kestra.plugin.core.log.Log["mesage"]'
    assert line.startswith(f'{place}: Unrecognized field "mesage" (class io.kestra.plugin.core.log.Log)')
    assert [one["line"] for one in found["problems"]] == [1, 9, 10]
    assert "reference" not in found["problems"][1]


def test_each_document_is_checked_by_itself_with_places_in_the_whole_text(client, source):
    whole = source() + "---\n" + source() + "    mesage: x\n"
    first, second = check(client, whole)
    assert (first["index"], second["index"]) == (0, 1)
    assert "constraints" not in first
    assert "mesage" in whole.splitlines()[second["problems"][0]["line"] - 1]


def test_a_text_that_is_no_yaml_is_still_an_answer(client):
    (found,) = check(client, "id: [")
    assert found["constraints"].startswith(": Illegal flow yaml: ")
    assert found["problems"][0]["line"] == 2 or found["problems"][0]["line"] == 1


def test_a_source_older_than_the_stored_one_is_outdated(client, source):
    client.post(FLOWS, content=source(), headers=YAML)
    assert check(client, source())[0]["outdated"] is True
    assert check(client, "revision: 2\n" + source())[0]["outdated"] is False


def test_old_names_of_types_are_told(client, source):
    (found,) = check(client, source().replace("io.kestra.plugin.core.log.Log", "io.kestra.core.tasks.log.Log"))
    assert found["infos"] == ["io.kestra.core.tasks.log.Log is replaced by io.kestra.plugin.core.log.Log"]


def test_one_task_is_checked(client):
    task = {"id": "say", "type": "io.kestra.plugin.core.log.Log", "message": "x"}
    assert client.post(f"{CHECK}/task?section=tasks", json=task).json() == {"index": 0}
    answer = client.post(f"{CHECK}/task?section=tasks", json={**task, "mesage": "y"}).json()
    assert 'Unrecognized field "mesage"' in answer["constraints"]
    assert answer["problems"][0]["line"] == 1


def test_one_trigger_is_checked(client):
    trigger = {"id": "daily", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 9 * * *"}
    assert client.post(f"{CHECK}/trigger", json=trigger).json() == {"index": 0}
    answer = client.post(f"{CHECK}/trigger", json={**trigger, "cron": "soon"}).json()
    assert "invalid cron expression 'soon'" in answer["constraints"]


def test_a_trigger_is_checked_where_a_task_is_when_the_section_says_so(client):
    trigger = "{id: t, type: io.kestra.plugin.core.trigger.Schedule, cron: '0 0 * * *'}"
    check = "/api/v1/main/flows/validate/task?section="
    assert "constraints" not in client.post(f"{check}TRIGGERS", content=trigger).json()
    assert "Invalid type" in client.post(f"{check}TASKS", content=trigger).json()["constraints"]
    assert client.post(f"{check}INPUTS", content=trigger).status_code == 422


def test_a_trigger_is_in_no_section_but_its_own(client):
    trigger = {"id": "daily", "type": "io.kestra.plugin.core.trigger.Schedule", "cron": "0 6 * * *"}
    assert client.post(f"{CHECK}/trigger?section=TRIGGERS", json=trigger).json() == {"index": 0}
    answer = client.post(f"{CHECK}/trigger?section=TASKS", json=trigger)
    assert answer.status_code == 422
    assert "which may be TRIGGERS" in answer.json()["message"]
