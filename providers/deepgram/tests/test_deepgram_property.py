"""Whatever the services do within their protocols, every word is said once, whole, in order, and the marks are true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from debabelizer_deepgram.dialect import DeepgramDialect
from debabelizer_deepgram.flux import FluxDialect
from debabelizer_deepgram.simulator import Behaviour
from debabelizer_deepgram.simulator.nova import NovaRecognizer
from debabelizer_deepgram.simulator.query import Query
from debabelizer_deepgram.simulator.turns import TurnRecognizer
from hypothesis import given, settings
from hypothesis import strategies as st

from debabelizer import AudioFormat
from debabelizer.streaming.dialect import (
    Dialect,
    Finished,
    Flushed,
    Hypothesis,
    Processed,
    Reply,
    SpeechStart,
    UtteranceEnd,
)
from debabelizer.testing.audio import RawAudio
from debabelizer.testing.coded import CodedWord, encode_words, plan_words
from debabelizer.testing.script import CodedWords, Line

RAW = RawAudio("pcm_s16le", 8000, 1)
FORMAT = AudioFormat(sample_rate=8000)

plans = st.builds(
    lambda count, gap, phrase, pause: plan_words(count, gap=gap, phrase=phrase, pause=pause),
    st.integers(1, 14),
    st.sampled_from([0.02, 0.08, 0.2]),
    st.integers(1, 6),
    st.sampled_from([0.3, 1.1, 2.5]),
)
novas = st.builds(
    Behaviour,
    cadence=st.sampled_from([0.1, 0.4, 1.0]),
    window=st.sampled_from([0.5, 1.3, 3.0]),
    short_finals=st.integers(0, 3),
    finalize_least=st.sampled_from([0.0, 0.3, 9.0]),
)
turns = st.builds(
    Behaviour,
    step=st.sampled_from([0.08, 0.1, 0.25]),
    turn_silence=st.sampled_from([0.15, 0.7, 60.0]),
    eager_silence=st.just(0.1),
)
cuts = st.lists(st.sampled_from([400, 800, 1601, 5000]), min_size=1, max_size=10)
seldom = st.integers(0, 9)


class Talk:
    """A dialect and a recognizer, face to face: what the one says the other hears, at once."""

    def __init__(
        self, dialect: Dialect, recognizer: NovaRecognizer | TurnRecognizer, plan: tuple[CodedWord, ...]
    ) -> None:
        self.dialect = dialect
        self.recognizer = recognizer
        self.words = {word.text: word for word in plan}
        self.events: list[Any] = []
        self.sent = 0
        self._controls: dict[str, Callable[[], list[Any]]] = {
            "CloseStream": recognizer.close,
            "KeepAlive": list,
            **({"Finalize": recognizer.finalize} if isinstance(recognizer, NovaRecognizer) else {}),
            **({"ForceEndTurn": recognizer.force_end} if isinstance(recognizer, TurnRecognizer) else {}),
        }

    def send(self, *frames: str | bytes) -> None:
        for frame in frames:
            if isinstance(frame, bytes):
                heard = self.recognizer.hear(frame)
            else:
                heard = self._controls[json.loads(frame)["type"]]()
            events = [event for message in heard for event in self.dialect.receive(json.dumps(message))]
            self.events += [event for event in events if not isinstance(event, Reply)]
            for event in events:  # what the service said before it got the reply came before
                if isinstance(event, Reply):
                    self.send(*event.frames)

    def speak(self, audio: bytes) -> None:
        self.sent += len(audio)
        self.send(self.dialect.audio(audio))  # type: ignore[arg-type]

    @property
    def finals(self) -> list[Hypothesis]:
        return [event for event in self.events if isinstance(event, Hypothesis) and event.final]

    def check(self) -> None:
        """The laws of results, and that every mark is true when it is set."""
        said: list[str] = []
        interim = ""
        for event in self.events:
            if isinstance(event, Hypothesis):
                texts = event.text.split()
                if event.final:
                    said += texts
                    for word in event.words:
                        plan = self.words[word.text]
                        assert abs((word.start or 0.0) - plan.start) < 0.01, "times are those of the user's audio"
                else:
                    interim = event.text
                    assert not set(texts) & set(said), "an interim holds nothing final"
            elif isinstance(event, Processed) and event.final:
                for word in self.words.values():
                    final = word.text in said
                    assert final or word.start >= event.through - 1e-3, f"{word} lies before what is settled"
        assert said == list(self.words)
        assert interim == "", "no interim is left"


def pieces(audio: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = number = 0
    while at < len(audio):
        size = 2 * sizes[number % len(sizes)]
        yield audio[at : at + size]
        at, number = at + size, number + 1


@settings(deadline=None, max_examples=40)
@given(plans, novas, cuts, st.lists(seldom, min_size=1, max_size=20), st.sampled_from(["100", "300", "2000", "false"]))
def test_nova(
    plan: tuple[CodedWord, ...], behaviour: Behaviour, sizes: list[int], dice: list[int], endpointing: str
) -> None:
    request = "model=nova-3&interim_results=true&vad_events=true&utterance_end_ms=1000&endpointing="
    ear = CodedWords().listen(Line(RAW))
    dialect = DeepgramDialect(_nova_request(), FORMAT)
    talk = Talk(dialect, NovaRecognizer(Query(request + endpointing), behaviour, RAW, ear, "r"), plan)
    flushes = 0
    for number, piece in enumerate(pieces(encode_words(plan, FORMAT, tail=1.5), sizes)):
        talk.speak(piece)
        if dice[number % len(dice)] == 0:
            flushes += 1
            talk.send(*dialect.flush(0.0))
        if dice[number % len(dice)] == 1:
            talk.send(*dialect.keepalive())
    talk.send(*dialect.end())
    talk.check()
    assert talk.events[-1] == Finished(round(FORMAT.seconds(talk.sent), 6))
    # All but one sent behind the very last final, which the end confirms.
    assert flushes - 1 <= sum(isinstance(event, Flushed) for event in talk.events) <= flushes
    ends = [
        event for event in talk.events if isinstance(event, UtteranceEnd) or getattr(event, "ends_utterance", False)
    ]
    starts = [event for event in talk.events if isinstance(event, SpeechStart)]
    assert len(ends) <= len(talk.finals), "an utterance has words"
    assert len(starts) <= len(ends) + 1, "and begins once"


@settings(deadline=None, max_examples=40)
@given(plans, turns, cuts, st.lists(seldom, min_size=1, max_size=20), st.sampled_from(["", "&eager_eot_threshold=0.5"]))
def test_flux(plan: tuple[CodedWord, ...], behaviour: Behaviour, sizes: list[int], dice: list[int], eager: str) -> None:
    """Silence is fed wherever nobody speaks: within a word it would not be silence that was paused for."""
    ear = CodedWords().listen(Line(RAW))
    dialect = FluxDialect(_flux_request(), FORMAT)
    recognizer = TurnRecognizer(Query(f"model=flux-general-en{eager}"), behaviour, RAW, ear, "r")
    talk = Talk(dialect, recognizer, plan)
    flushes = 0
    for number, piece in enumerate(pieces(encode_words(plan, FORMAT, tail=1.5), sizes)):
        talk.speak(piece)
        now = FORMAT.seconds(talk.sent)
        if dice[number % len(dice)] == 0:
            flushes += 1
            talk.send(*dialect.flush(0.0))
        if dice[number % len(dice)] <= 2 and not any(word.start <= now <= word.end for word in plan):
            talk.send(*dialect.keepalive())
    talk.send(*dialect.end())
    talk.events += dialect.hung_up(1005)
    talk.check()
    assert talk.events[-1] == Finished(FORMAT.seconds(talk.sent))
    assert sum(isinstance(event, Flushed) for event in talk.events) == flushes


def _nova_request() -> Any:
    from debabelizer_deepgram.settings import DeepgramSettings

    from debabelizer.provider import Request

    return Request(settings=DeepgramSettings.model_validate({"api_key": "test-key"}))


def _flux_request() -> Any:
    from debabelizer_deepgram.settings import FluxSettings

    from debabelizer.provider import Request

    return Request(settings=FluxSettings.model_validate({"api_key": "test-key"}))
