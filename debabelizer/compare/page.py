"""A comparison as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from debabelizer.compare.alignment import Piece
from debabelizer.compare.comparison import Candidate, Comparison
from debabelizer.compare.figures import figures, headings
from debabelizer.compare.rows import Row, rows

__all__ = ["to_html"]

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8886; --other: #e8590c; --more: #2b8a3e; --less: #c92a2a; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; }
thead th:first-child { text-align: left; }
th[scope=row] { font-weight: 600; white-space: nowrap; }
tr.agreed td { opacity: .65; }
tbody.row { border-bottom: 2px solid var(--line); }
mark, ins, del { background: none; border-radius: .2em; padding: 0 .15em; text-decoration: none; font-weight: 600; }
mark { color: var(--other); border-bottom: 2px dotted var(--other); }
ins { color: var(--more); border-bottom: 2px solid var(--more); }
del { color: var(--less); text-decoration: line-through; }
"""


def to_html(comparison: Comparison, title: str) -> str:
    """The page. `title` names the recording."""
    name = escape(title)
    against = "what was said" if comparison.has_reference else f"the words of {escape(comparison.baseline)}"
    legend = "<mark>another word</mark>, <ins>a word too many</ins>, <del>a word that is missing</del>"
    words = [line for row in rows(comparison) for line in _row(row, comparison)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{name}</h1>",
            f"<p>{comparison.duration:.1f} seconds of audio, compared with {against}: {legend}.</p>",
            "<table><thead><tr>",
            *(f'<th class="figure">{escape(heading)}</th>' for heading in headings(comparison)),
            "</tr></thead><tbody>",
            *(line for candidate in comparison.candidates for line in _figures(candidate)),
            "</tbody></table>",
            "<table>",
            *words,
            "</table></body></html>",
            "",
        ]
    )


def _figures(candidate: Candidate) -> Iterable[str]:
    yield f'<tr><th scope="row">{escape(candidate.provider)}</th>'
    if candidate.error is not None:
        yield f'<td colspan="8">failed: {escape(candidate.error.message)}</td>'
    yield from (f'<td class="figure">{escape(figure)}</td>' for figure in figures(candidate))
    yield "</tr>"


def _row(row: Row, comparison: Comparison) -> Iterable[str]:
    yield '<tbody class="row">'
    if row.agreed:
        yield _line("agreed", "all", escape(" ".join(row.baseline)))
        yield "</tbody>"
        return
    yield _line("baseline", comparison.baseline, escape(" ".join(row.baseline)))
    for provider, pieces in row.pieces.items():
        if provider != comparison.baseline:
            agreed = all(piece.kind == "equal" for piece in pieces)
            yield _line("agreed" if agreed else "differs", provider, " ".join(map(_piece, pieces)))
    yield "</tbody>"


def _line(kind: str, name: str, text: str) -> str:
    return f'<tr class="{kind}"><th scope="row">{escape(name)}</th><td>{text}</td></tr>'


def _piece(piece: Piece) -> str:
    said, expected = escape(" ".join(piece.words)), escape(" ".join(piece.baseline))
    match piece.kind:
        case "equal":
            return said
        case "replace":
            return f'<mark title="instead of: {expected}">{said}</mark>'
        case "insert":
            return f"<ins>{said}</ins>"
        case "delete":
            return f"<del>{expected}</del>"
