"""Walls: what a task may do (policy), how the kernel is told (plan), and the running of it (launch)."""

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
    Policy,
    Rights,
    Survey,
    Told,
    Wall,
)

__all__ = [
    "Body",
    "Command",
    "Egress",
    "End",
    "Event",
    "Isolation",
    "Launch",
    "Level",
    "Limits",
    "Line",
    "Policy",
    "Rights",
    "Survey",
    "Told",
    "Wall",
]
