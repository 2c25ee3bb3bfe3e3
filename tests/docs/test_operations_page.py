"""docs/operations.md names every setting that the environment can change, with its default, and every figure."""

import re
from pathlib import Path

from django.core.management import get_commands
from prometheus_client.metrics import MetricWrapperBase

from apps.tournaments.realtime import drain, hub, metrics, middleware_ratelimit  # noqa: F401 - they add figures

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
SETTINGS = (ROOT / "deltacrown" / "settings.py").read_text()


def test_every_variable_is_explained_and_none_is_made_up():
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS))
    explained = {
        name for row in re.findall(r"^\| (`[^|]*`) \|", PAGE, re.MULTILINE) for name in re.findall("[A-Z_]{2,}", row)
    }
    assert explained - {"PORT"} == read


def test_the_defaults_are_the_real_ones():
    for name, default in re.findall(r'env\.(?:int|float)\("([A-Z_]+)", default=([\d_.]+)\)', SETTINGS):
        row = next(line for line in PAGE.splitlines() if f"`{name}`" in line)
        assert default.replace("_", "") in row, row


def test_the_readme_and_the_docs_link_only_to_what_is_there():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(((?!https?:)[^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_figure_is_explained_and_none_is_made_up():
    explained = set()
    for name, labels in re.findall(r"`(rt_\w+)(?:\{([a-z,]+)\})?`", PAGE):
        explained.add((name.removesuffix("_total"), frozenset(labels.split(",")) if labels else frozenset()))
    real = {
        (name, frozenset(labels))
        for name, labels in (
            *((m._name, m._labelnames) for m in vars(metrics).values() if isinstance(m, MetricWrapperBase)),
            *((name, labels) for name, _, labels, _ in metrics.gauges._readers),
        )
    }
    assert explained == real


def test_every_file_of_deploy_is_explained():
    files = {
        str(path.relative_to(ROOT)) for path in (ROOT / "deploy").rglob("*") if path.is_file() and path.name[0] != "."
    }
    (table,) = re.findall(r"^\| file \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`(deploy/[^`]+)`", table))
    names = set(re.findall(r"`([^`]+)`", table))
    for file in files:
        name = file.rpartition("/")[2]
        assert file in named or name in names or any(n.endswith("/") and file.startswith(n) for n in named), file


def test_every_file_and_option_that_the_commands_use_exists():
    blocks = "".join(re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL))
    for file in re.findall(r"\bdeploy/\S+", blocks):
        assert list(ROOT.glob(file)), file
    for command in re.findall(r"manage\.py (\w+)|^ *deltacrown (\w+)", blocks, re.MULTILINE):
        assert "".join(command) in get_commands()
