"""One field of a secret that is a JSON object: `secret('DB', subkey='user')` (spec/security 2.1)."""

from __future__ import annotations

import json

from casemate.secret import Secret
from casemate.secrets.errors import NoField


def field_of(name: str, whole: Secret, field: str) -> Secret:
    """A text as it is, anything else as its JSON. Raises `NoField` in Kestra's words, which quote no value."""
    try:
        fields = json.loads(whole.reveal())
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise NoField(
            f"Failed to read secret sub-key '{field}' from secret '{name}'. "
            "Ensure the secret contains valid JSON value."
        ) from None
    if field not in fields:
        raise NoField(f"Cannot find secret sub-key '{field}' in secret '{name}'.")
    value = fields[field]
    return Secret(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":")))
