"""Secrets from environment variables `SECRET_‹NAME›`, Base64 (spec/security 2.2). Every flow sees every one of them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

import structlog

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret

log = structlog.get_logger()

_PREFIX = "SECRET_"


class EnvironmentSecrets:
    """The secrets of an environment, read once. Names do not tell upper from lower case."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._secrets: dict[str, Secret] = {}
        for variable, text in sorted(environ.items()):
            if variable.startswith(_PREFIX):
                self._add(variable, text)

    def find(self, tenant: TenantId, namespace: Namespace, name: str) -> Secret | None:
        """The secret of that name, whoever asks."""
        return self._secrets.get(name.upper())

    def names(self) -> tuple[str, ...]:
        """The names of all secrets, sorted."""
        return tuple(sorted(self._secrets))

    def _add(self, variable: str, text: str) -> None:
        name = variable.removeprefix(_PREFIX).upper()
        if name in self._secrets:
            log.error("secret.doubled", variable=variable, kept=name)
            return
        decoded = _decoded(text)
        if decoded is None:
            # Nothing of the value, and nothing an error says about it: both could quote the secret.
            log.error("secret.undecodable", variable=variable, remedy="make sure it is Base64-encoded")
            return
        self._secrets[name] = Secret(decoded)


def _decoded(text: str) -> str | None:
    try:
        return b64decode("".join(text.splitlines()), validate=True).decode()
    except ValueError:
        return None
