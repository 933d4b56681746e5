from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import Any

import pytest
from support.providers import Speaker, spec

from debabelizer import (
    AudioSourceError,
    QuotaExceededError,
    UnknownProviderError,
    VoiceProcessor,
)
from debabelizer.compare import Comparison, compare, split, to_html
from debabelizer.compare.rows import rows
from debabelizer.plugins import PluginRegistry
from debabelizer.testing.coded import encode_words, plan_words, wav

AUDIO = wav(encode_words(plan_words(2)))
SAID = {
    "good": "One two three. <Four> five six seven eight. Nine ten eleven twelve, thirteen fourteen fifteen sixteen.",
    "bad": "one too three four five six six seven eight nine eleven twelve thirteen fourteen fifteen sixteen & more",
}


def compared(*names: str, source: Any = AUDIO, **options: Any) -> Comparison:
    async def work() -> Comparison:
        known = [
            spec(name, "Speaker", price_per_hour=price)
            for name, price in (("good", 0.25), ("bad", None), ("broke", 1.0))
        ]
        async with VoiceProcessor({}, registry=PluginRegistry.of(*known)) as processor:
            return await compare(processor, source, names, **options)

    return asyncio.run(work())


@pytest.fixture(autouse=True)
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Speaker, "said", SAID)


def test_the_first_provider_is_the_measure() -> None:
    comparison = compared("good", "bad")
    assert (comparison.baseline, comparison.has_reference, comparison.duration) == ("good", False, 1800.0)
    good, bad = comparison.candidates
    assert good.alignment is not None
    assert bad.alignment is not None
    assert (good.alignment.errors, good.price, bad.price) == (0, 0.125, None)
    assert [bad.alignment.count(kind) for kind in ("replace", "insert", "delete")] == [1, 2, 1]


def test_a_reference_makes_differences_errors() -> None:
    comparison = compared("bad", reference=SAID["good"])
    assert comparison.has_reference
    assert comparison.candidates[0].alignment is not None
    assert comparison.candidates[0].alignment.error_rate == pytest.approx(4 / 16)


def test_one_that_fails_is_a_result_too() -> None:
    broke, bad = compared("broke", "bad").candidates
    assert isinstance(broke.error, QuotaExceededError)
    assert (broke.transcript, broke.alignment) == (None, None)
    assert bad.alignment is not None
    assert bad.alignment.errors == 0  # now it is the measure


def test_when_all_fail_there_is_still_a_page() -> None:
    comparison = compared("broke")
    assert (comparison.words, comparison.duration) == ((), 0.0)
    assert "The account is &lt;empty&gt;." in to_html(comparison, "call.wav")


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    compared("good", "bad", on_progress=lambda provider, progress: told.append((provider, progress.done)))
    assert told == [("good", 0.0), ("good", 1.0), ("bad", 0.0), ("bad", 1.0)]


def test_an_unknown_name_is_found_before_any_work() -> None:
    told: list[str] = []
    with pytest.raises(UnknownProviderError):
        compared("good", "nobody", on_progress=lambda provider, _: told.append(provider))
    assert told == []


def test_a_recording_that_cannot_be_read_is_no_result() -> None:
    with pytest.raises(AudioSourceError):
        compared("good", source="nowhere.wav")


@pytest.mark.parametrize("names", [(), ("good", "good")])
def test_names_must_make_sense(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="each once"):
        compared(*names)


def test_rows_hold_every_word_and_end_with_sentences() -> None:
    comparison = compared("good", "bad")
    made = list(rows(comparison))
    assert [len(row.baseline) for row in made] == [8, 8]
    assert [word for row in made for word in row.baseline] == list(split(SAID["good"]))
    bad = [word for row in made for piece in row.pieces["bad"] for word in piece.words]
    assert bad == list(split(SAID["bad"]))
    assert not any(row.agreed for row in made)


def test_the_last_row_is_no_mere_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, lengths in ((16, [16]), (18, [14, 4]), (30, [14, 16])):
        monkeypatch.setattr(Speaker, "said", {"good": "word " * count})
        assert [len(row.baseline) for row in rows(compared("good"))] == lengths


class Reader(HTMLParser):
    """Checks that every element is closed, and notes what would be loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.marked: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "img", "iframe"}
        assert not {name for name, _ in attrs} & {"src", "href"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"mark", "ins", "del"}:
            self.marked.append((self.open[-1], data))
        self.text.append(data)


def test_where_all_agree_the_page_says_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Speaker, "said", {"good": "One two three.", "bad": "one two three"})
    page = to_html(compared("good", "bad"), "call.wav")
    assert page.count("One two three.") == 1
    assert '<th scope="row">all</th>' in page


def test_the_page_is_whole_needs_nothing_and_shows_every_difference() -> None:
    comparison = compared("good", "bad", "broke")
    reader = Reader()
    reader.feed(to_html(comparison, "a <b> call.wav"))
    reader.close()
    assert reader.open == []
    text = " ".join("".join(reader.text).split())
    assert "a <b> call.wav" in text
    assert "<Four> five" in text
    assert "failed: The account is <empty>." in text
    legend, found = reader.marked[:3], reader.marked[3:]
    assert [tag for tag, _ in legend] == ["mark", "ins", "del"]
    assert found == [("mark", "too"), ("ins", "six"), ("del", "ten"), ("ins", "more")]
