"""Google Secret Manager on the wire: gRPC over TLS on loopback, with the message classes of the official client.

What it copies, and where that is documented (cloud.google.com/secret-manager, reference of
`google.cloud.secretmanager.v1`, and cloud.google.com/iam, "self-signed JWT"):

- a call needs a JWT that the service account signed itself: issuer and subject are its address, the audience is the
  service (`https://secretmanager.googleapis.com/`); UNAUTHENTICATED otherwise
- CreateSecret needs a replication; ids are `[A-Za-z0-9_-]{1,255}`; ALREADY_EXISTS for a name that is taken
- AddSecretVersion (at most 65,536 bytes); AccessSecretVersion of `latest`: the newest, FAILED_PRECONDITION if it is
  disabled, NOT_FOUND if there is none
- GetSecret, ListSecrets in pages with tokens, UpdateSecret of the fields of the mask, DeleteSecret
- labels: 64 at most, `[a-z][a-z0-9_-]{0,62}`, values `[a-z0-9_-]{0,63}`; annotations: keys of at most 63 characters
  that begin and end with a letter or digit, 16 KiB in all; INVALID_ARGUMENT otherwise
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.cloud import secretmanager_v1 as api
from google.protobuf.empty_pb2 import Empty

from tests.authority import Authority

PROJECT, ACCOUNT = "flows-of-the-tests", "orchestrator@flows-of-the-tests.iam.gserviceaccount.com"
_SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
_AUDIENCE = "https://secretmanager.googleapis.com/"
_PAGE = 20


class Refused(Exception):
    """A status that is answered instead of a message."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class SecretManagerFake:
    """A project. Versions are payloads; a disabled one is None."""

    key: rsa.RSAPrivateKey
    address: str = ""
    authority_file: str = ""
    kept: dict[str, api.Secret] = field(default_factory=dict)
    versions: dict[str, list[bytes | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def account(self, key: rsa.RSAPrivateKey | None = None) -> str:
        """The JSON text of a key of the service account, by default of the one that is known."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "1",
                "private_key": _pem(key or self.key),
                "client_email": ACCOUNT,
                "token_uri": "https://127.0.0.1:1/token",
            }
        )

    def create_secret(self, request: api.CreateSecretRequest) -> api.Secret:
        """CreateSecret."""
        name = f"{request.parent}/secrets/{request.secret_id}"
        if (
            not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", request.secret_id)
            or "automatic" not in request.secret.replication
        ):
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT)
        if name in self.kept:
            raise Refused(grpc.StatusCode.ALREADY_EXISTS)
        _check(request.secret)
        request.secret.name = name
        self.kept[name], self.versions[name] = request.secret, []
        return request.secret

    def add_secret_version(self, request: api.AddSecretVersionRequest) -> api.SecretVersion:
        """AddSecretVersion."""
        self._secret(request.parent)
        if len(request.payload.data) > 65_536:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT)
        self.versions[request.parent].append(request.payload.data)
        return api.SecretVersion(name=f"{request.parent}/versions/{len(self.versions[request.parent])}")

    def access_secret_version(self, request: api.AccessSecretVersionRequest) -> api.AccessSecretVersionResponse:
        """AccessSecretVersion."""
        name, _, version = request.name.partition("/versions/")
        assert version == "latest"
        self._secret(name)
        if not self.versions[name]:
            raise Refused(grpc.StatusCode.NOT_FOUND)
        newest = self.versions[name][-1]
        if newest is None:
            raise Refused(grpc.StatusCode.FAILED_PRECONDITION)
        return api.AccessSecretVersionResponse(name=request.name, payload=api.SecretPayload(data=newest))

    def get_secret(self, request: api.GetSecretRequest) -> api.Secret:
        """GetSecret."""
        return self._secret(request.name)

    def list_secrets(self, request: api.ListSecretsRequest) -> api.ListSecretsResponse:
        """ListSecrets."""
        begin = int(request.page_token or 0)
        names = sorted(name for name in self.kept if name.startswith(f"{request.parent}/"))
        token = str(begin + _PAGE) if begin + _PAGE < len(names) else ""
        page = [self.kept[name] for name in names[begin : begin + _PAGE]]
        return api.ListSecretsResponse(secrets=page, next_page_token=token)

    def update_secret(self, request: api.UpdateSecretRequest) -> api.Secret:
        """UpdateSecret."""
        kept = self._secret(request.secret.name)
        _check(request.secret)
        for path in request.update_mask.paths:
            setattr(kept, path, getattr(request.secret, path))
        return kept

    def delete_secret(self, request: api.DeleteSecretRequest) -> Empty:
        """DeleteSecret."""
        self._secret(request.name)
        del self.kept[request.name], self.versions[request.name]
        return Empty()

    def _secret(self, name: str) -> api.Secret:
        if name not in self.kept:
            raise Refused(grpc.StatusCode.NOT_FOUND)
        return self.kept[name]

    def admit(self, metadata: dict[str, str]) -> None:
        """Whether a call has a token of the account."""
        token = metadata.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, certs=_public(self.key), audience=_AUDIENCE)
        except ValueError:
            raise Refused(grpc.StatusCode.UNAUTHENTICATED) from None
        if (claims["iss"], claims["sub"]) != (ACCOUNT, ACCOUNT):
            raise Refused(grpc.StatusCode.UNAUTHENTICATED)


_CALLS = {
    "CreateSecret": ("create_secret", api.CreateSecretRequest),
    "AddSecretVersion": ("add_secret_version", api.AddSecretVersionRequest),
    "AccessSecretVersion": ("access_secret_version", api.AccessSecretVersionRequest),
    "GetSecret": ("get_secret", api.GetSecretRequest),
    "ListSecrets": ("list_secrets", api.ListSecretsRequest),
    "UpdateSecret": ("update_secret", api.UpdateSecretRequest),
    "DeleteSecret": ("delete_secret", api.DeleteSecretRequest),
}


@contextlib.contextmanager
def secret_manager() -> Iterator[SecretManagerFake]:
    """A project for as long as the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority.made(Path(folder))
        certificate, key = authority.issued("google", "127.0.0.1")
        project = SecretManagerFake(rsa.generate_private_key(65537, 2048), authority_file=str(authority.certificate))
        server = grpc.server(ThreadPoolExecutor(8))
        server.add_generic_rpc_handlers((_handler(project),))
        credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
        project.address = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
        server.start()
        yield project
        server.stop(None).wait()


def _handler(project: SecretManagerFake) -> grpc.GenericRpcHandler:
    methods = {call: _method(project, *known) for call, known in _CALLS.items()}
    return grpc.method_handlers_generic_handler(_SERVICE, methods)


def _method(project: SecretManagerFake, name: str, form: Any) -> grpc.RpcMethodHandler:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            with project.lock:
                project.admit(dict(context.invocation_metadata()))
                return getattr(project, name)(request)
        except Refused as refused:
            context.abort(refused.code, "said by the server")

    def packed(message: Any) -> bytes:
        return message.SerializeToString() if isinstance(message, Empty) else type(message).serialize(message)

    return grpc.unary_unary_rpc_method_handler(answer, form.deserialize, packed)


def _check(secret: api.Secret) -> None:
    labels = secret.labels.items()
    good = len(labels) <= 64 and all(
        re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", name) and re.fullmatch(r"[a-z0-9_-]{0,63}", value)
        for name, value in labels
    )
    form = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
    size = sum(len(name.encode()) + len(value.encode()) for name, value in secret.annotations.items())
    if not good or size >= 16_384 or not all(re.fullmatch(form, name) for name in secret.annotations):
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT)


def _pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _public(key: rsa.RSAPrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)
