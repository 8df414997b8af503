"""`kestra.secret.type: aws-secret-manager`: AWS Secrets Manager (spec/security 2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from casemate.secret import Secret
from casemate.secrets.backends.aws_options import AwsOptions
from casemate.secrets.backends.aws_wire import Line, Refused, pairs, tag_changes, tag_list, text, understood
from casemate.secrets.backends.named_store import Item, NamedStore, Sought
from casemate.secrets.errors import BackendFailed

__all__ = ["Options", "SecretsManager", "opened"]

_ABSENT: Final = "ResourceNotFoundException"
_STATE: Final = "InvalidRequestException"
_SEARCHABLE: Final = re.compile(r"[A-Za-z0-9_@/+=.-]{1,256}", re.ASCII)
_PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Options(AwsOptions):
    """What stands below `kestra.secret.aws-secret-manager`."""


def opened(options: Options, *, read_only: bool) -> NamedStore:
    """A Secrets Manager that nothing was asked yet. Raises `InvalidOptions`."""
    return NamedStore(SecretsManager(Line("secretsmanager", options)), options, read_only=read_only)


class SecretsManager:
    """The service. What waits for its deletion is not there any more, until it is written again."""

    by_name = False

    def __init__(self, line: Line) -> None:
        self._line = line

    def value(self, name: str) -> Secret | None:
        """See `Service`."""
        try:
            answer = self._line.ask("get_secret_value", expected=(_ABSENT,), SecretId=name)
        except Refused as refusal:
            if refusal.code == _STATE and self.tags(name) is None:
                return None
            raise
        if answer is None:
            return None
        if "SecretBinary" in answer:
            raise BackendFailed("AWS keeps bytes there, and a secret is a text.")
        return Secret(understood(lambda: text(answer["SecretString"])))

    def tags(self, name: str) -> Mapping[str, str] | None:
        """See `Service`."""
        answer = self._line.ask("describe_secret", expected=(_ABSENT,), SecretId=name)
        return None if answer is None or answer.get("DeletedDate") else understood(lambda: pairs(answer.get("Tags")))

    def items(self, sought: Sought) -> Iterator[Item]:
        """See `Service`."""
        for page in self._line.pages("list_secrets", MaxResults=_PAGE, Filters=_filters(sought)):
            yield from understood(partial(_items, page))

    def create(self, item: Item, value: Secret) -> bool:
        """See `Service`; what waits for its deletion is brought back for it."""
        answer = self._line.ask(
            "create_secret",
            expected=("ResourceExistsException", _STATE),
            Name=item.name,
            SecretString=value.reveal(),
            Description=item.description,
            Tags=tag_list(item.tags),
        )
        if answer is None and self._line.ask("restore_secret", expected=(_ABSENT, _STATE), SecretId=item.name) is None:
            raise BackendFailed("AWS is still deleting the secret that was there.", passing=True, of_one=True)
        return answer is not None

    def replace(self, item: Item, value: Secret | None, before: Mapping[str, str]) -> None:
        """See `Service`."""
        written = {} if value is None else {"SecretString": value.reveal()}
        # Of an empty description it is not said whether it replaces another one.
        self._line.ask("update_secret", SecretId=item.name, Description=item.description or " ", **written)
        added, gone = tag_changes(before, item.tags)
        if added:
            self._line.ask("tag_resource", SecretId=item.name, Tags=tag_list(added))
        if gone:
            self._line.ask("untag_resource", SecretId=item.name, TagKeys=gone)

    def remove(self, name: str) -> None:
        """See `Service`; without AWS's days of grace."""
        self._line.ask("delete_secret", expected=(_ABSENT,), SecretId=name, ForceDeleteWithoutRecovery=True)

    def close(self) -> None:
        """See `Service`."""
        self._line.close()


def _filters(sought: Sought) -> list[dict[str, Any]]:
    """The service compares beginnings, and of tags either names or values; of several values one is enough."""
    filters = [{"Key": "name", "Values": [sought.beginning]}] if sought.beginning else []
    if sought.tags:
        filters.append({"Key": "tag-key", "Values": [next(iter(sought.tags))]})
    value = next(iter(sought.tags.values()), "")
    if _SEARCHABLE.fullmatch(value):
        filters.append({"Key": "tag-value", "Values": [value]})
    return filters


def _items(page: Mapping[str, Any]) -> list[Item]:
    return [
        Item(
            name=text(told["Name"]),
            tags=pairs(told.get("Tags")),
            description=text(told.get("Description") or "").strip(),
        )
        for told in page.get("SecretList") or ()
    ]
