"""By what a secret is known in a configuration: its name, or what it looks like (spec/security 8.6)."""

from __future__ import annotations

import re
from typing import Final

from casemate.secret import HIDDEN

NAMED: Final = re.compile(
    r"pass(word)?|pwd|secret|token|credential|private|certificate|api[-_]?key|access[-_]?key|account[-_]?key"
    r"|service[-_]?account|fingerprint|connection[-_]?string|authori[sz]ation|cookie|\bsas\b",
    re.IGNORECASE,
)
"""Names of what must not be shown."""

_SURELY: Final = re.compile(
    r"(password|passwd|passphrase|pwd|secret|token|credentials?|((secret|api|access|account|private)[-_]?key)"
    r"|authori[sz]ation|connection[-_]?string)$",
    re.IGNORECASE,
)
_ACCOUNT: Final = re.compile(
    r"(?<=://)(?:[^/\s]*@|[^/\s:]*:[^\s@]*@)"  # a password may hold a slash, or another @
    r"|(?<![^\s\"'=,])[^\s/@:]+:[^\s/@]+@(?=[^\s@])"
)
_PARAMETER: Final = re.compile(rf"((?:{NAMED.pattern}|\bsig|\bkey)[\w.-]*\s*=\s*)[^&;,\s]+", re.IGNORECASE)
_WHOLE: Final = re.compile(r"-----BEGIN [^-]*PRIVATE KEY|^\s*(bearer|basic)\s+\S", re.IGNORECASE)


def covered(text: str) -> str:
    """A text without accounts of addresses and parameters named like secrets; nothing of a private key or signature."""
    if _WHOLE.search(text):
        return HIDDEN
    return _PARAMETER.sub(rf"\g<1>{HIDDEN}", _ACCOUNT.sub(f"{HIDDEN}@", text))


def tells(name: str, text: str) -> bool:
    """Is this surely a secret, in clear text? What a template or a placeholder brings is none."""
    return "{{" not in text and bool(_SURELY.search(name) or covered(text) != text)
