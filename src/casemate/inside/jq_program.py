"""The filter `jq` (spec/engine 6.4): foreign code over JSON, alone in a sandbox without any right."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any


def run(job: Mapping[str, Any], tell: Callable[[Mapping[str, object]], None]) -> None:
    """Apply `program` to `value`; `library` is the extension module that can. The output `results` is a list."""
    compiled = _library(job["library"]).compile(job["program"])
    tell({"outputs": {"results": compiled.input_value(job["value"]).all()}})


def _library(path: str) -> Any:
    specification = importlib.util.spec_from_file_location("jq", path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no extension module of this Python.")
    library = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(library)
    return library
