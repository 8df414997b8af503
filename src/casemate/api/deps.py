"""What the API works with: the parts of a running server, given once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from anyio import CapacityLimiter

from casemate.api.limits import ArchiveLimits, Limits, Seats, Spool
from casemate.api.throttle import Throttle
from casemate.catalog import Catalog
from casemate.executions import Context
from casemate.flows import Judge
from casemate.orchestrator import Orchestrator
from casemate.plugins import Management
from casemate.secrets import EnvironmentSecrets, Secrets
from casemate.settings import BasicAuth
from casemate.storage import Storage
from casemate.store import Database

GIBIBYTE = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The parts of the server. `url` is `kestra.url`, the address that people use, without a slash at its end.

    `context` is that of the orchestrator, for expressions that people try out. `upload_limit` bounds the bytes of a
    form with files, `heartbeat` is how often a quiet event stream says it lives, `followers` how many there may be.
    `secret_seats` bound how many requests wait for the store of secrets at once.
    `spool` is the room for uploads that are under way, `guesses` counts wrong keys of webhooks.
    `judge` is asked about each task of a flow before it is saved.
    """

    db: Database
    orchestrator: Orchestrator
    storage: Storage
    catalog: Catalog
    version: str
    plugins: Management | None = None
    secrets: Secrets = field(default_factory=lambda: Secrets(EnvironmentSecrets({}), read_only=True))
    secret_seats: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(4))
    url: str = "http://localhost:8080"
    basic_auth: BasicAuth | None = None
    context: Context = field(default_factory=Context)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    upload_limit: int = GIBIBYTE
    heartbeat: timedelta = timedelta(seconds=10)
    limits: Limits = field(default_factory=Limits)
    archives: ArchiveLimits = field(default_factory=ArchiveLimits)
    followers: Seats = field(default_factory=lambda: Seats(200))
    spool: Spool = field(default_factory=lambda: Spool(4 * GIBIBYTE))
    guesses: Throttle = field(default_factory=Throttle)
    filters: tuple[str, ...] = ()
    judge: Judge | None = None
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
