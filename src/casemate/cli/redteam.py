"""`casemate redteam`: our own attacks on the walls of this installation, and what became of each."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casemate.cli.configuration import settings_from
from casemate.cli.failures import FAILED, INTERRUPTED, INVALID, told
from casemate.cli.logging import log_to_standard_error
from casemate.cli.services import services
from casemate.errors import CasemateError
from casemate.redteam import (
    ATTACKS,
    METADATA,
    WELCOME,
    Attack,
    Bait,
    NoSuchAttack,
    Result,
    become_ordinary,
    chosen,
    enter,
    laid_out,
    line_of,
    manifests,
    narrowed,
    resolvers,
    standing,
    summary,
    to_json,
    tried,
)
from casemate.settings import Settings

_GIVEN_TO_FLOWS = "SECRET_REDTEAM"
"""Where the services look for what flows know as REDTEAM."""


def redteam(
    *,
    only: str | None = None,
    config: Annotated[Path | None, Parameter(name=("-c", "--config"))] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> int:
    """Attack the walls of this installation with harmless payloads, and show what became of each.

    Parameters
    ----------
    only
        One class of attacks, or the id of one.
    config
        A `kestra:` configuration file, whose policy is tried.
    as_json
        Print one JSON object for each attack instead of the table.
    """
    log_to_standard_error("error")
    with ExitStack() as stack:
        try:
            settings, attacks = settings_from(config), chosen((*ATTACKS, *WELCOME), only)
            names = resolvers()
            own_network = enter((*METADATA, *names))
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="casemate-")))
            bait = stack.enter_context(laid_out(state, own_network=own_network, resolvers=names, config=config))
            become_ordinary()
            return asyncio.run(_attack(settings, state, attacks, bait, as_json=as_json))
        except KeyboardInterrupt:
            return INTERRUPTED
        except NoSuchAttack as error:
            print(f"casemate: {error}", file=sys.stderr)
            return INVALID
        except CasemateError as error:
            return told(error, config or "environment")


async def _attack(settings: Settings, state: Path, attacks: tuple[Attack, ...], bait: Bait, *, as_json: bool) -> int:
    os.environ[_GIVEN_TO_FLOWS] = base64.b64encode(bait.token.encode()).decode()
    results: list[Result] = []
    async with services(narrowed(settings, bait), state, further=manifests()) as casemate:
        async for result in tried(casemate, attacks, bait):
            if not as_json and not results:
                print(f"{standing(result)}\n")
            print(to_json(result) if as_json else line_of(result), flush=True)
            results.append(result)
    if not as_json:
        print(f"\n{summary(results)}")
    return 0 if all(result.well for result in results) else FAILED
