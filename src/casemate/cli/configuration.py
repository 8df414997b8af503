"""The configuration named on the command line, and what is to be said about it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from casemate.cli.files import text_of
from casemate.settings import Settings, load


def settings_from(file: Path | None) -> Settings:
    """Settings from the file, if one is named, and from the environment; warnings go to standard error.

    Raises `Refused` with every problem, `Unreadable` for the file.
    """
    files = [(str(file), text_of(file))] if file else []
    loaded = load(files, os.environ)
    for warning in loaded.warnings:
        print(f"casemate: {warning.located(str(file or 'environment'))}", file=sys.stderr)
    return loaded.settings
