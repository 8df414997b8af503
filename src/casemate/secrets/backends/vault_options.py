"""The options of Vault: which there are, and what of them cannot be together (spec/security 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ssl import SSLError, create_default_context
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator

from casemate.secrets.options import FORM, Choice, Duration, SecretText
from casemate.secrets.urls import url_fault

_SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@dataclass(frozen=True, kw_only=True)
class Password:
    """`password`: userpass."""

    __pydantic_config__ = FORM
    user: str
    password: SecretText
    path: str = "userpass"


@dataclass(frozen=True, kw_only=True)
class Token:
    """`token`."""

    __pydantic_config__ = FORM
    token: SecretText


@dataclass(frozen=True, kw_only=True)
class AppRole:
    """`app-role`; roles without `bind_secret_id` have no secret id."""

    __pydantic_config__ = FORM
    role_id: SecretText
    secret_id: SecretText | None = None
    path: str = "approle"


@dataclass(frozen=True, kw_only=True)
class Kubernetes:
    """`kubernetes`: the pod's service account. `role` may stand one level up (spec/security 2.4)."""

    __pydantic_config__ = FORM
    role: str | None = None
    path: str = "kubernetes"
    token_file: str = _SERVICE_ACCOUNT


@dataclass(frozen=True, kw_only=True)
class Tls:
    """`tls`: files in PEM form. With `ca-cert` no other authority is trusted."""

    __pydantic_config__ = FORM
    ca_cert: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify: bool = True
    server_name: str | None = None

    def __post_init__(self) -> None:
        if self.client_key and not self.client_cert:
            raise ValueError("client-key without client-cert")
        if not self.verify and (self.ca_cert or self.server_name):
            raise ValueError("with verify: false, ca-cert and server-name have no effect")
        self._check_files()

    def _check_files(self) -> None:
        if not (self.ca_cert or self.client_cert):
            return
        context = create_default_context()
        try:
            if self.ca_cert:
                context.load_verify_locations(self.ca_cert)
            if self.client_cert:
                context.load_cert_chain(self.client_cert, self.client_key, password="")
        except (OSError, SSLError, ValueError):
            raise ValueError("ca-cert, client-cert or client-key is no readable file in PEM form") from None

    @property
    def trusted(self) -> bool | str:
        """Whom to trust: the file of authorities, the usual ones, or anybody."""
        return self.verify and (self.ca_cert or True)

    @property
    def certificate(self) -> tuple[str, str] | None:
        """Our own certificate and its key, which may be in one file."""
        return (self.client_cert, self.client_key or self.client_cert) if self.client_cert else None


def _version(written: object) -> object:
    """Placeholders of a configuration give texts."""
    return int(written) if written in ("1", "2") else written


@dataclass(frozen=True, kw_only=True)
class Options(Choice):
    """What stands below `kestra.secret.vault` (spec/security 2.4)."""

    address: str
    password: Password | None = None
    token: Token | None = None
    app_role: AppRole | None = None
    kubernetes: Kubernetes | None = None
    role: str | None = None
    namespace: str | None = None
    engine_version: Annotated[Literal[1, 2], BeforeValidator(_version)] = 2
    root_engine: str = "secret"
    prefix: str = ""
    secret_path_prefix: str = ""
    read_only: bool = False
    connect_timeout: Duration = timedelta(seconds=15)
    read_timeout: Duration = timedelta(minutes=1)
    tls: Tls = Tls()
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        for fault in (_login_fault(self), _address_fault(self), _path_fault(self), _tags_fault(self)):
            if fault:
                raise ValueError(fault)


def segments(path: str) -> tuple[str, ...]:
    """The parts of a path, whether or not it begins or ends with a slash."""
    return tuple(part for part in path.split("/") if part)


def is_segment(part: str) -> bool:
    """Whether a name can stand between two slashes, and leads nowhere else."""
    # A slash or a dot segment would lead out of the tenant's folder.
    return bool(part) and "/" not in part and part not in (".", "..") and part.isprintable()


def _login_fault(options: Options) -> str | None:
    ways = {
        "password": options.password,
        "token": options.token,
        "app-role": options.app_role,
        "kubernetes": options.kubernetes,
    }
    given = [name for name, way in ways.items() if way]
    if len(given) != 1:
        return f"exactly one of {', '.join(ways)} is needed, and there is {' and '.join(given) or 'none'}"
    if options.kubernetes:
        roles = [role for role in (options.role, options.kubernetes.role) if role]
        return None if len(roles) == 1 else "kubernetes needs exactly one role"
    return "role is of kubernetes only" if options.role else None


def _address_fault(options: Options) -> str | None:
    if fault := url_fault("address", options.address, allow_insecure=options.allow_insecure):
        return fault
    if options.address.startswith("http:") and options.tls != Tls():
        return "tls has no effect with an address that begins with http://"
    if options.namespace is not None and not all(map(is_segment, options.namespace.strip("/").split("/"))):
        return "namespace is no path of a namespace of Vault; without namespace it is the root"
    return None


def _path_fault(options: Options) -> str | None:
    for key, path in (("prefix", options.prefix), ("secret-path-prefix", options.secret_path_prefix)):
        if not all(map(is_segment, segments(path))):
            return f"{key} is no path"
    parts = segments(options.root_engine)
    return None if parts and all(map(is_segment, parts)) else "root-engine is no path"


def _tags_fault(options: Options) -> str | None:
    if options.engine_version == 1 and (options.tags or options.filter_on_tags or options.excluded_tags):
        return "engine-version 1 keeps no tags: tags, filter-on-tags and excluded-tags need version 2"
    return None
