"""A machine that runs filters of system calls, for both architectures, as the kernel runs them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from casemate.sandbox.kernel import bpf
from casemate.sandbox.kernel.bpf import Instruction
from casemate.sandbox.kernel.machine import Machine

_ARGUMENTS = 16
"""Where in struct seccomp_data they begin."""


def answer(program: bytes, machine: Machine, call: str | int, *arguments: int, audit: int | None = None) -> int:
    """What a kernel would make of the program for this call."""
    number = machine.numbers[call] if isinstance(call, str) else call
    return run(decoded(program), data(number & 0xFFFF_FFFF, audit or machine.audit, arguments))


def decoded(program: bytes) -> Sequence[Instruction]:
    """The instructions of a program."""
    return [Instruction(*each) for each in struct.iter_unpack("HBBI", program)]


def data(number: int, audit: int, arguments: Iterable[int]) -> bytes:
    """struct seccomp_data."""
    return struct.pack("<IIQ6Q", number, audit, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])


def run(program: Sequence[Instruction], call: bytes) -> int:
    """The answer to one call."""
    place = loaded = 0
    while True:
        code, then, otherwise, constant = program[place]
        place += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("<I", call, constant)
            case 0x54:
                loaded &= constant
            case 0x06:
                return constant
            case 0x05:
                place += constant
            case 0x15:
                place += then if loaded == constant else otherwise
            case 0x35:
                place += then if loaded >= constant else otherwise
            case 0x45:
                place += then if loaded & constant else otherwise
            case _:
                raise AssertionError(f"instruction {code:#x}")


def strictest(answers: Sequence[int]) -> int:
    """What the kernel makes of the answers of several filters, the one loaded last at the end, see seccomp(2)."""
    return min(reversed(answers), key=_action, default=bpf.ALLOW)


def _action(answer: int) -> int:
    """The kernel compares the upper half as a signed number, and of equals keeps the one that it met first."""
    action = answer & 0xFFFF_0000
    return action - (1 << 32) if action >> 31 else action


def looked_at(programs: Iterable[Sequence[Instruction]]) -> dict[int, set[int]]:
    """For each argument that the programs look at: values on both sides of all that they compare with."""
    instructions = [each for program in programs for each in program]
    constants = {each.constant for each in instructions if each.code in (0x15, 0x35, 0x45, 0x54)}
    bits = {
        1 << bit for each in instructions if each.code in (0x45, 0x54) for bit in range(32) if each.constant >> bit & 1
    }
    low = {value + near & 0xFFFF_FFFF for value in {0, *constants, *bits} for near in (-1, 0, 1)}
    places = {each.constant for each in instructions if each.code == 0x20}
    found: dict[int, set[int]] = {}
    for place in places:
        index, high = divmod(place - _ARGUMENTS, 8)
        found[index] = found.get(index, set()) | ({value << 32 for value in low} if high else low | {1 << 32})
    return found
