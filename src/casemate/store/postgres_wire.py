"""How a server of PostgreSQL is reached: with what was configured, and nothing that lies around on the machine."""

from __future__ import annotations

import math
import os
import select
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout
from psycopg.pq import Conninfo, TransactionStatus

from casemate.secret import Secret

T = TypeVar("T")

_NO_FILE: Final = "/dev/null/none"
_ENCRYPTED_LOGINS: Final = "scram-sha-256,md5,password"
_TICK: Final = 0.1
_LATER: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where it is, and who asks. `host` may be the folder of a socket, which needs no `password`; times are seconds.

    `tls` is one of libpq's `sslmode`, `authorities` the file of those who may have signed the server's certificate.
    """

    host: str
    port: int
    database: str
    username: str
    password: Secret | None
    tls: str
    authorities: str | None
    connect_timeout: float
    read_timeout: float


class Impatient(Connection[Any]):
    """A connection that is cut when the server leaves a question unanswered for `patience` seconds."""

    patience: float | None = None

    def wait(self, gen: PQGen[T], interval: float = _TICK, timeout: float | None = None) -> T:
        """See `psycopg.Connection`. Raises `ConnectionTimeout` when the patience is over."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            raise ConnectionTimeout from None


def connected(server: Server) -> Impatient:
    """A new connection. Raises errors of psycopg, with the server's words."""
    _forget_surroundings()
    connection = Impatient.connect(**_parameters(server), autocommit=True)
    # The server gives up first, and what nobody waits for any more holds no lock.
    connection.patience = server.read_timeout + _LATER
    milliseconds = str(math.ceil(server.read_timeout * 1000))
    connection.execute("SELECT set_config('statement_timeout', %s, false)", [milliseconds])
    connection.autocommit = False
    return connection


def told_something(connection: Connection[Any]) -> bool:
    """Whether the server sent something to a connection at rest: it only does when it ends it."""
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    return bool(line.poll(0))


def _parameters(server: Server) -> dict[str, Any]:
    encrypted = server.tls != "disable"
    return {
        "host": server.host,
        "port": server.port,
        "dbname": server.database,
        "user": server.username,
        **_login(server.password, encrypted=encrypted),
        "sslmode": server.tls,
        **({"sslrootcert": server.authorities} if server.authorities else {}),
        "sslcertmode": "disable",
        "gssencmode": "disable",
        "passfile": _NO_FILE,
        "connect_timeout": math.ceil(server.connect_timeout),
        "tcp_user_timeout": math.ceil(server.read_timeout * 1000),
        "client_encoding": "UTF8",
        "application_name": "casemate",
    }


def _login(password: Secret | None, *, encrypted: bool) -> dict[str, str]:
    """Without TLS only a login in which both sides show that they know the password, and neither tells it."""
    if password is None:
        return {"require_auth": "none"}
    return {"password": password.reveal(), "require_auth": _ENCRYPTED_LOGINS if encrypted else "scram-sha-256"}


def _forget_surroundings() -> None:
    # libpq takes what it is not told from variables, and there is no telling it that no service file is meant.
    for option in Conninfo.get_defaults():
        if option.envvar:
            os.environ.pop(option.envvar.decode(), None)
    for name in ("PGSERVICEFILE", "PGSYSCONFDIR", "PGREQUIRESSL"):
        os.environ.pop(name, None)
