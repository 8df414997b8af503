"""The lists of web addresses against every way of writing what they close, on a real server (spec/isolation 10.2)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from casemate.inside.core_http_request import run
from casemate.inside.http_filter import Filter, UriRefused

METADATA = "http://169.254.169.254"


class Site(BaseHTTPRequestHandler):
    """Says that it was asked, and leads on to what stands behind `/to?`."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        led = self.path.startswith("/to?")
        self.send_response(302 if led else 200)
        if led:
            self.send_header("Location", self.path.partition("?")[2])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    Site.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def ask(uri: str, allowed: tuple[str, ...] = (), denied: tuple[str, ...] = (), **options: Any) -> int:
    told: list[dict[str, Any]] = []
    properties = {"uri": uri, "options": options}
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


def test_what_is_denied_blocks_what_is_allowed():
    lists = {"allowed": ("https://h.example",), "denied": ("https://h.example/admin",)}
    assert refused("https://h.example/admin", **lists)
    assert not refused("https://h.example/", **lists)


def test_a_redirect_to_a_denied_address_ends_before_it_is_asked(site):
    assert ask(f"{site}/to?{site}/open") == 200
    with pytest.raises(UriRefused, match="denied list"):
        ask(f"{site}/to?{site}/closed", denied=(f"{site}/closed",))
    with pytest.raises(UriRefused, match="allowed list"):
        ask(f"{site}/to?{site}/elsewhere", allowed=(f"{site}/to",))
    assert "/closed" not in Site.asked
    assert "/elsewhere" not in Site.asked


def test_a_name_that_leads_to_a_denied_number_is_not_asked(site):
    port = urlsplit(site).port
    with pytest.raises(UriRefused, match="denied list"):
        ask(f"http://localhost:{port}/admin", denied=(f"http://127.0.0.1:{port}/admin",))
    assert Site.asked == []
    assert ask(f"http://localhost:{port}/open", denied=(f"http://127.0.0.1:{port}/admin",)) == 200


def test_a_proxy_of_the_task_is_an_address_like_any_other(site):
    parts = urlsplit(site)
    proxy = {"proxyType": "HTTP", "proxyAddress": "127.1", "proxyPort": parts.port}
    with pytest.raises(UriRefused, match="denied list"):
        ask("http://harmless.example/", denied=(site,), **proxy)
    with pytest.raises(UriRefused, match="allowed list"):
        ask("http://harmless.example/", allowed=("http://harmless.example",), **proxy)
    assert Site.asked == []
    assert ask("http://harmless.example/", denied=(f"http://127.0.0.1:{(parts.port or 0) + 1}",), **proxy) == 200
