"""Filters that write or question whole values: JSON, ION, YAML, jq, class names."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.expressions import given as arguments
from casemate.expressions.errors import BudgetExceeded, ExpressionError, Fault, NeedsWorld
from casemate.expressions.filters.filter import Filter
from casemate.expressions.given import Given
from casemate.expressions.ion_text import ion_text
from casemate.expressions.json_reading import read_json
from casemate.expressions.printing import java_text, json_text
from casemate.expressions.run import Run
from casemate.expressions.values import class_name
from casemate.expressions.yaml_writing import yaml_text


def _json(value: object, _given: Given, run: Run) -> str:
    return json_text(value, run.session.world.zone, run.session.meter)


def _ion(value: object, _given: Given, run: Run) -> str:
    return ion_text(value, run.session.meter)


def _yaml(value: object, _given: Given, run: Run) -> str:
    return "null" if value is None else yaml_text(value, run.session.meter)


def _jq(value: object, given: Given, run: Run) -> list[object]:
    program = arguments.required(given, "expression", "The 'jq' filter expects an argument 'expression'.")
    try:
        # What goes behind the wall is JSON only: dates become texts, no object of ours is reachable there.
        asked = read_json(value if isinstance(value, str) else _json(value, given, run))
        return list(run.session.world.jq(arguments.text(program), asked))
    except (NeedsWorld, BudgetExceeded):
        raise
    except (ValueError, ExpressionError) as error:
        shown = java_text(value, run.session.meter)
        what = f"Unable to parse jq value '{shown}' with type '{class_name(value)}'"
        raise Fault(f"{what}: {error}") from error


def _class_name(value: object, _given: Given, _run: Run) -> str:
    return class_name(value)


SERIALISATION: Mapping[str, Filter] = {
    "json": Filter(_json, takes_null=True),
    "toJson": Filter(_json, takes_null=True),
    "toIon": Filter(_ion, takes_null=True),
    "yaml": Filter(_yaml, takes_null=True),
    "jq": Filter(_jq, ("expression",)),
    "className": Filter(_class_name),
}
