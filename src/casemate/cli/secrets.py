"""`casemate secrets list`, `set`, `delete`: here while no server runs, or by a server. Values go in, and never out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casemate.cli.connecting import Unasked
from casemate.cli.failures import FAILED, INTERRUPTED, INVALID, told
from casemate.cli.listing import safe
from casemate.cli.logging import log_to_standard_error
from casemate.cli.secret_stores import HERE, NOBODY, Impossible, Keeper, Remote, Where, keeper
from casemate.cli.secrets_changed import Change, changed
from casemate.cli.secrets_given import given, tags_of
from casemate.cli.secrets_listed import as_json, as_table, seen_from
from casemate.errors import CasemateError
from casemate.identifiers import Namespace, TenantId
from casemate.secrets import Address, keepable, lineage
from casemate.store import StateInUse

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


def listed(
    *,
    namespace: str | None = None,
    inherited: Flag = False,
    form: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
    where: Where = HERE,
    remote: Remote = NOBODY,
) -> int:
    """List secrets: their names, never their values.

    Parameters
    ----------
    namespace
        The namespace whose own secrets are listed; without it those of all namespaces.
    inherited
        Also those that flows of the namespace see from further above, each name once.
    form
        Print one JSON list.
    where
        Whose secrets.
    remote
        The server that is asked, if one is.
    """

    def show(keeper: Keeper) -> int:
        if inherited and not namespace:
            raise Impossible("--inherited is for a --namespace")
        place = Namespace(namespace) if namespace else None
        found = seen_from(keeper, place) if inherited and place else keeper.listed(place)
        if form:
            print(as_json(found))
        elif found:
            print("\n".join(as_table(found)))
        else:
            print("there are no secrets", file=sys.stderr)
        return 0

    return kept(show, where, remote)


def put(
    name: str,
    /,
    *,
    namespace: str,
    from_file: Path | None = None,
    exact: Flag = False,
    description: str | None = None,
    tag: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    no_tags: Flag = False,
    metadata_only: Flag = False,
    allow_insecure: Flag = False,
    where: Where = HERE,
    remote: Remote = NOBODY,
) -> int:
    """Create or replace a secret. Its value comes from standard input, or is asked for on a terminal.

    Parameters
    ----------
    name
        The name of the secret.
    namespace
        The namespace that has it.
    from_file
        Take the value from this file instead.
    exact
        Store also the line break that the value ends with, which is left out otherwise.
    description
        What it is for. Without this the description that is there stays.
    tag
        A tag as NAME=VALUE, as often as needed, instead of the tags that are there; without this they stay.
    no_tags
        Take the tags away.
    metadata_only
        Change the description and the tags of a secret that is there, and leave its value as it is.
    allow_insecure
        Send the value to a --server with an http:// address on another machine: others can read it on its way.
    where
        Whose secrets.
    remote
        The server that is asked, if one is.
    """

    def store(keeper: Keeper) -> int:
        change = Change(
            address=_address(name, namespace, where),
            description=description,
            tags=tags_of(tag) if tag or no_tags else None,
            value=None if metadata_only else partial(given, from_file, exact=exact),
        )
        print(changed(keeper, change))
        return 0

    if metadata_only and (from_file is not None or exact):
        return said("--metadata-only takes no value: leave out --from-file and --exact")
    if tag and no_tags:
        return said("give --tag or --no-tags, not both")
    if remote.in_clear and not allow_insecure:
        return said("the value could be read on its way to an http:// address: name an https:// one (--allow-insecure)")
    return kept(store, where, remote)


def delete(
    name: str,
    /,
    *,
    namespace: str,
    yes: Flag = False,
    where: Where = HERE,
    remote: Remote = NOBODY,
) -> int:
    """Remove a secret for good.

    Parameters
    ----------
    name
        The name of the secret.
    namespace
        The namespace that has it.
    yes
        Do not ask.
    where
        Whose secrets.
    remote
        The server that is asked, if one is.
    """

    def remove(keeper: Keeper) -> int:
        address = _at(name, namespace, where)
        if not yes and not _agreed(address):
            print("nothing was deleted", file=sys.stderr)
            return FAILED
        if not keeper.delete(address):
            print(safe(f"casemate: there is no secret {name} in {namespace}"), file=sys.stderr)
            return FAILED
        print(safe(f"✓ {name} of {namespace} is deleted"))
        return 0

    return kept(remove, where, remote)


def kept(work: Callable[[Keeper], int], where: Where, remote: Remote) -> int:
    """Does it with whoever keeps the secrets; the exit status."""
    return attempted(lambda: _with_keeper(work, where, remote), where)


def attempted(work: Callable[[], int], where: Where) -> int:
    """Does it, and says in words why it could not be done; the exit status."""
    log_to_standard_error("warning")
    try:
        return work()
    except StateInUse as error:
        print(f"casemate: {error}: stop the server first, or ask it with --server", file=sys.stderr)
        return FAILED
    except (Impossible, Unasked) as error:
        return said(str(error))
    except CasemateError as error:
        return told(error, where.config[-1] if where.config else "environment")
    except KeyboardInterrupt:
        return INTERRUPTED


def _with_keeper(work: Callable[[Keeper], int], where: Where, remote: Remote) -> int:
    with keeper(where, remote) as found:
        return work(found)


def said(fault: str) -> int:
    """Says what is wrong with a command line; the exit status."""
    print(safe(f"casemate: {fault}"), file=sys.stderr)
    return INVALID


def _address(name: str, namespace: str, where: Where) -> Address:
    if not keepable(name):
        # What was given may be NAME=VALUE, so it is not said again.
        raise Impossible("a name has letters, digits, '_', '-' and '.', and begins with none of the last two")
    return _at(name, namespace, where)


def _at(name: str, namespace: str, where: Where) -> Address:
    if not lineage(Namespace(namespace)):
        raise Impossible("that is no namespace; one is written as company.team")
    return Address(tenant=TenantId(where.tenant), namespace=Namespace(namespace), name=name)


def _agreed(address: Address) -> bool:
    """Raises `Impossible` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise Impossible("nobody can be asked here: say --yes")
    try:
        print(
            safe(f"Delete {address.name} of {address.namespace} for good? [y/N] "), end="", flush=True, file=sys.stderr
        )
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False
