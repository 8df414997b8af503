"""Filters that write text in other alphabets: Base64, URL escapes, digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from casemate.expressions import given as arguments
from casemate.expressions.errors import Fault
from casemate.expressions.filters.filter import Filter
from casemate.expressions.given import Given
from casemate.expressions.printing import java_text
from casemate.expressions.run import Run

_BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


def _base64_encode(value: object, _given: Given, run: Run) -> str:
    return base64.b64encode(java_text(value, run.session.meter).encode()).decode()


def _base64_decode(value: object, _given: Given, _run: Run) -> str:
    if not isinstance(value, str):
        raise Fault("This filter applies to String\n")
    try:
        padded = value if value.endswith("=") else value + "=" * (-len(value) % 4)
        return base64.b64decode(padded.encode(), validate=True).decode(errors="replace")
    except (binascii.Error, UnicodeEncodeError) as error:
        what = "Please provide a correctly Base64 encoded string containing an UTF-8 string\n"
        raise Fault(what) from error


def _url_encode(value: object, _given: Given, _run: Run) -> str:
    return quote_plus(arguments.text(value), safe="*").replace("~", "%7E")


def _url_decode(value: object, _given: Given, run: Run) -> str:
    text = java_text(value, run.session.meter)
    if broken := _BROKEN_ESCAPE.search(text):
        raise Fault(f"URLDecoder: Illegal hex characters in escape (%) pattern - Error at index {broken.start()}")
    return unquote_plus(text)


def _digest(algorithm: Callable[[bytes], Any]) -> Filter:
    def apply(value: object, _given: Given, _run: Run) -> str:
        if not isinstance(value, str):
            raise Fault("Need a string to hash\n")
        return str(algorithm(value.encode()).hexdigest())

    return Filter(apply)


ENCODINGS: Mapping[str, Filter] = {
    "base64encode": Filter(_base64_encode),
    "base64decode": Filter(_base64_decode),
    "urlencode": Filter(_url_encode),
    "urldecode": Filter(_url_decode),
    "md5": _digest(lambda content: hashlib.md5(content, usedforsecurity=False)),
    "sha1": _digest(lambda content: hashlib.sha1(content, usedforsecurity=False)),
    "sha256": _digest(hashlib.sha256),
    "sha512": _digest(hashlib.sha512),
}
