"""`kestra.secret.type: google-secret-manager`: Google Secret Manager (spec/security 2.4).

Labels take small letters, digits, hyphens and underscores only, and no namespace that has a dot. So all tags are kept
as annotations, and those that can be are labels as well; where both say something, the annotation counts. Descriptions
are annotations. Older versions of a secret stay until it is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from google.cloud.secretmanager_v1 import Replication, SecretManagerServiceClient, SecretPayload
from google.cloud.secretmanager_v1 import Secret as Kept

from casemate.secret import Secret
from casemate.secrets.authorities import authorities_fault
from casemate.secrets.backends.bounded import MOST_PAGES, ending
from casemate.secrets.backends.google_wire import Line, account_fault, asked, connected
from casemate.secrets.backends.named_store import Item, NamedStore, Sought
from casemate.secrets.backends.unusable import Unusable
from casemate.secrets.errors import BackendFailed
from casemate.secrets.options import Duration, NamedChoice, SecretText
from casemate.secrets.tags import DESCRIPTION

__all__ = ["Options", "SecretManager", "opened"]

log = structlog.get_logger()

_EXAMPLE: Final = "<service-account JSON>"
_NO_ACCOUNT: Final = "service-account is needed below kestra.secret.google-secret-manager: the JSON text of its key"
_PROJECT: Final = re.compile(r"[a-z0-9.:-]{1,100}")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ENDPOINT: Final = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")
_LABEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABELLED: Final = re.compile(r"[a-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Options(NamedChoice):
    """What stands below `kestra.secret.google-secret-manager`. `ambient: true` looks for credentials as Google's own
    tools do.
    """

    project: str
    service_account: SecretText | None = None
    ambient: bool = False
    endpoint: str = "secretmanager.googleapis.com"
    ca_cert: str | None = None
    prefix: str = "kestra"
    read_timeout: Duration = timedelta(minutes=1)

    def __post_init__(self) -> None:
        if bool(self.service_account) == self.ambient:
            raise ValueError("exactly one of service-account and ambient: true is needed")
        for key, form, written in (
            ("project", _PROJECT, self.project),
            ("prefix", _PREFIX, self.prefix),
            ("endpoint", _ENDPOINT, self.endpoint),
        ):
            if not form.fullmatch(written):
                raise ValueError(f"{key} has characters that it cannot have")
        account = None if self.is_example else self.service_account
        for fault in (authorities_fault("ca-cert", self.ca_cert), account_fault(account)):
            if fault:
                raise ValueError(fault)

    @property
    def is_example(self) -> bool:
        """Is the account's key what the documentation has in its place?"""
        return self.service_account is not None and self.service_account.reveal().strip() == _EXAMPLE


def opened(options: Options, *, read_only: bool) -> NamedStore | Unusable:
    """A Secret Manager that nothing was asked yet. Raises `InvalidOptions`.

    With the documented example of a configuration the server starts, and has no secrets.
    """
    if options.is_example:
        log.error("secret.no_account", remedy=_NO_ACCOUNT)
        return Unusable(_NO_ACCOUNT)
    line = Line(endpoint=options.endpoint, service_account=options.service_account, authority=options.ca_cert)
    service = SecretManager(connected(line), options.project, options.read_timeout.total_seconds())
    return NamedStore(service, options, read_only=read_only)


class SecretManager:
    """The service."""

    by_name = False

    def __init__(self, client: SecretManagerServiceClient, project: str, patience: float) -> None:
        self._client = client
        self._project = f"projects/{project}"
        # A deadline for each call as a whole, and no repetitions.
        self._once: dict[str, Any] = {"timeout": patience, "retry": None}

    def value(self, name: str) -> Secret | None:
        """See `Service`: the latest version."""
        if not _ID.fullmatch(name):
            return None
        latest = f"{self._path(name)}/versions/latest"
        found = asked(lambda: self._client.access_secret_version(name=latest, **self._once))
        try:
            return None if found is None else Secret(found.payload.data.decode())
        except UnicodeDecodeError:
            raise BackendFailed("Google keeps bytes there, and a secret is a text.") from None

    def tags(self, name: str) -> Mapping[str, str] | None:
        """See `Service`."""
        if not _ID.fullmatch(name):
            return None
        found = asked(lambda: self._client.get_secret(name=self._path(name), **self._once))
        return None if found is None else _tags(found)

    def items(self, sought: Sought) -> Iterator[Item]:
        """See `Service`; all of the project's secrets are listed, page after page."""
        for kept in asked(self._listed) or ():
            tags = _tags(kept)
            name = kept.name.rpartition("/")[2]
            if name.startswith(sought.beginning):
                yield Item(name=name, description=tags.pop(DESCRIPTION, ""), tags=tags)

    def _listed(self) -> list[Kept]:
        pages = self._client.list_secrets(parent=self._project, **self._once).pages
        return [kept for page in ending(pages, MOST_PAGES) for kept in page.secrets]

    def create(self, item: Item, value: Secret) -> bool:
        """See `Service`."""
        kept = Kept(replication=Replication(automatic=Replication.Automatic()), **_said(item))
        made = asked(
            lambda: self._client.create_secret(parent=self._project, secret_id=item.name, secret=kept, **self._once),
            taken=True,
        )
        if made is not None:
            self._add(item.name, value)
        return made is not None

    def replace(self, item: Item, value: Secret | None, before: Mapping[str, str]) -> None:
        """See `Service`."""
        changed = {"secret": Kept(name=self._path(item.name), **_said(item))}
        mask = {"paths": ["labels", "annotations"]}
        asked(lambda: self._client.update_secret(**changed, update_mask=mask, **self._once))
        if value is not None:
            self._add(item.name, value)

    def remove(self, name: str) -> None:
        """See `Service`."""
        asked(lambda: self._client.delete_secret(name=self._path(name), **self._once))

    def close(self) -> None:
        """See `Service`."""
        self._client.transport.close()

    def _path(self, name: str) -> str:
        return f"{self._project}/secrets/{name}"

    def _add(self, name: str, value: Secret) -> None:
        payload = SecretPayload(data=value.reveal().encode())
        path = self._path(name)
        if asked(lambda: self._client.add_secret_version(parent=path, payload=payload, **self._once)) is None:
            raise BackendFailed("The secret was deleted while it was written.", passing=True, of_one=True)


def _tags(kept: Kept) -> dict[str, str]:
    return {**kept.labels, **kept.annotations}


def _said(item: Item) -> dict[str, dict[str, str]]:
    tags = {**item.tags, **({DESCRIPTION: item.description} if item.description else {})}
    labels = {name: value for name, value in tags.items() if _LABEL.fullmatch(name) and _LABELLED.fullmatch(value)}
    return {"labels": labels, "annotations": tags}
