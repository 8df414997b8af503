"""`casemate configs show`: what is configured, and where, without its secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from casemate.cli.configuration import read_configuration
from casemate.cli.failures import told
from casemate.errors import CasemateError


def show(
    *,
    config: Annotated[tuple[Path, ...], Parameter(name=("-c", "--config"), negative=(), show_default=False)] = (),
    as_json: Annotated[bool, Parameter(name="--json", negative=(), show_default=False)] = False,
) -> int:
    """Show the configuration that files and environment make together.

    Parameters
    ----------
    config
        A `kestra:` configuration file. May be repeated; later files win key by key.
    as_json
        Print one object: the value and the place of each key.
    """
    try:
        said = read_configuration(*config).shown
    except CasemateError as error:
        return told(error, config[-1] if config else "environment")
    if as_json:
        print(json.dumps({one.name: {"value": one.value, "place": one.place} for one in said}, indent=2))
        return 0
    for one in said:
        print(f"{one.name}: {json.dumps(one.value, ensure_ascii=False)}  # {one.place}")
    if not said:
        print("Nothing is configured: every key has its default.")
    return 0
