"""What the segmenter is made of: when to decode, what waits, and batch providers as decoders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.spoken import FRAME, SpokenVad, spoken

from debabelizer.audio.source import AudioSource
from debabelizer.audio.utterances import CutterPolicy, Decoded, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import SAMPLE_RATE
from debabelizer.errors import ProviderError
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript, Word
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.streaming.connection import End, Flush
from debabelizer.streaming.segmenter import BatchDecoder
from debabelizer.streaming.segmenting.backlog import Backlog
from debabelizer.streaming.segmenting.preview import Plan, Preview
from debabelizer.streaming.segmenting.take import Take


class Room:
    """A cutter and its preview, fed in real time."""

    def __init__(self, policy: CutterPolicy | None = None, *, wanted: bool = True) -> None:
        policy = policy or CutterPolicy()
        self.cutter = UtteranceCutter(SpokenVad(), policy)
        self.preview = Preview(self.cutter, policy, wanted=wanted)
        self.now = 100.0
        self.heard = 0
        self.fed = b""

    def hear(self, audio: bytes, *, speed: float = 1.0) -> list[UtteranceAudio]:
        """Feed it frame by frame; returns what was cut."""
        cut: list[UtteranceAudio] = []
        samples = np.frombuffer(audio, "<i2").astype(np.float32) / 32768
        for start in range(0, len(samples), 512):
            piece = samples[start : start + 512]
            self.heard += len(piece)
            self.now += len(piece) / SAMPLE_RATE / speed
            for event in self.cutter.feed(piece):
                if isinstance(event, UtteranceAudio):
                    cut.append(event)
                else:
                    self.preview.begin(self.now, self.heard)
            self.preview.plan()
        return cut

    def plan(self) -> Plan:
        plan = self.preview.plan()
        assert plan is not None
        return plan

    def decode(self, work: float = 0.05, text: str = "so far") -> Plan:
        plan = self.plan()
        words = (Word("word", 0.0, 0.2),)
        self.preview.done(plan, Take(plan.audio.start, plan.audio.end, Decoded(text, words), self.now, self.now + work))
        self.now += work
        return plan


def speech(seconds: float) -> bytes:
    return spoken(0.0, seconds)


def test_nothing_is_planned_before_speech_or_when_nobody_wants_interims() -> None:
    room = Room()
    room.hear(spoken(2.0))
    assert room.preview.plan() is None
    room = Room(wanted=False)
    room.hear(speech(2.0))
    assert room.preview.plan() is None


def test_the_first_interim_is_due_soon_after_the_onset() -> None:
    room = Room()
    room.hear(speech(0.128))
    plan = room.plan()
    assert 0.0 < plan.when - room.now <= 0.2
    assert (plan.audio.start, plan.audio.end) == (0, 2048)
    assert plan.before is None


def test_further_interims_are_due_after_an_interval_that_grows_with_the_work() -> None:
    room = Room()
    room.hear(speech(1.0))
    begun = room.now
    room.decode(work=0.02)
    assert room.preview.plan() is None  # nothing new was heard
    room.hear(speech(0.032))
    assert room.plan().when == pytest.approx(begun + 0.3)
    room.hear(speech(0.5))
    begun = room.now
    room.decode(work=0.5)
    room.hear(speech(0.032))
    assert room.plan().when == pytest.approx(begun + 2.0)


def test_a_pause_is_due_at_once_as_the_utterance_it_will_be() -> None:
    room = Room()
    room.hear(speech(1.024))
    room.decode(work=1.0)
    room.hear(spoken(0.288))
    assert room.preview.plan() is None  # not a pause yet, and no speech any more
    room.hear(spoken(0.032))
    plan = room.decode()
    assert plan.when <= room.now
    assert plan.may_be_all
    assert room.preview.plan() is None  # once is enough
    (cut,) = room.hear(spoken(0.5))
    assert (plan.audio.start, plan.audio.end) == (cut.start, cut.end)
    assert (plan.audio.samples == cut.samples).all()


def test_padding_that_is_longer_than_a_pause_is_waited_for() -> None:
    room = Room(CutterPolicy(padding=0.5))
    room.hear(speech(1.024))
    room.decode()
    room.hear(spoken(0.48))
    assert room.preview.plan() is None
    room.hear(spoken(0.032))
    plan = room.decode()
    (cut,) = room.hear(spoken(0.5))
    assert (plan.audio.start, plan.audio.end) == (cut.start, cut.end)


def test_a_pause_that_took_long_to_decode_does_not_delay_what_comes_behind_it() -> None:
    room = Room()
    room.hear(speech(1.024))
    room.hear(spoken(0.32))
    begun = room.now
    assert room.decode(work=1.0).may_be_all
    room.hear(speech(0.064))
    assert room.plan().when == pytest.approx(begun + 0.3)


def test_behind_a_pause_only_what_is_new_is_decoded() -> None:
    room = Room()
    room.hear(speech(1.024))
    room.hear(spoken(0.32))
    pause = room.decode(text="before")
    room.hear(speech(0.32))
    plan = room.plan()
    assert plan.audio.start == pause.audio.end
    assert plan.utterance.start == pause.audio.start
    assert plan.audio.end == plan.utterance.end
    whole = plan.whole(Decoded("behind", (Word("behind", 0.25, 0.5), Word("it")), language="xx"))
    assert whole.text == "before behind"
    offset = (plan.audio.start - plan.utterance.start) / SAMPLE_RATE
    assert whole.words == (
        Word("word", 0.0, 0.2),
        Word("behind", pytest.approx(0.25 + offset), pytest.approx(0.5 + offset)),
        Word("it"),
    )
    assert whole.language == "xx"
    assert plan.whole(Decoded("")).text == "before"


def test_a_breath_ends_a_phrase_only_if_the_phrase_is_long_enough() -> None:
    room = Room()
    room.hear(speech(1.024))
    room.hear(spoken(0.192))
    room.hear(speech(0.32))
    assert not room.plan().ends_phrase
    room.hear(speech(1.024))
    room.hear(spoken(0.192))
    phrase = room.decode()
    assert phrase.ends_phrase
    assert not phrase.may_be_all
    assert phrase.audio.end / SAMPLE_RATE == pytest.approx(2.56 + 0.1, abs=FRAME)
    room.hear(speech(1.024))
    assert room.plan().audio.start == phrase.audio.end


def test_phrases_of_another_utterance_are_forgotten() -> None:
    room = Room()
    room.hear(speech(1.024))
    room.hear(spoken(0.32))
    room.decode()
    assert room.hear(spoken(0.5))
    room.hear(speech(0.512))
    plan = room.plan()
    assert plan.before is None
    assert plan.audio.start == plan.utterance.start


def test_audio_that_comes_faster_than_speech_is_not_live() -> None:
    room = Room()
    room.hear(speech(4.0), speed=10.0)
    room.hear(spoken(0.32), speed=10.0)
    plan = room.plan()
    assert plan.may_be_all
    assert plan.when - room.now == pytest.approx((4.32 - 0.096) * (1 / 2 - 1 / 10), abs=0.02)


def utterance(start: float, end: float) -> UtteranceAudio:
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    return UtteranceAudio(np.zeros(last - first, np.float32), first, last, first, last)


def test_a_backlog_keeps_the_order_and_is_bounded() -> None:
    backlog = Backlog()
    assert backlog.head is None
    assert not backlog.is_full
    flush, one, two = Flush(), utterance(1.0, 2.0), utterance(3.0, 4.0)
    backlog.put(flush)
    assert backlog.start is None
    backlog.put(one)
    assert backlog.is_full
    backlog.put(two)
    backlog.put(End())
    assert backlog.start == SAMPLE_RATE
    heads = []
    while (head := backlog.head) is not None:
        heads.append(head)
        backlog.pop()
    assert heads == [flush, one, two, End()]
    assert not backlog.is_full


def test_an_engine_is_slow_when_the_backlog_is_full_and_it_takes_longer_than_the_audio() -> None:
    backlog = Backlog()
    one, two, three = utterance(0.0, 2.0), utterance(2.5, 4.0), utterance(4.5, 6.0)
    backlog.put(one)
    assert not backlog.is_slow(one, 5.0)  # nothing else waits
    backlog.pop()
    backlog.put(one)  # another backlog: what was before does not count
    backlog.put(two)
    assert not backlog.is_slow(one, 1.9)
    backlog.pop()
    backlog.put(three)
    assert backlog.is_slow(two, 2.2)
    assert not backlog.is_slow(three, 9.0)  # it was said already
    backlog.pop()
    backlog.pop()
    backlog.put(one)
    backlog.put(two)
    assert backlog.is_slow(one, 2.1)


class Recogniser(Provider[None]):
    """A provider that only transcribes files."""

    def __init__(self, error: Exception | None = None) -> None:
        capabilities = Capabilities(batch=True)
        super().__init__(
            ProviderSpec(name="batch", summary="", api_version=1, capabilities=capabilities, settings="", factory="")
        )
        self.error = error
        self.sources: list[AudioSource] = []
        self.audio: list[bytes] = []
        self.header = b""

    async def transcribe(
        self, audio: AudioSource, request: Request[None], report: Callable[[Progress], None]
    ) -> Transcript:
        self.sources.append(audio)
        if self.error is not None:
            raise self.error
        async with audio.blocks() as blocks:
            self.audio.append(b"".join([block async for block in blocks]))
        async with audio.original() as original:
            self.header = (await anext(original))[:4]
        report(Progress(done=1.0))
        words = (Word("hello", 0.1, 0.2, speaker="1"), Word("there", 0.2, 0.3, speaker="1"))
        return Transcript(text=" hello there ", segments=(Segment("hello there", words=words),), language="en")


def decode(provider: Recogniser, samples: Any) -> Decoded:
    return asyncio.run(BatchDecoder(provider, Request(settings=None)).decode(samples))


def test_a_batch_provider_decodes_utterances() -> None:
    provider = Recogniser()
    samples = np.frombuffer(spoken(0.0, 0.5), "<i2").astype(np.float32) / 32768
    decoded = decode(provider, samples)
    assert provider.audio == [spoken(0.0, 0.5)]
    assert provider.header == b"RIFF"  # who uploads it has something to upload
    assert decoded == Decoded("hello there", (Word("hello", 0.1, 0.2), Word("there", 0.2, 0.3)), "en")


def test_an_error_of_a_batch_provider_is_raised_as_it_is() -> None:
    error = ProviderError("busy")
    with pytest.raises(ProviderError) as caught:
        decode(Recogniser(error), np.zeros(1600, np.float32))
    assert caught.value is error


def test_a_provider_without_a_stream_gets_one() -> None:
    from debabelizer.audio.format import AudioFormat
    from debabelizer.streaming.segmenter import SegmenterConnection
    from debabelizer.streaming.setup import stream_capabilities

    provider = Recogniser()
    request: Request[None] = Request(settings=None)
    assert stream_capabilities(provider.spec.capabilities).flush == "confirmed"
    assert isinstance(provider.decoder(request), BatchDecoder)
    assert isinstance(provider.connection(request, AudioFormat()), SegmenterConnection)
