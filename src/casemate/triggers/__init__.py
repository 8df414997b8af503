"""When does a flow start by itself? What is remembered of each trigger, its dates, and what becomes of a date.

Pure: the date of now, ids and answers of the world are arguments.
"""

from casemate.triggers.actions import (
    backfilled,
    paused,
    restarted,
    switched,
    unlocked,
    unpaused,
    without_backfill,
)
from casemate.triggers.dates import Cron, Dates, Listed, listed
from casemate.triggers.keeping import fresh_states, redefined
from casemate.triggers.looking import is_dated, neighbour, next_date, rules_of
from casemate.triggers.model import HTTP, ON_DATES, SCHEDULE, Backfill, Kind, TriggerKey, TriggerState, kind_of
from casemate.triggers.schedule import (
    Recover,
    Schedule,
    caught_up,
    fired,
    passed,
    planned,
    recovered,
    released,
    schedule_of,
    variables,
)

__all__ = [
    "HTTP",
    "ON_DATES",
    "SCHEDULE",
    "Backfill",
    "Cron",
    "Dates",
    "Kind",
    "Listed",
    "Recover",
    "Schedule",
    "TriggerKey",
    "TriggerState",
    "backfilled",
    "caught_up",
    "fired",
    "fresh_states",
    "is_dated",
    "kind_of",
    "listed",
    "neighbour",
    "next_date",
    "passed",
    "paused",
    "planned",
    "recovered",
    "redefined",
    "released",
    "restarted",
    "rules_of",
    "schedule_of",
    "switched",
    "unlocked",
    "unpaused",
    "variables",
    "without_backfill",
]
