"""One recording through several providers: where their words differ, how long each took, what each costs.

=============  ==============================================================
`compare`      does the work; see `Comparison` for what it gives
`align`        two texts word by word, with the fewest differences there are
`to_html`      a comparison as one page that needs nothing else
=============  ==============================================================

Counting the fewest differences needs the extra ``compare``.
"""

from __future__ import annotations

from debabelizer.compare.alignment import Alignment, Piece, align, split
from debabelizer.compare.comparison import Candidate, Comparison, compare
from debabelizer.compare.page import to_html

__all__ = ["Alignment", "Candidate", "Comparison", "Piece", "align", "compare", "split", "to_html"]
