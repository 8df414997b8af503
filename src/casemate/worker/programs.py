"""Which interpreters are there for scripts? Looked for once, in the folders that a sandbox's search path names."""

from __future__ import annotations

import shutil
from typing import Final

from casemate.worker.languages import LANGUAGES
from casemate.worker.scripts import SEARCH

_NAMES: Final = tuple(name for language in LANGUAGES.values() for name in language.programs)


def installed(search: str = SEARCH) -> dict[str, str]:
    """The programs that script tasks may need, by name, as far as this machine has them."""
    found = {name: shutil.which(name, path=search) for name in _NAMES}
    return {name: path for name, path in found.items() if path is not None}
