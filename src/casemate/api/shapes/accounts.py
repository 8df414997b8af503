"""Shapes of accounts and tokens."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(extra="ignore"))
class TenantAsked(TypedDict):
    """The first tenant."""

    id: NotRequired[str]


@with_config(ConfigDict(extra="ignore"))
class SetupAsked(TypedDict):
    """The first account."""

    username: str
    password: str
    tenant: NotRequired[TenantAsked | None]


@with_config(ConfigDict(extra="ignore"))
class LoginAsked(TypedDict):
    """Who signs in."""

    username: str
    password: str


class User(TypedDict):
    """An account."""

    type: str
    id: str
    username: str
    email: str
    instanceOwner: bool


@with_config(ConfigDict(extra="ignore"))
class TokenAsked(TypedDict):
    """A token to be made; `maxAge` is a duration, without it the token is good until it is deleted."""

    name: str
    description: NotRequired[str | None]
    maxAge: NotRequired[str | None]


class TokenMade(TypedDict):
    """A token, shown this once."""

    id: str
    name: str
    fullToken: str


class TokenOf(TypedDict):
    """A token as a list shows it."""

    id: str
    name: str
    prefix: str
    iat: str
    expired: bool
    description: NotRequired[str]
    exp: NotRequired[str]


class Tokens(TypedDict):
    """The tokens of an account."""

    results: list[TokenOf]
    total: int
