"""The servers that are compared: what each needs, how it starts, how its subscribers and publisher speak."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import distributions, version
from pathlib import Path

from bench.peers.load import HERE, build
from bench.served import Cpu, cpu_of, cpu_of_family, offspring, rss_of

SERVERS = HERE / "servers"
START_SECONDS = 60.0
STOP_SECONDS = 15.0

SMALL, LARGE = 1_000, 10_000
PYTHON_PACKAGES = ("socketify==0.0.31",)
NODE_PACKAGES = ("ws@8.23.0", "socket.io@4.8.4")
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

# The frame that the site makes of the event in deltacrown_site.py, 237 bytes with its header.
EVENT = json.dumps(
    {
        "type": "tournament_updated",
        "seq": "SEQ",
        "prev": "SEQ",
        "at": "2026-11-24T18:00:00.000Z",
        "data": {
            "tournament": {
                "description": "Quarter-finals move to court 2; the stream starts ten minutes later. "
                "All times are local times of the venue."
            }
        },
    },
    separators=(",", ":"),
).replace('"SEQ"', "SEQ")


class Kit:
    """What the servers are made of: compiled programs, and the packages of Python and Node that the project has not."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.load, self.floor = build("load.c", folder), build("servers/floor.c", folder)
        self.python, self.node = cache / "python", cache / "node"
        self._install_python()
        self._install_node()

    def has_python(self, name: str) -> bool:
        return self.python_version(name) is not None

    def python_version(self, name: str) -> str | None:
        return next((found.version for found in distributions(name=name, path=[str(self.python)])), None)

    def node_version(self, name: str) -> str | None:
        try:
            return json.loads((self.node / "node_modules" / name / "package.json").read_text())["version"]
        except FileNotFoundError:
            return None

    def _install_python(self) -> None:
        if all(self.has_python(name.partition("==")[0]) for name in PYTHON_PACKAGES):
            return
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(self.python), *PYTHON_PACKAGES]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)

    def _install_node(self) -> None:
        missing = [name for name in NODE_PACKAGES if self.node_version(name.rpartition("@")[0]) is None]
        if not missing or shutil.which("npm") is None:
            return
        self.node.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-save", *NODE_PACKAGES], cwd=self.node, check=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """
    A server, alone on its port.

    `needs` says what has to be installed and how, "" when nothing is missing. `path` is where subscribers connect;
    those of this site have one each, with a token. `speech` are options of load.c. `most` is with how many sockets it
    is tried. `programs` are those besides its own processes whose CPU counts: brokers and databases.
    """

    name: str
    title: str
    command: Callable[[Kit, int, Path], list[str]]
    needs: Callable[[Kit], str] = lambda _: ""
    versions: Callable[[Kit], str] = lambda _: ""
    environment: Callable[[Kit], Mapping[str, str]] = lambda _: {}
    path: str = "/ws"
    speech: Sequence[str] = ("--message", EVENT)
    most: int = LARGE
    redis: bool = False
    programs: Sequence[str] = ()


class Server:
    """A peer that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, programs: Sequence[str]) -> None:
        self.port = port
        self._process, self._programs = process, programs

    def processes(self) -> list[int]:
        return [self._process.pid, *offspring(self._process.pid)]

    def cpu(self) -> float:
        """Return the seconds of CPU that its processes and its brokers have used."""
        own = sum((cpu_of(pid) for pid in self.processes()), start=Cpu())
        return (own + sum((cpu_of_family(name) for name in self._programs), start=Cpu())).total

    def rss(self) -> int:
        """Return the bytes in which its own processes reside."""
        return sum(rss_of(pid) for pid in self.processes())


@contextmanager
def serve(peer: Peer, kit: Kit, port: int, extra: Mapping[str, str]) -> Iterator[Server]:
    """Start a peer, and give it when it listens."""
    from tests.services import redis_server

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deltacrown-peer-")))
        environment = dict(os.environ) | peer.environment(kit) | extra
        if peer.redis:
            environment["REDIS_URL"] = stack.enter_context(redis_server())
        log = stack.enter_context(tempfile.TemporaryFile())
        command = peer.command(kit, port, home)
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_until_listening(process, port)
            yield Server(process, port, peer.programs)
        except NotListening:
            log.seek(0)
            sys.exit(f"{peer.title} did not start:\n{log.read().decode(errors='replace')[-2000:]}")
        finally:
            _stop(process)


class NotListening(Exception):
    """The server ended, or took too long."""


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    # Not by connecting: some servers count it as a client.
    wanted = f"0100007F:{port:04X} 00000000:0000 0A"
    deadline = time.monotonic() + START_SECONDS
    while wanted not in Path("/proc/net/tcp").read_text():
        if time.monotonic() > deadline or process.poll() is not None:
            raise NotListening
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _python(script: str) -> Callable[[Kit, int, Path], list[str]]:
    return lambda kit, port, home: [sys.executable, str(SERVERS / script), str(port)]


def _node(script: str) -> Callable[[Kit, int, Path], list[str]]:
    return lambda kit, port, home: ["node", str(SERVERS / script), str(port)]


def _node_needs(package: str) -> Callable[[Kit], str]:
    def needs(kit: Kit) -> str:
        if shutil.which("node") is None:
            return "Node.js (apt-get install nodejs npm)"
        return "" if kit.node_version(package) else f"the package {package} (npm)"

    return needs


def _node_versions(package: str) -> Callable[[Kit], str]:
    return lambda kit: f"{package} {kit.node_version(package)}, Node {_said_by('node', '--version')}"


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _nginx_needs(kit: Kit) -> str:
    return "" if _nginx() and NCHAN.exists() else "nginx with nchan (apt-get install nginx libnginx-mod-nchan)"


def _nginx_command(kit: Kit, port: int, home: Path) -> list[str]:
    filled = (SERVERS / "nchan.conf").read_text()
    user = "user root;" if os.geteuid() == 0 else ""
    for name, value in {"PORT": str(port), "HOME": str(home), "USER": user, "MODULE": str(NCHAN)}.items():
        filled = re.sub(rf"\b{name}\b", value, filled)
    (home / "nginx.conf").write_text(filled)
    return [_nginx() or "", "-c", str(home / "nginx.conf")]


def _nginx_versions(kit: Kit) -> str:
    nchan = _said_by("dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan") if shutil.which("dpkg-query") else ""
    return f"nginx {_said_by(_nginx() or '', '-v').rpartition('/')[2]}, nchan {nchan}"


def _said_by(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def _of_python(*packages: str) -> Callable[[Kit], str]:
    return lambda kit: ", ".join(f"{name} {version(name)}" for name in packages)


def _channels_versions(kit: Kit) -> str:
    redis = re.search(r"v=([\d.]+)", _said_by("redis-server", "--version")) if shutil.which("redis-server") else None
    own = f"channels {version('channels')}, channels-redis {version('channels-redis')}, redis-py {version('redis')}"
    return f"{own}, redis-server {redis[1]}" if redis else own


def _channels(layer: str, title: str) -> Peer:
    return Peer(
        name=f"channels-{layer}",
        title=f"stock Channels consumer, {title}",
        command=_python("channels_consumer.py"),
        environment=lambda _: {"LAYER": layer},
        versions=_channels_versions,
        most=SMALL,
        redis=layer != "memory",
        programs=() if layer == "memory" else ("redis-server",),
    )


SOCKETIO = "/socket.io/?EIO=4&transport=websocket"

DELTACROWN = Peer(
    name="deltacrown",
    title="**DeltaCrown**, log and limits included",
    command=_python("deltacrown_site.py"),
    versions=_of_python("uvicorn", "uvloop", "websockets"),
    speech=(
        *("--message", "ROOM", "--ready", '{"type":"snapshot"'),
        *("--ping", '{"type":"ping"', "--pong", '{"type":"pong"}'),
    ),
    programs=("postgres", "redis-server"),
)

PEERS = (
    Peer(
        name="floor",
        title="C, a loop of `send()` (floor of one call a delivery)",
        command=lambda kit, port, home: [str(kit.floor), str(port)],
    ),
    Peer(
        name="uwebsockets",
        title="uWebSockets (C++, by socketify)",
        command=_python("uwebsockets.py"),
        environment=lambda kit: {"PYTHONPATH": str(kit.python)},
        needs=lambda kit: "" if kit.has_python("socketify") else "the package socketify (pip)",
        versions=lambda kit: f"socketify {kit.python_version('socketify')}",
    ),
    Peer(
        name="nchan",
        title="nginx with nchan (C)",
        command=_nginx_command,
        needs=_nginx_needs,
        versions=_nginx_versions,
        speech=("--message", EVENT, "--post"),
    ),
    DELTACROWN,
    Peer(
        name="node-ws",
        title="Node `ws`",
        command=_node("node_ws.cjs"),
        environment=lambda kit: {"NODE_PATH": str(kit.node / "node_modules")},
        needs=_node_needs("ws"),
        versions=_node_versions("ws"),
    ),
    Peer(
        name="socketio",
        title="Node socket.io",
        command=_node("node_socketio.cjs"),
        environment=lambda kit: {"NODE_PATH": str(kit.node / "node_modules")},
        needs=_node_needs("socket.io"),
        versions=_node_versions("socket.io"),
        path=SOCKETIO,
        speech=(
            *("--message", f'42["publish",{EVENT}]', "--publisher", f"{SOCKETIO}&publisher=1"),
            *("--hello", "40", "--ready", "40{", "--ping", "2", "--pong", "3"),
        ),
    ),
    Peer(
        name="websockets",
        title="Python `websockets`, `broadcast()`",
        command=_python("websockets_broadcast.py"),
        versions=_of_python("websockets", "uvloop"),
    ),
    _channels("pubsub", "Redis pub/sub layer"),
    _channels("core", "core Redis layer"),
    _channels("memory", "in-memory layer"),
)
