"""`casemate secrets check`: which of the secrets that flows name are not there, before a flow fails for it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from casemate.cli.counted import counted
from casemate.cli.failures import FAILED, INVALID
from casemate.cli.listing import safe
from casemate.cli.secret_stores import HERE, NOBODY, Impossible, Opened, Remote, Where, asked, opened
from casemate.cli.secrets import attempted
from casemate.cli.secrets_answers import Outcome, Served, Stores
from casemate.cli.secrets_judged import Checked, Judge, Judged
from casemate.cli.secrets_named import Source, in_files, stored
from casemate.cli.secrets_of_servers import There
from casemate.identifiers import TenantId
from casemate.secrets import ANYWHERE
from casemate.settings import Service
from casemate.store import flows

_OF_VARIABLES: Final = "env"
_BAD: Final = (Outcome.MISSING, Outcome.FAILED)


def check(
    paths: Annotated[tuple[Path, ...], Parameter(negative=(), show_default=False)] = (),
    /,
    *,
    form: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
    where: Where = HERE,
    remote: Remote = NOBODY,
) -> int:
    """Ask for every secret that flows name by a literal, and say which are not there.

    Parameters
    ----------
    paths
        Flow files, and folders that are searched for them; without any, all flows of the database.
    form
        Print one JSON object.
    where
        Whose secrets.
    remote
        The server that is asked, if one is.
    """
    return attempted(lambda: _check(paths, form, where, remote), where)


def _check(paths: Sequence[Path], form: bool, where: Where, remote: Remote) -> int:
    checked, variables = _here(paths, where, remote) if remote.server is None else _there(paths, where, remote)
    print(_as_json(checked, variables) if form else "\n".join(map(safe, _as_text(checked, variables))))
    return _status(checked)


def _here(paths: Sequence[Path], where: Where, remote: Remote) -> tuple[list[Checked], tuple[str, ...]]:
    """What the stores say, and the names of the variables among them."""
    with opened(where, remote) as found:
        tenant = TenantId(where.tenant)
        sources = in_files(paths) if paths else _all(found, tenant)
        return list(Judge(Stores(found.secrets, tenant)).all_of(sources)), _variables(found, tenant)


def _there(paths: Sequence[Path], where: Where, remote: Remote) -> tuple[list[Checked], tuple[str, ...]]:
    """What a server says, which does not tell of variables."""
    server = There(asked(where, remote), TenantId(where.tenant))
    sources = in_files(paths) if paths else (stored(place, name, text) for name, place, text in server.flows())
    return list(Judge(Served(server)).all_of(sources)), ()


def _all(found: Opened, tenant: TenantId) -> Iterator[Source]:
    """Every flow of the tenant. Raises `Impossible` where there is no database."""
    if found.database is None:
        raise Impossible("there is no database with flows here: name files, or its folder with --state")
    for namespace, flow in found.database.read_now(flows.names, tenant):
        last = found.database.read_now(flows.latest, tenant, namespace, flow)
        if last is not None:
            yield stored(namespace, flow, last.source)


def _variables(found: Opened, tenant: TenantId) -> tuple[str, ...]:
    """The names that were taken from the variables `SECRET_…` of this environment, if it is where secrets are kept."""
    if found.settings.secrets.store.kind != _OF_VARIABLES:
        return ()
    entries = found.secrets.entries(Service.WORKER, tenant, None)
    return tuple(entry.address.name for entry in entries if entry.address.namespace == ANYWHERE)


def _status(checked: Iterable[Checked]) -> int:
    """Not to know is worse than to know that something is missing."""
    outcomes = {one.outcome for each in checked for one in each.judged}
    if Outcome.FAILED in outcomes or any(each.source.fault for each in checked):
        return INVALID
    return FAILED if Outcome.MISSING in outcomes else 0


def _as_text(checked: Sequence[Checked], variables: Sequence[str]) -> Iterator[str]:
    """A line for each flow that names secrets, below it what is not there or not known, and a line that counts."""
    for each in checked:
        if each.source.fault:
            yield f"✘ - {each.source.name}: {each.source.fault}"
        elif each.judged:
            mark, named = "✘" if any(map(each.having, _BAD)) else "✓", counted(len(each.judged), "secret")
            yield f"{mark} - {each.source.name}: {named}"
            yield from (_line(each.source, one) for one in each.judged if one.outcome is not Outcome.FOUND)
    if variables:
        yield f"taken from variables SECRET_…: {', '.join(variables)}"
    counts = _counts(checked)
    named = f"{counted(len(checked), 'flow')}, {counted(counts.total(), 'secret')} named"
    yield f"{named}: {', '.join(f'{counts[outcome]} {outcome}' for outcome in Outcome)}"


def _line(source: Source, one: Judged) -> str:
    mark = one.mention.mark
    place = f"{source.name}:{mark.line}:{mark.column}" if source.is_file else f"line {mark.line}, column {mark.column}"
    return f"    {place}: {one.outcome}: {one.reason}"


def _counts(checked: Iterable[Checked]) -> Counter[Outcome]:
    return Counter(one.outcome for each in checked for one in each.judged)


def _as_json(checked: Sequence[Checked], variables: Sequence[str]) -> str:
    counts = _counts(checked)
    said = {
        "flows": [_flow(each) for each in checked],
        "counts": {str(outcome): counts[outcome] for outcome in Outcome},
        "variables": list(variables),
    }
    return json.dumps(said, indent=2)


def _flow(each: Checked) -> dict[str, object]:
    source = each.source
    named = [
        {
            "key": one.mention.named.name,
            "namespace": one.mention.named.namespace or source.namespace,
            "subkey": one.mention.named.subkey,
            "line": one.mention.mark.line,
            "column": one.mention.mark.column,
            "outcome": one.outcome,
            "reason": one.reason or None,
        }
        for one in each.judged
    ]
    place = {"file" if source.is_file else "flow": source.name}
    return {**place, "namespace": source.namespace or None, "fault": source.fault or None, "secrets": named}
