"""A registry of one image on loopback, that wants a password, and can be out of order for a while."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass
class Registry:
    """`failures`: how many requests for the manifest are still to fail; `asked`: how often it was asked for."""

    port: int
    tree: bytes
    login: str
    failures: int = 0
    asked: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """The name of its image."""
        return f"127.0.0.1:{self.port}/tests/programs:1"

    def manifest(self) -> bytes:
        """The manifest, its blobs put in place."""
        if not self.blobs:
            rootfs = {"type": "layers", "diff_ids": [_digest(self.tree)]}
            config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
            for blob in (json.dumps(config).encode(), gzip.compress(self.tree, 1, mtime=0)):
                self.blobs[_digest(blob)] = blob
        (config_digest, config_blob), (layer_digest, layer_blob) = self.blobs.items()
        told = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config_blob), "digest": config_digest},
            "layers": [{"mediaType": _LAYER, "size": len(layer_blob), "digest": layer_digest}],
        }
        return json.dumps(told).encode()


@contextlib.contextmanager
def registry_running(tree: bytes, username: str, password: str) -> Iterator[Registry]:
    """A registry whose image has this file tree, for as long as the context lasts."""
    login = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    registry = Registry(0, tree, login)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _answering(registry))
    registry.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()


def _answering(registry: Registry) -> type[http.server.BaseHTTPRequestHandler]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != registry.login:
                self._say(401, b"{}", {"WWW-Authenticate": 'Basic realm="tests"'})
            elif "/manifests/" in self.path:
                self._manifest()
            elif self.path == "/v2/":
                self._say(200, b"{}", {})
            else:
                self._blob(self.path.rpartition("/")[2])

        do_HEAD = do_GET  # noqa: N815 - the name is the library's

        def _manifest(self) -> None:
            registry.asked += 1
            if registry.failures:
                registry.failures -= 1
                self._say(503, b"{}", {})
                return
            content = registry.manifest()
            self._say(200, content, {"Content-Type": _MANIFEST, "Docker-Content-Digest": _digest(content)})

        def _blob(self, digest: str) -> None:
            blob = registry.blobs.get(digest)
            self._say(404 if blob is None else 200, blob or b"{}", {"Docker-Content-Digest": digest})

        def _say(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            pass

    return Answer


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
