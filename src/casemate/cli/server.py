"""`casemate server local`: every service in one process."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from casemate.cli.configuration import default_state, settings_from
from casemate.cli.failures import told
from casemate.cli.logging import log_to_standard_error
from casemate.cli.services import services
from casemate.errors import CasemateError
from casemate.settings import Settings


def local(
    *,
    config: Annotated[tuple[Path, ...], Parameter(name=("-c", "--config"), negative=(), show_default=False)] = (),
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 8080,
    state: Path | None = None,
) -> int:
    """Start all services in one process, and print the address once it answers.

    Parameters
    ----------
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    host
        The address to listen on. Any but loopback needs `kestra.server.basic-auth` in the configuration.
    port
        The port to listen on; 0 takes any free one.
    state
        The folder that keeps database and files; by default `casemate` in the user's state folder.
    """
    log_to_standard_error("info")
    try:
        settings = settings_from(*config)
        return asyncio.run(_serve(settings, state or default_state(), host, port))
    except CasemateError as error:
        return told(error, config[-1] if config else "environment")


async def _serve(settings: Settings, state: Path, host: str, port: int) -> int:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    async with services(settings, state, "casemate.cli.web") as casemate:
        from casemate.cli.web import serve

        casemate.orchestrator.scheduler.start()
        serving = loop.create_task(serve(casemate, host, port))
        waiting = loop.create_task(asked.wait())
        done, _ = await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        serving.cancel()
        if serving in done:
            serving.result()
        await asyncio.gather(serving, return_exceptions=True)
    return 0
