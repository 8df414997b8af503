"""In which ways of writing a secret it is still known."""

import base64
import html
import json
import re
import shlex
from urllib.parse import quote, quote_plus

import pytest

from casemate.masking import Mask
from casemate.secret import Secret

STARS = "********"
HARD = """it's a "q" $x `y` <b> & \N{LATIN SMALL LETTER E WITH ACUTE}\\z"""
ADDRESS = "a~b(c)!d*e'f:g@h&i=j+k,l;m$n/o p"
WORDS = "p\N{LATIN SMALL LETTER A WITH DIAERESIS}ssword \N{CYRILLIC SMALL LETTER ZHE}42"
LONG = "".join(chr(33 + number * 7 % 90) for number in range(300))


def shown(text: str, secret: str) -> str:
    return Mask([Secret(secret)]).cover(text)


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(json.dumps(HARD)[1:-1])[1:-1],
        json.dumps(HARD)[1:-1].replace("\\", "\\\\"),
        json.dumps(HARD)[1:-1].replace("\\", "\\\\").replace("'", "\\'"),
        ascii(HARD)[1:-1],
        HARD.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"'),
        HARD.replace("\\", "\\\\").replace("'", "\\'"),
        html.escape(HARD).encode("ascii", "xmlcharrefreplace").decode(),
        html.escape(HARD).replace("`", "&#x60;"),
        "\0".join(HARD),
        HARD.encode("ascii", "replace").decode(),
        HARD.encode("latin-1").decode("utf-8", "replace"),
        json.dumps(HARD, ensure_ascii=False)[1:-1].replace("\N{LATIN SMALL LETTER E WITH ACUTE}", "\\xE9"),
    ],
)
def test_a_text_within_others_is_known(written):
    assert shown(written, HARD) == STARS


@pytest.mark.parametrize(
    "written",
    [
        *(quote(ADDRESS, safe=alone) for alone in ("", "/", "!*'()", ";,/?:@&=+$#!~*'()", "$&+,/:;=@")),
        quote(ADDRESS, safe="*").replace("~", "%7E").replace("%20", "+"),
        quote(ADDRESS, safe="!$&()*+,/:;=?@"),
        quote_plus(ADDRESS),
        quote(quote(ADDRESS, safe=""), safe=""),
        re.sub("%..", lambda escape: escape.group().lower(), quote(ADDRESS, safe="")),
    ],
)
def test_in_addresses_of_any_language_it_is_known(written):
    assert shown(f"https://host/?{written}&x", ADDRESS) == f"https://host/?{STARS}&x"


def test_quotes_of_simple_shells_are_known():
    assert shown("+ echo 'a'\"''\"'b'", "a''b") == "+ echo '********'"
    assert shown(shlex.quote("it's"), "it's") == "'********'"


@pytest.mark.parametrize("between", [" ", ",", ", "])
def test_numbers_of_bytes_are_known(between):
    numbers = between.join(map(str, b"opensesame"))
    assert shown(f"[{numbers}]", "opensesame") == "[********]"
    assert shown(between.join(map(str, b"abc")), "abc") != STARS


@pytest.mark.parametrize("width", [76, 64])
@pytest.mark.parametrize("secret", [LONG, LONG[:40]])
def test_lines_of_base64_are_known_wherever_the_secret_begins_in_them(secret, width):
    mask = Mask([Secret(secret)])
    for before in range(60):
        digits = base64.b64encode(b"\0" * before + secret.encode()).decode()
        lines = [digits[begin : begin + width] for begin in range(0, len(digits), width)]
        left = "".join(map(mask.cover, lines)).replace("*", "").strip("=A")
        # A few digits at the end of the first line, or in the last one, are too few to be told from others.
        assert len(left) < 16, (before, left)


def test_a_dump_of_letters_beyond_ascii_is_known():
    row = "p\N{LATIN SMALL LETTER A WITH DIAERESIS}sswords"
    assert shown("00000000  |p..sswords|", row) == "00000000  |********|"
    assert shown("p 303 244   s   s   w   o   r   d   s", row) == STARS


@pytest.mark.parametrize("secret", [HARD, ADDRESS, WORDS, LONG, "hunter2", "\N{LATIN SMALL LETTER E WITH ACUTE}" * 5])
def test_ordinary_text_stays_as_it_is(secret):
    lines = [
        "2026-11-22T03:28:40.123Z INFO  [main] loaded 1,204 rows of orders in 3.2 s (100 %)",
        '{"level":"info","msg":"GET /api/v1/flows?page=1&size=25","status":200,"ms":12.5,"ok":true,"x":null}',
        "Traceback (most recent call last): ... ????? .......... ?? \N{REPLACEMENT CHARACTER} it is a | b",
        "0000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|",
        "https://example.com/a%20b?c=d+e#f 192.168.0.1:8080 3f2504e0-4f89-41d3-9a0c-0305e82c3301 AAAAAAAAAAAAAAAA==",
        "  97 98 99   0   0   0   0  [0, 0, 0, 0, 255, 255] --- === *** ''' \"\"\" $$$ \\\\\\ &amp;&lt;&gt; &#39;",
    ]
    assert [shown(line, secret) for line in lines] == lines
