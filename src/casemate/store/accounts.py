"""Accounts, their sessions and their tokens. Of passwords, sessions and tokens only hashes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from casemate.store.database import Tx
from casemate.store.schema import accounts, sessions, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Someone who may sign in; `password` is what is kept of it."""

    id: str
    name: str
    password: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a program shows instead of a password; `prefix` is how people tell their tokens apart."""

    id: str
    account: str
    name: str
    prefix: str
    created: datetime
    expires: datetime | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a digest belongs to, if to anybody; and is there any account at all?"""

    anybody: bool
    account: Account | None = None


def found_first(tx: Tx, account: Account) -> bool:
    """Add the first account; False, and nothing is added, if there is one already."""
    if tx.scalar(select(func.count()).select_from(accounts)):
        return False
    values = {"id": account.id, "name": account.name, "password": account.password, "created": account.created}
    tx.execute(accounts.insert().values(**values))
    return True


def any_there(tx: Tx) -> bool:
    """Is there an account?"""
    return tx.scalar(select(accounts.c.id).limit(1)) is not None


def named(tx: Tx, name: str) -> Account | None:
    """The account of that name; upper and lower case are the same in it."""
    row = tx.execute(select(accounts).where(func.lower(accounts.c.name) == name.lower())).first()
    return None if row is None else _account(row)


def begin_session(tx: Tx, account: str, digest: str, now: datetime, expires: datetime) -> None:
    """Add a session; those whose time is over go."""
    tx.execute(sessions.delete().where(sessions.c.expires <= now))
    tx.execute(sessions.insert().values(digest=digest, account=account, created=now, expires=expires))


def end_session(tx: Tx, digest: str) -> None:
    """Remove a session."""
    tx.execute(sessions.delete().where(sessions.c.digest == digest))


def by_session(tx: Tx, digest: str | None, now: datetime) -> Known:
    """Whose session that is."""
    return _known(tx, sessions, digest, sessions.c.expires > now)


def by_token(tx: Tx, digest: str | None, now: datetime) -> Known:
    """Whose token that is."""
    return _known(tx, tokens, digest, tokens.c.expires.is_(None) | (tokens.c.expires > now))


def add_token(tx: Tx, token: Token, digest: str) -> None:
    """Add a token; `digest` is of what its owner shows."""
    names = ("id", "account", "name", "prefix", "created", "expires", "description")
    tx.execute(tokens.insert().values(digest=digest, **{name: getattr(token, name) for name in names}))


def tokens_of(tx: Tx, account: str) -> tuple[Token, ...]:
    """The tokens of an account, oldest first."""
    rows = tx.execute(select(tokens).where(tokens.c.account == account).order_by(tokens.c.created, tokens.c.id))
    return tuple(_token(row) for row in rows)


def delete_token(tx: Tx, account: str, token: str) -> bool:
    """Remove a token of the account; was it there?"""
    gone = tx.execute(tokens.delete().where(tokens.c.account == account, tokens.c.id == token))
    return gone.rowcount == 1


def _known(tx: Tx, table: Any, digest: str | None, good: Any) -> Known:
    if digest is None:
        return Known(any_there(tx))
    joined = select(accounts).join(table, table.c.account == accounts.c.id)
    row = tx.execute(joined.where(table.c.digest == digest, good)).first()
    return Known(any_there(tx)) if row is None else Known(True, _account(row))


def _account(row: Row[Any]) -> Account:
    return Account(id=row.id, name=row.name, password=row.password, created=row.created)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        account=row.account,
        name=row.name,
        prefix=row.prefix,
        created=row.created,
        expires=row.expires,
        description=row.description,
    )
