"""What a job was answered when it wanted something done. Asked again by the same attempt, it is not done again."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from casemate.identifiers import ExecutionId, TenantId
from casemate.store.database import Tx
from casemate.store.jobs import Job
from casemate.store.rows import packed, unpacked
from casemate.store.schema import replies as table

_FORGET = table.delete().where(table.c.job == bindparam("key_job"))


def of(tx: Tx, job: Job, function: str) -> object | None:
    """The JSON value that was kept for this attempt and function; None if there is none."""
    row = tx.execute(select(table.c.reply).where(table.c.job == job.id, table.c.function == function)).first()
    return None if row is None else unpacked(row.reply)


def answered(tx: Tx, job: Job) -> frozenset[str]:
    """What this attempt was answered, by function."""
    return frozenset(tx.execute(select(table.c.function).where(table.c.job == job.id)).scalars())


def keep(tx: Tx, job: Job, function: str, reply: object) -> None:
    """Keep a JSON value that is not None."""
    row = {"job": job.id, "function": function, "tenant": job.tenant, "execution": job.execution}
    tx.execute(table.insert().values(**row, reply=packed(reply)))


def forget(tx: Tx, job: Job) -> None:
    """Forget what was answered to a job: it is over, thus nobody asks again."""
    tx.execute(_FORGET, {"key_job": job.id})


def delete(tx: Tx, tenant: TenantId, execution: ExecutionId) -> None:
    """Forget what was answered to an execution."""
    tx.execute(table.delete().where(table.c.tenant == tenant, table.c.execution == execution))
