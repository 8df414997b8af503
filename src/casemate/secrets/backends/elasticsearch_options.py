"""The options of Elasticsearch: the sealing secret, and how to reach the cluster (spec/security 2.4).

Below `kestra.secret.elasticsearch` stands the secret; the connection is that of `kestra.elasticsearch.client`, unless a
`client` stands beside the secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from ssl import SSLError, create_default_context
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from casemate.secrets.options import FORM, Duration, SecretText
from casemate.secrets.sealed_options import SealedChoice
from casemate.secrets.urls import url_fault

_PREFIX: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}", re.ASCII)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class BasicAuth:
    """`client.basic-auth`."""

    __pydantic_config__ = FORM
    username: str
    password: SecretText


def _listed(written: object) -> object:
    return written.split(",") if isinstance(written, str) else written


@dataclass(frozen=True, kw_only=True)
class Client:
    """`client`: the cluster. With `ca-cert`, a file in PEM form, no other authority is trusted."""

    __pydantic_config__ = FORM
    http_hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)]
    basic_auth: BasicAuth | None = None
    ca_cert: str | None = None
    trust_all_ssl: bool = False
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        if self.trust_all_ssl:
            raise ValueError("trust-all-ssl: true would show secrets to whoever answers; give ca-cert instead")
        if not self.hosts:
            raise ValueError("http-hosts is needed")
        for host in self.hosts:
            if fault := url_fault("http-hosts", host, allow_insecure=self.allow_insecure):
                raise ValueError(fault)
        self._check_authority()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses of the nodes, each with its port."""
        return tuple(_with_port(host.strip()) for host in self.http_hosts if host.strip())

    def _check_authority(self) -> None:
        if not self.ca_cert:
            return
        if not all(host.startswith("https://") for host in self.hosts):
            raise ValueError("ca-cert has no effect with an address that begins with http://")
        try:
            create_default_context(cadata=Path(self.ca_cert).read_text())
        except (OSError, SSLError, ValueError):
            raise ValueError("ca-cert is no readable file in PEM form") from None


@dataclass(frozen=True, kw_only=True)
class Options(SealedChoice):
    """What stands below `kestra.secret.elasticsearch`, with the connection from `kestra.elasticsearch`."""

    client: Client | None = None
    indice_prefix: str = "kestra"
    read_timeout: Duration = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if self.client is None:
            raise ValueError("kestra.elasticsearch.client.http-hosts is needed")
        if not _PREFIX.fullmatch(self.indice_prefix):
            raise ValueError("indice-prefix is of small letters, digits and _ . -")

    @property
    def index(self) -> str:
        """The index of the secrets. Kestra's own is called otherwise, and is never touched."""
        return f"{self.indice_prefix.rstrip('_')}_casemate_secrets"


def _with_port(host: str) -> str:
    try:
        url = urlsplit(host)
        if url.port is None and url.hostname and url.scheme in _PORTS:
            return url._replace(netloc=f"{url.netloc}:{_PORTS[url.scheme]}").geturl()
    except ValueError:
        pass  # what is no URL is told as such
    return host
