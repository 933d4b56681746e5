from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiwer import wer

from debabelizer import DebabelizerError
from debabelizer.compare import align, split

TEXTS = st.lists(st.sampled_from("abcd"), max_size=12)


def changes(baseline: str, text: str) -> list[tuple[str, str, str]]:
    alignment = align(split(baseline), split(text))
    return [(it.kind, " ".join(it.baseline), " ".join(it.words)) for it in alignment.pieces]


def test_every_kind_of_difference() -> None:
    assert changes("the cat sat on the mat", "the hat sat down on mat") == [
        ("equal", "the", "the"),
        ("replace", "cat", "hat"),
        ("equal", "sat", "sat"),
        ("insert", "", "down"),
        ("equal", "on", "on"),
        ("delete", "the", ""),
        ("equal", "mat", "mat"),
    ]


@pytest.mark.parametrize(
    ("baseline", "text"),
    [("Don't!", "don\u2019t"), ("Straße", "STRASSE"), ("re\u0301sume\u0301", "résumé"), ("well - yes", "well, yes")],
)
def test_case_punctuation_and_encoding_do_not_count(baseline: str, text: str) -> None:
    assert align(split(baseline), split(text)).errors == 0


def test_words_keep_their_spelling() -> None:
    assert changes("Hello, World.", "hello world") == [("equal", "Hello, World.", "hello world")]


def test_scripts_without_spaces_are_compared_letter_by_letter() -> None:
    assert split("東京 tower") == ("東", "京", "tower")
    assert align(split("東京都"), split("東京者")).error_rate == pytest.approx(1 / 3)


def test_the_rate_without_a_baseline_is_unknown() -> None:
    alignment = align((), ("ghost", "words"))
    assert (alignment.errors, alignment.error_rate) == (2, None)


@given(TEXTS.filter(bool), TEXTS)
def test_the_rate_is_that_of_an_independent_tool(baseline: list[str], words: list[str]) -> None:
    assert align(baseline, words).error_rate == pytest.approx(wer(" ".join(baseline), " ".join(words)))


@given(TEXTS, TEXTS, st.lists(st.integers(1, 12), max_size=4))
def test_cut_anywhere_the_parts_make_the_whole(baseline: list[str], words: list[str], cuts: list[int]) -> None:
    alignment = align(baseline, words)
    edges = sorted({0, len(baseline), *(cut for cut in cuts if cut < len(baseline))})
    spans = list(pairwise(edges)) or [(0, 0)]
    parts = [piece for start, stop in spans for piece in alignment.within(start, stop)]
    assert [word for part in parts for word in part.words] == words
    assert [word for part in parts for word in part.baseline] == baseline


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz.distance", None)
    with pytest.raises(DebabelizerError) as caught:
        align(("a",), ("a",))
    assert "debabelizer[compare]" in str(caught.value.hint)
