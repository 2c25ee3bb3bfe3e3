"""`make run` on machines as people have them: fresh, used, old, offline, with the port taken."""

import ast
import shutil
import socket
import sys

import pytest

from tests.tooling.conftest import ROOT, Checkout, free_port


def in_one_sentence(said: str) -> str:
    """The text, when it is a line without a traceback."""
    assert "Traceback" not in said
    lines = said.strip().splitlines()
    assert len(lines) == 1, said
    return lines[0]


def test_first_run_installs_and_starts(checkout: Checkout) -> None:
    port = free_port()
    done = checkout.run(PORT=port)
    assert done.returncode == 0, done.stderr
    making, installing, started = done.stdout.splitlines()
    assert making.startswith("Making .venv with Python ")
    assert installing.startswith("Installing requirements.lock into .venv (1 packages")
    assert started == f"manage.py run --port {port}"


def test_second_run_installs_nothing(installed: Checkout) -> None:
    port = free_port()
    done = installed.run(PORT=port, PIP_FIND_LINKS="")
    assert in_one_sentence(done.stdout) == f"manage.py run --port {port}"


def test_changed_lock_file_is_installed_into_the_same_environment(installed: Checkout) -> None:
    lock = installed.path / "requirements.lock"
    lock.write_text(lock.read_text() + "# changed\n")
    done = installed.run(PORT=free_port())
    assert "Making" not in done.stdout
    assert "Installing" in done.stdout
    assert done.returncode == 0, done.stderr


def test_broken_environment_is_made_anew(installed: Checkout) -> None:
    for pip in installed.path.glob(".venv/lib/python*/site-packages/pip"):
        shutil.rmtree(pip)  # as when making it was interrupted
    done = installed.run(PORT=free_port())
    assert "Making .venv" in done.stdout
    assert done.returncode == 0, done.stderr


def test_no_network(installed: Checkout) -> None:
    lock = installed.path / "requirements.lock"
    lock.write_text(lock.read_text().replace("1.0", "1.1"))
    done = installed.run(PORT=free_port(), PIP_NO_INDEX="0", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="1")
    assert done.returncode == 1
    said = in_one_sentence(done.stderr)
    assert said.startswith("The packages could not be downloaded")
    assert said.endswith("pip's log is var/install.log")
    assert "Connection refused" in (installed.path / "var/install.log").read_text()
    assert list(installed.path.glob(".venv/lib/python*/site-packages/tiny.py"))


def test_download_that_is_not_what_was_locked(installed: Checkout) -> None:
    lock = installed.path / "requirements.lock"
    lock.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    for tiny in installed.path.glob(".venv/lib/python*/site-packages/tiny*"):
        shutil.rmtree(tiny) if tiny.is_dir() else tiny.unlink()
    done = installed.run(PORT=free_port())
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in in_one_sentence(done.stderr)


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "8000.5", "٨٠٠٠"])
def test_port_that_is_none(checkout: Checkout, port: str) -> None:
    done = checkout.run(PORT=port)
    assert done.returncode == 1
    assert in_one_sentence(done.stderr).startswith("PORT must be a number from 1 to 65535")


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_taken_port(checkout: Checkout, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as other:
        try:
            other.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        other.listen()
        port = str(other.getsockname()[1])
        done = checkout.run(PORT=port)
    assert done.returncode == 1
    assert in_one_sentence(done.stderr).startswith(f"Port {port} is taken by another program.")
    assert not (checkout.path / ".venv").exists()


def test_make_hands_the_port_down(checkout: Checkout) -> None:
    done = checkout.call("make", "run", "PORT=nowhere")
    assert done.returncode == 2
    assert "PORT must be a number from 1 to 65535, not 'nowhere'" in done.stderr


def python_with(change: str) -> list[str]:
    """The arguments with which Python runs the bootstrap in a changed interpreter."""
    return [
        "-c",
        f"import runpy, sys; sys.argv = ['', 'run']; {change}; runpy.run_path('tools/bootstrap.py', None, '__main__')",
    ]


def test_python_that_is_too_old(checkout: Checkout) -> None:
    done = checkout.call(sys.executable, *python_with("sys.version_info = (3, 7, 16)"))
    assert done.returncode == 1
    said = in_one_sentence(done.stderr)
    assert said.startswith("DeltaCrown needs Python 3.11 or newer, and ")
    assert " is Python 3.7. " in said


def test_old_pythons_can_read_the_version_check() -> None:
    ast.parse((ROOT / "tools/bootstrap.py").read_text(), feature_version=(3, 4))


def test_python_without_ensurepip(checkout: Checkout) -> None:
    done = checkout.call(sys.executable, *python_with("sys.modules['ensurepip'] = None"), PORT=free_port())
    assert done.returncode == 1
    assert in_one_sentence(done.stderr).endswith("apt-get install python3-venv")
