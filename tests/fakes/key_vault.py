"""Azure Key Vault (secrets) and Microsoft Entra's token endpoint on the wire, over TLS on loopback.

What it copies, and where that is documented (learn.microsoft.com, "Azure Key Vault REST API reference" and
"Microsoft identity platform"):

- a request without a token is answered 401 with `WWW-Authenticate: Bearer authorization="…/TENANT", resource="…"`
  ("Authentication, requests and responses"); the body of such a request is not read as meant
- tokens by `grant_type=client_credentials` with id and secret or id and assertion, `invalid_client` with 401 otherwise;
  the tenant's OpenID configuration, which the client asks for first ("OAuth 2.0 client credentials flow")
- Set Secret makes a new version with the value and the tags of this request; names are `[0-9A-Za-z-]{1,127}` and do not
  tell upper from lower case; values have at most 25,000 characters; at most 15 tags of 512 and 256 characters
- Get Secret (latest version), Get Secrets in pages of 25 with `nextLink` and without values, Update Secret
- soft delete: Delete Secret moves a secret to the deleted ones; Get Deleted Secret, Purge, Recover; Set Secret of a
  deleted name is answered 409 (`ObjectIsDeletedButRecoverable`); with purge protection Purge is answered 403
- errors as `{"error": {"code": …, "message": …}}`; a disabled secret cannot be read: 403
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import ssl
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.authority import Authority

TENANT, CLIENT, SECRET = "11111111-2222-3333-4444-555555555555", "the-orchestrator", "secret-of-the-orchestrator"
ASSERTION = "token-of-the-pod"
TOKEN = "token-of-the-orchestrator"
_PAGE = 25


@dataclass
class KeyVaultFake:
    """A vault. `challenge_tenant` is whom it sends to for a token; `kept` and `deleted` are by name."""

    host: str = ""
    authority_file: str = ""
    certificate: tuple[str, str] = ("", "")
    challenge_tenant: str = TENANT
    protected: bool = False
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def called(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        """The answer to a request that has a token: status and body."""
        with self.lock:
            match [method, *path.strip("/").split("/")]:
                case ["GET", "secrets"]:
                    return self._page(int(query.get("$skiptoken", "0")))
                case ["PUT", "secrets", name]:
                    return self._set(name, body)
                case ["GET", "secrets", name]:
                    return self._get(name)
                case ["PATCH", "secrets", name]:
                    return self._update(name, body)
                case ["DELETE", "secrets", name]:
                    return self._delete(name)
                case [("GET" | "DELETE" | "POST"), "deletedsecrets", name, *_]:
                    return self._deleted(method, name)
        return _error(404, "NotFound")

    def _page(self, begin: int) -> tuple[int, Any]:
        all_of_them = sorted(self.kept)
        page = [{name: value for name, value in self.kept[one].items() if name != "value"} for one in all_of_them]
        more = begin + _PAGE < len(page)
        link = f"https://{self.host}/secrets?api-version=7.4&$skiptoken={begin + _PAGE}" if more else None
        return 200, {"value": page[begin : begin + _PAGE], "nextLink": link}

    def _set(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        tags = body.get("tags") or {}
        if not re.fullmatch(r"[0-9A-Za-z-]{1,127}", name) or not body.get("value") or len(body["value"]) > 25_000:
            return _error(400, "BadParameter")
        if len(tags) > 15 or any(len(tag) > 512 or len(text) > 256 for tag, text in tags.items()):
            return _error(400, "BadParameter")
        if name.lower() in self.deleted:
            return _error(409, "Conflict", "ObjectIsDeletedButRecoverable")
        identity = f"https://{self.host}/secrets/{name}"
        bundle = {"id": identity, "value": body["value"], "tags": tags, "attributes": {"enabled": True}}
        self.kept[name.lower()] = bundle
        return 200, bundle

    def _get(self, name: str) -> tuple[int, Any]:
        found = self.kept.get(name.lower())
        if found is None:
            return _error(404, "SecretNotFound")
        return (200, found) if found["attributes"]["enabled"] else _error(403, "Forbidden", "SecretDisabled")

    def _update(self, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        found = self.kept.get(name.lower())
        if found is None:
            return _error(404, "SecretNotFound")
        found["tags"] = body.get("tags", found["tags"])
        return 200, {key: value for key, value in found.items() if key != "value"}

    def _delete(self, name: str) -> tuple[int, Any]:
        found = self.kept.pop(name.lower(), None)
        if found is None:
            return _error(404, "SecretNotFound")
        self.deleted[name.lower()] = found
        return 200, {**found, "recoveryId": f"https://{self.host}/deletedsecrets/{name}"}

    def _deleted(self, method: str, name: str) -> tuple[int, Any]:
        found = self.deleted.get(name.lower())
        if found is None:
            return _error(404, "SecretNotFound")
        if method == "GET":
            return 200, {**found, "recoveryId": f"https://{self.host}/deletedsecrets/{name}"}
        if method == "DELETE" and self.protected:
            return _error(403, "Forbidden", "PurgeProtection")
        del self.deleted[name.lower()]
        if method == "POST":
            self.kept[name.lower()] = found
        return (200, found) if method == "POST" else (204, None)


@contextlib.contextmanager
def key_vault() -> Iterator[KeyVaultFake]:
    """A vault for as long as the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority.made(Path(folder))
        certificate, key = authority.issued("vault", "127.0.0.1")
        vault = KeyVaultFake(authority_file=str(authority.certificate), certificate=(str(certificate), str(key)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with _Server(("127.0.0.1", 0), _answering(vault)) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            vault.host = f"127.0.0.1:{server.server_address[1]}"
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield vault
            server.shutdown()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that go are no errors."""


def _answering(vault: KeyVaultFake) -> type[http.server.BaseHTTPRequestHandler]:
    class Answering(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece

        def answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path.endswith("/openid-configuration"):
                self.say(200, _directory(vault.host, url.path.split("/")[1]))
            elif url.path.endswith("/oauth2/v2.0/token"):
                self.say(*_token(vault, url.path.split("/")[1], parse_qs(body.decode())))
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                where = f'authorization="https://{vault.host}/{vault.challenge_tenant}"'
                # A vault's resource is the domain above its own.
                resource = f'resource="https://{vault.host.partition(".")[2]}"'
                self.say(*_error(401, "Unauthorized"), f"Bearer {where}, {resource}")
            else:
                self.say(*vault.called(self.command, url.path, query, json.loads(body or b"{}")))

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

        def say(self, status: int, told: Any, challenge: str = "") -> None:
            body = b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Answering


def _directory(host: str, tenant: str) -> dict[str, str]:
    place = f"https://{host}/{tenant}"
    return {
        "issuer": f"{place}/v2.0",
        "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
        "token_endpoint": f"{place}/oauth2/v2.0/token",
    }


def _token(vault: KeyVaultFake, tenant: str, form: dict[str, list[str]]) -> tuple[int, Any]:
    said = (form.get("grant_type"), form.get("client_id"))
    shown = (form.get("client_secret"), form.get("client_assertion"))
    known = shown in (([SECRET], None), (None, [ASSERTION]))
    if said != (["client_credentials"], [CLIENT]) or not known or tenant != vault.challenge_tenant:
        return 401, {"error": "invalid_client", "error_description": f"AADSTS7000215: {form.get('client_secret')}"}
    vault.tokens += 1
    return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN}


def _error(status: int, code: str, inner: str = "") -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": "said by the server", "innererror": {"code": inner}}}
