"""The results as a person reads them, or a program."""

from __future__ import annotations

import json
from collections.abc import Sequence

from casemate.redteam.model import Area, Result, Verdict

_TITLE, _REASON = 62, 70


def line_of(result: Result) -> str:
    """One result: what was tried, whether the payload is alive, how it went inside, by which wall."""
    attack, mark = result.attack, "✓" if result.well else "✘"
    control = "alive" if result.alive else "not here"
    tried = f"{mark} {attack.id} {_cut(attack.title, _TITLE):<{_TITLE}}"
    return f"{tried} {control:<8}  {result.verdict:<11}  {_by(result)}"


def standing(result: Result) -> str:
    """The walls that stand on this machine, as the isolation report of a task run names them."""
    return "\n".join(f"{name:<12} {mechanism}" for name, mechanism in result.walls.items())


def summary(results: Sequence[Result]) -> str:
    """The last lines: how many got through, how many are alive here, what does not work."""
    attacks = [result for result in results if result.attack.area is not Area.WELCOME]
    welcome = [result for result in results if result.attack.area is Area.WELCOME]
    lines = [
        f"✘ {each.attack.id} {each.attack.title}: {each.verdict}: {each.reason}" for each in results if not each.well
    ]
    if attacks:
        alive = sum(result.alive for result in attacks)
        blocked = sum(result.verdict is Verdict.BLOCKED for result in attacks)
        lines.append(f"{blocked} of {len(attacks)} attacks blocked; {alive} payloads are alive unsandboxed here.")
    if not_held := [each.attack.id for each in results if each.verdict is Verdict.NOT_HELD]:
        lines.append(f"Not held here, for want of a control group: {', '.join(not_held)}. See: casemate doctor")
    if welcome:
        lines.append(f"{_well(welcome)} of {len(welcome)} allowed things work.")
    return "\n".join(lines)


def to_json(result: Result) -> str:
    """One result as a line of JSON."""
    said = result.control.got or result.control.stopped or result.control.ended
    return json.dumps(
        {
            "id": result.attack.id,
            "class": result.attack.area.value,
            "title": result.attack.title,
            "runs": result.attack.runs.value,
            "control": {"alive": result.alive, "needs": result.attack.needs, "said": said},
            "inside": result.verdict.value,
            "wall": result.attack.wall,
            "mechanism": result.walls.get(result.attack.wall, ""),
            "reason": result.reason,
            "limits": result.walls.get("limits", ""),
        }
    )


def _by(result: Result) -> str:
    """The wall and what the payload met; for one that is dead here, what it would need."""
    reason = _cut(" ".join(result.reason.split()), _REASON)
    wall = f"{result.attack.wall}: " if result.attack.wall and result.well else ""
    needs = (
        "" if result.alive else f" (not alive here: needs {result.attack.needs or 'something that was not foreseen'})"
    )
    return f"{wall}{reason}{needs}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _well(results: Sequence[Result]) -> int:
    return sum(result.well for result in results)
