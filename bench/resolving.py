"""What it costs to find a secret in each store that has a server here: remembered and not, and two namespaces above."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from curve import Line

QUESTIONS = 100
FEWER_OF_STORE = 10
NAME = "TOKEN"


def resolving() -> Iterable[Line]:
    """Each store in turn: a secret of the flow's own namespace, and one of the namespace two levels above."""
    # The servers are those of the tests.
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.secrets.contract.stores import aws, elasticsearch, jdbc, vault

    stores = {
        "OpenBao": vault.version_two,
        "moto, Secrets Manager": aws.secrets_manager,
        "moto, Parameter Store": aws.parameter_store,
        "Elasticsearch": elasticsearch.elasticsearch,
        "PostgreSQL": jdbc.postgres,
    }
    for name, running in stores.items():
        with running() as store:
            yield from _one(name, store.open())


def _one(name: str, backend: Any) -> Iterable[Line]:
    from casemate.identifiers import MAIN, Namespace
    from casemate.secret import Secret
    from casemate.secrets import Address, Entry, Secrets
    from casemate.secrets.remembering import Remembering
    from casemate.settings import SecretCache, Service

    address = Address(tenant=MAIN, namespace=Namespace("bench"), name=NAME)
    backend.write(Entry(address=address), Secret("x" * 40))
    remembered = Remembering(backend, SecretCache(size=1000, lifetime=timedelta(minutes=5)))

    def asking(secrets: Secrets, namespace: str) -> Callable[[], object]:
        return lambda: secrets.find(Service.WORKER, MAIN, Namespace(namespace), NAME)

    asked = _median(asking(Secrets(backend), "bench"), QUESTIONS)
    above = _median(asking(Secrets(backend), "bench.team.orders"), QUESTIONS // FEWER_OF_STORE)
    known = _median(asking(Secrets(remembered), "bench"), QUESTIONS * FEWER_OF_STORE)
    backend.close()
    yield f"{name}, asked", asked * 1e3, "ms"
    yield f"{name}, two above, asked", above * 1e3, "ms"
    yield f"{name}, remembered", known * 1e6, "µs"
    yield f"{name}, ratio, asked to remembered", asked / known, ""
    yield f"{name}, ratio, two above to own", above / asked, ""


def _median(question: Callable[[], object], times: int) -> float:
    """Seconds. The first question opens the connection and does not count."""
    assert question() is not None
    return statistics.median(_timed(question) for _ in range(times))


def _timed(question: Callable[[], object]) -> float:
    begun = time.perf_counter()
    question()
    return time.perf_counter() - begun
