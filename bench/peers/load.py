"""The crowd of load.c: build it, start it, tell it what to do."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
COMPILE = ("gcc", "-O2", "-Wall", "-o")


def build(source: str, folder: Path) -> Path:
    """Compile a C file of this folder into `folder`."""
    if shutil.which("gcc") is None:
        sys.exit("The load generator is written in C, and there is no gcc. On Debian or Ubuntu: apt-get install gcc")
    program = folder / Path(source).stem
    subprocess.run([*COMPILE, str(program), str(HERE / source)], check=True)
    return program


class Load:
    """A running load generator, gone when the block ends."""

    def __init__(self, program: Path, port: int, speech: Sequence[str], *, rooms: int = 1) -> None:
        self._command = [str(program), "--port", str(port), "--rooms", str(rooms), *speech]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:  # closes stdin, at which it ends, and waits
            pass

    def tell(self, command: str, *arguments: object) -> dict[str, Any]:
        """Have a command carried out and return what came of it."""
        self._process.stdin.write(" ".join([command, *map(str, arguments)]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise LoadError(f"the load generator ended in {command!r}")
        return json.loads(answer)


class LoadError(Exception):
    """The load generator could not go on; it has said why on stderr."""
