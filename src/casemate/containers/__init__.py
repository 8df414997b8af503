"""Containers of a Docker engine for script tasks that ask for one: options, what is refused, launch, and clearing up.

    options = read_options(rendered)
    refused = tuple(refusals(options, rules, policy, engines.own))
    running = await engines.start(order, say)
    async for line in running.events(): ...
    end = await running.end()

Only the worker speaks to an engine. These walls are the engine's, not Casemate's own (`casemate.sandbox`).
"""

from casemate.containers.credentials import image_of
from casemate.containers.engines import Engines, own_host, sockets
from casemate.containers.errors import ContainerError, EngineAway, OptionRefused
from casemate.containers.grants import Refusal, Rules, network_of, refusals, refusals_anywhere, secrets_of
from casemate.containers.options import PROPERTIES, Options, read_options
from casemate.containers.order import WORK, Order, labels_of

__all__ = [
    "PROPERTIES",
    "WORK",
    "ContainerError",
    "EngineAway",
    "Engines",
    "OptionRefused",
    "Options",
    "Order",
    "Refusal",
    "Rules",
    "image_of",
    "labels_of",
    "network_of",
    "own_host",
    "read_options",
    "refusals",
    "refusals_anywhere",
    "secrets_of",
    "sockets",
]
