"""Elasticsearch: a stand-in on loopback, or the real server that `CASEMATE_TEST_ELASTICSEARCH` names.

Its value is an address such as `http://127.0.0.1:9200`, of a server without a login that tests may fill with indices.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from uuid import uuid4

from tests.fakes.elasticsearch import fake_elasticsearch
from tests.secrets.contract.store import Store

from casemate.secrets.backend import Backend
from casemate.secrets.kinds import opened

LOGIN = ("casemate", "password-of-the-tests")
WRONG = ("casemate", "a-wrong-password")
SEAL = "the text that secrets of the tests are sealed with"


@contextlib.contextmanager
def elasticsearch() -> Iterator[Store]:
    """A cluster with a login of its own."""
    with contextlib.ExitStack() as stack:
        closed, _ = stack.enter_context(fake_elasticsearch(LOGIN))
        address = os.environ.get("CASEMATE_TEST_ELASTICSEARCH") or closed
        run = f"t{uuid4().hex[:8]}"
        yield Store(
            open=partial(_opened, run, address, LOGIN),
            # A server without a login refuses nobody.
            wrong=partial(_opened, run, closed, WRONG),
            at=lambda port: _opened(run, f"http://127.0.0.1:{port}", LOGIN, read_timeout="1s"),
            credentials=(LOGIN[1], WRONG[1], SEAL),
            longest=500_000,
        )


def _opened(
    run: str, address: str, login: tuple[str, str], prefix: str = "ours", read_only: bool = False, **options: object
) -> Backend:
    written = {
        "secret": SEAL,
        "client": {"http-hosts": address, "basic-auth": {"username": login[0], "password": login[1]}},
        "indice-prefix": f"{run}_{prefix}",
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    return opened("elasticsearch", written, read_only=read_only, at="kestra.secret.elasticsearch")
