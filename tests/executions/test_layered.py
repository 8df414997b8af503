"""A layered map is a dict whose copies are cheap: whatever is done to it, a dict says what it must be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.executions.layered import Layered

KEYS = st.integers(0, 80)
CHANGES = st.lists(st.tuples(st.sampled_from(["set", "set", "set", "delete", "copy"]), KEYS), max_size=300)


def filled(count):
    made = Layered()
    for key in range(count):
        made[key] = key
    return made


def change(layered, plain, what, key, value):
    if what == "set":
        layered[key] = plain[key] = value
    elif key in plain:
        del layered[key], plain[key]
    else:
        with pytest.raises(KeyError):
            del layered[key]


@given(st.integers(0, 60), CHANGES)
def test_it_is_what_a_dict_would_be_and_so_is_every_version(count, changes):
    layered, plain = filled(count), {key: key for key in range(count)}
    versions = []
    for value, (what, key) in enumerate(changes):
        if what == "copy":
            versions.append((layered, dict(plain)))
            layered = layered.copy()
        else:
            change(layered, plain, what, key, value)
    for version, expected in [*versions, (layered, plain)]:
        assert list(version.items()) == list(expected.items())
        assert len(version) == len(expected)
        assert all((key in version) == (key in expected) for key in range(81))
        assert [version.get(key) for key in range(81)] == [expected.get(key) for key in range(81)]


def test_an_origin_that_goes_on_does_not_change_its_copy():
    origin = filled(3)
    copy = origin.copy()
    origin[0] = "other"
    del origin[1]
    assert list(copy.items()) == [(0, 0), (1, 1), (2, 2)]
    assert list(origin.items()) == [(0, "other"), (2, 2)]


def test_a_copy_of_a_large_map_copies_little():
    made = filled(10_000)
    for key in range(10_000, 10_500):
        made = made.copy()
        made[key] = key
        assert len(made._layer) ** 2 <= 11_524
    assert len(made) == 10_500
