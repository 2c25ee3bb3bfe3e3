"""deploy/nginx as it stands there, on ports of its own, in a folder that takes the place of the machine's."""

import os
import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect

from tests.deploy.conftest import ROOT
from tests.server import DEADLINE, free_port, wait_for

DEPLOY = ROOT / "deploy"
OWN_ADDRESS = "127.0.0.2"  # from which nginx connects to the site, so that the site can tell it from the tests


@dataclass(frozen=True)
class Nginx:
    program: str
    folder: Path
    plain: int
    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "tls/fullchain.pem")

    def logs(self) -> str:
        return "".join(path.read_text() for path in (self.folder / "log").iterdir())

    def test(self) -> str:
        """Let nginx judge the files, and return what it says."""
        command = [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-t"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    @contextmanager
    def running(self) -> Iterator[None]:
        command = [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"]
        with (self.folder / "log/output").open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_for(self._answers)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)

    @contextmanager
    def asked(self, path: str, body: bytes | None = None, **headers: str) -> Iterator[HTTPResponse]:
        """Ask over TLS, and give an answer that can be read as it comes."""
        connection = HTTPSConnection("127.0.0.1", self.port, timeout=DEADLINE, context=self.tls)
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            with connection.getresponse() as answer:
                yield answer
        finally:
            connection.close()

    def status(self, path: str, body: bytes | None = None, **headers: str) -> int:
        with self.asked(path, body, **headers) as answer:
            return answer.status

    def websocket(self, path: str, token: str, **options: Any) -> connect:
        """Connect as a program, which has its token in the subprotocol."""
        return connect(
            f"wss://{self.address}{path}",
            ssl=self.tls,
            compression=None,
            subprotocols=["deltacrown.v1", f"bearer.{token}"],
            **options,
        )

    def _answers(self) -> bool:
        try:
            return bool(self.status("/metrics"))
        except OSError:
            return False


def render(program: str, folder: Path, upstream: Path, servers: dict[str, str]) -> Nginx:
    """Write the files with other ports and paths; `servers` says which address stands for which."""
    nginx = Nginx(program, folder, free_port(), free_port())
    for name in ("log", "conf.d", "cache", "temp", "tls"):
        (folder / name).mkdir()
    _certificate(folder / "tls")
    temporary = "".join(
        f"    {kind}_temp_path {folder}/temp/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = (DEPLOY / "nginx/nginx.conf").read_text()
    main = _replaced(main, "/run/nginx.pid", f"{folder}/nginx.pid")
    main = _replaced(main, "/etc/nginx/conf.d", f"{folder}/conf.d")
    main = _replaced(main, "/var/log/nginx", f"{folder}/log")
    main = _replaced(main, r"http \{\n", f"http {{\n{temporary}")
    # Without a limit that the tests may not raise, and without another account that may not enter their folder.
    main = _replaced(main, r"worker_rlimit_nofile \d+;", "user root;" if os.geteuid() == 0 else "")
    main = _replaced(main, r"worker_connections \d+;", "worker_connections 256;")
    (folder / "nginx.conf").write_text(main)
    site = (DEPLOY / "nginx/deltacrown.conf").read_text()
    site = _replaced(site, r"listen \[::\]:\d+[^;]*;", "")
    site = _replaced(site, "listen 80 ", f"listen 127.0.0.1:{nginx.plain} ")
    site = _replaced(site, "listen 443 ", f"listen 127.0.0.1:{nginx.port} ")
    site = _replaced(site, "/etc/nginx/tls", f"{folder}/tls")
    site = _replaced(site, "/var/log/nginx", f"{folder}/log")
    site = _replaced(site, "/var/cache/nginx-deltacrown", f"{folder}/cache")
    site = _replaced(site, "proxy_http_version 1.1;", f"proxy_http_version 1.1; proxy_bind {OWN_ADDRESS};")
    (folder / "conf.d/deltacrown.conf").write_text(site)
    text = upstream.read_text()
    for there, here in servers.items():
        text = _replaced(text, re.escape(there), here)
    (folder / "conf.d/upstream.conf").write_text(text)
    return nginx


def _replaced(text: str, pattern: str, by: str) -> str:
    text, found = re.subn(pattern, lambda _: by, text)
    assert found, f"{pattern} is not there any more"
    return text


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
