"""How every store must fail: as `BackendFailed`, in time, saying whether it may pass, and telling no secret."""

from __future__ import annotations

import contextlib
import socket
import time
import traceback

import pytest
from tests.secrets.contract.store import SECONDS_OF_SILENCE

from casemate.secret import Secret
from casemate.secrets.backend import Entry
from casemate.secrets.errors import BackendFailed

VALUE = "canary-of-a-value-7Hk2"


def calls(backend, place):
    return {
        "read": lambda: backend.read(place.at("KEY")),
        "entries": lambda: backend.entries(place.tenant, place.namespace),
        "all entries": lambda: backend.entries(place.tenant, None),
        "write": lambda: backend.write(Entry(address=place.at("KEY")), Secret(VALUE)),
        "describe": lambda: backend.write(Entry(address=place.at("KEY"), description="words"), None),
        "delete": lambda: backend.delete(place.at("KEY")),
    }


CALLS = tuple(calls(None, None))


def tells_nothing(error, store):
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    for secret in (VALUE, *store.credentials):
        assert secret not in told


@pytest.mark.parametrize("call", CALLS)
def test_wrong_credentials_are_refused_for_good(store, place, call):
    backend = store.wrong()
    try:
        with pytest.raises(BackendFailed) as failed:
            calls(backend, place)[call]()
    finally:
        backend.close()
    assert failed.value.passing is False
    tells_nothing(failed.value, store)


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_gone_may_be_back(store, place, call):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        backend = store.at(nobody.getsockname()[1])
        try:
            with pytest.raises(BackendFailed) as failed:
                calls(backend, place)[call]()
        finally:
            backend.close()
    assert failed.value.passing is True
    tells_nothing(failed.value, store)


def test_a_silent_server_is_not_waited_for(store, place):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        backend = store.at(silent.getsockname()[1])
        begun = time.monotonic()
        try:
            with pytest.raises(BackendFailed) as failed:
                backend.read(place.at("KEY"))
        finally:
            backend.close()
    assert failed.value.passing is True
    assert time.monotonic() - begun < SECONDS_OF_SILENCE
    tells_nothing(failed.value, store)


def test_opening_asks_nothing_of_a_server(store):
    store.at(1).close()
