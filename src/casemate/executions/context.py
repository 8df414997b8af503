"""What templates may see beside the execution, and how sealed values are made and opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from casemate.masking import Style
from casemate.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Values of the installation.

    `zone` is the server's, for dates in templates. `seal` turns a clear text into a cipher text and `unseal` back
    (spec/engine 6.7); `unseal` raises ExpressionError for what it cannot open. Without them there is no encryption key:
    nothing can be sealed, and what is sealed stays so. `listeners` says whether those of flows are run at all,
    `templates` whether flows may take in templates. `masking` is how log entries show that a secret stood there.
    """

    globals: Mapping[str, object] = field(default_factory=dict)
    envs: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    listeners: bool = True
    templates: bool = False
    masking: Style = "fixed"
    seal: Callable[[str], str] | None = None
    unseal: Callable[[str], str] | None = None


BARE = Context()
"""An installation without globals, environment or encryption key."""


def noting(context: Context, note: Callable[[Secret], None]) -> Context:
    """The same context; whatever it opens for templates is noted first, as it must not be written anywhere."""
    unseal = context.unseal
    if unseal is None:
        return context

    def noted(text: str) -> str:
        clear = unseal(text)
        note(Secret(clear))
        return clear

    return replace(context, unseal=noted)
