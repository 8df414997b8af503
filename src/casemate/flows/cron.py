"""Is this a cron expression? UNIX cron, its nicknames, and optionally a field for seconds (spec/engine 9.2).

cronsim knows more than UNIX does (`L`, `W`, `#`): what Kestra would refuse is refused here first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim, CronSimError

NICKNAMES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS: Final = ("second", "minute", "hour", "day of month", "month", "day of week")
_ONE: Final = "(?:[0-9]+|[A-Z]{3})"
_TERM: Final = re.compile(rf"(?:\*|{_ONE}(?:-{_ONE})?)(?:/[0-9]+)?", re.IGNORECASE | re.ASCII)
_ANY_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""cronsim wants a date to count from; whether an expression is valid does not depend on it."""


def expanded(expression: str) -> str:
    """The expression that a nickname stands for; others stay as they are."""
    return NICKNAMES.get(expression.strip().lower(), expression)


def refusal(expression: str, *, seconds: bool = False) -> str:
    """Why this is no cron expression; empty when it is one."""
    fields = expanded(expression).split()
    if fields and fields[0].startswith("@"):
        return f"There is no cron definition matching {fields[0]}; known are {', '.join(NICKNAMES)}"
    wanted = 6 if seconds and not expression.strip().startswith("@") else 5
    if len(fields) != wanted:
        return f"Cron expression contains {len(fields)} parts but we expect one of [{wanted}]"
    for name, field in zip(_FIELDS[-wanted:], fields, strict=True):
        for term in field.split(","):
            if not _TERM.fullmatch(term):
                return f"'{term}' is not understood in the {name} field"
    try:
        CronSim(" ".join(fields), _ANY_DAY)
    except CronSimError as error:
        return f"{error}: a value is out of range or a range runs backwards"
    return ""
