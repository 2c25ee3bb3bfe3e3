"""The files of deploy/: what they name exists, and what they start can be started."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from apps.tournaments.management.commands.serve import Command as Serve
from tests.deploy.conftest import ROOT

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
SETTINGS = (ROOT / "deltacrown" / "settings.py").read_text()
KNOWN = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS))
ENV = (DEPLOY / "env.example").read_text()
DRAIN_SECONDS = 20


class Unit(configparser.RawConfigParser):
    """A unit file; a name that comes twice has the values of both."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",))
        self.optionxform = str  # type: ignore[assignment]
        self.read(UNITS / name)


def serve_options(arguments: list[str]) -> dict[str, Any]:
    return vars(Serve().create_parser("manage.py", "serve").parse_args(arguments))


def test_env_example_has_every_setting_and_no_other():
    named = re.findall(r"^#?([A-Z_]+)=", ENV, re.MULTILINE)
    assert sorted(named) == sorted(KNOWN)


def test_what_env_example_leaves_out_is_at_its_default():
    left_out = dict(re.findall(r"^#([A-Z_]+)=(.*)$", ENV, re.MULTILINE))
    for name, default in re.findall(r'env\.(?:int|float)\("([A-Z_]+)", default=([\d_.]+)\)', SETTINGS):
        if name in left_out:
            assert left_out[name] == default.replace("_", ""), name


def test_env_example_can_be_read_by_systemd_compose_and_a_shell_alike():
    for line in ENV.splitlines():
        assert re.fullmatch(r"|#.*|[A-Z_]+=[\w:/.@,+-]*", line), line


@pytest.mark.parametrize("name", SERVICES)
def test_units_run_commands_that_exist_without_rights(name: str):
    service = Unit(name)["Service"]
    # What systemd makes of it: "$$" is a dollar sign.
    shell, option, script = shlex.split(service["ExecStart"].replace("%i", "8001").replace("$$", "$"))
    assert (shell, option) == ("/bin/sh", "-c")
    run, python, manage, command, *arguments = shlex.split(script)
    assert (run, python, manage) == ("exec", "$(pwd -P)/.venv/bin/python", "manage.py")
    assert service["WorkingDirectory"] == "/opt/deltacrown"
    if command == "serve":
        assert serve_options(arguments)["port"] == 8001
    else:
        assert [command, *arguments] in (["migrate", "--no-input"], ["purge"])
        assert command in get_commands()
    assert service["User"] == "deltacrown"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["Environment"] == f"VAR_DIR=/var/lib/{service['StateDirectory']}"


def test_every_timer_starts_a_unit_that_is_there():
    for timer in UNITS.glob("*.timer"):
        assert timer.with_suffix(".service").name in SERVICES
        assert Unit(timer.name)["Install"]["WantedBy"] == "timers.target"


def test_a_process_has_the_time_that_its_connections_need_to_go():
    service = Unit("deltacrown@.service")["Service"]
    assert (service["Type"], service["KillSignal"]) == ("notify", "SIGTERM")
    assert int(service["TimeoutStopSec"]) > DRAIN_SECONDS
    assert int(service["LimitNOFILE"]) >= 65_536


def test_systemd_takes_the_units(tmp_path: Path):
    """Where systemd is not installed, that they can be parsed has to do."""
    for path in UNITS.glob("deltacrown*.*"):
        shutil.copy(path, tmp_path / path.name.replace("@", "@8001"))
        assert Unit(path.name).has_section("Unit")
    if analyze := shutil.which("systemd-analyze"):
        units = [str(path) for path in tmp_path.iterdir()]
        done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
        assert [line for line in done.stderr.splitlines() if "deltacrown" in line] == []


def test_the_helper_is_a_shell_script_that_a_shell_takes():
    read = subprocess.run(["sh", "-n", str(UNITS / "deltacrown")], capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())


def test_compose_sets_nothing_that_is_no_setting(compose: dict[str, Any]):
    for name, service in compose["services"].items():
        if service.get("image") == "deltacrown":
            assert set(service["environment"]) <= KNOWN, name
            assert service["env_file"] == ".env"


def test_compose_refers_only_to_what_is_there(compose: dict[str, Any]):
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert set(service["networks"]) <= set(compose["networks"])
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert source == "./tls" or (DEPLOY / "compose" / source).is_file(), source
            else:
                assert source in compose["volumes"]
    build = services["web1"]["build"]
    assert (DEPLOY / "compose" / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_compose_gives_processes_the_addresses_that_nginx_knows_and_time_to_end(compose: dict[str, Any]):
    web = {name: service for name, service in compose["services"].items() if name.startswith("web")}
    addresses = [service["networks"]["front"]["ipv4_address"] for service in web.values()]
    known = re.findall(r"^    server ([\d.]+):8000 ", (DEPLOY / "compose" / "upstream.conf").read_text(), re.MULTILINE)
    assert addresses == known
    proxy = compose["services"]["nginx"]["networks"]["front"]["ipv4_address"]
    for service in web.values():
        assert service["stop_grace_period"] == "30s"
        assert service["stop_signal"] == "SIGTERM"
        assert service["environment"]["TRUSTED_PROXIES"] == proxy
        assert service["environment"]["WS_RATE_PROCESSES"] == len(web)
        assert service["healthcheck"]["test"][0] == "CMD"


def test_compose_gives_only_nginx_to_the_outside(compose: dict[str, Any]):
    services = compose["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    assert compose["networks"]["inside"]["internal"] is True
    assert services["database"]["networks"] == services["bus"]["networks"] == ["inside"]


def test_the_image_is_made_of_what_is_there_and_serves():
    lines = (DEPLOY / "compose" / "Dockerfile").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            source = line.split()[1]
            assert (ROOT / source).exists(), line
            assert f"!{source}" in ignored, line
    (command,) = [re.findall(r'"([^"]+)"', line) for line in lines if line.startswith("CMD ")]
    assert command[0] == "serve"
    assert serve_options(command[1:])["host"] == "0.0.0.0"


def test_the_two_lists_of_processes_differ_in_their_addresses_alone():
    def without_addresses(path: Path) -> list[str]:
        lines = [line.strip() for line in path.read_text().splitlines()]
        return [re.sub(r"server [\d.:]+ ", "server ", line) for line in lines if not line.startswith("#")]

    assert without_addresses(DEPLOY / "nginx/upstream.conf") == without_addresses(DEPLOY / "compose/upstream.conf")


def test_nginx_is_more_patient_than_the_heartbeat():
    site = (DEPLOY / "nginx/deltacrown.conf").read_text()
    (interval,) = re.findall(r'"WS_HEARTBEAT_TIMEOUT", default=(\d+)', SETTINGS)
    for location in ("/ws/", "/sse/"):
        (block,) = re.findall(rf"location {location} \{{(.*?)\n    \}}", site, re.DOTALL)
        (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", block)
        assert int(seconds) > int(interval)
