"""`casemate.secret.namespaces`: what an operator cannot open to the stores of namespaces. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from casemate.destinations import NotADestination, parsed
from casemate.settings.finding import Finding
from casemate.settings.known import OWN_STORES
from casemate.settings.model import OwnStores

OWN_GRANTS: Final = ("ambient", "files", "insecure")
"""What a namespace's store needs a grant for: the server's own credentials, files of its machine, connections that
others can listen to."""
_SECTION: Final = "casemate.secret.namespaces"


def misfits(own: OwnStores) -> Iterator[Finding]:
    """Kinds that are none or not for namespaces, hosts that mean nothing, grants that are none."""
    for kind in own.types:
        if kind not in OWN_STORES:
            message = f"{kind} is no type of store that a namespace can have"
            remedy = f"Choose from {', '.join(OWN_STORES)}"
            yield Finding(keys=(f"{_SECTION}.types",), message=message, remedy=remedy)
    for text in own.hosts:
        try:
            parsed(text)
        except NotADestination as error:
            message = f"cannot be used: {error}"
            yield Finding(code="config.type", keys=(f"{_SECTION}.hosts",), message=message, remedy=error.remedy)
    for grant in own.grants:
        if grant not in OWN_GRANTS:
            remedy = f"Grants are {', '.join(OWN_GRANTS)}"
            yield Finding(keys=(f"{_SECTION}.grants",), message=f"{grant} is not a grant", remedy=remedy)
