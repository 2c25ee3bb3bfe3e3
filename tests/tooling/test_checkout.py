"""What every clone has to hold: consistent lock files, and a CI that gets by on a bare machine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tooling.conftest import ROOT
from tools import suite


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_tests_run_on_what_the_product_runs_on() -> None:
    runtime = pins("requirements.lock")
    assert runtime
    assert runtime.items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_file_names_no_host_and_no_folder(lock: str) -> None:
    assert not re.findall(r"\w+://\S+|(?:^| )/\S+", (ROOT / lock).read_text())


def test_npm_lock_file_says_what_but_not_from_where() -> None:
    lock = (ROOT / "tests/oracles/package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock


def test_failing_step_ends_the_suite(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="Demo: failed"):
        suite.step("Demo", dict(os.environ), "-c", "raise SystemExit('wrong')")
    assert capfd.readouterr().err.strip() == "wrong"


def test_step_with_no_tests_fails_unless_it_may_be_empty() -> None:
    nothing = ["-c", "raise SystemExit(5)"]
    suite.step("Demo", dict(os.environ), *nothing, may_be_empty=True)
    with pytest.raises(SystemExit):
        suite.step("Demo", dict(os.environ), *nothing)


@pytest.mark.parametrize(
    "pattern", sorted({*suite.ON_POSTGRES, *suite.NOT_ON_POSTGRES, *suite.MEASURED, *suite.UNMEASURED})
)
def test_every_path_that_the_suite_names_exists(pattern: str) -> None:
    assert list(ROOT.glob(pattern))


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """The PATH of a machine that has a shell and an apt-get, which writes down what it is asked for."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname"):
        (programs / name).symlink_to(shutil.which(name))
    script(programs / "apt-get", f'echo "apt-get $*"; ln -s {programs}/made {programs}/make 2>/dev/null || true')
    script(programs / "sudo", 'while [[ $1 == -* ]]; do shift; done; exec "$@"')
    script(programs / "made", 'echo "make $*"')
    return programs


def script(path: Path, body: str) -> None:
    path.write_text(f"#!{shutil.which('bash')}\n{body}\n")
    path.chmod(0o755)


def run_ci(programs: Path) -> list[str]:
    done = subprocess.run(
        ["bash", str(ROOT / ".ci/run")],
        env={"PATH": str(programs)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_ci_installs_what_a_bare_machine_lacks(bare_machine: Path) -> None:
    shutil.copy(shutil.which("ln"), bare_machine)
    said, update, install, tested = run_ci(bare_machine)
    assert said.startswith("Installing make redis-server chromium gcc libc6-dev python3 python3-venv")
    assert update == "apt-get -q update"
    assert install.startswith("apt-get -q install -y --no-install-recommends make redis-server chromium gcc libc6-dev ")
    assert tested == "make test"


def test_ci_installs_nothing_twice(bare_machine: Path) -> None:
    for name in ("make", "redis-server", "chromium", "gcc", "nginx", "initdb", "python3"):
        script(bare_machine / name, f'echo "{name} $*"')
    script(bare_machine / "python3", "exit 0")
    assert run_ci(bare_machine) == ["make test"]
