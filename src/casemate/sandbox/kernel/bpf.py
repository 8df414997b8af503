"""Classic BPF, as far as filters of system calls need it, see seccomp(2): programs are sequences of instructions.

A test comes with the instructions to run if it holds; those must end with an answer, so nothing ever jumps far.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

ALLOW = 0x7FFF_0000
KILL = 0x8000_0000
"""SIGSYS to the whole process, whatever it does about the signal."""

_LOAD_WORD = 0x20
_IF_EQUAL = 0x15
_IF_GREATER = 0x25
_IF_AT_LEAST = 0x35
_IF_ANY_BIT = 0x45
_MASK = 0x54
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
    return answer(0x0005_0000 | errno)


def if_equal(value: int, *body: Program) -> Program:
    """Run `body` if what was loaded is `value`."""
    return _if(_IF_EQUAL, value, body)


def if_greater(value: int, *body: Program) -> Program:
    """Run `body` if what was loaded is above `value`."""
    return _if(_IF_GREATER, value, body)


def if_at_least(value: int, *body: Program) -> Program:
    """Run `body` if what was loaded is `value` or above."""
    return _if(_IF_AT_LEAST, value, body)


def if_any_bit(mask: int, *body: Program) -> Program:
    """Run `body` if any of these bits is set in what was loaded."""
    return _if(_IF_ANY_BIT, mask, body)


def unless_equal(value: int, *body: Program) -> Program:
    """Run `body` if what was loaded is not `value`."""
    inner = joined(body)
    return (Instruction(_IF_EQUAL, _near(inner), 0, value), *inner)


def unless_any_bit(mask: int, *body: Program) -> Program:
    """Run `body` if none of these bits is set in what was loaded."""
    inner = joined(body)
    return (Instruction(_IF_ANY_BIT, _near(inner), 0, mask), *inner)


def joined(programs: Iterable[Program]) -> Program:
    """One program after the other."""
    return tuple(instruction for program in programs for instruction in program)


def assembled(program: Program) -> bytes:
    """The bytes the kernel loads."""
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def _if(code: int, constant: int, body: Iterable[Program]) -> Program:
    inner = joined(body)
    return (Instruction(code, 0, _near(inner), constant), *inner)


def _near(body: Program) -> int:
    if len(body) > _LONGEST_JUMP:
        raise ValueError(f"a jump over {len(body)} instructions is too long")
    return len(body)
