"""The script task types: which programs they need, how each language's inline script is run (spec/isolation 6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

Form = Literal["Script", "Commands"]

_TYPE: Final = re.compile(r"io\.kestra\.plugin\.scripts\.(\w+)\.(Script|Commands)")

# Kestra puts these before every inline Python script, so that JSON can be pasted in by templates (spec/isolation 6.7).
_PYTHON_PRELUDE: Final = "true = True\nfalse = False\nnull = None\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language. `programs` are the names its interpreter may have, best first; none: the script is the shell's.

    `image` is what a container is made from where the task names none.
    """

    name: str
    image: str
    suffix: str = ""
    programs: tuple[str, ...] = ()
    prelude: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def common(self) -> str:
        """The name that its interpreter usually has in images; the shell has none of its own."""
        return self.name if self.programs else ""

    def source(self, script: str) -> str:
        """The text of the file that an inline script is run from."""
        # Nothing may stand before a `from __future__` import; such a script goes without the prelude.
        return script if not self.prelude or "from __future__ import" in script else self.prelude + script


LANGUAGES: Final = {
    language.name: language
    for language in (
        Language(name="shell", image="ubuntu"),
        Language(
            name="python",
            image="python:3.13-slim",
            suffix=".py",
            programs=("python3", "python"),
            prelude=_PYTHON_PRELUDE,
            env={"PYTHONUNBUFFERED": "true", "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        ),
        Language(name="node", image="node", suffix=".js", programs=("node", "nodejs")),
    )
}


def recognise(canonical: str) -> tuple[Language, Form] | None:
    """The language and the form of a script task type; None for every other type."""
    match = _TYPE.fullmatch(canonical)
    language = LANGUAGES.get(match[1]) if match else None
    return (language, cast("Form", match[2])) if match and language else None
