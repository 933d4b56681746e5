"""The Realtime dialect, by frames handed to it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from debabelizer_openai.dialect import RealtimeDialect

from debabelizer import (
    AudioFormat,
    AuthenticationError,
    InvalidRequestError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    ServiceUnavailableError,
    SessionExpiredError,
)
from debabelizer.streaming.dialect import Finished, Flushed, Hypothesis, Processed, Ready, SpeechStart
from debabelizer.testing.coded import encode_words, plan_words

WIRE = AudioFormat("pcm_s16le", 24000)
SECOND = bytes(WIRE.bytes_per_second)
PREFIX = "conversation.item.input_audio_transcription"


class Played:
    """A dialect that is ready, and what it says to frames."""

    def __init__(self, dialect: RealtimeDialect) -> None:
        self.dialect = dialect
        self.opening = dialect.open()
        self.session = json.loads(str(self.opening.frames[0]))["session"]
        assert self.hear("session.created") == []
        assert self.hear("session.updated") == [Ready()]

    def hear(self, kind: str, **members: Any) -> list[Any]:
        return list(self.dialect.receive(json.dumps({"type": kind, **members})))

    def commit(self, item: str, previous: str | None = None) -> list[Any]:
        return self.hear("input_audio_buffer.committed", item_id=item, previous_item_id=previous)

    def complete(self, item: str, transcript: str, **members: Any) -> list[Any]:
        return self.hear(f"{PREFIX}.completed", item_id=item, transcript=transcript, **members)

    def delta(self, item: str, delta: str) -> list[Any]:
        return self.hear(f"{PREFIX}.delta", item_id=item, delta=delta)

    def speech(self, item: str, start: int, end: int) -> list[Any]:
        """Somebody spoke."""
        return [
            *self.hear("input_audio_buffer.speech_started", item_id=item, audio_start_ms=start),
            *self.hear("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=end),
        ]


@pytest.fixture
def played(request_for: Callable[..., Any]) -> Callable[..., Played]:
    def make(wishes: dict[str, Any] | None = None, **table: Any) -> Played:
        request = request_for("openai", wishes, **table)
        return Played(RealtimeDialect(request, WIRE, env="OPENAI_API_KEY"))

    return make


def texts(events: Iterable[Any], *, final: bool = True) -> list[str]:
    return [event.text for event in events if isinstance(event, Hypothesis) and event.final is final]


def kinds(frames: Iterable[Any]) -> list[str]:
    return [json.loads(frame)["type"] for frame in frames]


def test_the_session_says_what_was_asked_for(played: Callable[..., Played]) -> None:
    wishes = {"language_hints": ("es", "en-GB"), "vocabulary": ("Debabelizer", "Babel")}
    session = played(wishes, noise_reduction="far_field", silence_duration_ms=300, extra={"new": 1}).session
    assert session == {
        "type": "transcription",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {
                    "model": "gpt-transcribe",
                    "languages": ["es", "en"],
                    "keywords": ["Debabelizer", "Babel"],
                    "new": 1,
                },
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
                "noise_reduction": {"type": "far_field"},
            }
        },
    }


def test_the_model_is_not_in_the_address_unless_a_gateway_wants_it(played: Callable[..., Played]) -> None:
    assert played().opening.url == "wss://api.openai.com/v1/realtime?intent=transcription"
    gateway = played(base_url="http://127.0.0.1:4000/v1", model_in_url=True)
    assert gateway.opening.url == "ws://127.0.0.1:4000/v1/realtime?intent=transcription&model=gpt-transcribe"
    assert gateway.opening.headers == {"Authorization": "Bearer test-key"}


@pytest.mark.parametrize(
    ("table", "detection"),
    [
        ({}, {"type": "server_vad"}),
        ({"turn_detection": "semantic_vad", "eagerness": "high"}, {"type": "semantic_vad", "eagerness": "high"}),
        ({"turn_detection": "pauses"}, None),
        ({"model": "gpt-live-transcribe"}, None),
        ({"model": "gpt-realtime-whisper", "delay": "low"}, None),
    ],
)
def test_who_ends_utterances(
    played: Callable[..., Played], coded_voice: None, table: dict[str, Any], detection: Any
) -> None:
    assert played(**table).session["audio"]["input"]["turn_detection"] == detection


def test_telephone_audio_keeps_its_law(request_for: Callable[..., Any]) -> None:
    for encoding, name in (("mulaw", "audio/pcmu"), ("alaw", "audio/pcma")):
        dialect = RealtimeDialect(request_for(), AudioFormat(encoding, 8000), env=None)  # type: ignore[arg-type]
        session = json.loads(str(dialect.open().frames[0]))["session"]
        assert session["audio"]["input"]["format"] == {"type": name}


def test_audio_is_sent_in_base64_and_asked_for_now_and_then(played: Callable[..., Played]) -> None:
    it = played()
    (first,) = it.dialect.audio(SECOND[: WIRE.bytes_per_second // 2])
    assert b64decode(json.loads(str(first))["audio"]) == SECOND[: WIRE.bytes_per_second // 2]
    frames = it.dialect.audio(SECOND[: WIRE.bytes_per_second // 2])
    assert kinds(frames) == ["input_audio_buffer.append", "session.update"]
    assert json.loads(str(frames[1]))["session"] == {"type": "transcription"}
    assert it.hear("session.updated") == [Processed(1.0)]


def test_a_question_that_is_refused_is_answered_too(played: Callable[..., Played]) -> None:
    it = played()
    _, question = it.dialect.audio(SECOND)
    error = {"type": "invalid_request_error", "code": "missing_required_parameter", "message": "What?"}
    about = json.loads(str(question))["event_id"]
    assert it.hear("error", error={**error, "event_id": about}) == [Processed(1.0)]
    with pytest.raises(InvalidRequestError):
        it.hear("error", error={**error, "event_id": "another"})


def test_a_transcription_that_does_not_come_is_no_progress(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND * 3)
    assert it.hear("session.updated") == [Processed(3.0), Processed(1.0, final=True)]
    it.speech("a", 2100, 2900)
    it.speech("b", 3000, 3900)
    it.commit("a")
    it.commit("b", "a")
    it.dialect.audio(SECOND * 3)
    assert it.hear("session.updated") == [Processed(2.9)]
    it.complete("b", "two")
    it.dialect.audio(SECOND)
    assert it.hear("session.updated") == [Processed(2.9)]
    it.complete("a", "one")
    it.dialect.audio(SECOND)
    assert it.hear("session.updated")[0] == Processed(8.0)


def test_silence_is_settled_but_for_what_the_service_may_notice_late(played: Callable[..., Played]) -> None:
    it = played()
    for _ in range(5):
        it.dialect.audio(SECOND)
        heard = it.hear("session.updated")
    assert heard == [Processed(5.0), Processed(3.0, final=True)]
    it.hear("input_audio_buffer.speech_started", item_id="a", audio_start_ms=4200)
    it.dialect.audio(SECOND * 9)
    assert it.hear("session.updated") == [Processed(14.0)]  # somebody speaks: nothing more is settled


def test_what_is_settled_leaves_out_the_padding_of_speech(played: Callable[..., Played]) -> None:
    it = played(prefix_padding_ms=3000)
    for _ in range(5):
        it.dialect.audio(SECOND)
        heard = it.hear("session.updated")
    assert heard == [Processed(5.0), Processed(0.5, final=True)]


def test_deltas_are_interims_and_the_completion_counts(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND * 3)
    assert it.hear("input_audio_buffer.speech_started", item_id="a", audio_start_ms=500) == [SpeechStart(0.5)]
    it.hear("input_audio_buffer.speech_stopped", item_id="a", audio_end_ms=2000)
    it.commit("a")
    assert texts(it.delta("a", "Hallo"), final=False) == ["Hallo"]
    assert texts(it.delta("a", " word"), final=False) == ["Hallo word"]
    events = it.complete("a", "Hello, world.", languages=[{"code": "en"}, {"code": "de"}])
    assert events == [
        Hypothesis(text="Hello, world.", final=True, start=0.5, end=2.0, language="en", ends_utterance=True),
        Hypothesis(text="", final=False),
        Processed(2.0, final=True),
    ]
    assert it.delta("a", "late") == []


def test_a_service_that_writes_for_ever_does_not_fill_the_memory(played: Callable[..., Played]) -> None:
    it = played()
    for _ in range(10):
        it.delta("a", "word " * 20_000)
    with pytest.raises(ProtocolError, match="without an end"):
        it.delta("a", "word")


def test_completions_out_of_order_are_put_in_order(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND * 9)
    for number, item in enumerate("abc"):
        it.speech(item, 1000 * number, 1000 * number + 900)
    it.commit("a", None)
    it.commit("b", "a")
    it.commit("c", "b")
    assert texts(it.complete("c", "three"), final=False) == ["three"]
    assert texts(it.complete("b", "two"), final=False) == ["two three"]
    events = it.complete("a", "one")
    assert texts(events) == ["one", "two", "three"]
    assert texts(events, final=False) == [""]
    assert [(event.start, event.end) for event in events[:3]] == [(0.0, 0.9), (1.0, 1.9), (2.0, 2.9)]


def test_the_end_is_proven_when_every_commit_is_answered(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND * 4)
    it.hear("session.updated")
    it.speech("a", 0, 1500)
    it.hear("input_audio_buffer.speech_started", item_id="b", audio_start_ms=2000)
    assert kinds(it.dialect.end()) == ["input_audio_buffer.commit", "session.update"]
    it.commit("a", None)  # the service's own, on its way while ours was
    it.commit("b", "a")
    assert Finished(4.0) not in it.hear("session.updated")
    it.complete("b", "two")
    events = it.complete("a", "one")
    assert texts(events) == ["one", "two"]
    assert [event.end for event in events[:2]] == [1.5, 4.0]
    assert events[-1] == Finished(4.0)


def test_nothing_left_to_commit_is_an_answer_too(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND)
    it.hear("session.updated")
    it.dialect.end()
    error = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "too small"}
    assert it.hear("error", error=error) == []
    assert it.hear("session.updated")[-1] == Finished(1.0)


def test_an_end_whose_commit_is_not_answered_is_none(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND)
    it.hear("session.updated")
    it.dialect.end()
    assert not [event for event in it.hear("session.updated") if isinstance(event, Finished)]
    it.commit("a")
    assert it.complete("a", "")[-1] == Finished(1.0)


def test_a_flush_is_answered_when_its_words_are_final(played: Callable[..., Played]) -> None:
    it = played()
    it.dialect.audio(SECOND * 2)
    it.hear("session.updated")
    it.hear("input_audio_buffer.speech_started", item_id="a", audio_start_ms=500)
    it.dialect.flush(0.0)
    it.commit("new")  # committed early, it has another id than was announced
    assert Flushed() not in it.hear("session.updated")
    events = it.complete("new", "so far")
    assert (events[0].start, events[0].end) == (0.5, 2.0)
    assert events[-1] == Flushed()


def test_utterances_of_a_live_model_are_ended_from_here(played: Callable[..., Played], coded_voice: None) -> None:
    it = played(model="gpt-live-transcribe")
    speech = encode_words(plan_words(6, phrase=3, pause=1.5), WIRE, tail=1.0)
    sent = []
    for at in range(0, len(speech), 9600):
        sent += kinds(it.dialect.audio(speech[at : at + 9600]))
    assert sent.count("input_audio_buffer.commit") == 2
    it.delta("a", "word0")
    started = it.delta("a", " word1")
    assert texts(started, final=False) == ["word0 word1"]
    it.commit("a")
    (final, *_) = it.complete("a", "word0 word1 word2")
    assert final.start == pytest.approx(0.0, abs=0.05)  # 0.3 s before the first word, which is at 0.2 s
    assert final.end == pytest.approx(1.11 + 0.8, abs=0.1)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "invalid_request_error", "code": "session_expired"}, SessionExpiredError),
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, AuthenticationError),
        ({"type": "invalid_request_error", "code": "model_not_found"}, InvalidRequestError),
        ({"type": "invalid_request_error", "code": None}, InvalidRequestError),
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, QuotaExceededError),
        ({"type": "tokens", "code": "rate_limit_exceeded"}, RateLimitedError),
        ({"type": "server_error", "code": None}, ServiceUnavailableError),
    ],
)
def test_errors_by_code_before_type(
    played: Callable[..., Played], error: dict[str, Any], kind: type[ProviderError]
) -> None:
    with pytest.raises(kind, match="On purpose") as caught:
        played().hear("error", error={"message": "On purpose.", **error})
    assert caught.value.retry_after == (0.0 if kind is SessionExpiredError else None)


def test_a_transcription_that_fails_is_tried_again_but_not_if_nobody_could_understand_it(
    played: Callable[..., Played],
) -> None:
    it = played()
    it.speech("a", 0, 1000)
    it.commit("a")
    it.speech("b", 1500, 2000)
    it.commit("b", "a")
    unintelligible = {"type": "transcription_error", "code": "audio_unintelligible", "message": "m"}
    assert texts(it.hear(f"{PREFIX}.failed", item_id="a", error=unintelligible)) == []
    failed = {"type": "transcription_error", "code": "other", "message": "m"}
    with pytest.raises(ServiceUnavailableError):
        it.hear(f"{PREFIX}.failed", item_id="b", error=failed)


@pytest.mark.parametrize(
    "frame",
    [
        "no JSON",
        "[]",
        "{}",
        b"\xff",
        '{"type": "input_audio_buffer.speech_started", "item_id": "a"}',
        '{"type": "input_audio_buffer.speech_started", "item_id": 7, "audio_start_ms": 1}',
    ],
)
def test_what_makes_no_sense_is_a_protocol_error(played: Callable[..., Played], frame: str | bytes) -> None:
    with pytest.raises(ProtocolError):
        played().dialect.receive(frame)


def test_what_is_not_known_is_passed_over(played: Callable[..., Played]) -> None:
    it = played()
    assert it.hear("rate_limits.updated", rate_limits=[]) == []
    assert it.hear("session.updated") == []  # nobody asked


def test_without_a_key_nothing_is_opened(request_for: Callable[..., Any]) -> None:
    with pytest.raises(AuthenticationError, match="OPENAI_API_KEY"):
        RealtimeDialect(request_for(api_key=None), WIRE, env="OPENAI_API_KEY")
