"""docs/operations.md names every setting that the environment can change, with its default, and every figure."""

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from apps.tournaments.realtime import hub, metrics, middleware_ratelimit  # noqa: F401 - two of them add figures

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
