"""What a template makes of a secret is as secret (spec/security 3.3): each result of such a value is covered in logs.

Filters, functions, members and joined texts give their results here. A value is one of a secret if it is known to the
mask, or holds what the mask would cover; so nothing of it is lost between two steps, whichever way the value goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TypeVar

from casemate.expressions.budget import Meter
from casemate.expressions.errors import BudgetExceeded
from casemate.expressions.run import Run
from casemate.masking import Mask

Result = TypeVar("Result")


def derived(result: Result, sources: object, run: Run) -> Result:
    """The result as it is; if a source is secret, its texts are from now on. Raises `BudgetExceeded`.

    Numbers and the keys of maps are never secret: they would be hidden wherever they stand.
    """
    mask, meter = run.session.world.mask, run.session.meter
    if mask and (secret := [text for text in texts(sources, meter, keys=True) if mask.knows(text)]):
        given = set(texts(sources, meter, keys=True))
        for text in _pieces(result, secret, run):
            if text not in given and not _covered(text, secret, mask) and not mask.derive(text):
                raise BudgetExceeded("The expression makes more of secrets than can be covered in logs")
    return result


def texts(value: object, meter: Meter, *, keys: bool = False) -> Iterator[str]:
    """Every text in a value, those of maps that are made at first use left out: looking would make them."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        meter.charge(1)
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()] if keys else one.values()
        elif isinstance(one, list | tuple | Set):
            waiting += one


def _pieces(result: object, secret: list[str], run: Run) -> Iterator[str]:
    """What is looked at as one: of a text with a secret somewhere in it each line, for the others tell nothing."""
    mask, meter = run.session.world.mask, run.session.meter
    by_line = not any(mask.holds(source) for source in secret)
    for text in texts(result, meter):
        yield from text.splitlines() if by_line else (text,)


def _covered(text: str, secret: list[str], mask: Mask) -> bool:
    """Is the mask enough for it as it is?"""
    whole = all(source in text and mask.covers(source) for source in secret)
    return whole or any(text in mask.rest(source) for source in secret)
