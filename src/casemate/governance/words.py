"""The words of policies: scopes, enforcement, operators, and the fields of a manifest that a condition may ask for."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """Where a policy stands, outermost first (spec/isolation 4.1)."""

    STATIC = "STATIC"  #: in the server's configuration
    INSTANCE = "INSTANCE"
    TENANT = "TENANT"
    NAMESPACE = "NAMESPACE"


class Enforcement(StrEnum):
    """How seriously a policy is meant."""

    ACTIVE = "ACTIVE"
    EVALUATE = "EVALUATE"  #: it only tells what it would refuse, and changes nothing
    DISABLED = "DISABLED"
    REFERENCE = "REFERENCE"  #: its additions apply where `policyRefs` names it


class Target(StrEnum):
    """What a rule is about: the flow as a whole, or every plugin in it."""

    FLOW = "FLOW"
    PLUGIN = "PLUGIN"


class Action(StrEnum):
    """What becomes of a flow that breaks a rule."""

    BLOCK = "BLOCK"
    WARN = "WARN"


class Operator(StrEnum):
    """The ten ways to hold a field against a value (spec/isolation 4.2)."""

    EQUAL_TO = "EQUAL_TO"
    NOT_EQUAL_TO = "NOT_EQUAL_TO"
    STARTS_WITH = "STARTS_WITH"
    ENDS_WITH = "ENDS_WITH"
    CONTAINS = "CONTAINS"
    IN = "IN"
    NOT_IN = "NOT_IN"
    REGEX = "REGEX"
    IS_NULL = "IS_NULL"
    IS_NOT_NULL = "IS_NOT_NULL"


LONE: Final = frozenset((Operator.IS_NULL, Operator.IS_NOT_NULL))
"""Operators without a value."""

LISTS: Final = frozenset((Operator.IN, Operator.NOT_IN))
"""Operators with a list of values."""

MANIFEST: Final = "manifest."
"""How the fields begin that the manifest of a type answers, whatever the flow says."""

FACTS: Final = ("manifest.kind", "manifest.capabilities", "manifest.properties")
"""Task, trigger...; `runs-code` and others; the names of the properties that a type has."""

RULES: Final = "io.kestra.plugin.ee.rules."
"""How the types of rules begin."""
