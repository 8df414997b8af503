"""`casemate secrets migrate`: every secret of one store into another, as often as it takes; nothing is lost between."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from casemate.cli.configuration import default_state, settings_from
from casemate.cli.counted import counted
from casemate.cli.failures import FAILED
from casemate.cli.listing import safe
from casemate.cli.secret_stores import HERE, Impossible, Where, database_in, secrets_of
from casemate.cli.secrets import Flag, attempted
from casemate.cli.secrets_copied import IN_PLACE, Copied, Copying, Outcome, Rules, Step, steps
from casemate.identifiers import Namespace, TenantId
from casemate.secrets import ANYWHERE, Secrets, keeps_notes, lineage
from casemate.settings import SecretStore, Service, Settings

_OURS: Final = "jdbc"
_FEW: Final = 5
_WELL: Final = (*IN_PLACE, Outcome.GONE)
_LATER: Final = {Outcome.COPIED: "would be copied", Outcome.REPLACED: "would be replaced"} | {
    Outcome.COMPLETED: "would be completed"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be copied, and how."""

    namespace: Namespace | None
    into: tuple[Namespace, ...]
    rules: Rules


def migrate(
    *,
    to: Annotated[tuple[Path, ...], Parameter(negative=(), required=True, show_default=False)],
    source: Annotated[tuple[Path, ...], Parameter(name="--from", negative=(), show_default=False)] = (),
    namespace: str | None = None,
    into: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    replace: Flag = False,
    values_only: Flag = False,
    dry_run: Flag = False,
    where: Where = HERE,
) -> int:
    """Copy every secret of a store into another one, with description and tags, and compare.

    Parameters
    ----------
    to
        A configuration file whose `kestra.secret` says where to. May be repeated; later files win key by key.
    source
        A configuration file that says where from; without it what --config and the environment say.
    namespace
        Only the secrets of this namespace and of those below it.
    into
        The namespace that gets what belongs to none, such as variables. May be repeated.
    replace
        Replace secrets that have another value, description or tags.
    values_only
        Copy no descriptions and no tags.
    dry_run
        Only say what would be done.
    where
        Whose secrets.
    """

    def work() -> int:
        places = tuple(map(Namespace, into))
        if not all(map(lineage, (*places, *([Namespace(namespace)] if namespace else ())))):
            raise Impossible("that is no namespace; one is written as company.team")
        rules = Rules(replace=replace, notes=not values_only, dry=dry_run)
        order = Order(namespace=Namespace(namespace) if namespace else None, into=places, rules=rules)
        return _migrate(source, to, order, where)

    return attempted(work, where)


def _migrate(source: Sequence[Path], to: Sequence[Path], order: Order, where: Where) -> int:
    if source and where.config:
        raise Impossible("give --from or --config, not both")
    old = _described(source) if source else settings_from(*where.config)
    new = _described(to)
    _refuse_one_store(old.secrets.store, new.secrets.store)
    state = where.state or default_state()
    with ExitStack() as stack:
        database = stack.enter_context(database_in(state))
        here = stack.enter_context(closing(secrets_of(old, database, state)))
        there = stack.enter_context(closing(secrets_of(new, database, state)))
        if there.read_only:
            raise Impossible(f"the store to copy to is read-only (kestra.secret.type: {new.secrets.store.kind})")
        copying = Copying(source=here, target=there, tenant=TenantId(where.tenant), rules=order.rules)
        chosen = _chosen(here, order, copying.tenant)
        if order.rules.notes and not keeps_notes(new.secrets.store.kind, new.secrets.store.options):
            _refuse_notes(chosen)
        return _carried_out(copying, chosen, order)


def _described(files: Sequence[Path]) -> Settings:
    """The settings of these files alone: a variable that sets a key would set it for both stores."""
    return settings_from(*files, environ={name: text for name, text in os.environ.items() if not _is_key(name)})


def _is_key(variable: str) -> bool:
    return variable.startswith("KESTRA_")


def _refuse_one_store(old: SecretStore, new: SecretStore) -> None:
    if old == new:
        raise Impossible("both are the same store")
    if old.kind == new.kind == _OURS and "url" not in {*old.options, *new.options}:
        raise Impossible("both are the database of this instance: casemate encryption rotate changes its key")


def _refuse_notes(chosen: Sequence[Step]) -> None:
    described = [step for step in chosen if step.entry.description or step.entry.tags]
    if described:
        names = ", ".join(map(_name, described[:_FEW])) + (", ..." if len(described) > _FEW else "")
        raise Impossible(f"that store keeps no descriptions and no tags, as {names} have: say --values-only")


def _chosen(here: Secrets, order: Order, tenant: TenantId) -> list[Step]:
    entries = here.entries(Service.WEBSERVER, tenant, None)
    if any(entry.address.namespace == ANYWHERE for entry in entries):
        if not order.into:
            raise Impossible("what is to be copied belongs to no namespace: name those that get it with --into")
        print(
            "casemate: names of variables are copied in capital letters, as flows must write them then", file=sys.stderr
        )
    return list(steps(entries, order.namespace, order.into))


def _carried_out(copying: Copying, chosen: Sequence[Step], order: Order) -> int:
    """Copies, says what becomes of each, and looks again at what is in place then."""
    done: list[Copied] = []
    for step in chosen:
        done.append(one := copying.copied(step))
        _say(one, order.rules.dry)
    counts = Counter(_word(one.outcome, order.rules.dry) for one in done)
    each = ", ".join(f"{number} {word}" for word, number in counts.items())
    print(f"{counted(len(done), 'secret')}: {each or 'nothing to do'}")
    well = all(one.outcome in _WELL for one in done)
    if counts[Outcome.DIFFERENT]:
        print("casemate: what is there has another value, description or tags (--replace)", file=sys.stderr)
    if not order.rules.dry:
        well = _compared(copying, [one.step for one in done if one.outcome in IN_PLACE]) and well
    return 0 if well else FAILED


def _compared(copying: Copying, placed: Sequence[Step]) -> bool:
    copying.look_again()
    faults = [(step, fault) for step in placed if (fault := copying.compared(step))]
    for step, fault in faults:
        print(safe(f"casemate: {_name(step)}: {fault}"), file=sys.stderr)
    print(f"{len(placed)} read back and compared: {len(placed) - len(faults)} are the same")
    return not faults


def _say(one: Copied, dry: bool) -> None:
    remark = f" ({one.remark})" if one.remark else ""
    print(safe(f"{_word(one.outcome, dry)}: {_name(one.step)}{remark}"), flush=True)


def _word(outcome: Outcome, dry: bool) -> str:
    return _LATER.get(outcome, outcome) if dry else outcome


def _name(step: Step) -> str:
    return f"{step.target.name} of {step.target.namespace}"
