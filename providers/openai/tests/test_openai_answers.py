"""What servers answer, in all their shapes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from debabelizer_openai.answers import Heard, read_body, read_events
from debabelizer_openai.faults import Reported, http_error, provider_error
from debabelizer_openai.flavours import FLAVOURS
from debabelizer_openai.languages import language_code

from debabelizer import ConnectionLostError, ProtocolError, ServiceUnavailableError
from debabelizer.rest import Event
from debabelizer.results import Segment, Word


def read(flavour: str, body: Any) -> Heard:
    return read_body(json.dumps(body).encode(), FLAVOURS[flavour])


def words(heard: Heard) -> list[tuple[Any, ...]]:
    return [(word.text, word.start, word.end) for segment in heard.segments for word in segment.words]


def test_text_and_the_languages_that_were_heard() -> None:
    heard = read("openai", {"text": " Hola. ", "languages": [{"code": "es"}, {"code": "en"}], "usage": {}})
    assert heard == Heard((Segment("Hola.", language="es"),), "es")
    assert read("openai", {"text": "Hm.", "languages": []}).language is None
    assert read("openai", {"text": ""}) == Heard()


def test_words_beside_the_segments_take_their_spelling_from_the_text() -> None:
    body = {
        "language": "english",
        "text": "Yes, yes. No!",
        "segments": [
            {"id": 0, "start": 0.0, "end": 1.0, "text": " Yes, yes."},
            {"id": 1, "start": 1.0, "end": 2.0, "text": " No!"},
        ],
        "words": [
            {"word": "Yes", "start": 0.1, "end": 0.4},
            {"word": "yes", "start": 0.5, "end": 0.9},
            {"word": "No", "start": 1.1, "end": 1.5},
        ],
    }
    heard = read("openai", body)
    assert words(heard) == [("Yes,", 0.1, 0.4), ("yes.", 0.5, 0.9), ("No!", 1.1, 1.5)]
    assert [len(segment.words) for segment in heard.segments] == [2, 1]
    assert heard.language == "en"
    assert heard.text == "Yes, yes. No!"


def test_words_without_segments_are_one() -> None:
    spoken = [{"word": "a", "start": 0.1, "end": 0.2}, {"word": "b", "start": 0.3, "end": 0.4}]
    (segment,) = read("groq", {"text": "a b", "segments": [], "words": spoken}).segments
    assert (segment.text, segment.start, segment.end, len(segment.words)) == ("a b", 0.1, 0.4, 2)


def test_words_within_segments_may_be_pieces_of_words() -> None:
    pieces = [
        {"word": " De", "start": 0.0, "end": 0.1, "probability": 0.9},
        {"word": "babel", "start": 0.1, "end": 0.3, "probability": 0.5},
        {"word": ".", "start": 0.3, "end": 0.3, "probability": 0.8},
        {"word": " Yes", "start": 0.4, "end": 0.6, "probability": 0.7},
    ]
    body = {"language": "english", "text": " Debabel. Yes", "segments": [{"text": " Debabel. Yes", "words": pieces}]}
    heard = read("whisper_cpp", body)
    assert words(heard) == [("Debabel.", 0.0, 0.3), ("Yes", 0.4, 0.6)]
    assert [word.confidence for word in heard.segments[0].words] == [0.5, 0.7]


@pytest.mark.parametrize(("text", "spoken"), [(" нить", ("нить",)), (" тихая нить", ())])
def test_torn_letters_are_taken_from_the_text_or_cost_the_words(text: str, spoken: tuple[str, ...]) -> None:
    pieces = [{"word": " ни\ufffd", "start": 0.0, "end": 0.1}, {"word": "\ufffdт", "start": 0.1, "end": 0.2}]
    body = {"text": text, "segments": [{"text": text, "start": 0, "end": 1, "words": pieces}]}
    (segment,) = read("whisper_cpp", body).segments
    assert segment.text == text.strip()
    assert tuple(word.text for word in segment.words) == spoken


def test_what_a_server_writes_for_silence_is_nothing() -> None:
    body = {"text": " [BLANK_AUDIO]", "segments": [{"text": " [BLANK_AUDIO]", "start": 0, "end": 1}]}
    assert read("whisper_cpp", body).segments == ()
    assert read("openai", body).segments != ()


def test_nanoseconds_are_told_by_their_size() -> None:
    segment = {"id": 0, "start": 1_500_000_000, "end": 2_500_000_000, "text": "a", "tokens": None}
    assert read("localai", {"text": "a", "segments": [segment]}).segments[0].start == 1.5
    assert read("localai", {"text": "a", "segments": [{**segment, "start": 1.5, "end": 2.5}]}).segments[0].end == 2.5


def test_a_language_that_was_only_told_is_none() -> None:
    assert read("vllm", {"text": "a", "language": "en", "segments": []}).language is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("en", "en"), ("English", "en"), (" haitian creole ", "ht"), ("en-US", "en"), ("jw", "jv"), ("mandarin", "zh"),
     ("yue", "yue"), ("klingon", None), ("", None), (None, None), (7, None)],
)  # fmt: skip
def test_languages_by_code_or_name(text: object, code: str | None) -> None:
    assert language_code(text) == code


def test_speakers() -> None:
    segments = [
        {"type": "transcript.text.segment", "id": "s1", "start": 0.0, "end": 1.0, "speaker": "A", "text": "Hi."},
        {"type": "transcript.text.segment", "id": "s2", "start": 1.0, "end": 2.0, "speaker": "B", "text": "Ho."},
    ]
    heard = read("openai", {"task": "transcribe", "duration": 2, "text": "Hi. Ho.", "segments": segments})
    assert [(segment.speaker, segment.text) for segment in heard.segments] == [("A", "Hi."), ("B", "Ho.")]


@pytest.mark.parametrize("error", ["failed to process audio", {"message": "failed to process audio", "type": None}])
def test_an_error_may_call_itself_a_success(error: Any) -> None:
    with pytest.raises(ServiceUnavailableError, match=r"whisper\.cpp answered with an error: failed to process audio"):
        read("whisper_cpp", {"error": error})


@pytest.mark.parametrize("text", [b"<html>", b"[]", b"{}", b'{"text": 7}', b'{"text": "a", "segments": ["a"]}',
                                  b'{"text": "a", "words": [{"start": 1}]}'])  # fmt: skip
def test_what_makes_no_sense_is_a_protocol_error(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_body(text, FLAVOURS["openai"])


def events(flavour: str, *said: Any) -> Heard:
    async def come() -> AsyncIterator[Event]:
        for each in said:
            yield Event(each if isinstance(each, str) else json.dumps(each))

    return asyncio.run(read_events(come(), FLAVOURS[flavour]))


DELTA = {"type": "transcript.text.delta", "delta": "Hallo"}
SEGMENT = {"type": "transcript.text.segment", "id": "s", "start": 0.0, "end": 1.0, "speaker": "A", "text": "Hello."}


def test_the_last_event_counts_and_not_the_deltas() -> None:
    done = {"type": "transcript.text.done", "text": "Hello.", "languages": [{"code": "en"}]}
    assert events("openai", DELTA, done) == Heard((Segment("Hello.", language="en"),), "en")
    heard = events("openai", DELTA, SEGMENT, {"type": "transcript.text.done", "text": "Hello."})
    assert heard.segments == (Segment("Hello.", 0.0, 1.0, speaker="A"),)


@pytest.mark.parametrize("last", [(), ("[DONE]",), ({"type": "newer"},)])
def test_an_answer_without_its_last_event_is_a_failure(last: tuple[Any, ...]) -> None:
    with pytest.raises(ConnectionLostError):
        events("openai", DELTA, *last)
    assert events("speaches", DELTA, {**DELTA, "delta": " du"}, *last).text == "Hallo du"


def test_errors_within_events() -> None:
    with pytest.raises(ServiceUnavailableError):
        events("openai", DELTA, {"error": {"message": "m", "type": "server_error"}})
    with pytest.raises(ProtocolError):
        events("openai", "no JSON")


def test_words_may_lack_times() -> None:
    heard = read("groq", {"text": "a", "segments": [{"text": "a"}], "words": [{"word": "a", "start": None}]})
    assert heard.segments == (Segment("a", words=(Word("a"),)),)


@pytest.mark.parametrize(
    ("env", "hint"),
    [
        ("OPENAI_API_KEY", "Check api_key, which by default comes from the variable OPENAI_API_KEY."),
        (None, "Check api_key, which this server asks for."),
    ],
)
def test_a_refused_key_is_looked_for_where_it_can_be(env: str | None, hint: str) -> None:
    assert http_error(401, b"", None, "vLLM", env).hint == hint
    assert provider_error(Reported("no", None, "invalid_api_key"), "vLLM", env).hint == hint
