"""What secrets are called in stores that know no namespaces, and which names there are ours (spec/security 2.9)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from casemate.identifiers import MAIN, Namespace, TenantId
from casemate.secrets.backend import Address
from casemate.secrets.options import PrefixFilter

_DIGITS = 40
"""Of the hash of an address: 160 bits, which no two addresses share."""


def stored_name(prefix: str, address: Address) -> str:
    """`PREFIX-HASH`, or the hash alone: where a managed secret is. Different prefixes never meet in one store."""
    told = "\0".join((address.tenant, address.namespace, address.name))
    digits = sha256(told.encode()).hexdigest()[:_DIGITS]
    return f"{prefix}-{digits}" if prefix else digits


def tagged_address(tags: Mapping[str, str], prefix: str) -> Address | None:
    """The address that a secret's tags tell, None if it is not one of that prefix.

    `tenant` need not be there on what people tag by hand: the secret is of the tenant `main` then, and no other.
    """
    if tags.get("prefix", "") != prefix or not tags.get("namespace") or not tags.get("key"):
        return None
    tenant = TenantId(tags.get("tenant") or MAIN)
    return Address(tenant=tenant, namespace=Namespace(tags["namespace"]), name=tags["key"])


def outer_name(name: str, kept: PrefixFilter | None) -> str | None:
    """What its store calls a secret that flows know by a name (`filter-on-prefix`); None if it cannot be there."""
    if kept is None:
        return name
    if not kept.keep_prefix:
        return kept.prefix + name
    return name if name.startswith(kept.prefix) else None


def inner_name(name: str, kept: PrefixFilter | None) -> str | None:
    """By which name flows know what is called so in its store; None if the filter hides it."""
    if kept is None:
        return name
    if not name.startswith(kept.prefix) or name == kept.prefix:
        return None
    return name if kept.keep_prefix else name.removeprefix(kept.prefix)
