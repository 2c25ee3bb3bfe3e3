"""The result of a run, as one table."""

from collections import Counter

from tests.chaos.run import Result


def table(result: Result) -> str:
    options, seen, judge = result.options, result.seen, result.judge
    assert judge is not None
    counts = judge.counts
    answers = Counter({"acknowledged": len(seen.acked)}) + Counter(
        {how.partition(": ")[2]: count for how, count in seen.counts.items() if how.startswith("action")}
    )
    rows = [
        ("seed", str(options.seed)),
        ("clients, processes, tournaments", f"{options.clients:,}, {options.processes}, {options.cups}"),
        ("seconds, and until all were current", f"{result.seconds:.0f}, {result.settled:.1f}"),
        ("events", f"{result.events:,}"),
        ("faults", _listed(result.faults)),
        ("connects", f"{counts['connect']:,}"),
        ("resumed", f"{counts['resumed by replay']:,} by replay, {counts['begun with a snapshot']:,} by snapshot"),
        ("resyncs asked for a hole", f"{result.wrong['hole']:,}"),
        ("frames applied, known already", f"{counts['applied']:,}, {counts['known already']:,}"),
        ("role changed while connected", f"{counts['welcome again']:,}"),
        (
            "people left by",
            _listed(Counter({how: seen.counts[how] for how in ("vanish", "leave", "return", "reload")})),
        ),
        ("sent away by a wrong clock", f"{seen.counts['wrong clock']:,}"),
        ("actions asked", f"{len(seen.asked):,}: {_listed(answers)}"),
        *((f"late: {name}", _quantiles(values)) for name, values in result.stale.items()),
        ("this process late by at most", f"{result.lag:.2f} s"),
        *(("in the site's log", f"{count} × {what}") for what, count in result.complaints.most_common(8)),
        ("wrong", _listed(+result.wrong) or "nothing"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in sorted(counts.items()))


def _quantiles(values: list[float]) -> str:
    if not values:
        return "nobody"
    p50, p99 = (values[min(len(values) - 1, int(len(values) * part))] for part in (0.5, 0.99))
    return f"p50 {p50:.3f} s, p99 {p99:.3f} s, worst {values[-1]:.2f} s, of {len(values):,}"
