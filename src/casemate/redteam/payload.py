"""From an attack and the bait to the one text that runs on both sides of the walls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from textwrap import indent

from casemate.redteam.model import Attack, Runs

_SAY = "TELL = globals().get('TELL') or (lambda message: print('::' + json.dumps(message) + '::', flush=True))"


def text_of(attack: Attack, bait: Mapping[str, object], mark: str) -> str:
    """The whole program: bait, prelude, payload."""
    if attack.runs is Runs.SHELL:
        return f"{_prelude('prelude.sh')}\n({attack.text}\n) || true\nblocked 'nothing was found'"
    given = json.dumps({**bait, "mark": mark})
    code = _ASKING.format(address=address_of(attack, bait)) if attack.runs is Runs.HTTP else attack.text
    payload = f"def attack():\n{indent(code, '    ')}"
    return "\n".join((f"import json\nBAIT = json.loads({given!r})", _SAY, _prelude("prelude.py"), payload, _LAST))


def address_of(attack: Attack, bait: Mapping[str, object]) -> str:
    """The address that an HTTP attack asks for."""
    return attack.text.format_map(bait)


def environment_of(attack: Attack, bait: Mapping[str, object], mark: str) -> dict[str, str]:
    """The bait as a shell payload finds it."""
    if attack.runs is not Runs.SHELL:
        return {}
    told = {f"BAIT_{name.upper()}": str(value) for name, value in bait.items()}
    return {**told, "BAIT_MARK": mark}


def mark_of(attack: Attack, bait: Mapping[str, object], side: str) -> str:
    """A word that every process of this attack can carry in its command line, on one side of the walls."""
    return f"{bait['run']}-{attack.id}-{side}"


_ASKING = """import urllib.request
leaked(urllib.request.urlopen({address!r}, timeout=5).read())"""
_LAST = "\n\ncarry_out(attack)"


@cache
def _prelude(name: str) -> str:
    return files("casemate.redteam").joinpath(name).read_text("utf-8")
