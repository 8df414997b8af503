import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from casemate.api.guards import HEADERS, Guarded


async def answer(_request):
    return PlainTextResponse("here")


def client(*, any_host=False, url="https://kestra.example.org"):
    guards = [Middleware(Guarded, url=url, any_host=any_host)]
    routes = [Route("/", answer, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=guards), base_url="http://localhost:8080")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "127.3.2.1:80", "[::1]:8080", "kestra.example.org"])
def test_this_machine_and_the_configured_name_are_served(host):
    assert client().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[", "127.0.0.1.nip.io"])
def test_a_foreign_name_that_resolves_to_this_machine_is_refused(host):
    answer = client().get("/", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("Forbidden: this server is not")


def test_with_credentials_any_name_is_served():
    assert client(any_host=True).get("/", headers={"host": "kestra.internal"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9999", "http://localhost"])
def test_another_origin_may_not_change_anything(origin):
    assert client().post("/", headers={"origin": origin}).status_code == 403
    assert client().get("/", headers={"origin": origin}).status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:8080", "https://kestra.example.org"])
def test_our_own_pages_may(origin):
    assert client().post("/", headers={"origin": origin}).status_code == 200


def test_a_browser_that_says_it_comes_from_another_site_may_not_change_anything():
    assert client().post("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client().post("/", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_programs_send_no_origin_and_may():
    assert client().post("/").status_code == 200


def test_every_answer_carries_the_headers_and_none_allows_other_sites_to_read():
    for answer in (client().get("/"), client().get("/nowhere"), client().get("/", headers={"host": "evil.example"})):
        assert HEADERS.items() <= dict(answer.headers).items()
        assert not [name for name in answer.headers if name.startswith("access-control")]
