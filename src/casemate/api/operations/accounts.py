"""The first account, signing in and out, and the tokens that programs show (spec/security 4.8)."""

from __future__ import annotations

from asyncio import Semaphore, to_thread
from dataclasses import replace
from datetime import timedelta
from functools import cache

from starlette.responses import HTMLResponse, JSONResponse, Response

from casemate import durations
from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.entrance import COOKIE, csrf_of, digest, new_secret, session_of
from casemate.api.errors import Declined, illegal_argument, illegal_state, not_found
from casemate.api.gate import Throttled
from casemate.api.operation import ANYTHING, PUBLIC, Answer, Operation, Permission, json_of
from casemate.errors import Problem, Refused
from casemate.identifiers import MAIN
from casemate.keys import password_fits, password_hash
from casemate.orchestrator import new_id
from casemate.secret import Secret
from casemate.settings import name_faults, password_fault
from casemate.store import Account, Token
from casemate.store import accounts as rows

_LASTS = timedelta(hours=12)
"""How long a session is good for."""

_HASHING = Semaphore(2)
"""Every look at a password takes 64 MiB."""

_SETUP = shapes.SetupAsked
_LOGIN = shapes.LoginAsked
_TOKEN = shapes.TokenAsked

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Casemate</title>{csrf}</head>
<body><h1>Casemate</h1>
<p>There is no user interface yet. The API is below /api/v1, described by /api/v1/openapi.json.</p></body></html>
"""


async def setup_kestra(call: Call) -> Answer:
    """Make the first account, which closes the server to everybody else."""
    asked = await call.body_json(_SETUP)
    if call.deps.basic_auth is not None or await call.deps.db.read(rows.any_there):
        raise Declined(405, "Method Not Allowed: there is an account already")
    if (asked.get("tenant") or {}).get("id", MAIN) != MAIN:
        raise illegal_argument(f"there is one tenant here, {MAIN}")
    name, password = asked["username"], Secret(asked["password"])
    _right(name, password)
    async with _HASHING:
        kept = await to_thread(password_hash, password)
    account = Account(id=new_id(), name=name, password=kept, created=call.deps.now())
    if not await call.deps.db.transact(rows.found_first, account):
        raise Declined(405, "Method Not Allowed: there is an account already")
    return {"type": "STANDARD", "id": account.id, "username": name, "email": name, "instanceOwner": True}


def _right(name: str, password: Secret) -> None:
    fault = password_fault(password.reveal(), name)
    found = [("username", each) for each in name_faults(name)] + ([("password", fault)] if fault else [])
    if not name:
        found.append(("username", "must not be empty"))
    if found:
        raise Refused([Problem(code="account-unfit", message=text, path=path) for path, text in found])


async def login(call: Call) -> Answer:
    """Begin a session, which a cookie carries from then on."""
    asked = await call.body_json(_LOGIN)
    name, password = asked["username"], asked["password"]
    address = call.request.client.host if call.request.client else ""
    _may_guess(call, address, f"{name}\n{password}")
    account = await call.deps.db.read(rows.named, name)
    async with _HASHING:
        # Guesses that were sent at once have waited here: see test_guesses_sent_at_once_are_no_more_than_others.
        _may_guess(call, address, f"{name}\n{password}")
        # An unknown name takes as long as a wrong password: the time must not tell which names exist.
        fits = await to_thread(lambda: password_fits(Secret(password), account.password if account else _decoy()))
        if account is None or not fits:
            call.deps.guesses.missed(address, f"{name}\n{password}", "login")
            raise Declined(401, "Unauthorized: the name or the password is wrong")
    return await _signed_in(call, account)


def _may_guess(call: Call, address: str, guess: str) -> None:
    if wait := call.deps.guesses.wait(address, guess, "login"):
        raise Throttled(wait)


@cache
def _decoy() -> str:
    return password_hash(Secret(new_secret()))


async def _signed_in(call: Call, account: Account) -> Response:
    session, now = new_secret(), call.deps.now()
    before = session_of(call.request)
    if before:
        await call.deps.db.transact(rows.end_session, digest(before))
    await call.deps.db.transact(rows.begin_session, account.id, digest(session), now, now + _LASTS)
    response = JSONResponse({"username": account.name})
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(_LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=call.deps.url.startswith("https:"),
    )
    return response


async def logout(call: Call) -> Answer:
    """End the session."""
    await call.deps.db.transact(rows.end_session, digest(session_of(call.request)))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=call.deps.url.startswith("https:"))
    return response


async def interface(call: Call) -> Answer:
    """The page that people open; to those who have signed in it tells what their changes must come with."""
    session = session_of(call.request)
    known = await call.deps.db.read(rows.by_session, digest(session) if session else None, call.deps.now())
    csrf = f'<meta name="csrf-token" content="{csrf_of(session)}">' if known.account else ""
    return HTMLResponse(_PAGE.format(csrf=csrf))


async def create_api_token(call: Call) -> Answer:
    """Make a token. It is shown this once."""
    asked, now, secret = await call.body_json(_TOKEN), call.deps.now(), new_secret()
    token = Token(
        id=new_id(),
        account=_account(call),
        name=asked["name"],
        prefix=secret[:6],
        created=now,
        description=asked.get("description"),
    )
    age = asked.get("maxAge")
    token = token if age is None else replace(token, expires=now + _age(age))
    await call.deps.db.transact(rows.add_token, token, digest(secret))
    return {"id": token.id, "name": token.name, "fullToken": secret}


def _age(text: str) -> timedelta:
    try:
        age = durations.parse(text)
    except durations.NotADuration as error:
        raise illegal_argument(f"maxAge: {error}") from error
    if not timedelta(0) < age <= timedelta(days=3660):
        raise illegal_argument("maxAge must be more than nothing and at most ten years")
    return age


async def list_api_tokens(call: Call) -> Answer:
    """List one's tokens, without what makes them work."""
    found = await call.deps.db.read(rows.tokens_of, _account(call))
    return {"results": [_shown(token, call) for token in found], "total": len(found)}


async def delete_api_token(call: Call) -> Answer:
    """Delete a token of one's own; nobody is let in by it any more."""
    if not await call.deps.db.transact(rows.delete_token, _account(call), call.part("token_id")):
        raise not_found("token")
    return None


def _account(call: Call) -> str:
    if call.principal.account is None:
        raise illegal_state("tokens belong to accounts, and there is none yet: POST /api/v1/setup makes the first")
    return call.principal.account


def _shown(token: Token, call: Call) -> dict[str, object]:
    shown = {
        "id": token.id,
        "name": token.name,
        "description": token.description,
        "prefix": token.prefix,
        "iat": token.created,
        "exp": token.expires,
        "expired": token.expires is not None and token.expires <= call.deps.now(),
    }
    return {name: value for name, value in shown.items() if value is not None}


_TOKENS = "/api/v1/me/api-tokens"
_OWN: Permission = ("INSTANCE", "VIEW")

TABLE = (
    Operation(
        "POST",
        "/api/v1/setup",
        can=PUBLIC,
        audit="instance:setup",
        body=json_of(shapes.SetupAsked),
        returns=shapes.User,
        run=setup_kestra,
    ),
    Operation("POST", "/login", can=PUBLIC, audit="session:begin", body=json_of(shapes.LoginAsked), run=login),
    Operation("POST", "/logout", can=PUBLIC, audit="session:end", body=ANYTHING, status=204, run=logout),
    Operation("GET", "/ui/", can=PUBLIC, audit="instance:view", produces="text/html", run=interface),
    Operation("GET", _TOKENS, can=_OWN, audit="token:list", returns=shapes.Tokens, run=list_api_tokens),
    Operation(
        "POST",
        _TOKENS,
        can=_OWN,
        audit="token:create",
        body=json_of(shapes.TokenAsked),
        returns=shapes.TokenMade,
        run=create_api_token,
    ),
    Operation("DELETE", _TOKENS + "/{token_id}", can=_OWN, audit="token:delete", status=204, run=delete_api_token),
)
