"""`kestra.secret.type: azure-key-vault`: Azure Key Vault (spec/security 2.4). Descriptions are tags there.

What is deleted is purged as well; where that is not allowed, Azure keeps it for its days of grace, and it is brought
back when it is written again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from azure.core.credentials import TokenCredential
from azure.identity import (
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.secrets import KeyVaultSecret, SecretClient, SecretProperties

from casemate.secret import Secret
from casemate.secrets.authorities import authorities_fault
from casemate.secrets.backends.azure_wire import asked, transport
from casemate.secrets.backends.bounded import MOST_PAGES, ending
from casemate.secrets.backends.named_store import Item, NamedStore, Sought
from casemate.secrets.backends.unusable import Unusable
from casemate.secrets.errors import BackendFailed, InvalidOptions
from casemate.secrets.options import FORM, Duration, NamedChoice, SecretText
from casemate.secrets.tags import DESCRIPTION
from casemate.secrets.urls import url_fault

__all__ = ["KeyVault", "Options", "opened"]

log = structlog.get_logger()

_VAULT: Final = re.compile(r"[0-9A-Za-z-]{1,127}")
_PREFIX: Final = re.compile(r"[0-9A-Za-z-]{0,80}")
_NO_VAULT: Final = "vault-name or key-vault-uri is needed below kestra.secret.azure-key-vault"
_PUBLIC: Final = "login.microsoftonline.com"


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """`client-secret`: a service principal."""

    __pydantic_config__ = FORM
    tenant_id: str
    client_id: str
    client_secret: SecretText


@dataclass(frozen=True, kw_only=True)
class Options(NamedChoice):
    """What stands below `kestra.secret.azure-key-vault`. `ambient: true` looks for credentials as Azure's tools do."""

    vault_name: str | None = None
    key_vault_uri: str | None = None
    client_secret: ClientSecret | None = None
    managed_identity_client_id: str | None = None
    managed_identity_resource_id: str | None = None
    workload_identity_client_id: str | None = None
    ambient: bool = False
    additionally_allowed_tenants: tuple[str, ...] = ()
    authority_host: str | None = None
    ca_cert: str | None = None
    connect_timeout: Duration = timedelta(seconds=15)
    read_timeout: Duration = timedelta(minutes=1)

    def __post_init__(self) -> None:
        for fault in (_login_fault(self), _place_fault(self), authorities_fault("ca-cert", self.ca_cert)):
            if fault:
                raise ValueError(fault)

    @property
    def uri(self) -> str | None:
        """Where the vault is, if that is said; its URI wins over its name."""
        named = f"https://{self.vault_name}.vault.azure.net" if self.vault_name is not None else None
        return self.key_vault_uri or named


def opened(options: Options, *, read_only: bool) -> NamedStore | Unusable:
    """A Key Vault that nothing was asked yet. Raises `InvalidOptions`.

    The documented base of a configuration names no vault: with it the server starts, and has no secrets.
    """
    if options.uri is None:
        log.error("secret.no_vault", remedy=_NO_VAULT)
        return Unusable(_NO_VAULT)
    client = SecretClient(options.uri, _credential(options), **_pipeline(options))
    service = KeyVault(client, options.read_timeout.total_seconds())
    return NamedStore(service, options, read_only=read_only)


class KeyVault:
    """The service. What waits for its purge is not there any more, until it is written again."""

    by_name = False

    def __init__(self, client: SecretClient, patience: float) -> None:
        self._client = client
        self._patience = patience

    def value(self, name: str) -> Secret | None:
        """See `Service`."""
        found = asked(lambda: self._client.get_secret(name)) if _VAULT.fullmatch(name) else None
        if found is None:
            return None
        if found.value is None:
            raise BackendFailed("Azure keeps no text there.")
        return Secret(found.value)

    def tags(self, name: str) -> Mapping[str, str] | None:
        """See `Service`; Azure tells them with the value only."""
        found = asked(lambda: self._client.get_secret(name)) if _VAULT.fullmatch(name) else None
        return None if found is None else found.properties.tags or {}

    def items(self, sought: Sought) -> Iterator[Item]:
        """See `Service`; Azure searches for nothing, so that all of the vault is listed."""
        for found in asked(self._listed) or ():
            if found.enabled is not False and (found.name or "").startswith(sought.beginning):
                yield _item(found)

    def _listed(self) -> list[SecretProperties]:
        pages = self._client.list_properties_of_secrets().by_page()
        return [found for page in ending(pages, MOST_PAGES) for found in page]

    def create(self, item: Item, value: Secret) -> bool:
        """See `Service`; what waits for its purge is brought back first."""
        if asked(lambda: self._set(item, value), taken=True) is None:
            asked(lambda: self._client.begin_recover_deleted_secret(item.name).wait(self._patience))
            asked(lambda: self._set(item, value))
        return True

    def replace(self, item: Item, value: Secret | None, before: Mapping[str, str]) -> None:
        """See `Service`."""
        if value is None:
            asked(lambda: self._client.update_secret_properties(item.name, tags=_tags(item)))
        else:
            asked(lambda: self._set(item, value))

    def remove(self, name: str) -> None:
        """See `Service`."""
        asked(lambda: self._client.begin_delete_secret(name).wait(self._patience))
        try:
            asked(lambda: self._client.purge_deleted_secret(name))
        except BackendFailed as failure:
            # Vaults may be protected against it; then a deletion is as final as it can be.
            log.info("secret.not_purged", reason=str(failure))

    def close(self) -> None:
        """See `Service`."""
        self._client.close()

    def _set(self, item: Item, value: Secret) -> KeyVaultSecret:
        return self._client.set_secret(item.name, value.reveal(), tags=_tags(item))


def _item(found: SecretProperties) -> Item:
    tags = dict(found.tags or {})
    return Item(name=found.name or "", tags=tags, description=tags.pop(DESCRIPTION, ""))


def _tags(item: Item) -> dict[str, str]:
    return {**item.tags, **({DESCRIPTION: item.description} if item.description else {})}


def _pipeline(options: Options) -> dict[str, Any]:
    """What the client and its credential have in common: own connections, and no repetitions."""
    limits = (options.connect_timeout.total_seconds(), options.read_timeout.total_seconds())
    return {"transport": transport(*limits, options.ca_cert), "retry_total": 0, "permit_redirects": False}


def _credential(options: Options) -> TokenCredential:
    common = {
        **_pipeline(options),
        "authority": options.authority_host or _PUBLIC,
        # A login server of one's own is in no directory of Microsoft's.
        "disable_instance_discovery": options.authority_host is not None,
        "additionally_allowed_tenants": list(options.additionally_allowed_tenants),
    }
    if options.client_secret:
        one = options.client_secret
        try:
            return ClientSecretCredential(one.tenant_id, one.client_id, one.client_secret.reveal(), **common)
        except ValueError:
            raise InvalidOptions(("client-secret needs the ids of a tenant and of a client of Azure",)) from None
    if options.workload_identity_client_id:
        try:
            return WorkloadIdentityCredential(client_id=options.workload_identity_client_id, **common)
        except ValueError:
            raise InvalidOptions(
                ("workload-identity-client-id needs AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE in the environment",)
            ) from None
    if options.ambient:
        return DefaultAzureCredential(**common)
    if options.managed_identity_client_id:
        return ManagedIdentityCredential(client_id=options.managed_identity_client_id, **_pipeline(options))
    resource = {"resource_id": options.managed_identity_resource_id or ""}
    return ManagedIdentityCredential(identity_config=resource, **_pipeline(options))


def _login_fault(options: Options) -> str | None:
    ways = {
        "client-secret": options.client_secret,
        "managed-identity-client-id": options.managed_identity_client_id,
        "managed-identity-resource-id": options.managed_identity_resource_id,
        "workload-identity-client-id": options.workload_identity_client_id,
        "ambient: true": options.ambient,
    }
    given = [name for name, way in ways.items() if way]
    if len(given) != 1:
        return f"exactly one of {', '.join(ways)} is needed, and there is {' and '.join(given) or 'none'}"
    if given[0].startswith("managed") and (options.additionally_allowed_tenants or options.authority_host):
        return "additionally-allowed-tenants and authority-host have no effect on managed identities"
    return None


def _place_fault(options: Options) -> str | None:
    if options.vault_name is not None and not _VAULT.fullmatch(options.vault_name):
        return "vault-name is of letters, digits and hyphens"
    uri = options.uri
    if uri and (not uri.startswith("https://") or url_fault("key-vault-uri", uri, allow_insecure=False)):
        return "key-vault-uri is no URL such as https://name.vault.azure.net"
    if options.authority_host is not None and not re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", options.authority_host):
        return "authority-host is no host such as login.microsoftonline.us"
    return None if _PREFIX.fullmatch(options.prefix) else "prefix is of letters, digits and hyphens, 80 at most"
