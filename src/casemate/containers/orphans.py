"""Containers that nobody watches any more: those of a worker that died, and those that an engine would not remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from casemate.containers.engine import Engine
from casemate.containers.errors import ContainerError
from casemate.containers.order import HOME_LABEL, LEFT_LABEL, LIFE_LABEL, RESUMED_LABEL

log = structlog.get_logger(__name__)


async def clear(engine: Engine, home: str, life: str, *, resumable: bool) -> None:
    """Remove containers of an earlier life, and those that could not be removed at their end.

    Those that may be resumed go only when `resumable` says that their time is over. An engine that is away now is
    asked again.
    """
    try:
        for found in await engine.labelled({HOME_LABEL: home}):
            if _is_lost(found, engine, life, resumable=resumable):
                await engine.remove(str(found["Id"]))
                log.info("container.orphan_removed", container=found["Id"])
    except ContainerError as error:
        log.debug("containers.not_cleared", reason=str(error))


def _is_lost(found: Mapping[str, Any], engine: Engine, life: str, *, resumable: bool) -> bool:
    labels, container = found["Labels"], str(found["Id"])
    if container in engine.stuck:
        return True
    if container in engine.held or labels.get(LEFT_LABEL) == "true" or labels.get(LIFE_LABEL) == life:
        return False
    return resumable or labels.get(RESUMED_LABEL) != "true"
