"""The goals of `make coverage`: a report that misses one fails and says where."""

import json
from pathlib import Path

import coverage as coverage_py
import pytest

from tests.tooling.conftest import ROOT
from tools import coverage


def judge(tmp_path: Path, overall: float, **files: float) -> None:
    report = {
        "totals": {"percent_covered": overall},
        "files": {name: {"summary": {"percent_covered": covered}} for name, covered in files.items()},
    }
    file = tmp_path / "coverage.json"
    file.write_text(json.dumps(report))
    coverage.main(str(file))


def test_goals_that_are_just_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(tmp_path, 95.0, hub=90.0, rooms=100.0)
    assert capsys.readouterr().out == "95.0 % of the realtime package is covered\n"


def test_every_goal_that_was_missed_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as failure:
        judge(tmp_path, 94.9, hub=89.9, rooms=100.0, actions=50.0)
    assert str(failure.value).splitlines() == [
        "Covered overall: 94.9 %, which is less than 95 %",
        "Covered of actions: 50.0 %, which is less than 90 %",
        "Covered of hub: 89.9 %, which is less than 90 %",
    ]


def test_a_report_of_nothing_fails(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Nothing was measured"):
        judge(tmp_path, 100.0)


def test_every_file_of_the_package_is_measured_and_no_line_of_it_left_out() -> None:
    measured = coverage_py.Coverage(config_file=str(ROOT / "pyproject.toml"))
    assert measured.get_option("run:source") == ["apps/tournaments/realtime"]
    assert measured.get_option("run:branch") is True
    assert measured.get_option("run:omit") in (None, [])
    assert measured.get_option("report:exclude_lines") == ["if TYPE_CHECKING:"]
