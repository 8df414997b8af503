"""Every operation of the table, asked for nonsense: never a crash, never a word about the inside of the server."""

from __future__ import annotations

import http.client
import json
import random
from urllib.parse import quote, quote_from_bytes, urlsplit

import pytest

from casemate.api import TABLE

from .live import live

FLOW = """id: hello
namespace: company.team
inputs: [{id: age, type: INT, required: false}]
tasks: [{id: say, type: io.kestra.plugin.core.log.Log, message: hi}]
triggers: [{id: hook, type: io.kestra.plugin.core.trigger.Webhook, key: abc}]
"""

# fmt: off
NAMES = [
    "main", "hello", "company.team", "..", "nowhere", "a/b", "{x}", "%", "?#;", "é", "",
    "\x00", "\ud800", "\u202e", "x" * 3000,
]
NUMBERS = ["0", "-1", "1", "2147483648", "1e9", "NaN", "٣", "0x10", "9" * 400, ""]
TEXTS = [*NAMES, "'; DROP TABLE flows; --", "(((((((", "[[:alpha:]]{1000}{1000}", "a:b", ":", "system.x:y", "{{ 1/0 }}"]
DATES = ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "PT1H", "P9999999999D", "x"]
FIELDS = [
    "q", "namespace", "flowId", "state", "labels", "startDate", "timeRange", "level", "__class__", "revision",
    "flowRevision", "endDate", "scope", "kind", "childFilter", "triggerId", "parentId", "expirationDate", "type",
]
WAYS = [
    "EQUALS", "IN", "NOT_IN", "PREFIX", "REGEX", "GREATER_THAN", "CONTAINS", "STARTS_WITH", "NOT_EQUALS", "x",
    "ENDS_WITH", "NOT_CONTAINS", "IS_NULL", "IS_NOT_NULL", "LESS_THAN", "GREATER_THAN_OR_EQUAL_TO",
]
PLACES = ["", "", "", "[or][0]", "[and][9][or][1]", "[or][0][or][0][or][0]", "[or]", "[or][-1]", "[and][99999]"]
SORTS = ["id:asc", "state.startDate:desc", "nothing:asc", "id:sideways", "id; DROP TABLE x:asc", ":", "id:asc" * 200]
JSON = [
    "", "null", "[]", "{}", "[1, null, {}]", '"x"', '["\\ud800"]', '[{"namespace": "\\ud800", "id": 1}]', "NaN",
    '[{"namespace": "a", "id": "b", "c": {}}]', "[" * 9000, '{"a":' * 900, "9" * 9000, "\xff\xfe", "\x00" * 9,
]
TREES = ["id: [", "id: &a [*a]", FLOW, "---\n" * 500, "{{ outputs }}", "{{ range(1, 999999999) }}", "!!x [x]"]
FORMS = [
    '--b\r\nContent-Disposition: form-data; name="age"\r\n\r\nx\r\n--b--\r\n',
    '--b\r\nContent-Disposition: form-data; name="age"; filename="../../x"\r\n\r\n\x00\r\n--b--\r\n',
    "--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--", "--b\r\n" * 100, "age=%ff&age=1&%00=2",
]
BODIES = [body.encode("latin-1") for body in (*JSON, *TREES, *FORMS)]
TYPES = [
    "application/json", "application/x-yaml", "text/plain", "multipart/form-data; boundary=b", "multipart/form-data",
    "multipart/form-data; boundary=b; charset=utf-16", "application/x-www-form-urlencoded", "text/plain; charset=none",
    "", "x" * 500, ";;;",
]
LEAKS = [
    "Traceback", "site-packages", "casemate/", "/tmp/", "SELECT ", "RecursionError", "starlette", "pydantic",
    "object at 0x",
]
# fmt: on

ROUNDS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("fuzz")) as running:
        status, _ = asked(running.url, "POST", "/api/v1/main/flows", FLOW.encode(), "application/x-yaml")
        assert status == 200
        yield running


@pytest.fixture(scope="module")
def execution(server):
    """The id of one that has ended, so that not every request ends at its first look-up."""
    status, text = asked(server.url, "POST", "/api/v1/main/executions/company.team/hello?wait=true")
    assert status == 200
    return json.loads(text)["id"]


def asked(url, verb, path, body=b"", content_type=""):
    """Status and text of an answer; streams are cut off."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        headers = {"content-type": content_type} if content_type else {}
        connection.request(verb, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(1 << 16).decode(errors="replace")
    finally:
        connection.close()


def written(text, chance):
    return (
        quote_from_bytes(b"\xff\xc0") if chance.random() < 0.05 else quote(text.encode(errors="surrogatepass"), safe="")
    )


LIKELY = {"{tenant}": "main", "{namespace}": "company.team", "{id}": "hello", "{flow_id}": "hello", "{key}": "abc"}


def path_of(row, execution, chance):
    likely, parts = {**LIKELY, "{execution_id}": execution}, []
    for part in row.path.split("/"):
        name = likely[part] if part in likely and chance.random() < 0.8 else chance.choice(NAMES)
        parts.append(written(name, chance) if part.startswith("{") else part)
    return "/".join(parts)


def query_of(row, chance):
    asks = [(name, kind) for name, kind in row.asks.items() if chance.random() < 0.5]
    pairs = []
    for name, kind in asks:
        if kind is dict:
            field, way = chance.choice(FIELDS), chance.choice(WAYS)
            key, place = chance.choice(["", "", "[k]", "[", "[][]"]), chance.choice(PLACES)
            name, values = f"filters{place}[{field}][{way}]{key}", TEXTS + NUMBERS + DATES
        else:
            values = {int: NUMBERS, bool: ["true", "no", "TRUE", "1", ""], list: SORTS + TEXTS}.get(kind, TEXTS + DATES)
        pairs.append(f"{quote(name)}={written(chance.choice(values), chance)}")
    return "&".join(pairs)


def nonsense(row, execution, chance):
    body = b"" if row.verb == "GET" else chance.choice(BODIES)
    path, query = path_of(row, execution, chance), query_of(row, chance)
    return row.verb, f"{path}?{query}" if query else path, body, chance.choice(TYPES)


def sane(status, text):
    return status < 500 or status == 501, not [leak for leak in LEAKS if leak in text]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.verb}-{row.title}")
def test_nonsense_is_refused_and_the_server_says_nothing_about_itself(row, server, execution):
    chance = random.Random(f"{row.verb} {row.path}")
    for _ in range(ROUNDS):
        request = nonsense(row, execution, chance)
        status, text = asked(server.url, *request)
        assert sane(status, text) == (True, True), f"{request}: {status} {text[:2000]}"


@pytest.mark.parametrize("path", ["/ping", "/api/v1/main/flows", "/"])
@pytest.mark.parametrize("verb", ["OPTIONS", "PATCH", "TRACE", "X"])
def test_other_verbs_are_refused(server, verb, path):
    status, text = asked(server.url, verb, path)
    assert status in (404, 405)
    assert sane(status, text) == (True, True)


def test_after_all_that_the_server_works(server):
    status, text = asked(server.url, "POST", "/api/v1/main/flows/validate", FLOW.encode(), "application/x-yaml")
    assert status == 200
    assert "constraints" not in json.loads(text)[0]
    assert asked(server.url, "GET", "/api/v1/main/executions/search")[0] == 200
