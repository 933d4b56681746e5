"""vLLM's Realtime dialect, by frames handed to it."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from debabelizer_openai.vllm import VllmDialect

from debabelizer import AudioFormat, InvalidRequestError, ProtocolError, ServiceUnavailableError
from debabelizer.streaming.dialect import Finished, Flushed, Hypothesis, Processed, Ready, Reply, SpeechStart
from debabelizer.testing.coded import encode_words, plan_words

PLAN = plan_words(4, phrase=2, pause=1.5)
SPEECH = encode_words(PLAN, tail=1.0)
COMMIT, END = {"type": "input_audio_buffer.commit"}, {"type": "input_audio_buffer.commit", "final": True}


def hear(dialect: VllmDialect, kind: str, **members: Any) -> list[Any]:
    return list(dialect.receive(json.dumps({"type": kind, **members})))


def sent(frames: Iterable[Any]) -> list[Any]:
    """The commits among frames, and for audio how many bytes."""
    read = [json.loads(frame) for frame in frames]
    return [len(b64decode(each["audio"])) if "audio" in each else each for each in read]


@pytest.fixture
def dialect(request_for: Callable[..., Any], coded_voice: None) -> VllmDialect:
    return VllmDialect(request_for("vllm_realtime"), AudioFormat())


def test_the_session_begins_with_its_model_and_an_utterance(request_for: Callable[..., Any], coded_voice: None) -> None:
    dialect = VllmDialect(request_for("vllm_realtime", api_key=None), AudioFormat())
    opening = dialect.open()
    assert (opening.url, opening.headers) == ("ws://127.0.0.1:8000/v1/realtime", {})
    model = {"type": "session.update", "model": "mistralai/Voxtral-Mini-4B-Realtime-2602"}
    assert [json.loads(str(frame)) for frame in opening.frames] == [model, COMMIT]
    assert hear(dialect, "session.created", id="s") == [Ready()]


def test_an_utterance_is_ended_and_the_next_waits_for_its_answer(dialect: VllmDialect) -> None:
    first = sent(dialect.audio(SPEECH))
    assert first[-1] == END  # held back is what comes after the pause
    assert isinstance(first[0], int)
    assert first[0] < len(SPEECH) / 2
    assert dialect.audio(SPEECH) == []
    assert hear(dialect, "transcription.delta", delta=" word0")[:2] == [
        SpeechStart(0.0),
        Hypothesis(text="word0", final=False, start=0.0),
    ]
    assert hear(dialect, "transcription.delta", delta="") == [Processed(AudioFormat().seconds(first[0]))]
    final, withdrawn, settled, reply = hear(dialect, "transcription.done", text="word0 word1.")
    assert (final.text, final.final, final.start) == ("word0 word1.", True, 0.0)
    assert final.end == pytest.approx(PLAN[1].end + 0.8, abs=0.1)
    assert withdrawn == Hypothesis(text="", final=False)
    assert settled == Processed(final.end, final=True)
    assert isinstance(reply, Reply)
    assert sent(reply.frames)[0] == COMMIT
    assert sent(reply.frames)[-1] == END  # the second phrase was whole already


def test_the_end_waits_for_what_was_held_back(dialect: VllmDialect) -> None:
    dialect.audio(SPEECH)
    assert dialect.end() == []
    (*_, reply) = hear(dialect, "transcription.done", text="one")
    assert sent(reply.frames)[-1] == END
    (*_, reply) = hear(dialect, "transcription.done", text="two")
    rest = sent(reply.frames)
    assert (rest[0], rest[-1]) == (COMMIT, END)
    events = hear(dialect, "transcription.done", text="")
    assert events[-1] == Finished(pytest.approx(AudioFormat().seconds(len(SPEECH))))


def test_an_utterance_without_audio_gets_a_little(dialect: VllmDialect) -> None:
    assert sent(dialect.end()) == [3200, END]
    assert hear(dialect, "transcription.done", text="") == [Processed(0.0, final=True), Finished(0.0)]


def test_a_flush_ends_the_utterance(dialect: VllmDialect) -> None:
    dialect.audio(SPEECH[:16000])
    assert sent(dialect.flush(0.0))[-1] == END
    events = hear(dialect, "transcription.done", text="word0")
    assert [event.end for event in events if isinstance(event, Hypothesis) and event.final] == [0.5]
    assert Flushed() in events


def test_silence_is_ended_before_the_model_has_too_much_of_it(dialect: VllmDialect) -> None:
    commits = [frame for _ in range(30) for frame in sent(dialect.audio(bytes(32000))) if frame == END]
    assert commits == [END]
    assert hear(dialect, "transcription.done", text="")[0] == Processed(pytest.approx(21.0, abs=0.1), final=True)


@pytest.mark.parametrize(
    ("code", "kind"), [("processing_error", ServiceUnavailableError), ("invalid_audio", InvalidRequestError)]
)
def test_errors_are_texts(dialect: VllmDialect, code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="vLLM answered"):
        hear(dialect, "error", error="It went wrong.", code=code)


def test_what_is_not_known_is_passed_over(dialect: VllmDialect) -> None:
    assert hear(dialect, "session.updated") == []


def test_a_model_that_writes_for_ever_does_not_fill_the_memory(dialect: VllmDialect) -> None:
    dialect.audio(SPEECH)
    for _ in range(10):
        hear(dialect, "transcription.delta", delta="word " * 20_000)
    with pytest.raises(ProtocolError, match="without an end"):
        hear(dialect, "transcription.delta", delta="word")
