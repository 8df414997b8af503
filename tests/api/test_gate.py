import base64

import pytest
from starlette.requests import Request

from casemate.api.call import NOBODY
from casemate.api.gate import OWNER, Throttled, TooOpen, Unauthorised, gate
from casemate.api.operation import PUBLIC, Operation
from casemate.secret import Secret
from casemate.settings import BasicAuth

OPEN_URLS = ("/ping", "/api/v1/main/executions/webhook/")


def credentials(username="ops@example.org", password="pass:word", realm="Kestra", open_urls=OPEN_URLS):
    return BasicAuth(username=username, password=Secret(password), realm=realm, open_urls=open_urls)


AUTH = credentials()


async def nothing(_call):
    return None


CLOSED = Operation("GET", "/api/v1/{tenant}/flows", can=("FLOW", "LIST"), audit="flow:list", run=nothing)
OPEN = Operation("GET", "/ping", can=PUBLIC, audit="instance:ping", run=nothing)


def request(path="/api/v1/main/flows", credentials=None, scheme="Basic", client="192.0.2.1", **headers):
    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    if credentials is not None:
        token = base64.b64encode(credentials.encode()).decode()
        given.append((b"authorization", f"{scheme} {token}".encode()))
    server = ("localhost", 8080)
    scope = {"type": "http", "method": "GET", "path": path, "headers": given, "query_string": b"", "server": server}
    return Request({**scope, "client": (client, 50000)})


def test_without_credentials_configured_everybody_here_is_the_owner():
    assert gate(None).admit(request(), CLOSED) is OWNER


def test_right_credentials_open_and_a_password_may_hold_colons():
    assert gate(AUTH).admit(request(credentials="ops@example.org:pass:word"), CLOSED).name == "ops@example.org"


def test_the_scheme_may_be_written_in_any_case():
    assert gate(AUTH).admit(request(credentials="ops@example.org:pass:word", scheme="bAsIc"), CLOSED)


@pytest.mark.parametrize(
    "credentials", [None, "", ":", "ops@example.org", "ops@example.org:", "ops@example.org:pass", "x:pass:word"]
)
def test_anything_else_does_not(credentials):
    with pytest.raises(Unauthorised):
        gate(AUTH).admit(request(credentials=credentials), CLOSED)


def test_credentials_that_are_not_base64_are_wrong_ones():
    with pytest.raises(Unauthorised):
        gate(AUTH).admit(request(authorization="Basic %%%"), CLOSED)


def test_public_operations_need_no_credentials():
    gate(AUTH).admit(request("/ping"), OPEN)


def test_an_unknown_path_is_not_shown_to_strangers():
    with pytest.raises(Unauthorised):
        gate(AUTH).admit(request("/api/v1/main/nowhere"), None)


@pytest.mark.parametrize(
    "path", ["/api/v1/main/executions/webhook", "/api/v1/main/executions/webhook/ns/flow/key", "/ping"]
)
def test_open_urls_open_what_lies_below_them(path):
    gate(AUTH).admit(request(path), CLOSED)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/main/executions/webhooks",
        "/api/v1/main/executions/webhook/../search",
        "/api/v1/main/executions/webhook/./ns",
        "/api/v1/main/executions/webhook/..",
        "/api/v1/main//executions/webhook/ns/flow/key",
        "//api/v1/main/executions/webhook/ns/flow/key",
        "/x/api/v1/main/executions/webhook/ns/flow/key",
        "/pinging",
        "/PING",
        "/ping;x",
        "/ping%2f",
        "/ping?",
        "/ping#",
        "/ping\\",
        "/ping ",
        "/API/v1/main/executions/webhook/ns/flow/key",
        "/api/v1/main/executions;x/webhook/ns/flow/key",
        "/api/v1/main/executions/webhook;/ns/flow/key",
        "/api/v1/main/executions/webhook?x/ns",
        "/api/v1/main/executions/webhook#x/ns",
        "/api/v1/other/executions/webhook/ns/flow/key",
        "/",
    ],
)
def test_a_path_that_only_looks_like_an_open_url_stays_closed(path):
    with pytest.raises(Unauthorised):
        gate(AUTH).admit(request(path), CLOSED)


WEBHOOK = "/api/v1/{tenant}/executions/webhook/{namespace}/{id}/{key}"
START = "/api/v1/{tenant}/executions/{namespace}/{id}"


def operation(path):
    return Operation("POST", path, can=("FLOW", "EXECUTE"), audit="flow:execute", run=nothing)


def test_a_namespace_that_is_called_like_an_open_url_stays_closed():
    keeper = gate(AUTH, (WEBHOOK, START))
    keeper.admit(request("/api/v1/main/executions/webhook/ns/flow/key"), operation(WEBHOOK))
    with pytest.raises(Unauthorised):
        keeper.admit(request("/api/v1/main/executions/webhook/flow"), operation(START))


def test_an_open_url_may_name_a_namespace():
    keeper = gate(credentials(open_urls=("/api/v1/main/executions/public",)), (WEBHOOK, START))
    keeper.admit(request("/api/v1/main/executions/public/flow"), operation(START))


def test_the_host_that_somebody_sends_is_no_part_of_the_path():
    for host in ("localhost/ping", "localhost/ping?", "localhost/ping#", "x@y/ping/"):
        with pytest.raises(Unauthorised):
            gate(AUTH).admit(request(host=host), CLOSED)


def test_who_guesses_too_often_waits_and_nobody_else_does():
    keeper = gate(AUTH)
    for number in range(10):
        with pytest.raises(Unauthorised):
            keeper.admit(request(credentials=f"ops@example.org:{number}"), CLOSED)
    with pytest.raises(Throttled) as waiting:
        keeper.admit(request(credentials="ops@example.org:pass:word"), CLOSED)
    assert 0 < waiting.value.wait <= 3
    for other in ("192.0.2.2", "127.0.0.1"):
        assert keeper.admit(request(credentials="ops@example.org:pass:word", client=other), CLOSED)


def test_who_waits_may_do_what_anybody_may():
    keeper = gate(AUTH)
    for number in range(20):
        keeper.admit(request("/ping", credentials=f"ops@example.org:{number}"), OPEN)
    assert keeper.admit(request("/ping", credentials="ops@example.org:pass:word"), OPEN) is NOBODY


def test_who_sends_no_credentials_guesses_nothing():
    keeper = gate(AUTH)
    for _ in range(50):
        with pytest.raises(Unauthorised):
            keeper.admit(request(), CLOSED)
    assert keeper.admit(request(credentials="ops@example.org:pass:word"), CLOSED)


@pytest.mark.parametrize("url", ["/", "", "/api", "/api/v1/", "//api//v1", "/api/v1/../v1/main", "/./api"])
def test_an_open_url_that_opens_the_whole_api_is_refused(url):
    with pytest.raises(TooOpen):
        gate(credentials(open_urls=(url,)))


def test_browsers_are_asked_for_credentials_except_on_the_login_page():
    assert gate(AUTH).challenge(request()) == {"www-authenticate": 'Basic realm="Kestra", charset="UTF-8"'}
    assert gate(AUTH).challenge(request(referer="http://localhost/ui/login")) == {}


def test_a_realm_cannot_break_out_of_its_quotes():
    auth = credentials(realm='a"b\r\nset-cookie: x')
    assert gate(auth).challenge(request())["www-authenticate"] == 'Basic realm="abset-cookie: x", charset="UTF-8"'
