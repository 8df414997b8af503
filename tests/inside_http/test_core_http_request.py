"""`core.http.Request` against a real server on loopback."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from casemate.inside import core_http_download
from casemate.inside.core_http_request import RequestFailed, run
from casemate.inside.http_exchange import ExchangeFailed


class Site(BaseHTTPRequestHandler):
    """Answers what the path says."""

    protocol_version = "HTTP/1.1"
    other = 0

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def echo(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": content.decode("latin-1"),
        }
        self.answer(200, json.dumps(seen).encode(), Content_Type="application/json")

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        match urlsplit(self.path).path:
            case "/hello":
                self.answer(200, b'{ "hello": "world" }', Content_Type="application/json", Set_Cookie="a=1")
            case "/latin":
                self.answer(200, "caf\u00e9".encode("latin-1"), Content_Type="text/plain; charset=ISO-8859-1")
            case "/gzip":
                self.answer(200, gzip.compress(b"x" * int(query["n"])), Content_Encoding="gzip")
            case "/long":
                self.answer(200, b"x" * int(query["n"]))
            case "/status":
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer(int(query["code"]))
            case "/to":
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer(int(query["code"]), Location=query["where"])
            case "/named/x.yml":
                self.answer(200, b"content", Content_Disposition=query["disposition"])
            case "/again":
                self.answer(302, Location="/again")
            case "/slow":
                threading.Event().wait(1)
                self.answer(200)
            case "/rubbish":
                self.wfile.write(b"no http at all\r\n\r\n")
                self.close_connection = True
            case _:
                self.echo()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815 - http.server looks for these names


class Quiet(ThreadingHTTPServer):
    """A server that does not tell of clients that went away."""

    def handle_error(self, *_: object) -> None:
        """Be quiet."""


def serving(certificate: str = "") -> Iterator[str]:
    with Quiet(("127.0.0.1", 0), Site) as server:
        if certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(certificate)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    yield from serving()


@pytest.fixture(scope="module")
def other_site() -> Iterator[str]:
    yield from serving()


@pytest.fixture(scope="module")
def secure_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose certificate nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(hours=1)
        )
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    yield from serving(str(file))


def messages(uri: str, files: dict[str, str] | None = None, **properties: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    job = {"properties": {"uri": uri, **properties}, "place": {}, "files": files or {}}
    run(job, told.append, lambda function, text: {"sealed": f"{function} {text}"})
    json.dumps(told)
    return told


def outputs(uri: str, **properties: Any) -> dict[str, Any]:
    return messages(uri, **properties)[-1]["outputs"]


def seen(uri: str, **properties: Any) -> dict[str, Any]:
    return json.loads(outputs(uri, **properties)["body"])


def test_an_answer_becomes_outputs_a_metric_and_a_debug_line(site):
    log, metric, result = messages(f"{site}/hello")
    assert log["log"]["level"] == "DEBUG"
    assert metric["metric"]["name"] == "response.length"
    assert (metric["metric"]["kind"], metric["metric"]["value"]) == ("counter", 20)
    found = result["outputs"]
    assert (found["uri"], found["code"], found["body"]) == (f"{site}/hello", 200, '{ "hello": "world" }')
    assert found["headers"]["content-type"] == ["application/json"]
    assert found["headers"]["set-cookie"] == ["a=1"]


def test_an_empty_body_is_nothing(site):
    assert outputs(f"{site}/status?code=204")["body"] is None
    assert outputs(f"{site}/hello", method="head")["body"] is None


def test_the_charset_of_the_answer_is_obeyed(site):
    assert outputs(f"{site}/latin")["body"] == "caf\u00e9"


@pytest.mark.parametrize(
    ("code", "reason"), [(401, "Unauthorized"), (404, "Not Found"), (500, "Internal Server Error")]
)
def test_an_error_status_fails_with_its_reason(site, code, reason):
    with pytest.raises(RequestFailed, match=f"^{reason}$"):
        messages(f"{site}/status?code={code}")
    assert outputs(f"{site}/status?code={code}", allowFailed="true")["code"] == code


def test_a_text_body_is_json_unless_said_otherwise(site):
    plain = seen(f"{site}/echo", method="POST", body="h\u00e9")
    assert plain["headers"]["content-type"] == "application/json"
    assert plain["body"].encode("latin-1").decode() == "h\u00e9"
    typed = seen(f"{site}/echo", method="POST", body="a", contentType="text/csv")
    assert typed["headers"]["content-type"] == "text/csv"
    headed = seen(f"{site}/echo", method="POST", body="a", headers={"Content-Type": "text/x"})
    assert headed["headers"]["content-type"] == "text/x"


def test_a_map_as_a_body_is_written_as_json(site):
    assert seen(f"{site}/echo", method="PUT", body={"a": [1, True]})["body"] == '{"a": [1, true]}'


def test_what_is_no_text_is_refused(site):
    with pytest.raises(ValueError, match=r"^Illegal unicode code point in request body: 55296, the Request task only"):
        messages(f"{site}/echo", method="POST", body="a\ud800")


def test_a_form_is_url_encoded(site):
    found = seen(f"{site}/echo", method="POST", formData={"a b": "c&d", "n": 1, "l": ["x", "y"], "none": None})
    assert found["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert found["body"] == "a+b=c%26d&n=1&l=x&l=y"


def test_a_form_in_parts_carries_texts_files_and_json(site, tmp_path):
    file = tmp_path / "stored"
    file.write_bytes(b"\x00content")
    form = {
        "hello": "world",
        "file": "kestra:///main/a.csv",
        "named": {"name": 'n"\r\n.txt', "content": "text"},
        "map": {"k": 1},
    }
    found = seen(
        f"{site}/echo",
        method="POST",
        contentType="multipart/form-data",
        formData=form,
        files={"kestra:///main/a.csv": str(file)},
    )
    boundary = found["headers"]["content-type"].partition("boundary=")[2]
    parts = found["body"].split(f"--{boundary}")
    assert parts[-1] == "--\r\n"
    assert 'name="hello"' in parts[1]
    assert parts[1].endswith("\r\n\r\nworld\r\n")
    assert 'name="file"; filename="a.csv"' in parts[2]
    assert parts[2].endswith("\r\n\r\n\x00content\r\n")
    assert 'filename="n%22%0D%0A.txt"' in parts[3]
    assert parts[4].endswith('\r\n\r\n{"k": 1}\r\n')


def test_a_stored_file_that_is_not_at_hand_is_told(site):
    with pytest.raises(FileNotFoundError, match="is not at hand in this task"):
        messages(f"{site}/echo", contentType="multipart/form-data", formData={"f": "kestra:///x"})


def test_credentials_come_from_options_or_the_address(site):
    options = {"basicAuthUser": "me", "basicAuthPassword": "pass"}
    assert seen(f"{site}/echo", options=options)["headers"]["authorization"] == "Basic bWU6cGFzcw=="
    log, _, result = messages(site.replace("//", "//me:pass@") + "/echo")
    assert json.loads(result["outputs"]["body"])["headers"]["authorization"] == "Basic bWU6cGFzcw=="
    assert "pass" not in log["log"]["message"]


def test_headers_are_sent_and_framing_is_ours(site):
    headers = {"X-One": 1, "Content-Length": "1", "X-No": None}
    found = seen(f"{site}/echo", method="POST", body="abc", headers=headers)
    assert found["headers"]["x-one"] == "1"
    assert "x-no" not in found["headers"]
    assert found["body"] == "abc"


@pytest.mark.parametrize("headers", [{"X-A": "b\r\nX-C: d"}, {"X-A\r\nX-C": "d"}])
def test_a_header_cannot_become_two(site, headers):
    with pytest.raises(ValueError, match="Invalid header"):
        messages(f"{site}/echo", headers=headers)


def test_an_address_is_quoted_where_needed(site):
    assert seen(f"{site}/a b/\u00e9%20?q=\u00fc x#part")["path"] == "/a%20b/%C3%A9%20?q=%C3%BC%20x"


@pytest.mark.parametrize(
    "uri", ["ftp://a/", "file:///etc/passwd", "//a/", "http://", "http://[::1", "http://a:99999/", ""]
)
def test_what_is_no_web_address_is_refused(uri):
    with pytest.raises(ExchangeFailed, match="Invalid URI"):
        messages(uri)


@pytest.mark.parametrize(
    ("code", "method", "expected"),
    [(301, "GET", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"), (308, "PUT", "PUT")],
)
def test_redirects_are_followed(site, code, method, expected):
    found = seen(f"{site}/to?code={code}&where=/echo", method=method, body="x")
    assert found["method"] == expected
    assert found["body"] == ("x" if expected == method else "")


def test_redirects_are_not_followed_when_told_so(site):
    found = outputs(f"{site}/to?code=302&where=/echo", options={"followRedirects": False})
    assert (found["code"], found["headers"]["location"]) == (302, ["/echo"])


def test_credentials_stay_with_the_server_they_were_for(site, other_site):
    headers = {"Authorization": "Bearer x", "Cookie": "c=1", "X-Mine": "kept"}
    same = seen(f"{site}/to?code=302&where=/echo", headers=headers)["headers"]
    assert (same["authorization"], same["cookie"]) == ("Bearer x", "c=1")
    other = seen(f"{site}/to?code=302&where={other_site}/echo", headers=headers)["headers"]
    assert "authorization" not in other
    assert "cookie" not in other
    assert other["x-mine"] == "kept"


def test_a_redirect_never_leaves_the_web(site):
    with pytest.raises(ExchangeFailed, match="Invalid URI"):
        messages(f"{site}/to?code=302&where=file:///etc/passwd")


def test_redirects_end(site):
    with pytest.raises(ExchangeFailed, match="redirected more than 10 times"):
        messages(f"{site}/again")


@pytest.mark.parametrize("path", ["/long?n=1001", "/gzip?n=1001", "/gzip?n=50000000"])
def test_a_body_is_never_longer_than_agreed(site, path):
    with pytest.raises(ExchangeFailed, match=r"exceeds the maximum allowed content length \[1000\]"):
        messages(f"{site}{path}", options={"maxContentLength": 1000})


def test_a_compressed_body_is_unpacked(site):
    assert outputs(f"{site}/gzip?n=1000", options={"maxContentLength": "1000"})["body"] == "x" * 1000


def test_a_server_that_does_not_answer_is_not_waited_for(site):
    with pytest.raises(ExchangeFailed, match=r"^Read Timeout$"):
        messages(f"{site}/slow", options={"readTimeout": "PT0.1S"})


def test_rubbish_is_told_as_such(site):
    with pytest.raises(ExchangeFailed, match="not HTTP"):
        messages(f"{site}/rubbish")


def test_a_proxy_is_asked_with_the_whole_address(site):
    host, _, port = site.removeprefix("http://").partition(":")
    options = {"proxyType": "HTTP", "proxyAddress": host, "proxyPort": port, "proxyUsername": "p", "proxyPassword": "q"}
    found = seen("http://somewhere.example/a?b=c", options=options)
    assert found["path"] == "http://somewhere.example/a?b=c"
    assert found["headers"]["host"] == "somewhere.example"
    assert found["headers"]["proxy-authorization"] == "Basic cDpx"
    with pytest.raises(ValueError, match="type HTTP"):
        messages(f"{site}/", options={"proxyType": "SOCKS", "proxyAddress": "a", "proxyPort": 1})


def test_a_body_is_sealed_where_that_is_wanted(site):
    said = messages(f"{site}/hello", encryptBody=True)[-1]["outputs"]
    assert said["encryptedBody"] == {"sealed": 'text.seal { "hello": "world" }'}
    assert "body" not in said


def test_a_closed_port_is_told_by_the_system():
    with pytest.raises(ConnectionRefusedError):
        messages("http://127.0.0.1:1/")


def test_an_unknown_certificate_is_refused_unless_all_are_trusted(secure_site):
    with pytest.raises(ssl.SSLCertVerificationError):
        messages(f"{secure_site}/hello")
    trusting = {"insecureTrustAllCertificates": True}
    assert outputs(f"{secure_site}/hello", sslOptions=trusting)["code"] == 200


def downloaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, uri: str, **properties: Any
) -> tuple[Any, dict[str, bytes]]:
    kept: dict[str, bytes] = {}

    def ask(function: str, paths: list[str]) -> dict[str, str]:
        assert function == "files.keep"
        kept.update({path: Path(path).read_bytes() for path in paths})
        return {path: f"kestra:///{path}" for path in paths}

    monkeypatch.chdir(folder)
    told: list[dict[str, Any]] = []
    core_http_download.run({"properties": {"uri": uri, **properties}}, told.append, ask)
    return told[-1]["outputs"], kept


def test_a_download_becomes_a_file(site, tmp_path, monkeypatch):
    said, kept = downloaded(tmp_path, monkeypatch, f"{site}/long?n=300000&name=x.csv")
    assert (said["code"], said["length"], said["uri"]) == (200, 300_000, "kestra:///download")
    assert kept == {"download": b"x" * 300_000}


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=a.csv", "a.csv"),
        ("attachment; filename=../../etc/passwd", "passwd"),
        (r"attachment; filename=..\..\b c.txt", "b%20c.txt"),
        ("attachment; filename=.bashrc", "bashrc"),
        ("attachment; filename=..", "download.yml"),
    ],
)
def test_a_download_is_named_as_the_server_says_without_leading_anywhere(
    site, tmp_path, monkeypatch, disposition, name
):
    uri = f"{site}/named/x.yml?disposition={quote(disposition)}"
    said, _ = downloaded(tmp_path, monkeypatch, uri)
    assert said["uri"] == f"kestra:///{name}"


def test_a_download_ends_where_it_was_agreed(site, tmp_path, monkeypatch):
    with pytest.raises(ExchangeFailed, match="exceeds the maximum"):
        downloaded(tmp_path, monkeypatch, f"{site}/gzip?n=100000000", options={"maxContentLength": 1000})


def test_an_empty_download_fails_unless_that_is_fine(site, tmp_path, monkeypatch):
    with pytest.raises(core_http_download.DownloadFailed, match="No response from server"):
        downloaded(tmp_path, monkeypatch, f"{site}/status?code=200")
    said, _ = downloaded(tmp_path, monkeypatch, f"{site}/status?code=200", failOnEmptyResponse=False)
    assert said["length"] == 0


def test_a_download_of_an_error_fails(site, tmp_path, monkeypatch):
    with pytest.raises(RequestFailed):
        downloaded(tmp_path, monkeypatch, f"{site}/status?code=404")
