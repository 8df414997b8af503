"""Walls: what a task may do (policy), how the kernel is told (orders), and the running of it (launch).

    async with Sandboxes.open(folder) as sandboxes:
        work = folders.make(folder, "run-1")
        running = await sandboxes.launch(Launch(name="run-1", policy=Policy(), work=work, what=Body(...)))
        async for event in running.events(): ...
        end = await running.end()
        folders.remove(work)

`kernel/` has one page for each mechanism, `zygote/` the process that forks sandboxes; everything else runs in the
worker. Only the standard library is used, so that a sandbox can be had wherever Python is.
"""

from casemate.sandbox import folders
from casemate.sandbox.egress import permits
from casemate.sandbox.errors import FolderTaken, GlobInvalid, LaunchFailed, OutputRefused, WallsMissing, ZygoteLost
from casemate.sandbox.globs import Glob
from casemate.sandbox.limits import words as limit_words
from casemate.sandbox.model import (
    Body,
    Command,
    Egress,
    End,
    Event,
    Isolation,
    Launch,
    Level,
    Limits,
    Line,
    Places,
    Policy,
    Proxy,
    Rights,
    Survey,
    Told,
    Wall,
)
from casemate.sandbox.orders import TEMPORARY
from casemate.sandbox.places import OWN_FOLDERS, SHOWN_IN_ETC, is_everywhere, places_of
from casemate.sandbox.running import Running
from casemate.sandbox.sandboxes import Sandboxes
from casemate.sandbox.survey import survey

__all__ = [
    "OWN_FOLDERS",
    "SHOWN_IN_ETC",
    "TEMPORARY",
    "Body",
    "Command",
    "Egress",
    "End",
    "Event",
    "FolderTaken",
    "Glob",
    "GlobInvalid",
    "Isolation",
    "Launch",
    "LaunchFailed",
    "Level",
    "Limits",
    "Line",
    "OutputRefused",
    "Places",
    "Policy",
    "Proxy",
    "Rights",
    "Running",
    "Sandboxes",
    "Survey",
    "Told",
    "Wall",
    "WallsMissing",
    "ZygoteLost",
    "folders",
    "is_everywhere",
    "limit_words",
    "permits",
    "places_of",
    "survey",
]
