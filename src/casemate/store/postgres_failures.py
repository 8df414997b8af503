"""What failures of PostgreSQL mean for people: nothing that the server wrote, which can quote what it was asked."""

from __future__ import annotations

import re
from typing import Final

from psycopg import Error, OperationalError, ProgrammingError
from psycopg.errors import ConnectionTimeout

from casemate.store.errors import StoreError, StoreUnavailable

COLLISIONS: Final = frozenset(("40001", "40P01", "23505"))
"""States of transactions that would succeed after those that came first."""

_PASSING: Final = ("08", "40", "53", "57", "25006", "55P03")
"""Begins of states that are over some time: connections, collisions, resources, shutdown, a standby that takes over."""
_REFUSED: Final = ("28", "42501")

# A connection that fails has no state, only a text. These are words of libpq, in no language but this.
_CERTIFICATE: Final = re.compile("certificate|TLS|SSL error")
_NO_TLS: Final = re.compile("does not support SSL")
_OTHER_LOGIN: Final = re.compile("authentication method requirement|server did not complete authentication")
# These are the server's. In other languages such a failure counts as it would without them.
_BUSY: Final = re.compile("too many (clients|connections)|connection slots|starting up|shutting down|recovery")
_UNKNOWN: Final = re.compile("no pg_hba.conf entry|does not exist|authentication failed|permission denied")


def told(error: BaseException | None) -> StoreError:
    """An error of psycopg in our own words; `StoreUnavailable` if it may be over at the next try."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _refusal(state)
    if isinstance(error, ConnectionTimeout):
        return StoreUnavailable("PostgreSQL did not answer in time.")
    if isinstance(error, ProgrammingError):
        return StoreError("The client library of PostgreSQL is too old: pip install 'casemate[postgres]'.")
    if isinstance(error, OperationalError):
        return _unreached(error)
    return StoreError("PostgreSQL does not take the request.")


def _refusal(state: str) -> StoreError:
    if state.startswith(_REFUSED):
        return StoreError("PostgreSQL refuses it: the credentials are wrong, or the role may not do it.")
    if state.startswith(_PASSING):
        return StoreUnavailable(f"PostgreSQL cannot answer now (state {state}).")
    return StoreError(f"PostgreSQL does not take the request (state {state}).")


def _unreached(error: Error) -> StoreError:
    words = str(error)
    if _BUSY.search(words):
        return StoreUnavailable("PostgreSQL takes no connection now.")
    if _NO_TLS.search(words):
        return StoreError("PostgreSQL does not speak TLS there.")
    if _OTHER_LOGIN.search(words):
        return StoreError("PostgreSQL wants another way to log in than SCRAM-SHA-256.")
    if _used_password(error) or _UNKNOWN.search(words):
        return StoreError("PostgreSQL refuses it: the credentials are wrong, or there is no such database.")
    if _CERTIFICATE.search(words):
        return StoreError("PostgreSQL's certificate is not accepted (see sslrootcert).")
    return StoreUnavailable("PostgreSQL cannot be reached.")


def _used_password(error: Error) -> bool:
    """Whether the server asked for a password before it hung up."""
    connection = error.pgconn
    return connection is not None and (connection.used_password or connection.needs_password)
