"""What does this template mean? Pebble's language over plain values: no attribute of an object is ever reachable."""

from casemate.expressions.as_json import as_json, ion_value
from casemate.expressions.budget import DEFAULT, Budget
from casemate.expressions.errors import BudgetExceeded, ExpressionError, NeedsWorld
from casemate.expressions.moments import moment_of, offset_date_time, zone_of
from casemate.expressions.named_secrets import NamedSecret, named_secrets
from casemate.expressions.patterns import matches
from casemate.expressions.printing import printed
from casemate.expressions.render import literal_secrets, names_its_secrets, render, render_typed, truthy
from casemate.expressions.slugs import slug
from casemate.expressions.values import class_name
from casemate.expressions.vocabulary import filter_names, function_parameters
from casemate.expressions.world import Jq, Unanswerable, World, no_jq
from casemate.expressions.world_functions import file_refusal

__all__ = [
    "DEFAULT",
    "Budget",
    "BudgetExceeded",
    "ExpressionError",
    "Jq",
    "NamedSecret",
    "NeedsWorld",
    "Unanswerable",
    "World",
    "as_json",
    "class_name",
    "file_refusal",
    "filter_names",
    "function_parameters",
    "ion_value",
    "literal_secrets",
    "matches",
    "moment_of",
    "named_secrets",
    "names_its_secrets",
    "no_jq",
    "offset_date_time",
    "printed",
    "render",
    "render_typed",
    "slug",
    "truthy",
    "zone_of",
]
