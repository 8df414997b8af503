"""The lists of web addresses against every way of writing what they close, on a real server (spec/isolation 10.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.website import Website, website

from casemate.inside.core_http_request import run
from casemate.inside.http_exchange import ExchangeFailed
from casemate.inside.http_filter import Filter, UriRefused

METADATA = "http://169.254.169.254"


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as server:
        yield server


def ask(
    uri: str,
    allowed: tuple[str, ...] = (),
    denied: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    method: str = "GET",
    **options: Any,
) -> int:
    told: list[dict[str, Any]] = []
    properties = {"uri": uri, "method": method, "headers": headers, "options": options}
    run({"properties": properties, "http": {"allowed": allowed, "denied": denied}}, told.append, lambda *_, **__: None)
    return int(told[-1]["outputs"]["code"])


def refused(uri: str, **lists: tuple[str, ...]) -> bool:
    try:
        Filter.of(lists).check(uri)
    except UriRefused:
        return True
    return False


@pytest.mark.parametrize(
    "spelling",
    [
        "http://169.254.169.254/latest",
        "http://169.254.169.254:80/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://169.16689662/",
        "http://169.254.169.254./",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://user:pass@169.254.169.254/",
        "http://example.com@169.254.169.254/",
        "HTTP://169.254.169.254/",
        "http://\uff11\uff16\uff19.254.169.254/",
        "http://169\u3002254\u3002169\u3002254/",
    ],
)
def test_a_number_is_denied_however_it_is_written(spelling):
    assert refused(spelling, denied=(METADATA,))
    assert not refused("http://169.254.169.253/", denied=(METADATA,))


def test_the_texts_name_the_address_and_the_key_and_no_password():
    with pytest.raises(UriRefused) as denied:
        Filter.of({"denied": (METADATA,)}).check("http://me:secret@169.254.169.254/x")
    assert str(denied.value) == (
        "The URI http://169.254.169.254/x is in the configured denied list (kestra.tasks.http.denied-list)."
    )
    with pytest.raises(UriRefused) as unlisted:
        Filter.of({"allowed": ("https://example.com",)}).check("https://example.org/")
    assert str(unlisted.value) == (
        "The URI https://example.org/ is not in the configured allowed list (kestra.tasks.http.allowed-list)."
    )


@pytest.mark.parametrize(
    ("entry", "uri", "covered"),
    [
        ("https://example.com", "https://example.com/a", True),
        ("https://example.com", "https://EXAMPLE.com:443/a", True),
        ("https://example.com", "http://example.com/a", False),
        ("https://example.com", "https://example.com:8443/a", False),
        ("https://example.com", "https://a.example.com/", False),
        ("https://*.example.com", "https://a.b.example.com/", True),
        ("https://*.example.com", "https://example.com/", False),
        ("https://*.example.com", "https://badexample.com/", False),
        ("https://example.com/v1", "https://example.com/v1", True),
        ("https://example.com/v1", "https://example.com/v1/x?y", True),
        ("https://example.com/v1/", "https://example.com/v1/x", True),
        ("https://example.com/v1", "https://example.com/v2", False),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example/", True),
    ],
)
def test_scheme_host_and_port_are_equal_and_a_path_begins_as_it_says(entry, uri, covered):
    assert refused(uri, denied=(entry,)) is covered
    assert refused(uri, allowed=(entry,)) is not covered


@pytest.mark.parametrize(
    "uri",
    [
        "https://h.example/%61dmin",
        "https://h.example/%2561dmin/x",
        "https://h.example//admin",
        "https://h.example/./admin",
        "https://h.example/x/../admin",
        "https://h.example/x/%2e%2e/admin",
        "https://h.example/x\\..\\admin",
        "https://h.example/;a=b/admin",
        "https://h.example/ADMIN",
    ],
)
def test_a_path_is_denied_however_a_server_would_read_it(uri):
    assert refused(uri, denied=("https://h.example/admin",))
    assert not refused("https://h.example/public", denied=("https://h.example/admin",))


@pytest.mark.parametrize(
    "uri", ["https://h.example/v1/../admin", "https://h.example/v1/%2e%2e/x", "https://h.example/v1x"]
)
def test_an_allowed_path_does_not_lead_out_of_itself(uri):
    assert refused(uri, allowed=("https://h.example/v1",))


def test_an_entry_may_have_escapes_and_means_what_they_mean():
    for entry in ("https://h.example/%61%20b", "https://h.example/x/../a%20b/"):
        for uri in ("https://h.example/a%20b/x", "https://h.example/%61%20b/x", "https://h.example/a b/x"):
            assert refused(uri, denied=(entry,))
    assert not refused("https://h.example/a%20b/x", allowed=("https://h.example/a%20b",))
    assert refused("https://h.example/a%20c", allowed=("https://h.example/a%20b",))


def test_what_is_denied_blocks_what_is_allowed():
    lists = {"allowed": ("https://h.example",), "denied": ("https://h.example/admin",)}
    assert refused("https://h.example/admin", **lists)
    assert not refused("https://h.example/", **lists)


def test_a_redirect_to_a_denied_address_ends_before_it_is_asked(site):
    assert ask(f"{site.url}/to?{site.url}/open") == 200
    with pytest.raises(UriRefused, match="denied list"):
        ask(f"{site.url}/to?{site.url}/closed", denied=(f"{site.url}/closed",))
    with pytest.raises(UriRefused, match="allowed list"):
        ask(f"{site.url}/to?{site.url}/elsewhere", allowed=(f"{site.url}/to",))
    assert "/closed" not in site.asked
    assert "/elsewhere" not in site.asked


def test_a_name_that_leads_to_a_denied_number_is_not_asked(site):
    port = site.port
    with pytest.raises(UriRefused, match="denied list"):
        ask(f"http://localhost:{port}/admin", denied=(f"http://127.0.0.1:{port}/admin",))
    assert site.asked == []
    assert ask(f"http://localhost:{port}/open", denied=(f"http://127.0.0.1:{port}/admin",)) == 200


def test_a_proxy_of_the_task_is_an_address_like_any_other(site):
    proxy = {"proxyType": "HTTP", "proxyAddress": "127.1", "proxyPort": site.port}
    with pytest.raises(UriRefused, match="denied list"):
        ask("http://harmless.example/", denied=(site.url,), **proxy)
    with pytest.raises(UriRefused, match="allowed list"):
        ask("http://harmless.example/", allowed=("http://harmless.example",), **proxy)
    assert site.asked == []
    assert ask("http://harmless.example/", denied=(f"http://127.0.0.1:{site.port + 1}",), **proxy) == 200


def test_a_server_that_is_named_as_a_proxy_is_no_way_to_its_denied_paths(site):
    proxy = {"proxyType": "HTTP", "proxyAddress": "127.0.0.1", "proxyPort": site.port}
    with pytest.raises(UriRefused, match="denied list"):
        ask("http://harmless.example/closed", denied=(f"{site.url}/closed",), **proxy)
    assert site.asked == []


def test_a_name_of_a_proxy_that_leads_to_a_denied_number_is_not_asked(site):
    proxy = {"proxyType": "HTTP", "proxyAddress": "localhost", "proxyPort": site.port}
    for uri in ("http://harmless.example/", "https://harmless.example/"):
        with pytest.raises(UriRefused, match="denied list"):
            ask(uri, denied=(site.url,), **proxy)
    assert site.asked == []


def test_a_host_header_asks_for_what_it_names(site):
    closed = (f"http://closed.example:{site.port}",)
    for lists in ({"denied": closed}, {"allowed": (site.url,)}):
        for header in ("closed.example", "CLOSED.example.:80"):
            with pytest.raises(UriRefused, match=r"(?i)//closed\.example"):
                ask(f"{site.url}/", headers={"HOST": header}, **lists)
    for header in ("me@closed.example", "open.example/..@closed.example", ""):
        with pytest.raises(ExchangeFailed, match="Host"):
            ask(f"{site.url}/", headers={"host": header}, denied=closed)
    assert site.asked == []
    assert ask(f"{site.url}/", headers={"host": "open.example"}, denied=closed) == 200
    assert site.hosts == ["open.example"]


def test_a_host_header_is_for_the_first_server_only(site):
    with website() as other:
        assert ask(f"{site.url}/to?{other.url}/x", headers={"Host": "first.example"}) == 200
    assert (site.hosts, other.hosts) == (["first.example"], [f"127.0.0.1:{other.port}"])


def test_a_method_is_one_word(site):
    with pytest.raises(ExchangeFailed, match="method"):
        ask(f"{site.url}/open", denied=(f"{site.url}/closed",), method="GET /closed HTTP/1.1")
    assert site.asked == []


@pytest.mark.parametrize("host", ["169%2e254.169.254", "%31%36%39.254.169.254", "a b", "a\\b", "a^b"])
def test_a_host_is_spelled_as_hosts_are(host):
    with pytest.raises(ExchangeFailed, match="Invalid URI"):
        ask(f"http://{host}/", denied=(METADATA,))
