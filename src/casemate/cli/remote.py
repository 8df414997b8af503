"""Validation by a server, with the operation that Kestra's own command line uses (spec/isolation 11.1)."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import Any, Final, NoReturn
from urllib.parse import quote, urlsplit

from casemate.cli.checking import DEPRECATED, RELOCATED, REMARK, Part, Reader, Verdict
from casemate.errors import CasemateError, Problem
from casemate.secret import Secret

_SECONDS: Final = 60
_LARGEST_ANSWER: Final = 64 * 1024 * 1024
_SCHEMES: Final = ("http", "https")


class Unasked(CasemateError):
    """The server cannot be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says of the server. Credentials of the command line win over those of the environment."""

    server: str | None
    user: str | None = field(default=None, repr=False)
    api_token: str | None = field(default=None, repr=False)
    tenant: str | None = None
    headers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def names_more(self) -> bool:
        """Is there something beside the server, which has no effect without it?"""
        return any((self.user, self.api_token, self.tenant, self.headers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Which server is asked, for which tenant, and with which credentials."""

    server: str
    tenant: str
    authorization: Secret | None
    headers: Mapping[str, Secret] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the operation."""
        return f"{self.server.rstrip('/')}/api/v1/{quote(self.tenant, safe='')}/flows/validate"


def connection(asked: Asked, environ: Mapping[str, str]) -> Connection:
    """The connection that a command line and the environment describe. Raises `Unasked` for what is none."""
    try:
        address = urlsplit(asked.server or "")
        known = address.scheme in _SCHEMES and address.hostname and (address.port or True)
    except ValueError:
        known = False
    if not known or "@" in address.netloc:
        raise Unasked("--server wants an address such as https://kestra.example.com, without credentials in it")
    return Connection(
        server=asked.server or "",
        tenant=asked.tenant or "main",
        authorization=_authorization(asked, environ),
        headers=dict(map(_header, asked.headers)),
    )


def _authorization(asked: Asked, environ: Mapping[str, str]) -> Secret | None:
    user, token = asked.user, asked.api_token
    if not user and not token:
        user, token = environ.get("CASEMATE_USER"), environ.get("CASEMATE_API_TOKEN")
    if user and token:
        raise Unasked("give a user or an API token, not both")
    if user and ":" not in user:
        raise Unasked("a user is given as USERNAME:PASSWORD")
    if user:
        return Secret("Basic " + base64.b64encode(user.encode()).decode())
    return Secret(f"Bearer {token}") if token else None


def _header(text: str) -> tuple[str, Secret]:
    name, equals, value = text.partition("=")
    if not name.strip() or not equals or not text.isprintable():
        raise Unasked("a header is given as NAME=VALUE")
    return name.strip(), Secret(value)


def remote_reader(to: Connection) -> Reader:
    """Judges as the server does, with its task types, defaults and policies."""
    opener = urllib.request.build_opener(_NoRedirect)
    return lambda text, parts: _verdicts(_answer(to, opener, text), parts)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address might be another server, which must not get the credentials."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Never: the answer then counts as an error."""


def _answer(to: Connection, opener: urllib.request.OpenerDirector, text: str) -> object:
    headers = {name: value.reveal() for name, value in to.headers.items()}
    if to.authorization is not None:
        headers["Authorization"] = to.authorization.reveal()
    headers |= {"Content-Type": "application/x-yaml", "Accept": "application/json"}
    content = text.encode()
    request = urllib.request.Request(to.url, content, headers, method="POST")  # noqa: S310 - its scheme was checked
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read(_LARGEST_ANSWER))
    except urllib.error.HTTPError as error:
        _explain(error, to)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Unasked(f"{to.server} does not answer: {reason}") from error
    except (ValueError, RecursionError) as error:
        raise Unasked(f"{to.server} answers with something else than JSON: is it a Kestra server?") from error


def _explain(error: urllib.error.HTTPError, to: Connection) -> NoReturn:
    match error.code:
        case 401:
            given = "the credentials" if to.authorization else "a request without credentials (--user or --api-token)"
            said = f"refuses {given}"
        case 403:
            said = "does not let this account validate flows"
        case 404:
            said = f"knows no tenant {to.tenant}, or no validation of flows"
        case 300 | 301 | 302 | 303 | 307 | 308:
            said = f"sends to {error.headers.get('Location', 'another address')}: name that one"
        case code:
            said = f"answers {code} {error.reason}"
    raise Unasked(f"{to.server} {said}") from error


def _verdicts(answer: object, parts: Sequence[Part]) -> list[Verdict]:
    """The verdicts in the order of the parts. The server divides the text as we do; where not, nothing is guessed."""
    items = answer if isinstance(answer, list) else None
    if items is None or len(items) != len(parts) or not all(isinstance(item, dict) for item in items):
        raise Unasked("the server's answer does not say something of each flow: is it a Kestra server?")
    by_index = sorted(items, key=lambda item: _count(item.get("index"), "index"))
    return [_verdict(item, part.before) for item, part in zip(by_index, parts, strict=True)]


def _count(said: object, name: str) -> int:
    """A whole number of the answer, 0 where there is none. Raises `Unasked` for anything else."""
    if said is not None and (not isinstance(said, int) or isinstance(said, bool)):
        raise Unasked(f"the server's answer holds a {name} that is no number: is it a Kestra server?")
    return said or 0


def _items(item: Mapping[str, Any], name: str) -> list[Any]:
    """A list of the answer, empty where there is none. Raises `Unasked` for anything else."""
    said = item.get(name)
    if said is not None and not isinstance(said, list):
        raise Unasked(f"the server's answer holds {name} that are no list: is it a Kestra server?")
    return said or []


def _verdict(item: Mapping[str, Any], before: int) -> Verdict:
    name = " / ".join(str(item[key]) for key in ("namespace", "flow") if item.get(key))
    advised = tuple(_placed(_items(item, "advised"), before))
    known = {one.message for one in advised}
    remarks = [(REMARK, str(text)) for text in _items(item, "warnings") if str(text) not in known]
    remarks += [(DEPRECATED, str(path)) for path in _items(item, "deprecationPaths")]
    remarks += [(RELOCATED, str(info)) for info in _items(item, "infos")]
    return Verdict(name=name, problems=tuple(_problems(item, before)), remarks=tuple(remarks), advised=advised)


def _problems(item: Mapping[str, Any], before: int) -> Iterator[Problem]:
    """With their places where the server tells them; Kestra's own gives a line `path: message` for each."""
    if placed := tuple(_placed(_items(item, "problems"), before)):
        yield from placed
    elif item.get("constraints"):
        for line_of_text in str(item["constraints"]).splitlines():
            path, colon, message = line_of_text.partition(": ")
            named = bool(colon) and " " not in path
            yield Problem(code="constraint", message=message if named else line_of_text, path=path if named else "")


def _placed(said: Sequence[Any], before: int) -> Iterator[Problem]:
    """Problems with their places within the document, of which `before` lines of the text stand before."""
    for one in said:
        if not isinstance(one, dict):
            raise Unasked("the server's answer holds a problem that is no object: is it a Kestra server?")
        line, column = max((_count(one.get("line"), "line") or 1) - before, 1), _count(one.get("column"), "column")
        known = {key: str(one.get(key) or "") for key in ("message", "path", "remedy")}
        yield Problem(code=str(one.get("code") or "constraint"), line=line, column=max(column, 1), **known)
