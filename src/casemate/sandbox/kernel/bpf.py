"""Classic BPF, as far as filters of system calls need it, see seccomp(2): programs are sequences of instructions.

A test comes with the instructions to run if it holds, and goes on behind them otherwise. Which instructions belong to
which range of values is found by `by_range`, in few steps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

ALLOW = 0x7FFF_0000
KILL = 0x8000_0000
"""SIGSYS to the whole process, whatever it does about the signal."""

_FAIL = 0x0005_0000
_LOAD_WORD = 0x20
_IF_EQUAL = 0x15
_IF_AT_LEAST = 0x35
_IF_ANY_BIT = 0x45
_MASK = 0x54
_JUMP = 0x05
"""The one jump of any length: a test jumps over 255 instructions at most."""
_RETURN = 0x06
_LONGEST_JUMP = 255


class Instruction(NamedTuple):
    """struct sock_filter: what to do, how far to jump if so and if not, and a constant."""

    code: int
    then: int
    otherwise: int
    constant: int


Program: TypeAlias = tuple[Instruction, ...]


def number() -> Program:
    """Load the number of the system call."""
    return (Instruction(_LOAD_WORD, 0, 0, 0),)


def architecture() -> Program:
    """Load the AUDIT_ARCH word under which the call was made."""
    return (Instruction(_LOAD_WORD, 0, 0, 4),)


def argument(index: int) -> Program:
    """Load the low 32 bits of an argument (both machines are little-endian); an `int` has no more."""
    return (Instruction(_LOAD_WORD, 0, 0, 16 + 8 * index),)


def upper_half(index: int) -> Program:
    """Load the high 32 bits of an argument, which a pointer has."""
    return (Instruction(_LOAD_WORD, 0, 0, 20 + 8 * index),)


def masked(mask: int) -> Program:
    """Keep only these bits of what was loaded."""
    return (Instruction(_MASK, 0, 0, mask),)


def answer(action: int) -> Program:
    """End with this action."""
    return (Instruction(_RETURN, 0, 0, action),)


def fail(errno: int) -> Program:
    """End by failing the call with `errno`, without running it."""
    return answer(_FAIL | errno)


def if_equal(value: int, *body: Program) -> Program:
    """Run `body` if what was loaded is `value`."""
    return _if(_IF_EQUAL, value, body)


def if_any_bit(mask: int, *body: Program) -> Program:
    """Run `body` if any of these bits is set in what was loaded."""
    return _if(_IF_ANY_BIT, mask, body)


def unless_equal(value: int, *body: Program) -> Program:
    """Run `body` if what was loaded is not `value`."""
    inner = joined(*body)
    return (Instruction(_IF_EQUAL, _near(inner), 0, value), *inner)


def unless_any_bit(mask: int, *body: Program) -> Program:
    """Run `body` if none of these bits is set in what was loaded."""
    inner = joined(*body)
    return (Instruction(_IF_ANY_BIT, _near(inner), 0, mask), *inner)


def in_turn(first: Program, then: Program) -> Program:
    """Run `first`, and `then` where it would allow. Both end with an answer; `then` loads itself what it looks at.

    What `first` answers otherwise must be to fail the call, or `then` could have been stricter: ValueError.
    """
    (allowed,) = answer(ALLOW)
    if then == (allowed,):
        return first
    if any(each.code == _RETURN and each != allowed and each.constant >> 16 != _FAIL >> 16 for each in first):
        raise ValueError("only what allows or fails a call may be asked before others")
    if allowed not in first:
        return first
    last = len(first) - 1
    goes_on = (Instruction(_JUMP, 0, 0, last - place) if each == allowed else each for place, each in enumerate(first))
    return (*goes_on, *then)


def by_range(starts: Mapping[int, Program]) -> Program:
    """Run the program of the range that what was loaded is in: one begins at each number and ends before the next.

    One begins at 0, and every program ends with an answer. The range is found in as many tests as it takes to halve
    their number down to one. A program that several ranges have is there once, unless it is too far from one of them.
    """
    found = _Backwards()
    same = groupby(sorted(starts.items()), lambda start: start[1])
    found.search([next(ranges) for _, ranges in same])
    return found.program()


def joined(*programs: Program) -> Program:
    """One program after the other."""
    return tuple(instruction for program in programs for instruction in program)


def assembled(program: Program) -> bytes:
    """The bytes the kernel loads."""
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


class _Backwards:
    """A program that is written from its end, so that what a test jumps to is there before the test.

    A place is how many instructions there are from it to the end.
    """

    def __init__(self) -> None:
        self._written: list[Instruction] = []
        self._places: dict[Program, int] = {}

    def program(self) -> Program:
        """What was written, in the order in which it runs."""
        return tuple(reversed(self._written))

    def search(self, ranges: Sequence[tuple[int, Program]]) -> int:
        """Write the tests that find one of these ranges, and what is run there; the place where to begin."""
        if len(ranges) == 1:
            return self._answered(ranges[0][1])
        middle = len(ranges) // 2
        above, below = self.search(ranges[middle:]), self.search(ranges[:middle])
        # `below` was near a moment ago: only a jump to `above` in between puts it, too, out of reach
        above = self._reachable(above)
        below = self._reachable(below)
        here = len(self._written)
        return self._write(Instruction(_IF_AT_LEAST, here - above, here - below, ranges[middle][0]))

    def _answered(self, program: Program) -> int:
        if not program or program[-1].code != _RETURN:
            raise ValueError("a range without an answer would get that of another")
        place = self._places.get(program)
        if place is None or len(self._written) - place > _LONGEST_JUMP:
            place = self._places[program] = self._write(*program)
        return place

    def _reachable(self, place: int) -> int:
        """A place within reach of a test that leads there: itself, or a jump to it."""
        over = len(self._written) - place
        return place if over <= _LONGEST_JUMP else self._write(Instruction(_JUMP, 0, 0, over))

    def _write(self, *program: Instruction) -> int:
        self._written += reversed(program)
        return len(self._written)


def _if(code: int, constant: int, body: Iterable[Program]) -> Program:
    inner = joined(*body)
    return (Instruction(code, 0, _near(inner), constant), *inner)


def _near(body: Program) -> int:
    if len(body) > _LONGEST_JUMP:
        raise ValueError(f"a jump over {len(body)} instructions is too long")
    return len(body)
