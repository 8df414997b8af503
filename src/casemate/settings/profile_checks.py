"""Which profiles cannot be: for nobody, said twice, or against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from casemate.settings.build import overridden
from casemate.settings.finding import Finding
from casemate.settings.model import Isolation, Profile, Settings
from casemate.settings.profiles import SECTION, SELECTORS, combined, said_by

Check: TypeAlias = Callable[[Settings], Iterator[Finding]]


def profile_problems(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the entries themselves."""
    seen: dict[tuple[object, ...], Profile] = {}
    for profile in settings.isolation.profiles:
        selectors = tuple(frozenset(getattr(profile, name)) for name in SELECTORS)
        yield from _selectors(profile)
        if any(selectors) and selectors in seen:
            message = f"is for the same tasks as {seen[selectors].name}"
            yield Finding(keys=(profile.name,), message=message, remedy="Make one of the two")
        if not profile.overrides:
            yield Finding(keys=(profile.name,), message="says nothing about the tasks it is for")
        seen.setdefault(selectors, profile)


def _selectors(profile: Profile) -> Iterator[Finding]:
    if not any(getattr(profile, name) for name in SELECTORS):
        message = f"has none of {', '.join(SELECTORS)}, so it is for no task"
        remedy = "What is for all tasks stands in casemate.isolation itself"
        yield Finding(keys=(profile.name,), message=message, remedy=remedy)
    for name in SELECTORS:
        for word, times in Counter(getattr(profile, name)).items():
            if times > 1:
                yield Finding(keys=(f"{profile.name}.{name}",), message=f"names {word} more than once")


def in_every_combination(settings: Settings, *checks: Check) -> Iterator[Finding]:
    """What is wrong with the section itself, with each profile over it, and with two that can mean one task."""
    for isolation in combined(settings.isolation):
        for check in checks:
            yield from _checked(settings, isolation, check)


def in_each_profile(settings: Settings, keys: str, check: Check) -> Iterator[Finding]:
    """What is odd with each profile that says anything of these keys; where none does, with the section itself.

    What is idle in the section may be meant for a profile.
    """
    speaking = [p for p in settings.isolation.profiles if any(key.startswith(SECTION + keys) for key in p.overrides)]
    for isolation in [overridden(settings.isolation, (profile,)) for profile in speaking] or [settings.isolation]:
        yield from _checked(settings, isolation, check)


def _checked(settings: Settings, isolation: Isolation, check: Check) -> Iterator[Finding]:
    for finding in check(replace(settings, isolation=isolation)):
        yield replace(finding, keys=tuple(_place(isolation, key) for key in finding.keys))


def _place(isolation: Isolation, key: str) -> str:
    return said_by(isolation, key.removeprefix(SECTION)) if key.startswith(SECTION) else key
