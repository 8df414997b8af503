"""The options that both stores of AWS have: who asks, where, and on whose behalf (spec/security 2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from casemate.secrets.options import Duration, NamedChoice, SecretText
from casemate.secrets.urls import url_fault

_PREFIX: Final = re.compile(r"[A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+)+", re.ASCII)
_SHORTEST_ROLE: Final = timedelta(minutes=15)
_LONGEST_ROLE: Final = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class AwsOptions(NamedChoice):
    """Credentials stand here in words; `ambient: true` looks for them as AWS's own tools do, in variables of the
    environment, files of the home directory, and the machine's metadata service.
    """

    access_key_id: SecretText | None = None
    secret_key_id: SecretText | None = None
    session_token: SecretText | None = None
    ambient: bool = False
    region: str | None = None
    prefix: str = "kestra"
    endpoint_override: str | None = None
    sts_role_arn: str | None = None
    sts_role_external_id: SecretText | None = None
    sts_role_session_name: str | None = None
    sts_role_session_duration: Duration = _SHORTEST_ROLE
    sts_endpoint_override: str | None = None
    connect_timeout: Duration = timedelta(seconds=15)
    read_timeout: Duration = timedelta(minutes=1)
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        for fault in (*_credential_faults(self), *_role_faults(self), *_place_faults(self)):
            raise ValueError(fault)


def _credential_faults(options: AwsOptions) -> Iterator[str]:
    keys = (options.access_key_id, options.secret_key_id)
    if options.ambient and any((*keys, options.session_token)):
        yield "ambient: true has no effect beside access-key-id, secret-key-id or session-token"
    elif not options.ambient and not all(keys):
        yield "access-key-id and secret-key-id are needed, or ambient: true to look for credentials as AWS's tools do"
    if not options.ambient and not options.region:
        yield "region is needed"


def _role_faults(options: AwsOptions) -> Iterator[str]:
    asked = {
        "sts-role-external-id": options.sts_role_external_id is not None,
        "sts-role-session-name": options.sts_role_session_name is not None,
        "sts-endpoint-override": options.sts_endpoint_override is not None,
        "sts-role-session-duration": options.sts_role_session_duration != _SHORTEST_ROLE,
    }
    for key, written in asked.items():
        if written and not options.sts_role_arn:
            yield f"{key} has no effect without sts-role-arn"
    if not _SHORTEST_ROLE <= options.sts_role_session_duration <= _LONGEST_ROLE:
        yield "sts-role-session-duration is between 15 minutes and 12 hours"


def _place_faults(options: AwsOptions) -> Iterator[str]:
    if not _PREFIX.fullmatch(options.prefix) or options.prefix.strip("/").lower().startswith(("aws", "ssm")):
        yield "prefix is of letters, digits and _ . - (or a path that begins with /), and not aws… or ssm…"
    for key, url in (
        ("endpoint-override", options.endpoint_override),
        ("sts-endpoint-override", options.sts_endpoint_override),
    ):
        if url is not None and (fault := url_fault(key, url, allow_insecure=options.allow_insecure)):
            yield fault
