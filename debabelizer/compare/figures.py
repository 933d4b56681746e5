"""The figures of a comparison, as the words that stand in its tables."""

from __future__ import annotations

from debabelizer.compare.comparison import Candidate, Comparison

__all__ = ["figures", "headings"]


def headings(comparison: Comparison) -> tuple[str, ...]:
    """What stands above `figures`, with the provider's name in front."""
    rate = "word error rate" if comparison.has_reference else "differs"
    return ("provider", "words", rate, "other", "too many", "missing", "time", "speed", "US$")


def figures(candidate: Candidate) -> tuple[str, ...]:
    """The figures of a provider that did not fail."""
    alignment, transcript = candidate.alignment, candidate.transcript
    if alignment is None or transcript is None:
        return ()
    rate = alignment.error_rate
    speed = transcript.duration / candidate.seconds if candidate.seconds else 0.0
    return (
        str(sum(len(piece.words) for piece in alignment.pieces)),
        "" if rate is None else f"{rate:.1%}",
        str(alignment.count("replace")),
        str(alignment.count("insert")),
        str(alignment.count("delete")),
        f"{candidate.seconds:.1f} s",
        f"{speed:.1f} x",
        "" if candidate.price is None else f"{candidate.price:.4f}".rstrip("0").rstrip("."),
    )
