"""A value that must never be printed is not, however it is asked for."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from logging import LogRecord

import pytest

from casemate.secret import Secret

CLEAR = "open-sesame"


@dataclass(frozen=True)
class Holder:
    """Something with a secret among its fields."""

    word: Secret


@pytest.mark.parametrize(
    "shown",
    [
        str,
        repr,
        "{:>20}".format,
        "{!r}".format,
        lambda secret: "%s and %r" % (secret, secret),  # noqa: UP031 - this is how logs are formatted
        lambda secret: f"{Holder(secret)} {[secret]} { {secret: secret} }",
        lambda secret: json.dumps({"a": secret}, default=str),
        lambda secret: LogRecord("n", 1, "p", 1, "%s", (secret,), None).getMessage(),
        lambda secret: str(ValueError(secret)),
        ascii,
    ],
)
def test_no_way_of_printing_shows_it(shown: Callable[[object], str]):
    text = shown(Secret(CLEAR))
    assert CLEAR not in text
    assert "***" in text


@pytest.mark.parametrize(
    "written",
    [
        pickle.dumps,
        lambda secret: pickle.dumps(secret, 0),
        copy.copy,
        copy.deepcopy,
        json.dumps,
        vars,
        lambda secret: secret.__getstate__(),
        lambda secret: asdict(Holder(secret)),
    ],
)
def test_no_way_of_writing_it_elsewhere_works(written: Callable[[object], object]):
    with pytest.raises(TypeError) as refused:
        written(Secret(CLEAR))
    assert CLEAR not in str(refused.value)


def test_one_call_opens_it():
    assert Secret(CLEAR).reveal() == CLEAR
    assert Secret(CLEAR) == Secret(CLEAR) != Secret("other")
    assert Secret(CLEAR) != CLEAR
