"""Parts of what is at hand as a whole: which, and in which order."""

from __future__ import annotations

from operator import itemgetter

import pytest

from casemate.api.errors import Declined
from casemate.api.search import cut
from casemate.store import Page

FIELDS = {field: itemgetter(field) for field in ("name", "group")}
FOUND = [{"name": name, "group": group} for group, name in ("bx", "ay", "ax", "by")]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ((), ["bx", "ay", "ax", "by"]),
        (("group", "name"), ["ax", "ay", "bx", "by"]),
        (("group", "name:DESC"), ["ay", "ax", "by", "bx"]),
        (("name:asc", "group:desc"), ["bx", "ax", "by", "ay"]),
    ],
)
def test_the_first_field_counts_first(sort: tuple[str, ...], names: list[str]):
    part = cut(FOUND, Page(number=1, size=10, sort=sort), FIELDS)
    assert [one["group"] + one["name"] for one in part] == names


def test_a_page_has_its_part_and_one_behind_the_last_has_nothing():
    sizes = [len(cut(FOUND, Page(number=number, size=3, sort=()), FIELDS)) for number in (1, 2, 3)]
    assert sizes == [3, 1, 0]


def test_an_unknown_field_is_declined():
    with pytest.raises(Declined, match="can't be sorted by age"):
        cut(FOUND, Page(number=1, size=3, sort=("age:asc",)), FIELDS)
