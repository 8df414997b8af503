"""As much of Elasticsearch as its official client needs to keep documents, on loopback, in memory.

What it copies (Elasticsearch 8, REST APIs "Create index", "Exists", "Index", "Get", "Update", "Delete", "Search"):
- every answer has the header `X-Elastic-Product`, without which the client refuses it, and the media type asked for;
- with a login, other credentials are answered 401;
- an index is made once (400 the second time), with a strict mapping: unknown fields are refused (400);
- a document that is not there is answered 404, as are documents and searches of an index that is not there;
- updates mix `doc` into the document, lists replacing lists;
- every change has a number of its own; an update with another `if_seq_no` than its document's is refused (409);
- searches know `bool.filter` of `term`s on keywords and `match_all`, `sort` by fields, `size`, `search_after`,
  `seq_no_primary_term` and `_source.excludes`.

Not copied: refreshes (what is written is found at once), everything else.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Refused(Exception):
    """A status and the type of an error."""

    def __init__(self, status: int, kind: str) -> None:
        self.status, self.kind = status, kind


@dataclass
class Index:
    """An index: the names of its fields, and its documents by their ids."""

    fields: frozenset[str]
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    changes: Iterator[int] = field(default_factory=itertools.count)

    def put(self, identifier: str, document: dict[str, Any]) -> None:
        if not document.keys() <= self.fields:
            raise Refused(400, "strict_dynamic_mapping_exception")
        self.documents[identifier] = document
        self.numbers[identifier] = next(self.changes)

    def version(self, identifier: str) -> dict[str, int]:
        return {"_seq_no": self.numbers.get(identifier, 0), "_primary_term": 1}

    def found(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        filters = asked["query"].get("bool", {"filter": []})["filter"]
        terms = {name: value for one in filters for name, value in one["term"].items()}
        ordered = sorted(self.documents.items(), key=lambda item: _keys(item[1], asked))
        hits = [item for item in ordered if all(item[1].get(name) == value for name, value in terms.items())]
        after = asked.get("search_after")
        for identifier, document in [hit for hit in hits if not after or _keys(hit[1], asked) > after][: asked["size"]]:
            hidden = asked.get("_source", {}).get("excludes", ())
            shown = {name: value for name, value in document.items() if name not in hidden}
            version = self.version(identifier) if asked.get("seq_no_primary_term") else {}
            yield {"_id": identifier, "_source": shown, "sort": _keys(document, asked), **version}


def _keys(document: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    return [document.get(name) or "" for name in asked["sort"]]


class Fake:
    """A cluster of one node."""

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        self.other = 0
        self.indices: dict[str, Index] = {}
        self.lock = threading.Lock()
        self.expected = f"Basic {b64encode(':'.join(login).encode()).decode()}" if login else None

    def answer(self, method: str, path: str, said: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a request is answered, with what it says behind its path; raises `Refused`."""
        name, *words = [unquote(part) for part in path.strip("/").split("/")]
        with self.lock:
            match method, words:
                case "PUT", []:
                    return self._make(name, body)
                case "HEAD", []:
                    self._index(name)
                    return {}
                case "POST", ["_search"]:
                    return {"hits": {"hits": list(self._index(name).found(body))}}
                case "PUT", ["_doc", identifier]:
                    self._index(name).put(identifier, body)
                    return {"result": "created"}
                case "POST", ["_update", identifier]:
                    self._check_version(name, identifier, parse_qs(said))
                    self._index(name).put(identifier, {**self._document(name, identifier), **body["doc"]})
                    return {"result": "updated"}
                case "GET", ["_doc", identifier]:
                    document = self._document(name, identifier)
                    version = self._index(name).version(identifier)
                    return {"_id": identifier, "found": True, "_source": document, **version}
                case "DELETE", ["_doc", identifier]:
                    self._document(name, identifier)
                    del self._index(name).documents[identifier]
                    return {"result": "deleted"}
        raise Refused(400, "not_copied")

    def _check_version(self, name: str, identifier: str, said: dict[str, list[str]]) -> None:
        wanted = said.get("if_seq_no")
        if wanted and wanted != [str(self._index(name).version(identifier)["_seq_no"])]:
            raise Refused(409, "version_conflict_engine_exception")

    def _make(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if name in self.indices:
            raise Refused(400, "resource_already_exists_exception")
        self.indices[name] = Index(frozenset(body["mappings"]["properties"]))
        return {"acknowledged": True}

    def _index(self, name: str) -> Index:
        if name not in self.indices:
            raise Refused(404, "index_not_found_exception")
        return self.indices[name]

    def _document(self, name: str, identifier: str) -> dict[str, Any]:
        found = self._index(name).documents.get(identifier)
        if found is None:
            raise Refused(404, "not_found")
        return found


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: Fake

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fake.other:
            self._send(self.fake.other, b"{}")
            return
        try:
            if self.fake.expected and self.headers.get("Authorization") != self.fake.expected:
                raise Refused(401, "security_exception")
            url = urlsplit(self.path)
            status, said = 200, self.fake.answer(self.command, url.path, url.query, json.loads(content or b"{}"))
        except Refused as refused:
            status, said = refused.status, {"error": {"type": refused.kind}, "status": refused.status}
        self._send(status, json.dumps(said).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if not self.fake.other:
            self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", self.headers.get("Accept") or "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def fake_elasticsearch(
    login: tuple[str, str] | None = None, certificate: tuple[Path, Path] | None = None, other: int = 0
) -> Iterator[tuple[str, Fake]]:
    """A node for as long as the context lasts: its address, and what it keeps. By TLS if it has a certificate.

    With `other` it is another maker's server, which answers everything with that status.
    """
    fake = Fake(login)
    fake.other = other
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Requests", (_Requests,), {"fake": fake}))
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}", fake
    finally:
        server.shutdown()
        server.server_close()
