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
from casemate.triggers.flow_triggers import (
    FlowTrigger,
    Group,
    Outcome,
    Upstream,
    Wanted,
    Where,
    Window,
    consider,
    flow_triggers,
)
from casemate.triggers.keeping import fresh_states, redefined, stops_after
from casemate.triggers.looking import is_dated, neighbour, next_date, rules_of
from casemate.triggers.model import HTTP, ON_DATES, SCHEDULE, Backfill, Kind, TriggerKey, TriggerState, kind_of
from casemate.triggers.polling import asked, interval_of, polled
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
from casemate.triggers.windows import Bounds, TimeWindow, bounds, read_window

__all__ = [
    "HTTP",
    "ON_DATES",
    "SCHEDULE",
    "Backfill",
    "Bounds",
    "Cron",
    "Dates",
    "FlowTrigger",
    "Group",
    "Kind",
    "Listed",
    "Outcome",
    "Recover",
    "Schedule",
    "TimeWindow",
    "TriggerKey",
    "TriggerState",
    "Upstream",
    "Wanted",
    "Where",
    "Window",
    "asked",
    "backfilled",
    "bounds",
    "caught_up",
    "consider",
    "fired",
    "flow_triggers",
    "fresh_states",
    "interval_of",
    "is_dated",
    "kind_of",
    "listed",
    "neighbour",
    "next_date",
    "passed",
    "paused",
    "planned",
    "polled",
    "read_window",
    "recovered",
    "redefined",
    "released",
    "restarted",
    "rules_of",
    "schedule_of",
    "stops_after",
    "switched",
    "unlocked",
    "unpaused",
    "variables",
    "without_backfill",
]
