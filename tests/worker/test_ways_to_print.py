"""Many ways to print a secret: what docs/explanation/secrets.md promises is covered, what it says cannot be is not."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.worker.conftest import CORE, SCRIPTS
from tests.worker.plane import Plane

from casemate.dispatch import Reply

pytestmark = pytest.mark.anyio

COVERED = "********"
TOKEN = "hunter2/Sesame+42"
HARD = """it's a "q" $x `y` <b> & é\\z"""
PEM = """-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
BKcwggSjAgEAAoIBAQC7
AbCd
-----END PRIVATE KEY-----
"""
SECRETS = {
    "TOKEN": TOKEN,
    "HARD": HARD,
    "PEM": PEM,
    "INNER": "Sesame",
    "LEFT": "overlap-one-two",
    "RIGHT": "two-three-four",
    "WORD": "opensesame",
    "SHORT_LINE": "first line\nx=",
}
PYTHON = """import base64, html, json, os, shlex, urllib.parse
T, H, P = (os.environ[name] for name in ("TOKEN", "HARD", "PEM"))
"""


@dataclass(frozen=True)
class Way:
    """A command of bash, or a Python program, and what the log shows of it: all of its lines."""

    name: str
    text: str
    shows: tuple[str, ...]
    needs: str = "bash"
    python: bool = False

    @property
    def command(self) -> str:
        """The lines of the script that carries it out."""
        body = self.text if not self.python else f"python3 - <<'PROGRAM'\n{PYTHON}{self.text}\nPROGRAM"
        return f"echo '@ {self.name}'; {body}"


def shell(name: str, text: str, *shows: str, needs: str = "bash") -> Way:
    return Way(name, text, shows, needs)


def program(name: str, text: str, *shows: str) -> Way:
    return Way(name, text, shows, "python3", python=True)


PROMISED = [
    shell("plainly", 'echo "it is $TOKEN."', f"it is {COVERED}."),
    shell("difficult letters", 'printf "%s\\n" "$HARD"', COVERED),
    shell("twice in a line", 'echo "$TOKEN, $TOKEN"', f"{COVERED}, {COVERED}"),
    shell("standard error", 'echo "$TOKEN" >&2; sleep 0.3', COVERED),
    shell("environment", "env | grep ^TOKEN", f"TOKEN={COVERED}"),
    shell("export -p", "export -p | grep ' TOKEN'", f'declare -x TOKEN="{COVERED}"'),
    shell("declare -p with quotes", "declare -p HARD", f'declare -x HARD="{COVERED}"'),
    shell("set", "set | grep ^HARD=", f"HARD='{COVERED}'"),
    program(
        "the environment of a program",
        "print({k: v for k, v in os.environ.items() if k == 'HARD'})",
        f"{{'HARD': '{COVERED}'}}",
    ),
    shell("set -x", '(set -x; : "$TOKEN" "$HARD") 2>&1', f"++ : {COVERED} '{COVERED}'"),
    shell("printf %q", 'printf "%q\\n" "$HARD"', COVERED),
    shell("printf %q of lines", 'printf "%q\\n" "$PEM"', f"$'{COVERED}'"),
    shell("base64", 'printf %s "$TOKEN" | base64 -w0; echo', COVERED),
    shell("base64 in lines", 'printf %s "$PEM" | base64', COVERED, COVERED),
    shell("base64 after one byte", 'printf "x%s" "$TOKEN" | base64 -w0; echo', f"eG{COVERED}"),
    shell(
        "basic authentication",
        'echo "> Authorization: Basic $(printf "u:%s" "$TOKEN" | base64 -w0)"',
        f"> Authorization: Basic dTp{COVERED}",
    ),
    shell(
        "a request as curl -v shows it",
        'printf "> GET /?t=%s HTTP/1.1\\r\\n" "$TOKEN"',
        f"> GET /?t={COVERED} HTTP/1.1",
    ),
    shell(
        "a bearer token",
        'echo "* Server auth using Bearer: Bearer $TOKEN"',
        f"* Server auth using Bearer: Bearer {COVERED}",
    ),
    shell("xxd -p", 'printf %s "$TOKEN" | xxd -p', COVERED, needs="xxd"),
    shell("xxd", 'printf %s "$WORD" | xxd', f"00000000: {COVERED}                 {COVERED}", needs="xxd"),
    shell("xxd -i", 'printf %s "$WORD" | xxd -i', f"  {COVERED}", needs="xxd"),
    shell("od -tx1", 'printf %s "$WORD" | od -An -tx1', f" {COVERED}"),
    shell("od -c", 'printf %s "$WORD" | od -An -c', f"   {COVERED}"),
    shell(
        "hexdump -C",
        'printf %s "$LEFT" | hexdump -C',
        f"00000000  {COVERED}  {COVERED}     |{COVERED}|",
        "0000000f",
        needs="hexdump",
    ),
    shell(
        "tab, colours and brackets", 'printf "[\\t\\033[31m%s\\033[0m]\\n" "$TOKEN"', f"[\t\x1b[31m{COVERED}\x1b[0m]"
    ),
    shell("beside bytes that are no text", 'printf "\\xff%s\\xc3\\n" "$TOKEN"', f"\ufffd{COVERED}\ufffd"),
    shell("a key of several lines", 'printf %s "$PEM"', COVERED, COVERED, COVERED, COVERED, COVERED),
    shell("slowly", 'for i in $(seq 0 16); do printf %s "${TOKEN:$i:1}"; sleep 0.01; done; echo', COVERED),
    shell("two writes", 'printf %s "${TOKEN:0:9}"; sleep 0.2; echo "${TOKEN:9}"', COVERED),
    shell("no end of line", '(printf %s "$TOKEN"); echo', COVERED),
    shell("two secrets over each other", 'echo "overlap-one-two-three-four" | grep "$LEFT"', COVERED),
    shell("a secret within a secret", 'echo "$INNER and $TOKEN"', f"{COVERED} and {COVERED}"),
    shell("an entry of the log", """echo '::{"logs":[{"level":"INFO","message":"'"$TOKEN"'"}]}::'""", COVERED),
    shell(
        "a marker that is not understood",
        """echo '::{"outputs":["'"$WORD"'"]'}::""",
        "Invalid outputs '`outputs` is not a map'",
    ),
    program("JSON", "print(json.dumps({'level': 'info', 'token': H}))", f'{{"level": "info", "token": "{COVERED}"}}'),
    program("JSON with a key in it", "print(json.dumps({'key': P}))", f'{{"key": "{COVERED}"}}'),
    program("JSON of PHP", "print(json.dumps(T).replace('/', '\\\\/'))", f'"{COVERED}"'),
    program(
        "JSON of Go",
        "print(json.dumps(H, ensure_ascii=False).replace('<', '\\\\u003c').replace('>', '\\\\u003e')"
        ".replace('&', '\\\\u0026'))",
        f'"{COVERED}"',
    ),
    program("repr", "print(repr(H))", f"'{COVERED}'"),
    program("repr of bytes", "print(H.encode())", f"b'{COVERED}'"),
    program("repr of a map", "print({'pem': P, 'list': [T]})", f"{{'pem': '{COVERED}', 'list': ['{COVERED}']}}"),
    program(
        "a traceback", "try:\n    {}[H]\nexcept KeyError as e:\n    print(f'KeyError: {e}')", f"KeyError: '{COVERED}'"
    ),
    program(
        "an address", "print('https://u:' + urllib.parse.quote(T, safe='') + '@host/')", f"https://u:{COVERED}@host/"
    ),
    program("a query", "print(urllib.parse.urlencode({'a': H}))", f"a={COVERED}"),
    program(
        "small digits in an address",
        "print(urllib.parse.quote(T, safe='').replace('%2F', '%2f').replace('%2B', '%2b'))",
        COVERED,
    ),
    program("HTML", "print(html.escape(H))", COVERED),
    program(
        "XML",
        'print(H.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\'", "&apos;")'
        '.replace(\'"\', "&quot;"))',
        COVERED,
    ),
    program("quoted for a shell", "print(shlex.quote(H))", f"'{COVERED}'"),
    program("SQL and YAML", 'print("\'" + H.replace("\'", "\'\'") + "\'")', f"'{COVERED}'"),
    program("CSV", "print('\"' + H.replace('\"', '\"\"') + '\"')", f'"{COVERED}"'),
    program("base64 for addresses", "print(base64.urlsafe_b64encode(H.encode()).decode().rstrip('='))", COVERED),
    program("hexadecimal digits", "print(T.encode().hex(), T.encode().hex().upper())", f"{COVERED} {COVERED}"),
    program("digits with colons", "print(T.encode().hex(':'))", COVERED),
    program("escapes", "print(''.join(f'\\\\x{b:02x}' for b in T.encode()))", COVERED),
    shell("printenv -0", "printenv -0 TOKEN; echo", f"{COVERED}\0"),
    shell("set -x of a simple shell", "sh -xc ': \"$HARD\"' 2>&1", f"+ : {COVERED}"),
    shell(
        "base64 in lines after a name",
        'printf "somebody:%s" "$PEM" | base64',
        f"c29tZWJvZHk6{COVERED}",
        COVERED,
        COVERED,
    ),
    shell("two halves of UTF-16", 'printf %s "$WORD" | iconv -t utf-16le; echo', f"{COVERED}\0", needs="iconv"),
    shell("progress", 'printf "1 %%\\r2 %% %s\\r3 %%\\n" "$TOKEN"', f"1 %\r2 % {COVERED}\r3 %"),
    program(
        "JSON in JSON", "print(json.dumps({'m': json.dumps({'a': H})}))", f'{{"m": "{{\\"a\\": \\"{COVERED}\\"}}"}}'
    ),
    program("numbers of bytes", "print(list(T.encode()))", f"[{COVERED}]"),
    program("XML in ASCII", "print(html.escape(H).encode('ascii', 'xmlcharrefreplace').decode())", COVERED),
    program("letters that the output has not", "print(H.encode('ascii', 'replace').decode())", COVERED),
    program("an address twice", "print(urllib.parse.quote(urllib.parse.quote(T, safe=''), safe=''))", COVERED),
    program("a long line", "print('x' * 50000 + T + 'y' * 50000)", "x" * 10240),
]

UNCOVERED = [
    shell("backwards", 'echo "$WORD" | rev', "emasesnepo"),
    shell("capitals", 'echo "${WORD^^}"', "OPENSESAME"),
    shell("with something in between", 'echo "$WORD" | sed "s/./&-/g"', "o-p-e-n-s-e-s-a-m-e-"),
    shell("halves in two lines", 'echo "${WORD:5}"; echo "${WORD:0:5}"', "esame", "opens"),
    shell("a part of it", 'echo "${WORD:0:7}"', "openses"),
    shell("base64 twice", 'printf %s "$WORD" | base64 | base64', "YjNCbGJuTmxjMkZ0WlE9PQo="),
    shell("octal digits", 'printf %s "$WORD" | od -An -b', " 157 160 145 156 163 145 163 141 155 145"),
    shell("words of two bytes", 'printf %s "$WORD" | od -An -x', " 706f 6e65 6573 6173 656d"),
    shell("a digest", 'printf %s "$WORD" | md5sum', "e6078b9b1aac915d11b9fd59791030bf  -"),
    shell("other letters", 'echo "$WORD" | tr a-z b-za', "pqfotftbnf"),
    shell("the last short line of a key", 'printf "%s\\n" "$SHORT_LINE"', COVERED, "x="),
    shell(
        "the rest of a dump after its last gap",
        'printf %s "$WORD" | hexdump -C',
        f"00000000  {COVERED}  6d 65                    |{COVERED}|",
        "0000000a",
        needs="hexdump",
    ),
    program("base 32", "print(base64.b32encode(b'opensesame').decode())", "N5YGK3TTMVZWC3LF"),
]


async def printed(plane: Plane, ways: list[Way]) -> dict[str, tuple[str, ...]]:
    """What the log shows of each."""
    environment = {name: f"{{{{ secret('{name}') }}}}" for name in SECRETS}
    properties = {
        "commands": [way.command for way in ways],
        "env": {**environment, "LC_ALL": "C.UTF-8"},
        "interpreter": ["/bin/bash", "-c"],
        "failFast": False,
    }
    await plane.end_of(await plane.give(f"{SCRIPTS}.shell.Commands", properties=properties, secrets=SECRETS))
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in (message for message in plane.messages() if not message.startswith("Starting command")):
        if line.startswith("@ "):
            name = line.removeprefix("@ ")
            found[name] = ()
        else:
            found[name] += (line,)
    return found


def possible(ways: list[Way]) -> list[Way]:
    return [way for way in ways if shutil.which(way.needs)]


async def test_everything_promised_is_covered(plane: Plane, worker: Path):
    ways = possible(PROMISED)
    found = await printed(plane, ways)
    shown = {way.name: found.get(way.name, ())[: len(way.shows)] for way in ways}
    assert shown == {way.name: way.shows for way in ways}
    assert not [message for message in plane.messages() if "hunter2" in message or "opensesame" in message]
    assert len(ways) >= 40


async def test_what_cannot_be_covered_is_what_the_page_says(plane: Plane, worker: Path):
    found = await printed(plane, possible(UNCOVERED))
    assert found == {way.name: way.shows for way in possible(UNCOVERED)}


TASKS = [
    (f"{CORE}.log.Log", {"message": "it is {{ secret('TOKEN') }}"}),
    (f"{CORE}.log.Log", {"message": ["{{ secret('TOKEN') }}", "{{ secret('TOKEN') | base64encode }}"]}),
    (f"{CORE}.log.Log", {"message": "{{ secret('TOKEN') | upper }}"}),
    (f"{CORE}.execution.Fail", {"errorMessage": "wrong: {{ secret('TOKEN') }}"}),
    (f"{CORE}.log.Log", {"message": "{{ secret('TOKEN') | date(secret('TOKEN')) }}"}),
    (f"{CORE}.log.Log", {"message": "{{ fromJson(secret('TOKEN')) }}"}),
    (f"{CORE}.log.Log", {"message": "{{ secret(secret('TOKEN')) }}"}),
    (f"{CORE}.log.Log", {"message": "{{ read(secret('TOKEN')) }}"}),
    (f"{CORE}.log.Log", {"message": "x", "level": "{{ secret('TOKEN') }}"}),
    (f"{CORE}.flow.Sleep", {"duration": "{{ secret('TOKEN') }}"}),
    (f"{CORE}.storage.Concat", {"files": ["{{ secret('TOKEN') }}"]}),
    (f"{SCRIPTS}.shell.Commands", {"commands": ["{{ secret('TOKEN') }}"]}),
    (f"{SCRIPTS}.shell.Commands", {"commands": ["true"], "env": {"A={{ secret('TOKEN') }}": "x"}}),
    (f"{SCRIPTS}.shell.Commands", {"commands": ["true"], "inputFiles": {"../{{ secret('TOKEN') }}": "x"}}),
    (f"{SCRIPTS}.shell.Commands", {"commands": ["true"], "outputFiles": ["[{{ secret('TOKEN') }}"]}),
    (f"{SCRIPTS}.shell.Commands", {"commands": ["true"], "interpreter": ["{{ secret('TOKEN') }}"]}),
    (f"{SCRIPTS}.shell.Commands", {"commands": ["cat /nowhere/{{ secret('TOKEN') }}"]}),
    (f"{SCRIPTS}.python.Script", {"script": "raise ValueError('{{ secret('TOKEN') }}')"}),
    (f"{SCRIPTS}.python.Script", {"script": "import os; os.execv('/{{ secret('TOKEN') }}', ['x'])"}),
    (f"{SCRIPTS}.node.Script", {"script": "throw new Error('{{ secret('TOKEN') }}')"}),
]


@pytest.mark.parametrize(("kind", "properties"), TASKS)
async def test_no_task_tells_a_secret_whatever_becomes_of_it(plane: Plane, worker: Path, kind, properties):
    plane.answers["secret"] = plane.answers["read"] = lambda arguments: Reply(error=f"There is no {arguments}.")
    end = await plane.end_of(await plane.give(kind, properties=properties, secrets=SECRETS))
    told = repr((plane.lines, plane.metrics, end.isolation))
    assert plane.lines
    assert not [
        form for form in (TOKEN, TOKEN.upper(), quote(TOKEN), base64.b64encode(TOKEN.encode()).decode()) if form in told
    ]
