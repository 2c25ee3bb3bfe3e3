"""The site's processes, the writer, and the servers below them: begun, killed, frozen, begun again."""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.dials import VARIABLE, Dials
from tests.server import free_port
from tests.services import Service, guard

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0  # on a machine that has other things to do
STOP_SECONDS = 60.0
POLL_SECONDS = 0.05
TURBULENCE = 3.0  # seconds after the end of a fault in which its effects still count as its effects


class Worker:
    """A process of the site, always on the same port. `crashes` counts how often it ended and nobody had told it to."""

    def __init__(self, number: int, environment: dict[str, str], folder: Path) -> None:
        self.number, self.port = number, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.crashes = 0
        dials = folder / f"dials-{number}"
        self.dials = Dials(dials)
        self._environment = environment | {VARIABLE: str(dials)}
        self._log = folder / f"worker-{number}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin the process, and again if it ends, as a supervisor does, until the site is ready."""
        deadline = time.monotonic() + START_SECONDS
        await self._begin()
        while not await self._is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"A process of the site did not start:\n{self._log.read_text()[-3000:]}")
            if self.has_ended:
                await self._begin()
            await asyncio.sleep(POLL_SECONDS)

    def send(self, how: signal.Signals) -> None:
        if self._process is not None and not self.has_ended:
            self._process.send_signal(how)

    async def end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self.crashes += self.has_ended
        self.send(how)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()
            raise TimeoutError(
                f"A process of the site did not end on {how.name}:\n{self._log.read_text()[-3000:]}"
            ) from None

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    def complaints(self) -> Counter[str]:
        """Count what its log has that is an error, as "event: cause"."""
        found: Counter[str] = Counter()
        for line in self._log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry["level"] in ("error", "critical"):
                cause = entry.get("exception", "").strip().rpartition("\n")[2]
                found[f"{entry['event']}: {cause}"[:150]] += 1
        return found

    async def _begin(self) -> None:
        command = [*guard(signal.SIGKILL), sys.executable, "-m", "tests.chaos.worker", "run", "--no-demo"]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, "--port", str(self.port), cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    async def _is_ready(self) -> bool:
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(f"GET /readyz HTTP/1.1\r\nHost: {self.address}\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in answer


class WriterProcess:
    """Runs writer.py. `commits` is when each event was committed; `deaths` how its lives ended."""

    def __init__(self, environment: dict[str, str], folder: Path, *arguments: float) -> None:
        dials = folder / "dials-writer"
        self.dials = Dials(dials)
        self.commits: dict[tuple[str, int], float] = {}
        self.deaths: Counter[str] = Counter()
        self._environment = environment | {VARIABLE: str(dials)}
        self._arguments = [str(argument) for argument in arguments]
        self._log = folder / "writer.log"
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Task[None]

    async def start(self) -> None:
        command = [*guard(signal.SIGTERM), sys.executable, "-m", "tests.chaos.writer", *self._arguments]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        elif self._process.returncode > 0:
            raise RuntimeError(f"Whoever writes has failed:\n{self._log.read_text(errors='replace')[-3000:]}")
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "died" in said:
                self.deaths[said["died"]] += 1
                continue
            for seq in range(said["first"], said["last"] + 1):
                self.commits[said["stream"], seq] = said["at"]


async def begin_again(service: Service) -> None:
    """Start a server that has ended, on its port."""
    service.begin()  # in the main thread: a server ends with the thread that started it
    await until(lambda: service.is_ready or service.has_ended, START_SECONDS)
    assert service.is_ready, service.said()[-2000:]


async def until(condition: Callable[[], object], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for is in other processes
            await asyncio.sleep(POLL_SECONDS)
