"""Names in paths that are not only looked up, but become part of rows and addresses."""

from __future__ import annotations

import re

from casemate.api.call import Call
from casemate.api.errors import illegal_argument
from casemate.identifiers import Namespace

_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9._-]{0,149}")


def namespace_of(call: Call) -> Namespace:
    """The namespace of the path; 422 for what no flow could have as its namespace."""
    name = call.part("namespace")
    if not is_namespace(name):
        raise illegal_argument(f"'{name[:150]}' is no name of a namespace")
    return Namespace(name)


def is_namespace(name: str) -> bool:
    """Can a flow have this as its namespace?"""
    return _NAMESPACE.fullmatch(name) is not None
