"""Where secrets are kept, and what flows see of them: the port of a store, its kinds, inheritance around them."""

from casemate.secrets.backend import ANYWHERE, Address, Backend, Entry, Found
from casemate.secrets.backends.environment import EnvironmentSecrets
from casemate.secrets.errors import BackendFailed, InvalidOptions, MissingExtra, ReadOnly
from casemate.secrets.finding import Secrets
from casemate.secrets.kinds import KINDS, opened
from casemate.secrets.places import lineage

__all__ = [
    "ANYWHERE",
    "KINDS",
    "Address",
    "Backend",
    "BackendFailed",
    "Entry",
    "EnvironmentSecrets",
    "Found",
    "InvalidOptions",
    "MissingExtra",
    "ReadOnly",
    "Secrets",
    "lineage",
    "opened",
]
