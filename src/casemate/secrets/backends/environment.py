"""Secrets of environment variables `SECRET_‹NAME›` (spec/security 2.2), read once. Every flow sees every one of them.

`SECRET_‹NAME›_FILE` names a file that holds the secret as it is, as container platforms mount them.
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

import structlog

from casemate.identifiers import Namespace, TenantId
from casemate.secret import Secret
from casemate.secrets.backend import ANYWHERE, Address, Entry, Found
from casemate.secrets.errors import ReadOnly
from casemate.secrets.options import FORM

log = structlog.get_logger()

_PREFIX: Final = "SECRET_"
_FILE: Final = "_FILE"
_LARGEST: Final = 1 << 20
"""Bytes of a file: no secret is larger, and a device has no end."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`encoding` is that of the variables' texts; `auto` takes for Base64 what decodes to printable text."""

    __pydantic_config__ = FORM
    encoding: Literal["base64", "raw", "auto"] = "base64"


def opened(options: Options, *, read_only: bool) -> EnvironmentSecrets:
    """The secrets of this process's environment; they can be changed nowhere, whatever `read_only` says."""
    secrets = EnvironmentSecrets(os.environ, options.encoding)
    log.info("secret.variables_taken", names=", ".join(secrets.names))
    return secrets


class EnvironmentSecrets:
    """The secrets of an environment. Names do not tell upper from lower case; tags and descriptions are not kept."""

    def __init__(self, environ: Mapping[str, str], encoding: str = "base64") -> None:
        self._secrets: dict[str, Secret] = {}
        self._decoded = _ENCODINGS[encoding]
        for variable, text in sorted(environ.items()):
            if variable.startswith(_PREFIX):
                self._add(variable, text)

    @property
    def names(self) -> tuple[str, ...]:
        """By which flows know them."""
        return tuple(sorted(self._secrets))

    def read(self, address: Address) -> Found | None:
        """The secret of that name, whoever asks."""
        found = self._secrets.get(address.name.upper())
        return None if found is None else Found(value=found)

    def entries(self, tenant: TenantId, namespace: Namespace | None) -> tuple[Entry, ...]:
        """All names: they belong to no namespace in particular."""
        return tuple(Entry(address=Address(tenant=tenant, namespace=ANYWHERE, name=name)) for name in self.names)

    def write(self, entry: Entry, value: Secret | None) -> NoReturn:
        """Raises `ReadOnly`."""
        raise ReadOnly(entry.address.namespace)

    def delete(self, address: Address) -> NoReturn:
        """Raises `ReadOnly`."""
        raise ReadOnly(address.namespace)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _add(self, variable: str, text: str) -> None:
        name = variable.removeprefix(_PREFIX).upper()
        secret = None
        if name.endswith(_FILE) and (content := _content(text)) is not None:
            name, secret = name.removesuffix(_FILE), content
        if name in self._secrets:
            log.error("secret.doubled", variable=variable, kept=name)
            return
        secret = self._decoded(text) if secret is None else secret
        if secret is None:
            # Nothing of the value, and nothing an error says about it: both could quote the secret.
            log.error(
                "secret.undecodable",
                message=f"Could not decode secret '{variable}', make sure it is Base64-encoded",
                remedy="or set kestra.secret.encoding: raw",
            )
            return
        self._secrets[name] = Secret(secret)


def _content(path: str) -> str | None:
    """The text of a file without its last line break; None for what is no path of a file that can be read."""
    try:
        if not path.startswith("/") or not Path(path).is_file():
            return None
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        return content.decode().removesuffix("\n").removesuffix("\r") if len(content) <= _LARGEST else None
    except (OSError, ValueError):
        return None


def _base64(text: str) -> str | None:
    try:
        return b64decode("".join(text.splitlines()), validate=True).decode()
    except ValueError:
        return None


def _either(text: str) -> str:
    decoded = _base64(text)
    printable = decoded and all(letter.isprintable() or letter in "\t\r\n" for letter in decoded)
    return decoded if decoded and printable else text


_ENCODINGS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "base64": _base64,
    "raw": lambda text: text,
    "auto": _either,
}
