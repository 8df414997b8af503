"""What may a flow say here? Policies and plugin defaults as one set of rules, and what they make of a document."""

from casemate.governance.clashing import clashes
from casemate.governance.defaults import configured, declared
from casemate.governance.govern import govern, govern_part
from casemate.governance.laws import Law, Placed, Rulebook, laws_of
from casemate.governance.matching import Types
from casemate.governance.model import Add, Aim, Delete, Deny, Policy, Require, Restrict, Rule, Where
from casemate.governance.outcome import UNABLE, Conflict, Mutation, Outcome, Violation
from casemate.governance.read import PolicyText, misplaced, read_policy, read_policy_text
from casemate.governance.runners import FORCE_RUNNER, forced_runner, runner_of_scripts
from casemate.governance.words import Action, Enforcement, Operator, Scope, Target

__all__ = [
    "FORCE_RUNNER",
    "UNABLE",
    "Action",
    "Add",
    "Aim",
    "Conflict",
    "Delete",
    "Deny",
    "Enforcement",
    "Law",
    "Mutation",
    "Operator",
    "Outcome",
    "Placed",
    "Policy",
    "PolicyText",
    "Require",
    "Restrict",
    "Rule",
    "Rulebook",
    "Scope",
    "Target",
    "Types",
    "Violation",
    "Where",
    "clashes",
    "configured",
    "declared",
    "forced_runner",
    "govern",
    "govern_part",
    "laws_of",
    "misplaced",
    "read_policy",
    "read_policy_text",
    "runner_of_scripts",
]
