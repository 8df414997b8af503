"""`casemate schema`: the JSON Schema of flows, or of one type, for editors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from casemate.catalog import Catalog, Holds
from casemate.cli.configuration import settings_from, types_of
from casemate.cli.failures import told
from casemate.errors import CasemateError
from casemate.flows import flow_json_schema, held_json_schema, meant_type, type_json_schema

UNKNOWN = 2
"""Exit status for a type that does not exist."""


def schema(
    name: str = "flow",
    /,
    *,
    config: Annotated[Path | None, Parameter(name=("-c", "--config"))] = None,
) -> int:
    """Print the JSON Schema of flows, or of one type.

    Parameters
    ----------
    name
        `flow`, a place in a flow (task, trigger, condition, task-runner, input, retry, sla), or the name of a type.
    config
        A `kestra:` configuration file, for the types that it allows.
    """
    try:
        types = types_of(settings_from(config))
    except CasemateError as error:
        return told(error, config or "environment")
    found = schema_of(name, types)
    if found is None:
        meant = meant_type(name, types)
        remedy = f"did you mean {meant}?" if meant else "`casemate schema` alone describes whole flows"
        print(f"casemate: there is no type {name} ({remedy})", file=sys.stderr)
        return UNKNOWN
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0


def schema_of(name: str, types: Catalog) -> dict[str, Any] | None:
    """The schema by that name; None if there is none."""
    if name == "flow":
        return flow_json_schema(types)
    if name in list(Holds):
        return held_json_schema(Holds(name), types)
    found = (type_json_schema(place, name, types) for place in Holds)
    return next((each for each in found if each is not None), None)
