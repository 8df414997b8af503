"""Rendering at a fixed moment, in a world that answers nothing unless a test brings its own."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from casemate.expressions import ExpressionError, Unanswerable, render

NOWHERE = Unanswerable(now=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))


@pytest.fixture
def nowhere() -> Unanswerable:
    return NOWHERE


@pytest.fixture
def shown() -> Callable[..., object]:
    """Render a template with variables."""

    def show(template: object, variables: Mapping[str, object] | None = None, **options: object) -> object:
        return render(template, {} if variables is None else variables, NOWHERE, **options)

    return show


@pytest.fixture
def refusal(shown: Callable[..., object]) -> Callable[..., str]:
    """The text of the error that rendering raises."""

    def refuse(template: object, variables: Mapping[str, object] | None = None, **options: object) -> str:
        with pytest.raises(ExpressionError) as raised:
            shown(template, variables, **options)
        return str(raised.value)

    return refuse
