"""Where secrets are kept, and what flows see of them: the port of a store, its kinds, inheritance around them."""

from casemate.secrets.backend import ANYWHERE, Address, Backend, Entry, Found
from casemate.secrets.backends.environment import EnvironmentSecrets
from casemate.secrets.building import secrets_from
from casemate.secrets.errors import BackendFailed, Denied, InvalidOptions, MissingExtra, NoField, NotAllowed, ReadOnly
from casemate.secrets.finding import Secrets
from casemate.secrets.kinds import KINDS, keeps_notes, opened, usable
from casemate.secrets.own_stores import OwnStores
from casemate.secrets.places import keepable, lineage
from casemate.secrets.remembering import Counters, Remembering
from casemate.secrets.resealing import Resealable, Tally
from casemate.secrets.retrying import Retrying
from casemate.secrets.subkeys import field_of

__all__ = [
    "ANYWHERE",
    "KINDS",
    "Address",
    "Backend",
    "BackendFailed",
    "Counters",
    "Denied",
    "Entry",
    "EnvironmentSecrets",
    "Found",
    "InvalidOptions",
    "MissingExtra",
    "NoField",
    "NotAllowed",
    "OwnStores",
    "ReadOnly",
    "Remembering",
    "Resealable",
    "Retrying",
    "Secrets",
    "Tally",
    "field_of",
    "keepable",
    "keeps_notes",
    "lineage",
    "opened",
    "secrets_from",
    "usable",
]
