"""The first account closes the server; sessions and tokens open it for those who have them."""

import dataclasses
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from casemate.api import app
from casemate.api.entrance import COOKIE
from casemate.api.throttle import GUESSES
from casemate.secret import Secret
from casemate.settings import BasicAuth

FLOWS = "/api/v1/main/flows/search"
TOKENS = "/api/v1/me/api-tokens"
ANN = {"username": "ann@example.org", "password": "Correct1horse"}


class Clock:
    def __init__(self):
        self.time = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def served(deps, clock):
    with TestClient(app(dataclasses.replace(deps, now=clock)), base_url="http://localhost:8080") as serving:
        yield serving


@pytest.fixture
def ann(served):
    """The server after ann has made the first account and signed in."""
    assert served.post("/api/v1/setup", json=ANN).status_code == 200
    assert served.post("/login", json=ANN).status_code == 200
    return served


def csrf(client):
    return re.search(r'<meta name="csrf-token" content="([^"]+)">', client.get("/ui/").text)[1]


def token(client, **more):
    made = client.post(TOKENS, json={"name": "ci", **more}, headers={"X-CSRF-TOKEN": csrf(client)})
    assert made.status_code == 200, made.text
    return made.json()


def stranger(client):
    client.cookies.clear()
    return client


def test_before_the_first_account_whoever_is_on_this_machine_may_do_everything(served):
    assert served.get(FLOWS).status_code == 200
    assert served.get("/api/v1/setup").json()["done"] is False


def test_the_first_account_closes_the_server(served):
    made = served.post("/api/v1/setup", json={**ANN, "tenant": {"id": "main", "name": "main"}})
    assert made.json()["instanceOwner"] is True
    assert served.get("/api/v1/setup").json()["done"] is True
    for path in (FLOWS, TOKENS, "/api/v1/openapi.json", "/api/v1/nowhere"):
        assert served.get(path).status_code == 401, path
    assert served.get("/ping").status_code == 200


def test_there_is_one_first_account(served):
    served.post("/api/v1/setup", json=ANN)
    again = served.post("/api/v1/setup", json={"username": "eve@example.org", "password": "Correct1horse"})
    assert again.status_code == 405
    assert served.post("/login", json={"username": "eve@example.org", "password": "Correct1horse"}).status_code == 401


def test_with_an_account_in_the_configuration_there_is_no_setup(deps):
    auth = BasicAuth(username="ops", password=Secret("Correct1horse"), realm="Kestra", open_urls=())
    with TestClient(app(dataclasses.replace(deps, basic_auth=auth)), base_url="http://localhost:8080") as closed:
        assert closed.post("/api/v1/setup", json=ANN).status_code == 405
        assert closed.get(FLOWS, auth=("ops", "Correct1horse")).status_code == 200


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({**ANN, "password": "admin"}, "password"),
        ({**ANN, "password": "alllowercase"}, "password"),
        ({**ANN, "username": "a:b"}, "username"),
        ({**ANN, "username": ""}, "username"),
    ],
)
def test_an_account_that_anybody_could_guess_is_refused(served, asked, path):
    answer = served.post("/api/v1/setup", json=asked)
    assert answer.status_code == 422
    assert path in answer.json()["message"]
    assert asked["password"] not in answer.text or asked["password"] == ANN["password"]
    assert served.get("/api/v1/setup").json()["done"] is False


def test_another_tenant_than_main_is_refused(served):
    assert served.post("/api/v1/setup", json={**ANN, "tenant": {"id": "other"}}).status_code == 422


def test_a_session_opens_until_it_ends(ann):
    assert ann.get(FLOWS).status_code == 200
    session = ann.cookies[COOKIE]
    assert ann.post("/logout").status_code == 204
    ann.cookies.set(COOKIE, session)
    assert ann.get(FLOWS).status_code == 401


def test_a_session_gets_old(ann, clock):
    clock.time += timedelta(hours=12)
    assert ann.get(FLOWS).status_code == 401


def test_signing_in_again_ends_the_session_before(ann):
    before = ann.cookies[COOKIE]
    ann.post("/login", json=ANN)
    stranger(ann).cookies.set(COOKIE, before)
    assert ann.get(FLOWS).status_code == 401


def test_the_cookie_is_shown_to_no_script_and_no_other_site(served):
    served.post("/api/v1/setup", json=ANN)
    said = served.post("/login", json=ANN).headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said


def test_a_session_changes_nothing_without_what_only_our_page_knows(ann):
    assert ann.post(TOKENS, json={"name": "ci"}).status_code == 401
    assert ann.post(TOKENS, json={"name": "ci"}, headers={"X-CSRF-TOKEN": "guess"}).status_code == 401
    assert token(ann)["name"] == "ci"


def test_the_page_tells_strangers_nothing(ann):
    page = stranger(ann).get("/ui/")
    assert page.status_code == 200
    assert "csrf" not in page.text


def test_a_token_opens_until_it_is_deleted(ann):
    made = token(ann)
    bearer = {"Authorization": f"Bearer {made['fullToken']}"}
    assert stranger(ann).get(FLOWS, headers=bearer).status_code == 200
    (listed,) = ann.get(TOKENS, headers=bearer).json()["results"]
    assert listed["prefix"] == made["fullToken"][:6]
    assert made["fullToken"] not in str(listed)
    assert ann.delete(f"{TOKENS}/{made['id']}", headers=bearer).status_code == 204
    assert ann.get(FLOWS, headers=bearer).status_code == 401


def test_a_token_gets_old(ann, clock):
    bearer = {"Authorization": f"Bearer {token(ann, maxAge='P1D')['fullToken']}"}
    assert stranger(ann).get(FLOWS, headers=bearer).status_code == 200
    clock.time += timedelta(days=1)
    assert ann.get(FLOWS, headers=bearer).status_code == 401


@pytest.mark.parametrize("age", ["soon", "PT0S", "-P1D", "P9999Y"])
def test_an_age_that_is_none_is_refused(ann, age):
    assert ann.post(TOKENS, json={"name": "ci", "maxAge": age}, headers={"X-CSRF-TOKEN": csrf(ann)}).status_code == 422


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic YW5uQGV4YW1wbGUub3JnOkNvcnJlY3QxaG9yc2U="]
)
def test_nothing_else_opens(ann, shown):
    assert stranger(ann).get(FLOWS, headers={"Authorization": shown}).status_code == 401


def test_guessing_passwords_gets_slow_and_tells_no_names(served):
    served.post("/api/v1/setup", json=ANN)
    wrong = [served.post("/login", json={**ANN, "password": f"Wrong{number}pass"}) for number in range(12)]
    assert {answer.status_code for answer in wrong} == {401, 429}
    assert served.post("/login", json=ANN).status_code == 429
    unknown = {"username": "eve@example.org", "password": "Wrong1pass"}
    assert wrong[0].json()["message"] == "Unauthorized: the name or the password is wrong"
    assert served.post("/login", json=unknown).status_code == 429


def test_guesses_sent_at_once_are_no_more_than_others(served):
    served.post("/api/v1/setup", json=ANN)

    def guess(number):
        return served.post("/login", json={**ANN, "password": f"Wrong{number}pass"}).status_code

    with ThreadPoolExecutor(24) as threads:
        answers = Counter(threads.map(guess, range(24)))
    assert set(answers) == {401, 429}
    assert answers[401] <= GUESSES + 2, "as many as are looked at at once may be over"


def test_an_open_server_has_no_account_for_tokens(served):
    assert served.post(TOKENS, json={"name": "ci"}).status_code == 409


def test_what_is_kept_opens_nothing(ann, tmp_path):
    made, session = token(ann), ann.cookies[COOKIE]
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("casemate.db*"))
    assert ANN["username"].encode() in kept
    for secret in (made["fullToken"], session, ANN["password"]):
        assert secret.encode() not in kept


def test_webhooks_are_open_to_whoever_knows_their_key(ann):
    stranger(ann)
    assert ann.post("/api/v1/main/executions/company.team/hello").status_code == 401
    # No orchestrator is behind this server: what counts is that strangers get as far as the key.
    assert ann.post("/api/v1/main/executions/webhook/company.team/hello/key").status_code != 401
