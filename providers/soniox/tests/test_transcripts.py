from __future__ import annotations

import asyncio
from typing import Any

import pytest
from debabelizer_soniox.transcripts import read_transcript, segments

from debabelizer import ProtocolError, Transcript, Word


def read(*tokens: dict[str, Any], duration: float | None = None) -> Transcript:
    return asyncio.run(read_transcript({"tokens": list(tokens)}, duration))


def test_tokens_become_a_transcript() -> None:
    transcript = read(
        {"text": "Beau", "start_ms": 300, "end_ms": 420, "confidence": 0.9, "speaker": "1", "language": "en"},
        {"text": "ti", "start_ms": 420, "end_ms": 540, "confidence": 0.8, "speaker": "1", "language": "en"},
        {"text": "ful.", "start_ms": 540, "end_ms": 780, "confidence": 1.0, "speaker": "1", "language": "en"},
        {"text": " Oui", "start_ms": 900, "end_ms": 1000, "confidence": 0.7, "speaker": "2", "language": "fr"},
        duration=2.0,
    )
    assert transcript.text == "Beautiful. Oui"
    assert transcript.words == (
        Word("Beautiful.", 0.3, 0.78, 0.9, "1", "en"),
        Word("Oui", 0.9, 1.0, 0.7, "2", "fr"),
    )
    assert [(s.text, s.speaker, s.language, s.start, s.end) for s in transcript.segments] == [
        ("Beautiful.", "1", "en", 0.3, 0.78),
        ("Oui", "2", "fr", 0.9, 1.0),
    ]
    assert transcript.segments[0].confidence == 0.9
    assert (transcript.duration, transcript.audio_seconds, transcript.translation) == (2.0, 2.0, None)


def test_nothing_was_said() -> None:
    assert read() == Transcript(text="")
    assert asyncio.run(read_transcript({}, 3.0)) == Transcript(text="", duration=3.0, audio_seconds=3.0)


def test_the_duration_is_that_of_the_words_if_soniox_does_not_say() -> None:
    assert read({"text": "a", "end_ms": 500}, {"text": " b", "end_ms": 1500}, {"text": " c"}).duration == 1.5


def test_the_translation_is_apart() -> None:
    transcript = read(
        {"text": "Hello", "translation_status": "original", "language": "en"},
        {"text": "Hal", "translation_status": "translation", "language": "de"},
        {"text": "lo", "translation_status": "translation", "language": "de"},
        {"text": " you", "translation_status": "none", "language": "en"},
        {"text": " du", "translation_status": "translation", "language": "de"},
    )
    assert (transcript.text, transcript.translation, transcript.language) == ("Hello you", "Hallo du", "en")


def test_a_very_long_transcript_lets_others_have_their_turn() -> None:
    async def main() -> tuple[Transcript, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(other())
        transcript = await read_transcript({"tokens": [{"text": " a"}] * 20_000}, None)
        task.cancel()
        return transcript, turns

    transcript, turns = asyncio.run(main())
    assert len(transcript.words) == 20_000
    assert turns >= 20


@pytest.mark.parametrize("body", [{"tokens": {}}, {"tokens": ["x"]}, {"tokens": [{"text": 1}]}])
def test_what_is_no_transcript_is_a_broken_protocol(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        asyncio.run(read_transcript(body, None))


def word(text: str, start: float | None, end: float | None, speaker: str = "1", language: str = "en") -> Word:
    return Word(text, start, end, None, speaker, language)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        ([word("a", 0, 1), word("b", 1.9, 2)], ["a b"]),
        ([word("a", 0, 1), word("b", 2, 3)], ["a", "b"]),
        ([word("a.", 0, 1), word("b", 1.2, 2)], ["a. b"]),
        ([word("a.", 0, 1), word("b", 1.3, 2)], ["a.", "b"]),
        ([word("a.”", 0, 1), word("b", 1.3, 2)], ["a.”", "b"]),
        ([word("好。", 0, 1), word("b", 1.3, 2)], ["好。", "b"]),
        ([word("a", 0, 1), word("b", 1, 2, "2"), word("c", 2, 3, "2")], ["a", "b c"]),
        ([word("a", 0, 1), word("b", 1, 2, language="es")], ["a", "b"]),
        ([word("a.", None, None), word("b", None, None)], ["a. b"]),
    ],
)
def test_where_segments_are_cut(words: list[Word], expected: list[str]) -> None:
    assert [segment.text for segment in segments(words)] == expected
