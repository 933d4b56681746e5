"""Transcripts as providers give them: with all times, with some, with those of segments only."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from debabelizer.results import Segment, Transcript, Word

_PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=12
)
# ruff: noqa: RUF001
_SPOKEN = st.one_of(
    st.sampled_from(["a", "I", "yes.", "no,", "so", "what?", "Americans;", "(well)", "»ja«", "it’s", "1984"]),
    st.sampled_from(["-->", "<b>", "&", "&amp;", "你好，世界。", "नमस्ते", "สวัสดี", "Bonjour\u00a0!", "xy" * 30]),
)
_WORDS = st.one_of(_SPOKEN, _SPOKEN, _PLAIN)
_STEP = st.one_of(st.just(0.0), st.floats(0, 0.6), st.floats(0, 0.6), st.floats(0, 12))
_TIMES = st.sampled_from(["both", "both", "start", "end", "none"])


@st.composite
def _segments(draw: st.DrawFn, clock: float, times: str) -> Segment:
    """One segment from `clock` on; `times` says which are known: ``words``, ``segment`` or ``some``."""
    words: list[Word] = []
    start = clock + draw(_STEP)
    clock = start
    for text in draw(st.lists(_WORDS, min_size=1, max_size=14)):
        begin = clock + draw(_STEP)
        clock = begin + draw(_STEP)
        known = "both" if times == "words" else draw(_TIMES)
        words.append(
            Word(
                text,
                begin if known in ("both", "start") else None,
                clock if known in ("both", "end") else None,
                separator=draw(st.sampled_from([" ", " ", " ", ""])),
            )
        )
    text = "".join(word.separator * bool(index) + word.text for index, word in enumerate(words))
    known = "both" if times == "segment" else draw(_TIMES)
    return Segment(
        text,
        start if known in ("both", "start") else None,
        clock if known in ("both", "end") else None,
        words=() if times == "segment" else tuple(words),
        speaker=draw(st.sampled_from([None, None, "1", "A & B > C"])),
        separator=draw(st.sampled_from([" ", " ", "", "\n"])),
    )


@st.composite
def _transcripts(draw: st.DrawFn) -> Transcript:
    """A transcript with at least one time."""
    parts: list[Segment] = []
    clock = 0.0
    for _ in range(draw(st.integers(1, 4))):
        parts.append(draw(_segments(clock, draw(st.sampled_from(["words", "segment", "some"])))))
        known = [t for part in parts for unit in (part, *part.words) for t in (unit.start, unit.end) if t is not None]
        clock = max([clock, *known]) - draw(st.sampled_from([0.0, 0.0, 0.0, 0.5, 3.0]))  # voices may overlap
        clock = max(clock, 0.0)
    text = "".join(part.separator * bool(index) + part.text for index, part in enumerate(parts))
    if not any(t is not None for part in parts for unit in (part, *part.words) for t in (unit.start, unit.end)):
        parts[0] = Segment(parts[0].text, 0.0, 5.0, words=parts[0].words)
    return Transcript(text=text, segments=tuple(parts), duration=draw(st.sampled_from([0.0, clock, clock + 60])))


@pytest.fixture(scope="session")
def transcripts() -> st.SearchStrategy[Transcript]:
    return _transcripts()


@pytest.fixture
def spoken() -> Transcript:
    """A short transcript with the time of every word."""
    text = "Ask not what your country can do for you. Ask what you can do for your country, for you and for me."
    words = tuple(Word(word, 1 + i * 0.35, 1 + i * 0.35 + 0.3) for i, word in enumerate(text.split()))
    segment = Segment(text, words[0].start, words[-1].end, words=words)
    return Transcript(text=text, segments=(segment,), language="en", duration=9.0, provider="parrot")
