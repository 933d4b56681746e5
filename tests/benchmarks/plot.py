"""Horizontal bars as SVG, readable on a light and a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["bars"]

_WIDTH, _LEFT, _RIGHT = 760, 150, 60
_BAR, _GAP, _TITLE = 20, 7, 34


def bars(title: str, groups: Sequence[tuple[str, Sequence[tuple[str, float]]]], *, highlight: str) -> str:
    """Groups of bars on one scale, with a line at 1."""
    top = max((value for _, group in groups for _, value in group), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / max(top, 1.0)
    parts, y = [f'<text x="0" y="18" class="title">{escape(title)}</text>'], _TITLE
    for name, group in groups:
        y += 22
        parts.append(f'<text x="0" y="{y - 6}" class="group">{escape(name)}</text>')
        begin = y
        for label, value in group:
            kind = "ours" if label == highlight else "bar"
            middle = y + _BAR * 0.72
            parts += [
                f'<text x="{_LEFT - 8}" y="{middle:.1f}" text-anchor="end">{escape(label)}</text>',
                f'<rect x="{_LEFT}" y="{y}" width="{value * scale:.1f}" height="{_BAR}" class="{kind}"/>',
                f'<text x="{_LEFT + value * scale + 6:.1f}" y="{middle:.1f}">{value:.2f}</text>',
            ]
            y += _BAR + _GAP
        line = _LEFT + scale
        parts.append(f'<line x1="{line:.1f}" x2="{line:.1f}" y1="{begin - 4}" y2="{y - _GAP + 4}"/>')
    style = (
        "text{font:13px sans-serif;fill:#777}.title{font-weight:bold}.group{font-style:italic}"
        ".bar{fill:#9aa7b4}.ours{fill:#2f7ed8}line{stroke:#777;stroke-dasharray:3 3}"
    )
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 8}" role="img" '
        f'aria-label="{escape(title)}">\n<style>{style}</style>\n{body}\n</svg>\n'
    )
