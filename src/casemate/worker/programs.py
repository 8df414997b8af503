"""Which interpreters are there for scripts? Looked for once, in the folders that a sandbox's search path names."""

from __future__ import annotations

import shutil
import sys
from typing import Final

from casemate.worker.languages import LANGUAGES
from casemate.worker.scripts import SEARCH

_NAMES: Final = tuple(name for language in LANGUAGES.values() for name in language.programs)


def search_path() -> str:
    """`PATH` inside: the usual folders, then those of the Python that runs us, which every sandbox can see."""
    own = f"{sys.base_prefix}/bin"
    return SEARCH if own in SEARCH.split(":") else f"{SEARCH}:{own}"


def installed(search: str) -> dict[str, str]:
    """The programs that script tasks may need, by name, as far as this machine has them."""
    found = {name: shutil.which(name, path=search) for name in _NAMES}
    return {name: path for name, path in found.items() if path is not None}
