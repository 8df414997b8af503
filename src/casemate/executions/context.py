"""What templates may see beside the execution, and how sealed values are made and opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from casemate.masking import Style
from casemate.sealed import Seal, Sealed, Unseal
from casemate.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Values of the installation.

    `zone` is the server's, for dates in templates. `seal` seals a clear text (spec/engine 6.7); without it there is no
    encryption key. `unseal` opens what is sealed for templates, and raises ExpressionError for what it cannot open;
    without it what is sealed stays so. `plaintext`: without a key, what a task wants sealed is kept in the clear all
    the same. `listeners` says whether those of flows are run at all, `templates` whether flows may take in templates.
    `masking` is how log entries show that a secret stood there.
    """

    globals: Mapping[str, object] = field(default_factory=dict)
    envs: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    listeners: bool = True
    templates: bool = False
    masking: Style = "fixed"
    seal: Seal = None
    unseal: Unseal = None
    plaintext: bool = False


BARE = Context()
"""An installation without globals, environment or encryption key."""


def noting(context: Context, note: Callable[[Secret], None]) -> Context:
    """The same context; whatever it opens for templates is noted first, as it must not be written anywhere."""
    unseal = context.unseal
    if unseal is None:
        return context

    def noted(sealed: Sealed) -> str:
        clear = unseal(sealed)
        note(Secret(clear))
        return clear

    return replace(context, unseal=noted)
