"""Operations on the server itself: is it there, what can it do, is it set up."""

from __future__ import annotations

from typing import Any

from casemate.api.call import Call
from casemate.api.operation import PUBLIC, Answer, Operation, Permission
from casemate.secrets import usable
from casemate.store import accounts


async def ping(_call: Call) -> Answer:
    """Answer that the server is there."""
    return "pong"


async def health(_call: Call) -> Answer:
    """Tell whether the server can work; probes have no credentials, so no details."""
    return {"status": "UP"}


async def configuration(call: Call) -> Answer:
    """Tell what this server is and can do."""
    return {
        "version": call.deps.version,
        "edition": "OSS",
        "url": call.deps.url,
        "systemNamespace": "system",
        "hiddenLabelsPrefixes": ["system."],
        "isBasicAuthInitialized": call.deps.basic_auth is not None,
        "isAnonymousUsageEnabled": False,
        "isUiAnonymousUsageEnabled": False,
        "isCustomDashboardsEnabled": False,
        "isAiEnabled": False,
        "secretsEnabled": True,
        "supportedSecrets": [{"id": kind, "version": call.deps.version} for kind in usable()],
        "outputsInInternalStorageEnabled": False,
        "tenants": {"enabled": False, "storageByTenant": False, "secretByTenant": False},
        "preview": {"initial": 100, "max": 5000},
    }


async def login_configuration(call: Call) -> Answer:
    """Tell a login page whether there is anything to log in to."""
    return {"isBasicAuthInitialized": call.deps.basic_auth is not None}


async def setup_configuration(call: Call) -> Answer:
    """Tell whether the server has been set up."""
    done = call.deps.basic_auth is not None or await call.deps.db.read(accounts.any_there)
    return {"done": done, "repositoryType": "sqlite", "queueType": "embedded", "storageType": "local"}


async def pebble_filters(call: Call) -> Answer:
    """List the filters that expressions may use."""
    return list(call.deps.filters)


async def pebble_functions(call: Call) -> Answer:
    """List the functions that expressions may use, with their arguments."""
    return {name: list(arguments) for name, arguments in call.deps.functions.items()}


_VIEW: Permission = ("INSTANCE", "VIEW")
_OBJECT = dict[str, Any]

TABLE = (
    Operation("GET", "/ping", can=PUBLIC, audit="instance:ping", run=ping, produces="text/plain"),
    Operation("GET", "/health", can=PUBLIC, audit="instance:health", run=health, returns=_OBJECT),
    Operation("GET", "/api/v1/configs", can=_VIEW, audit="instance:view", run=configuration, returns=_OBJECT),
    Operation(
        "GET",
        "/api/v1/configs/login",
        can=PUBLIC,
        audit="instance:view",
        run=login_configuration,
        returns=_OBJECT,
    ),
    Operation("GET", "/api/v1/setup", can=PUBLIC, audit="instance:view", run=setup_configuration, returns=_OBJECT),
    Operation("GET", "/api/v1/pebble/filters", can=_VIEW, audit="instance:view", run=pebble_filters, returns=list[str]),
    Operation(
        "GET", "/api/v1/pebble/functions", can=_VIEW, audit="instance:view", run=pebble_functions, returns=_OBJECT
    ),
)
