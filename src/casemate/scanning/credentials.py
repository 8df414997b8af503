"""Credentials that stand in a flow: tokens by their shape, private keys, passwords in addresses and by their names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from casemate.documents import Scalar
from casemate.scanning.model import Place, Span

TOKENS: Final = (
    ("an AWS access key", r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}"),
    ("a GitHub token", r"gh[pousr]_[0-9A-Za-z]{36,251}|github_pat_[0-9A-Za-z_]{60,}"),
    ("a GitLab token", r"gl(?:pat|dt|ptt|rt|cbt|agent|soat|ft|oas|imt)-[0-9A-Za-z_-]{20,}"),
    ("a Slack token", r"xox[abeoprs]-[0-9A-Za-z-]{20,}|xapp-[0-9]-[0-9A-Z]+-[0-9]+-[0-9a-f]{32,}"),
    ("a Slack webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z_/-]{30,}"),
    ("a Discord webhook", r"discord(?:app)?\.com/api/webhooks/[0-9]{15,}/[0-9A-Za-z_-]{60,}"),
    ("a Google API key", r"AIza[0-9A-Za-z_-]{35}"),
    ("a Google OAuth secret", r"GOCSPX-[0-9A-Za-z_-]{28}"),
    ("a Google access token", r"ya29\.[0-9A-Za-z_-]{30,}"),
    ("a Stripe key", r"[rs]k_live_[0-9A-Za-z]{20,}"),
    ("an OpenAI key", r"sk-(?:proj|svcacct|admin)-[0-9A-Za-z_-]{40,}|sk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}"),
    ("an Anthropic key", r"sk-ant-[a-z0-9]+-[0-9A-Za-z_-]{80,}"),
    ("a Hugging Face token", r"hf_[0-9A-Za-z]{34,}"),
    ("an npm token", r"npm_[0-9A-Za-z]{36}"),
    ("a PyPI token", r"pypi-AgE[0-9A-Za-z_-]{50,}"),
    ("a Docker Hub token", r"dckr_(?:pat|oat)_[0-9A-Za-z_-]{27,}"),
    ("a SendGrid key", r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
    ("a Twilio key", r"SK[0-9a-f]{32}"),
    ("a Telegram bot token", r"[0-9]{8,10}:AA[0-9A-Za-z_-]{33}"),
    ("a HashiCorp Vault token", r"hv[sbr]\.[0-9A-Za-z_-]{24,}"),
    ("a DigitalOcean token", r"do[opr]_v1_[0-9a-f]{64}"),
    ("a Databricks token", r"dapi[0-9a-f]{32}"),
    ("a Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("a Linear key", r"lin_api_[0-9A-Za-z]{40}"),
    ("a Notion token", r"(?:ntn_[0-9A-Za-z]{40,}|secret_[0-9A-Za-z]{43})"),
    ("an Azure storage key", r"AccountKey=[0-9A-Za-z+/]{86}=="),
    ("an Azure shared access signature", r"sig=[0-9A-Za-z%]{43,}(?:%3D|=)"),
    ("a login of a registry", r"(?:\"auth\"|'auth')\s*:\s*[\"'][0-9A-Za-z+/]{12,}={0,2}[\"']"),
    ("a JSON web token", r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}"),
    ("an age secret key", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
)
"""What services give out, each with a shape of its own, and what to call it."""

_TOKEN: Final = re.compile(
    r"(?<![0-9A-Za-z_-])(?:" + "|".join(f"(?P<t{number}>{shape})" for number, (_, shape) in enumerate(TOKENS)) + ")"
)
_SAMPLE: Final = re.compile(
    r"example|sample|dummy|placeholder|redacted|your|x{6,}|0{10,}|\*{3,}|\.{3}|123456789", re.IGNORECASE
)
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]")
_USERINFO: Final = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"{}$<>]*:(?P<value>[^\s/@'\"<>]{1,200})@[^\s@]", re.IGNORECASE
)
_QUERY: Final = re.compile(
    r"[?&;](?:password|passwd|pwd|token|access_token|api_?key|secret|client_secret)=(?P<value>[^&;\s'\"{}$<>()|]{4,200})",
    re.IGNORECASE,
)
_WORDS: Final = "password|passwd|secret|token|api_?key|access_?key|private_?key"
_ASSIGNED: Final = re.compile(
    rf"(?:{_WORDS})\b['\"]?\s*(?:=|:)\s*(?P<quote>['\"])(?P<quoted>[^'\"\s]{{8,200}})(?P=quote)"
    rf"|(?:{_WORDS})(?-i:(?<=[A-Z]))=(?P<shell>[^\s'\"$`{{}}<>()&|;]{{8,200}})(?=[\s;&|]|$)"
    rf"|--(?:[a-z]+-)?(?:{_WORDS})[= ](?P<option>[^\s'\"$`{{}}<>()&|;-][^\s'\"$`{{}}<>()&|;]{{7,200}})(?=[\s;&|]|$)"
    r"|authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token)\s+(?P<header>[\w+/=.~-]{12,500})",
    re.IGNORECASE,
)
"""As a program assigns: `password = "..."`, `DB_PASSWORD=...`, `--token ...`, `Authorization: Bearer ...`."""
_KEYS: Final = (
    "password", "passwd", "pwd", "passphrase", "passcode", "secret", "secret key", "secret access key", "client secret",
    "token", "access token", "auth token", "api token", "bearer token", "refresh token", "registry token",
    "identity token", "session token", "sas token", "api key", "access key", "account key", "shared key", "private key",
    "encryption key", "signing key", "secret key id", "credential", "credentials", "connection string", "authorization",
)  # fmt: skip
_TELLING: Final = re.compile(
    rf"(?:^|[_.-]|(?<=[a-z]))(?:{'|'.join(key.replace(' ', '[_-]?') for key in _KEYS)})$|(?:^|[_.-])pass$",
    re.IGNORECASE,
)
"""Keys whose value is a credential: `password`, `DB_PASSWORD`, `clientSecret`, `apiKey`."""
_HARMLESS: Final = re.compile(
    r"|true|false|null|none|nil|n/?a|yes|no|on|off|changeme|change[-_ ]?me|\*+|x+|-+|\.+|todo|tbd|fixme|dummy.*"
    r"|.*placeholder.*|.*example.*|redacted.*|(?:your|my|some|the|a|an)[-_ ].*"
    r"|<.*>|\[.*\]|\(.*\)|%[\w.]+%|\$\w+|\$\{.*\}|\$\(.*\)"
    r"|(?:string|uri|int|integer|boolean|bool|text)s?",
    re.IGNORECASE | re.DOTALL,
)
"""Values that stand for a credential, or name a type: none of them opens anything."""
_NAMES_ONE: Final = re.compile(
    r"(?:kestra|file|nsfile|https?|vault|arn|projects|secretref|op)(?:://|:|/).*|/[\w./-]+", re.IGNORECASE
)
"""Where a credential is to be found, which is not the credential."""
_PAGE: Final = re.compile(r"(?:next|page|continuation|sync|max)_?token$", re.IGNORECASE)
"""Tokens that say where to go on, and are no credentials."""
_FORMS: Final = ("quoted", "shell", "option", "header")
_DEFAULTS: Final = ("default", "defaults")
_VALUES: Final = ("value", *_DEFAULTS)
_NAMES: Final = ("name", "key", "id")
_WORD: Final = re.compile("password|secret|token", re.IGNORECASE)
"""Where an input has one of these for its default, people are told what to type."""
_CONSTANT: Final = re.compile(r"\{\{-?\s*(['\"])([^'\"{}]*)\1\s*-?\}\}")
"""An expression that is one text."""
_OPENS: Final = ("{{", "{%")
_LONGEST: Final = 1000
_LONGEST_NAME: Final = 80
_RANDOM: Final = 3.0
"""Bits of a character's surprise: words and names have less."""


def token(_place: Place, text: str) -> Iterator[Span]:
    """Tokens of known shape. The span says whose, never which."""
    for found in _TOKEN.finditer(text):
        name = TOKENS[int((found.lastgroup or "t0")[1:])][0]
        if not _SAMPLE.search(found[0]):
            yield Span(found.start(), found.end(), name)


def private_key(_place: Place, text: str) -> Iterator[Span]:
    """Headers of private keys."""
    for found in _PRIVATE_KEY.finditer(text):
        yield Span(found.start(), found.end())


def userinfo(_place: Place, text: str) -> Iterator[Span]:
    """Passwords in addresses: `postgres://user:password@host`, `jdbc:x://host/db?password=...`."""
    for shape in (_USERINFO, _QUERY):
        for found in shape.finditer(text):
            if not _placeholder(found["value"]):
                yield Span(found.start("value"), found.end("value"))


def assigned(_place: Place, text: str) -> Iterator[Span]:
    """Literals that a script gives to a name such as `password`, if they look random."""
    for found in _ASSIGNED.finditer(text):
        name = next(name for name in _FORMS if found[name])
        value = found[name]
        random = _surprise(value) >= _RANDOM and re.search("[0-9]", value)
        if random and not _placeholder(value) and not _NAMES_ONE.fullmatch(value):
            yield Span(found.start(name), found.end(name))


def telling(place: Place, text: str) -> Iterator[Span]:
    """The literal value of a property whose key says that it is a credential."""
    name, value = _named(place), place.node.value if isinstance(place.node, Scalar) else None
    if isinstance(value, bool | float) or not _TELLING.search(name) or _PAGE.search(name):
        return
    plain = _CONSTANT.sub(r"\2", text)
    if place.key in _DEFAULTS and _WORD.fullmatch(plain):
        return
    if not _placeholder(plain) and plain.lower() != name.lower() and not _NAMES_ONE.fullmatch(plain.strip()):
        yield Span(0, len(text), name[-_LONGEST_NAME:])


def literal(_place: Place, text: str) -> Iterator[Span]:
    """Any literal value, at a path that says what it is."""
    if not _placeholder(text):
        yield Span(0, len(text), "auth")


def secret_default(place: Place, text: str) -> Iterator[Span]:
    """The default of an input of type SECRET."""
    if place.kind == "SECRET" and not _placeholder(text) and not _WORD.fullmatch(text):
        yield Span(0, len(text), "this input")


def _named(place: Place) -> str:
    """The key; of `{name: DB_PASSWORD, value: ...}` and its like, the name."""
    key = place.key
    if key not in _VALUES or place.siblings is None:
        return key if isinstance(key, str) else ""
    entries = map(place.siblings.entry, _NAMES)
    return next((entry.value.text for entry in entries if entry and isinstance(entry.value, Scalar)), "")


def _placeholder(text: str) -> bool:
    return any(mark in text for mark in _OPENS) or _HARMLESS.fullmatch(text.strip()[:_LONGEST]) is not None


def _surprise(text: str) -> float:
    """Shannon's entropy in bits a character."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
