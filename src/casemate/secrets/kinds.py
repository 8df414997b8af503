"""The kinds of backends by the name that `kestra.secret.type` gives them. What is not configured is not imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from casemate.secrets.backend import Backend
from casemate.secrets.errors import InvalidOptions, MissingExtra
from casemate.secrets.options import options
from casemate.store import Database


@dataclass(frozen=True, slots=True)
class Kind:
    """The module of a kind, with its `Options` and `opened`, and the extra that installs its official client.

    `clients` are the modules of that; a kind that is `ours` may keep its secrets in the database of the instance. What
    is `sealed` is under keys of ours.
    """

    module: str
    extra: str
    clients: tuple[str, ...] = ()
    ours: bool = False
    sealed: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "aws-secret-manager": Kind("aws_secret_manager", "aws", ("botocore",)),
    "aws-ssm-parameter-store": Kind("aws_ssm_parameter_store", "aws", ("botocore",)),
    "azure-key-vault": Kind("azure_key_vault", "azure", ("azure.identity", "azure.keyvault.secrets")),
    "elasticsearch": Kind("elasticsearch", "elasticsearch", ("elasticsearch",), sealed=True),
    "env": Kind("environment", ""),
    "google-secret-manager": Kind("google_secret_manager", "google", ("google.cloud.secretmanager_v1",)),
    "jdbc": Kind("jdbc", "", ours=True, sealed=True),
    "vault": Kind("vault", "vault", ("hvac",)),
}


_SECTION: Final = "kestra.secret"

NOT_HERE: Final = ("1password", "beyondtrust", "bitwarden", "cyberark", "delinea", "doppler")
"""Kinds that Kestra has, and we have not."""


def opened(
    kind: str, written: Mapping[str, Any], *, read_only: bool, at: str, database: Database | None = None
) -> Backend:
    """A backend of a kind with the options that stand below the key `at`.

    Raises `InvalidOptions`, and `MissingExtra` where its client is not installed. Nothing is asked of a server yet.
    """
    chosen = options_of(kind, written, at)
    found = KINDS[kind]
    further = {"database": database, "at": at} if found.ours else {}
    try:
        backend: Backend = _module(kind, at).opened(chosen, read_only=read_only, **further)
    except InvalidOptions as error:
        raise InvalidOptions(fault if at in fault else f"{at}: {fault}" for fault in error.faults) from None
    return backend


def options_of(kind: str, written: Mapping[str, Any], at: str) -> object:
    """The options of a kind in their form, from below the key `at`. Raises as `opened` does."""
    return options(_module(kind, at).Options, written, at)


def usable() -> tuple[str, ...]:
    """The kinds whose official clients are installed here, by name. None of them is imported for that."""
    return tuple(kind for kind, each in sorted(KINDS.items()) if all(map(_is_there, each.clients)))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _module(kind: str, at: str) -> Any:
    found = KINDS.get(kind)
    if found is None:
        where = f"{_SECTION}.type" if at == f"{_SECTION}.{kind}" else at
        raise InvalidOptions((f"{where}: {_unknown(kind)}",))
    try:
        return import_module(f"casemate.secrets.backends.{found.module}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("casemate"):
            raise
        raise MissingExtra(kind, found.extra) from error


def keeps_notes(kind: str, written: Mapping[str, Any]) -> bool:
    """Does a store with these options keep descriptions and tags? Version 1 of Vault's engine does not."""
    version = written.get("engine-version", written.get("engineVersion", 2))
    return kind != "vault" or str(version) != "1"


def _unknown(kind: str) -> str:
    there = f"there are {', '.join(sorted(KINDS))}"
    if kind.lower() in NOT_HERE:
        return f"Kestra's secret backend {kind.lower()} does not exist here; {there}"
    like = "".join(f"did you mean {one}? " for one in get_close_matches(kind.lower(), KINDS, 1))
    return f"no secret backend is called {kind}; {like}{there}"
