"""`kestra.secret.type: aws-ssm-parameter-store`: AWS Systems Manager Parameter Store (spec/security 2.4).

Secrets are written as `SecureString`. Where they are only read, every parameter is one, by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from casemate.secret import Secret
from casemate.secrets.backends.aws_options import AwsOptions
from casemate.secrets.backends.aws_wire import Line, pairs, tag_changes, tag_list, text, understood
from casemate.secrets.backends.named_store import Item, NamedStore, Sought

__all__ = ["Options", "ParameterStore", "opened"]

_PARAMETER: Final = "Parameter"
_PAGE: Final = 50


@dataclass(frozen=True, kw_only=True)
class Options(AwsOptions):
    """What stands below `kestra.secret.aws-ssm-parameter-store`."""

    kms_key_id: str = "alias/aws/ssm"


def opened(options: Options, *, read_only: bool) -> NamedStore:
    """A Parameter Store that nothing was asked yet. Raises `InvalidOptions`."""
    return NamedStore(ParameterStore(Line("ssm", options), options.kms_key_id), options, read_only=read_only)


class ParameterStore:
    """The service. Tags are asked for one by one."""

    by_name = True

    def __init__(self, line: Line, kms_key_id: str) -> None:
        self._line = line
        self._key = kms_key_id

    def value(self, name: str) -> Secret | None:
        """See `Service`."""
        answer = self._line.ask("get_parameter", expected=("ParameterNotFound",), Name=name, WithDecryption=True)
        if answer is None:
            return None
        return Secret(understood(lambda: text(answer["Parameter"]["Value"])))

    def tags(self, name: str) -> Mapping[str, str] | None:
        """See `Service`."""
        answer = self._line.ask(
            "list_tags_for_resource", expected=("InvalidResourceId",), ResourceType=_PARAMETER, ResourceId=name
        )
        return None if answer is None else understood(lambda: pairs(answer.get("TagList")))

    def items(self, sought: Sought) -> Iterator[Item]:
        """See `Service`."""
        for name, description in self._described(_filters(sought)):
            # What was removed since is not there.
            if (said := self.tags(name)) is not None:
                yield Item(name=name, tags=said, description=description)

    def create(self, item: Item, value: Secret) -> bool:
        """See `Service`."""
        answer = self._line.ask(
            "put_parameter",
            expected=("ParameterAlreadyExists",),
            Tags=tag_list(item.tags),
            **self._written(item, value),
        )
        return answer is not None

    def replace(self, item: Item, value: Secret | None, before: Mapping[str, str]) -> None:
        """See `Service`. A description can only be written together with a value: it is read for that."""
        kept = self._rewritten(item) if value is None else value
        if kept is not None:
            self._line.ask("put_parameter", Overwrite=True, **self._written(item, kept))
        added, gone = tag_changes(before, item.tags)
        place = {"ResourceType": _PARAMETER, "ResourceId": item.name}
        if added:
            self._line.ask("add_tags_to_resource", Tags=tag_list(added), **place)
        if gone:
            self._line.ask("remove_tags_from_resource", TagKeys=gone, **place)

    def remove(self, name: str) -> None:
        """See `Service`."""
        self._line.ask("delete_parameter", expected=("ParameterNotFound",), Name=name)

    def close(self) -> None:
        """See `Service`."""
        self._line.close()

    def _described(self, filters: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        for page in self._line.pages("describe_parameters", MaxResults=_PAGE, ParameterFilters=filters):
            yield from understood(partial(_parameters, page))

    def _written(self, item: Item, value: Secret) -> dict[str, Any]:
        return {
            "Name": item.name,
            "Value": value.reveal(),
            "Type": "SecureString",
            "KeyId": self._key,
            "Description": item.description,
        }

    def _rewritten(self, item: Item) -> Secret | None:
        """The value to write again with a new description; None where the description stays as it is."""
        is_it = [{"Key": "Name", "Option": "Equals", "Values": [item.name]}]
        if (item.name, item.description) in self._described(is_it):
            return None
        return self.value(item.name)


def _parameters(page: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and descriptions."""
    return [(text(told["Name"]), text(told.get("Description") or "")) for told in page.get("Parameters") or ()]


def _filters(sought: Sought) -> list[dict[str, Any]]:
    begun = [{"Key": "Name", "Option": "BeginsWith", "Values": [sought.beginning]}] if sought.beginning else []
    return [*begun, *({"Key": f"tag:{name}", "Values": [value]} for name, value in sought.tags.items())]
