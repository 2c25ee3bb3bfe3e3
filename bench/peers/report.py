"""What bench/peers/run.py measured, as a table and as bars, and under which circumstances."""

import os
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.peers.chart import Bar
from bench.peers.peers import DELTACROWN, Kit, Peer

COLUMNS = (
    *("deliveries/s", "CPU s for 100,000", "first ms", "p50 / p99 ms"),
    *("KiB each", "connects/s", "connects a CPU s"),
)

Figures = dict[str, float]
Measured = Mapping[tuple[str, int], Sequence[Figures]]  # by server and number of sockets, one for each repeat


def table(peers: Sequence[Peer], measured: Measured) -> list[str]:
    """Return a row for each server and size: medians, and of the CPU also the least and the most."""
    lines = [f"| server | sockets | {' | '.join(COLUMNS)} |", "|---" * (2 + len(COLUMNS)) + "|"]
    order = {peer.name: place for place, peer in enumerate(peers)}
    titles = {peer.name: peer.title for peer in peers}
    for (name, count), runs in sorted(measured.items(), key=lambda item: (item[0][1], order[item[0][0]])):
        lines.append(f"| {titles[name]} | {count:,} | {_row(runs)} |")
    return lines


def bars(peers: Sequence[Peer], measured: Measured) -> list[Bar]:
    """Return the CPU figure of each server at the largest size at which it was measured, the least first."""
    found = []
    for peer in peers:
        count = max((size for name, size in measured if name == peer.name), default=0)
        figures = _medians(measured.get((peer.name, count), ()))
        if "cpu" in figures:
            label = peer.title.replace("**", "").replace("`", "")
            found.append(Bar(label, count, figures["cpu"], ours=peer is DELTACROWN))
    return sorted(found, key=lambda bar: bar.value)


def circumstances(kit: Kit, peers: Sequence[Peer], load_average: float) -> list[str]:
    """Return what ran, on what, and how to run it again."""
    versions = sorted({part for peer in peers for part in peer.versions(kit).split(", ") if part})
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    machine = f"{os.cpu_count()} cores ({model.partition(':')[2].strip() or platform.machine()})"
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return [
        f"{machine}, {system}, load average {load_average:.1f} at the start.",
        ", ".join(versions) + ".",
        f"    {Path(sys.executable).name} bench/peers/run.py {' '.join(sys.argv[1:])}",
    ]


def _medians(runs: Sequence[Figures]) -> Figures:
    names = {name for run in runs for name in run}
    return {name: statistics.median(run[name] for run in runs if name in run) for name in names}


def _row(runs: Sequence[Figures]) -> str:
    figures = _medians(runs)

    def cell(name: str, form: str) -> str:
        return format(figures[name], form) if name in figures else "–"

    cpu = cell("cpu", ".3g")
    costs = [run["cpu"] for run in runs if "cpu" in run]
    if len(costs) > 1:
        cpu += f" ({min(costs):.3g} to {max(costs):.3g})"
    delays = f"{cell('p50', '.0f')} / {cell('p99', '.0f')}" if "p50" in figures else ""
    if figures.get("delivered", 1) < 1:
        delays += f", {figures['delivered']:.0%} delivered"
    rate = cell("rate", ",.0f")
    if any(not run.get("whole") for run in runs):
        rate += ", not all arrived"
    cells = [rate, cpu, cell("first", ".0f"), delays, cell("kib", ".1f")]
    return " | ".join([*cells, cell("connects", ",.0f"), cell("connects_cpu", ",.0f")])
