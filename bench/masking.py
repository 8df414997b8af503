"""What it costs to cover secrets in what tasks write, with one of them, with a hundred and with a thousand."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable, Iterable

from curve import Line

from casemate.masking import Mask
from casemate.secret import Secret

COUNTS = (1, 100, 1_000)
ROUNDS = 3
_LETTERS = string.ascii_letters + string.digits + "-_/+$"
_WORDS = (
    *(
        "INFO",
        "loaded",
        "rows",
        "of",
        "table",
        "http://example.com/path",
        "status=200",
        "user",
        "session",
        "the",
        "quick",
    ),
    *('{"level":"info","msg":"done"}', "2026-11-22T03:28:40Z", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
)


def masking() -> Iterable[Line]:
    """Lines of a hundred characters, and the same in pieces of 64 KiB, beside a plain copy of them."""
    dice = random.Random(1)
    lines = [" ".join(dice.choices(_WORDS, k=12)) for _ in range(20_000)]
    whole = "\n".join(lines)
    chunks = [whole[begin : begin + (1 << 16)] for begin in range(0, len(whole), 1 << 16)]
    yield "a plain copy, line by line", _speed(lines, lambda text: text.encode().decode()), "MB/s"
    yield "  in pieces of 64 KiB", _speed(chunks, lambda text: text.encode().decode()), "MB/s"
    for count in COUNTS:
        mask = Mask(Secret("".join(dice.choices(_LETTERS, k=dice.randint(12, 40)))) for _ in range(count))
        begun = time.process_time()
        mask.cover("")
        yield f"{count} secrets, once to learn them", (time.process_time() - begun) * 1000, "ms"
        yield "  line by line", _speed(lines, mask.cover), "MB/s"
        yield "  in pieces of 64 KiB", _speed(chunks, mask.cover), "MB/s"


def _speed(texts: list[str], cover: Callable[[str], str]) -> float:
    """Of processor time, the best of a few rounds."""
    return max(_once(texts, cover) for _ in range(ROUNDS))


def _once(texts: list[str], cover: Callable[[str], str]) -> float:
    begun = time.process_time()
    for text in texts:
        cover(text)
    return sum(map(len, texts)) / 1e6 / (time.process_time() - begun)
