"""`dependencies` of Python tasks: installed by pip inside the task's own sandbox, before its commands.

Kestra installs on the worker's host, where the build script of a package runs unguarded. Here it has the task's walls.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Final

FOLDER: Final = ".packages"
"""Below the working directory; Python finds it through `PYTHONPATH`."""


def install(program: str, dependencies: Iterable[str], work: str) -> str:
    """The shell line that installs them with this Python."""
    wanted = " ".join(map(shlex.quote, dependencies))
    target = shlex.quote(f"{work}/{FOLDER}")
    return f"{shlex.quote(program)} -m pip install --quiet --no-cache-dir --target {target} {wanted}"


def search_path(own: str | None, work: str) -> str:
    """`PYTHONPATH` with the packages, before what the task itself has put there."""
    return f"{work}/{FOLDER}:{own}" if own else f"{work}/{FOLDER}"
