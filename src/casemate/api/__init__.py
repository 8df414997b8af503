"""The HTTP API: Kestra's paths, bodies and status codes, from one table of operations.

`app(deps)` is the application, `serve` puts it on an address. Every row of the table names who may call it.
"""

from __future__ import annotations

from starlette.applications import Starlette

from casemate.api.application import application
from casemate.api.deps import Deps
from casemate.api.errors import AddressTaken, Declined, Unprotected
from casemate.api.gate import TooOpen
from casemate.api.limits import ArchiveLimits
from casemate.api.operation import PUBLIC, IncompleteTable, Operation
from casemate.api.server import serve
from casemate.api.table import TABLE
from casemate.settings import BasicAuth

__all__ = [
    "PUBLIC",
    "TABLE",
    "AddressTaken",
    "ArchiveLimits",
    "BasicAuth",
    "Declined",
    "Deps",
    "IncompleteTable",
    "Operation",
    "TooOpen",
    "Unprotected",
    "app",
    "serve",
]


def app(deps: Deps) -> Starlette:
    """The application over these parts; raises `TooOpen` if the configuration would open all of it."""
    return application(deps, TABLE)
