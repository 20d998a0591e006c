"""CPU seconds a million rows by size, drawn as SVG."""

from __future__ import annotations

import math
from typing import Any

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 40, 50
COLOURS = {"platform": "#1f6f8b", "predecessor": "#c0562b"}
NAMES = {"platform": "the three jobs", "predecessor": "predecessor's way"}
DECADES = (1, 3, 10, 30, 100, 300, 1000)


def svg(sizes: list[dict[str, Any]]) -> str:
    """The plot; both axes are logarithmic."""
    ordered = sorted(sizes, key=lambda size: size["rows"])
    by_side = {
        side: [(size["rows"] / 1e6, size[side]["cpu_seconds"] / size["rows"] * 1e6) for size in ordered if size[side]]
        for side in COLOURS
    }
    values = [value for points in by_side.values() for _, value in points]
    low = max(tick for tick in DECADES if tick <= min(values))
    high = min(tick for tick in DECADES if tick >= max(values))
    least, most = ordered[0]["rows"] / 1e6, ordered[-1]["rows"] / 1e6

    def across(millions: float) -> float:
        share = math.log(millions / least) / math.log(most / least) if most > least else 0.5
        return LEFT + 20 + share * (WIDTH - LEFT - RIGHT - 40)

    def up(value: float) -> float:
        return HEIGHT - BOTTOM - math.log(value / low) / math.log(high / low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">CPU seconds a million rows, meter files to sums</text>',
    ]
    for tick in DECADES:
        if low <= tick <= high:
            y = up(tick)
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick}</text>')
    for size in ordered:
        x, label = across(size["rows"] / 1e6), f"{size['rows'] / 1e6:g} M rows"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{label}</text>')
    for side, points in by_side.items():
        places = [(across(millions), up(value), value) for millions, value in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[side]}" stroke-width="2"/>')
        for x, y, value in places:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[side]}"/>')
            parts.append(f'<text x="{x:.1f}" y="{y - 9:.1f}" text-anchor="middle">{value:.1f}</text>')
        x, y, _ = places[-1]
        parts.append(f'<text x="{x + 14:.1f}" y="{y + 4:.1f}" fill="{COLOURS[side]}">{NAMES[side]}</text>')
    return "\n".join([*parts, "</svg>", ""])
