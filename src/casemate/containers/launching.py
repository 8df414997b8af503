"""From an order to a container that runs: the image, the container, its files; or one that runs already."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

from casemate.containers import credentials, transfer
from casemate.containers.contained import Contained
from casemate.containers.engine import Engine
from casemate.containers.engines import Say
from casemate.containers.errors import ContainerError, EngineRefused
from casemate.containers.order import LEFT_LABEL, POLICY_LABEL, RESUMED_LABEL, VOLUME, WORK, Order, request

DELAYS: Final = (5.0, 15.0, 45.0, 120.0)
"""Seconds between the tries of a pull (spec/isolation 7.3)."""
_FINAL: Final = ("unauthorized", "denied", "not found", "manifest unknown", "no basic auth", "invalid reference")
"""Words of a registry whose answer would be the same the next time."""
_OPEN_TO_ALL: Final = 0o777
_SECCOMP: Final = "name=seccomp"
_NO_SECCOMP: Final = (
    "The engine runs containers without seccomp, so no task is given to it. Take `seccomp-profile` out of the engine's "
    "configuration, or use a kernel that has it."
)
_INITS: Final = ("docker-init", "container-init")
"""What Docker, at the start, and Podman, before there is a container, call a first process that they do not have."""
_GOES_ON: Final = ("running", "exited")


def _check(about: Mapping[str, Any]) -> None:
    # Without its filter of system calls a container is no wall.
    offered = [str(option) for option in about.get("SecurityOptions") or ()]
    if not any(option.startswith(_SECCOMP) and "unconfined" not in option for option in offered):
        raise ContainerError(_NO_SECCOMP)


async def resumed(engine: Engine, order: Order, say: Say) -> Contained | None:
    """The container that an earlier life of a worker has made for this attempt; those of no use are removed."""
    _check(await engine.about())
    found = [each for each in await engine.labelled(order.labels) if each["Labels"].get(LEFT_LABEL) != "true"]
    usable = [each for each in found if _is_usable(each, order)]
    if len(usable) > 1:
        say("WARN", f"There are {len(usable)} containers of this attempt; a new one takes their place.")
    if len(usable) != 1:
        for each in found:
            await engine.remove(str(each["Id"]))
        return None
    container = str(usable[0]["Id"])
    say("DEBUG", f"Resuming existing container: {container}")
    return Contained(engine, order, container, datetime.now(UTC))


def _is_usable(found: Mapping[str, Any], order: Order) -> bool:
    labels = found["Labels"]
    same = labels.get(POLICY_LABEL) == order.policy.digest and labels.get(RESUMED_LABEL) == "true"
    return order.options.resume and same and found.get("State") in _GOES_ON


async def have_image(engine: Engine, order: Order, say: Say, delays: tuple[float, ...] = DELAYS) -> None:
    """Have the engine fetch the image, as often as its `pullPolicy` wants it. Raises `ContainerError`."""
    policy = order.options.pull_policy
    if policy == "NEVER" or (policy == "IF_NOT_PRESENT" and await engine.has_image(order.image)):
        return
    auth = credentials.header(order.options.credentials, order.image)
    say("DEBUG", f"Pulling image '{order.image}'")
    for delay in (*delays, None):
        try:
            await engine.pull(order.image, auth)
            return
        except EngineRefused as error:
            if delay is None or error.status < 500 or any(word in str(error).lower() for word in _FINAL):
                raise ContainerError(f"Unable to pull the image '{order.image}': {error}") from error
            say("WARN", f"Unable to pull the image '{order.image}', trying again in {delay:g} s: {error}")
            await asyncio.sleep(delay)


async def start(engine: Engine, order: Order, say: Say) -> Contained:
    """A new container at work. Nothing of it is left when this is cancelled. Raises `ContainerError`."""
    begun = datetime.now(UTC)
    container = await _created(engine, order, say)
    try:
        if order.options.files == "VOLUME":
            with await asyncio.to_thread(transfer.packed, order.folder, PurePosixPath(WORK).name) as packed:
                await engine.put(container, VOLUME, packed)
        else:
            order.folder.chmod(_OPEN_TO_ALL)  # the folders above let nobody in
        await engine.start(container)
    except EngineRefused as error:
        await engine.remove(container)
        if _goes_without_init(engine, error):
            return await start(engine, order, say)
        raise ContainerError(f"The container could not be started: {error}") from error
    except BaseException:
        await asyncio.shield(engine.remove(container))
        raise
    return Contained(engine, order, container, begun)


async def _created(engine: Engine, order: Order, say: Say) -> str:
    """A new container. One whose id is not waited for any more is removed as soon as it is known."""
    creating = asyncio.create_task(engine.create(request(order, init=engine.starts_init)))
    try:
        container, warnings = await asyncio.shield(creating)
    except asyncio.CancelledError:
        made, _ = await creating
        await engine.remove(made)
        raise
    except EngineRefused as error:
        if _goes_without_init(engine, error):
            return await _created(engine, order, say)
        raise ContainerError(_unusable(order, error)) from error
    for warning in warnings:
        say("WARN", f"The engine does not keep all limits: {warning}")
    return container


def _goes_without_init(engine: Engine, error: EngineRefused) -> bool:
    """Is it only the engine's first process that is missing? Then nobody asks for it again."""
    missing = engine.starts_init and any(word in str(error) for word in _INITS)
    engine.starts_init = engine.starts_init and not missing
    return missing


def _unusable(order: Order, error: EngineRefused) -> str:
    if error.status == 404 and order.options.pull_policy == "NEVER":
        return f"The image '{order.image}' is not there, and `pullPolicy: NEVER` forbids to fetch it."
    return f"The engine makes no container of the image '{order.image}': {error}"
