"""A chart of costs as SVG: horizontal bars on a logarithmic scale, readable on light and dark pages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABELS, VALUES = 760, 330, 60
ROW, BAR, TOP, BOTTOM = 26, 16, 50, 30
STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-weight: 600; font-size: 14px }
    .small { font-size: 11px; fill: #59636e }
    .grid { stroke: #d1d9e0 }
    .bar { fill: #8c959f }
    .ours { fill: #0969da }
    .ours-text { font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .small { fill: #9198a1 }
      .grid { stroke: #3d444d }
      .bar { fill: #656c76 }
      .ours { fill: #4493f8 }
    }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """The cost of 100,000 deliveries to `sockets`, in seconds of CPU."""

    label: str
    sockets: int
    value: float
    ours: bool


def draw(bars: Sequence[Bar]) -> str:
    low = 10 ** math.floor(math.log10(min(bar.value for bar in bars)))
    high = 10 ** math.ceil(math.log10(max(bar.value for bar in bars)))
    span = (WIDTH - LABELS - VALUES) / math.log10(high / low)
    height = TOP + ROW * len(bars) + BOTTOM

    def place(value: float) -> float:
        return LABELS + math.log10(value / low) * span

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"  <title>CPU seconds of the server for 100,000 deliveries</title>\n  <style>{STYLE}  </style>",
        '  <text class="title" x="0" y="16">CPU seconds of the server for 100,000 deliveries</text>',
        '  <text class="small" x="0" y="34">One event to everybody in a room; logarithmic, less is better</text>',
    ]
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        x = place(10.0**power)
        parts.append(f'  <line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        parts.append(
            f'  <text class="small" x="{x:.1f}" y="{height - BOTTOM + 16}" text-anchor="middle">{10.0**power:g}</text>'
        )
    for number, bar in enumerate(bars):
        y, end = TOP + ROW * number + (ROW - BAR) / 2, place(bar.value)
        kind, text = ("ours", "ours-text") if bar.ours else ("bar", "label")
        size = f'<tspan class="small">  {bar.sockets // 1000}k</tspan>'
        parts += [
            f'  <text class="{text}" x="{LABELS - 8}" y="{y + 13:g}" text-anchor="end">{escape(bar.label)}</text>',
            f'  <rect class="{kind}" x="{LABELS}" y="{y:g}" width="{max(end - LABELS, 1):.1f}" height="{BAR}" rx="2"/>',
            f'  <text class="{text}" x="{end + 6:.1f}" y="{y + 13:g}">{bar.value:.2g}{size}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
