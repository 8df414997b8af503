"""Runs the command lines of standard input, one a line, in one process; answers with what each gave, as JSON."""

import contextlib
import io
import json
import shlex
import sys

from casemate.cli import main


def answer(line: str) -> tuple[int, str, str]:
    with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            main(shlex.split(line))
        except SystemExit as end:
            return int(end.code or 0), output.getvalue(), errors.getvalue()


if __name__ == "__main__":
    print(json.dumps([answer(line.rstrip("\n")) for line in sys.stdin]))
