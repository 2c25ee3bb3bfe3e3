"""Programs that the tests need and the machine may lack."""

import subprocess

import pytest

from tools import system


def test_a_program_that_is_there_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_apt_get", lambda: pytest.fail("nothing is missing"))
    system._require("nginx", lambda: "/usr/sbin/nginx", "tests of the deployment need nginx")


def test_a_program_that_we_may_not_install_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_apt_get", lambda: pytest.fail("it may not be installed"))
    with pytest.raises(SystemExit) as said:
        system._require("nginx", lambda: None, "tests of the deployment need nginx", may_install=False)
    assert str(said.value) == "The tests of the deployment need nginx. On Debian or Ubuntu: apt-get install nginx."


def test_a_program_that_cannot_be_installed_is_asked_for_with_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(system, "_apt_get", lambda: ["false"])
    monkeypatch.setattr(system, "ROOT", tmp_path)
    monkeypatch.setattr(system, "LOG", tmp_path / "install.log")
    with pytest.raises(SystemExit) as said:
        system._require("chromium", lambda: None, "browser tests need Chromium")
    assert str(said.value).endswith("apt-get install chromium. It could not be installed; the log is install.log")


def test_a_program_that_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(system, "_apt_get", lambda: ["echo"])
    monkeypatch.setattr(system, "LOG", tmp_path / "install.log")
    answers = iter([None, "/usr/sbin/nginx"])
    run, asked = subprocess.run, []
    monkeypatch.setattr(subprocess, "run", lambda command, **options: asked.append(command) or run(command, **options))
    system._require("nginx", lambda: next(answers), "tests of the deployment need nginx")
    assert asked == [["echo", "update"], ["echo", "install", "-y", "--no-install-recommends", "nginx"]]
