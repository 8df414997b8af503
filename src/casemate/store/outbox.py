"""Messages that wait to be sent, written in the transaction whose consequence they are and removed once sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from casemate.store.database import Tx
from casemate.store.rows import packed, unpacked
from casemate.store.schema import outbox as table


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `seq` orders them."""

    seq: int
    kind: str
    body: Mapping[str, Any]


_ADD = table.insert()
_ADD_ALL = table.insert().returning(table.c.seq, sort_by_parameter_order=True)
_DELETE = table.delete().where(table.c.seq == bindparam("key_seq"))


def add(tx: Tx, kind: str, body: Mapping[str, Any]) -> Message:
    """Write a message."""
    key = tx.execute(_ADD, {"kind": kind, "body": packed(dict(body))}).inserted_primary_key
    assert key is not None
    return Message(key[0], kind, body)


def add_all(tx: Tx, kind: str, bodies: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Write messages of one kind, in their order. For one message `add` takes half as long."""
    if not bodies:
        return ()
    keys = tx.scalars(_ADD_ALL, [{"kind": kind, "body": packed(dict(body))} for body in bodies])
    return tuple(Message(key, kind, body) for key, body in zip(keys, bodies, strict=True))


def pending(tx: Tx, limit: int = 1_000) -> tuple[Message, ...]:
    """What was not sent yet, oldest first."""
    rows = tx.execute(select(table).order_by(table.c.seq).limit(limit))
    return tuple(Message(row.seq, row.kind, unpacked(row.body)) for row in rows)


def take(tx: Tx, seq: int) -> bool:
    """Forget a message whose consequence is written in this transaction; was it still there?"""
    return tx.execute(_DELETE, {"key_seq": seq}).rowcount == 1


def sent(tx: Tx, seqs: Iterable[int]) -> None:
    """Forget messages that were sent."""
    keys = [{"key_seq": seq} for seq in seqs]
    if keys:
        tx.execute(_DELETE, keys)
