"""Attacks on our own walls, run as ordinary tasks on the installation they are to judge (`casemate redteam`).

An attack is data: a payload, what it is after, which wall is to stop it. Each payload runs twice, from the same text:
unsandboxed, as the user that the worker is, which proves it alive; and as a task of a flow, through every service of
the product. It is harmless by design: it only goes for bait that was laid out for it.
"""

from casemate.redteam.attacks import ATTACKS, WELCOME
from casemate.redteam.bait import Bait, laid_out
from casemate.redteam.model import Area, Attack, NoSuchAttack, Result, Runs, Verdict, chosen
from casemate.redteam.network import METADATA, become_ordinary, enter, resolvers
from casemate.redteam.table import line_of, standing, summary, to_json
from casemate.redteam.trial import manifests, narrowed, tried

__all__ = [
    "ATTACKS",
    "METADATA",
    "WELCOME",
    "Area",
    "Attack",
    "Bait",
    "NoSuchAttack",
    "Result",
    "Runs",
    "Verdict",
    "become_ordinary",
    "chosen",
    "enter",
    "laid_out",
    "line_of",
    "manifests",
    "narrowed",
    "resolvers",
    "standing",
    "summary",
    "to_json",
    "tried",
]
