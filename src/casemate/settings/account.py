"""The account of `kestra.server.basic-auth`: what it must not be, because anybody could guess it or walk past it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from casemate.settings.finding import Finding
from casemate.settings.model import BasicAuth, Settings

_AUTH = "kestra.server.basic-auth"
_API = "/api/v1/main"

_LONGEST = 256
_SHORTEST = 8
_PHRASE = 20
"""So many characters need no mixture of kinds."""

_PUBLISHED = frozenset(
    {"kestra", "kestra123", "admin", "admin123", "password", "passw0rd", "password1", "password123", "changeme"}
    | {"changeit", "secret", "secret123", "letmein", "letmein1", "welcome1", "qwerty123", "test1234", "default1"}
)
"""Passwords out of examples and lists, which are tried first; compared in lower case without punctuation."""

_LEFT_OPEN = re.compile(
    r"<.*>|\[.*\]|\$?\{.*\}|\{\{.*\}\}|%.*%|\$\w+|x{3,}|\.{3,}|\*{3,}|(your|my|some)[-_ ]?\w*pass\w*", re.I
)
"""What stands in examples where a password is to be filled in."""

_REMEDY = "Make one with: openssl rand -base64 24"


def account(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    """What is wrong with the account; nothing about the values themselves is said."""
    auth = settings.server.basic_auth
    if auth:
        yield from (Finding(keys=(f"{_AUTH}.username",), message=fault) for fault in name_faults(auth.username))
        fault = password_fault(auth.password.reveal(), auth.username)
        if fault:
            yield Finding(code="config.weak", keys=(f"{_AUTH}.password",), message=fault, remedy=_REMEDY)
        yield from _open_urls(auth)
    elif said.get(f"{_AUTH}.enabled"):
        message = f"needs {_AUTH}.username and {_AUTH}.password"
        yield Finding(keys=(f"{_AUTH}.enabled",), message=message)
    elif f"{_AUTH}.username" in said or f"{_AUTH}.password" in said:
        # An account without a password would leave the API open while its owner believes it closed.
        message = "must be given together with the other of username and password, and neither may be empty"
        yield Finding(keys=(f"{_AUTH}.username", f"{_AUTH}.password"), message=message)


def name_faults(name: str) -> Iterator[str]:
    """What must not be in the name of an account."""
    if ":" in name:
        yield "must not hold a colon"
    if len(name) > _LONGEST:
        yield f"must not have more than {_LONGEST} characters"
    if name != name.strip() or not name.isprintable():
        yield "must not begin or end with a blank, nor hold characters that cannot be seen"


def password_fault(password: str, username: str) -> str | None:
    """Why a password protects nothing, or None. The rule is Kestra's (spec/security 4.6); long ones need no mixture."""
    if password != password.strip() or not password.isprintable():
        return "must not begin or end with a blank or line feed, nor hold characters that cannot be seen"
    if len(password) > _LONGEST:
        return f"must not have more than {_LONGEST} characters"
    if _LEFT_OPEN.fullmatch(password):
        return "still is the placeholder of an example"
    plain = re.sub(r"\W", "", password).lower()
    if plain in _PUBLISHED or password.lower() in (username.lower(), username.partition("@")[0].lower()):
        return "is among the first that anybody would try"
    if not _mixed(password) and not _long(password):
        return (
            f"must have {_SHORTEST} characters, among them an upper case letter, a lower case letter and a number, "
            f"or {_PHRASE} characters of any kind"
        )
    return None


def _mixed(password: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return len(password) >= _SHORTEST and all(any(kind(mark) for mark in password) for kind in kinds)


def _long(password: str) -> bool:
    return len(password) >= _PHRASE and len(set(password)) >= _SHORTEST


def _open_urls(auth: BasicAuth) -> Iterator[Finding]:
    for url in auth.open_urls:
        path = posixpath.normpath("/" + unquote(url).lstrip("/"))
        if not re.fullmatch(r"/[\w./~:@!$&'()+,=-]*", url) or ".." in url:
            message = f"must hold plain paths that begin with a slash, not {url!r}"
            remedy = "Everything below a path is open with it: no star is needed"
            yield Finding(keys=(f"{_AUTH}.open-urls",), message=message, remedy=remedy if "*" in url else "")
        elif path in ("/", _API) or _API.startswith(path.lower() + "/"):
            message = f"would leave the whole API without a password: {url}"
            yield Finding(keys=(f"{_AUTH}.open-urls",), message=message, remedy="Name the one resource to open")
