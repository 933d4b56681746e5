"""Streams through the segmenter when the engine fails, hangs, or is abandoned."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.spoken import SpokenDecoder, SpokenVad, Studio, frames, heard, live, spoken

from debabelizer.errors import (
    AudioError,
    InvalidRequestError,
    ProgressTimeout,
    ProtocolError,
    ProviderError,
    ServiceUnavailableError,
    StreamError,
)
from debabelizer.provider import Request
from debabelizer.results import Reconnected, Reconnecting, StreamEvent, StreamingResult
from debabelizer.streaming import segmenter
from debabelizer.streaming.clock import LoopClock
from debabelizer.streaming.connection import End, Feed
from debabelizer.streaming.dialect import ConnectionEvent
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.segmenter import SegmenterConnection
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run

SPEECH = spoken(0.5, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0)
QUICK = StreamPolicy(max_attempts=3, give_up_after=600.0)


async def events_of(stream: TranscriptionStream) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    async with stream:
        async for event in stream.events():
            events.append(event)
    return events


def causes(events: list[StreamEvent]) -> list[Exception]:
    return [event.cause for event in events if isinstance(event, Reconnecting)]


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("error", [ServiceUnavailableError("overloaded"), KeyError("tokens")])
def test_when_a_decode_fails_its_audio_is_decoded_anew_and_nothing_is_lost(number: int, error: Exception) -> None:
    async def case() -> None:
        studio = Studio(decoder=SpokenDecoder(errors={number: error}))
        stream = studio.stream(live(SPEECH))
        events = await events_of(stream)
        assert causes(events) == [error]
        assert heard(stream.transcript.text) == frames(SPEECH)
        (again,) = [event for event in events if isinstance(event, Reconnected)]
        assert again.replayed < 4.0
        assert again.gap == 0.0
        assert studio.decoder.running == 0

    run(case())


def test_what_cannot_be_mended_is_not_tried_again() -> None:
    async def case() -> None:
        studio = Studio(decoder=SpokenDecoder(errors={0: InvalidRequestError("no")}))
        with pytest.raises(StreamError) as caught:
            await events_of(studio.stream(live(SPEECH)))
        assert isinstance(caught.value.__cause__, InvalidRequestError)
        assert caught.value.__cause__.provider == "fake"
        assert studio.connections == 1

    run(case())


def test_an_engine_that_hangs_is_found_and_named() -> None:
    async def case() -> None:
        decoder = SpokenDecoder(delays=[0.1, 1e9])
        stream = Studio(decoder=decoder, interim=False).stream(live(SPEECH))
        events = await events_of(stream)
        (cause,) = causes(events)
        assert isinstance(cause, ProgressTimeout)
        assert "engine" in str(cause)
        assert cause.seconds == pytest.approx(10.0 + 4 * 2.2, abs=0.2)
        assert heard(stream.transcript.text) == frames(SPEECH)
        assert [call.ended for call in decoder.calls] == ["done", "cancelled", "done", "done"]

    run(case())


def test_an_engine_that_always_hangs_ends_the_stream_with_what_was_said_readable() -> None:
    async def case() -> None:
        stream = Studio(decoder=SpokenDecoder(delays=[0.1, *[1e9] * 9]), interim=False, policy=QUICK).stream(
            live(SPEECH)
        )
        with pytest.raises(StreamError) as caught:
            await events_of(stream)
        assert [type(attempt.cause) for attempt in caught.value.attempts] == [ProgressTimeout] * 3
        assert heard(stream.transcript.text) == frames(spoken(0.5, 2.0))
        assert caught.value.confirmed == pytest.approx(3.4, abs=0.2)

    run(case())


@pytest.mark.parametrize("interim", [True, False])
def test_an_engine_that_is_only_slow_is_no_failure(interim: bool) -> None:
    async def case() -> None:
        # Far beyond the deadlines for a peer that does not read, stalls, or does not drain.
        studio = Studio(decoder=SpokenDecoder(delays=[29.0, 28.0, 27.0]), cutting=None, interim=interim)
        studio.policy = replace(studio.policy, stall_timeout=25.0, drain_timeout=5.0, send_timeout=5.0)
        stream = studio.stream(live(SPEECH * 3))
        async with stream:
            async for _ in stream:
                pass
        assert stream.stats.attempts == 1

    run(case())


def test_a_reader_who_is_slow_is_no_failure_of_the_engine() -> None:
    async def case() -> None:
        studio = Studio(policy=StreamPolicy(results=2))
        stream = studio.stream(live(SPEECH))
        async with stream:
            async for _ in stream:
                await asyncio.sleep(25.0)
        assert stream.stats.attempts == 1
        assert heard(stream.transcript.text) == frames(SPEECH)

    run(case())


def test_a_detector_that_fails_is_a_failure_of_the_attempt() -> None:
    class Deaf(SpokenVad):
        def probability(self, frame: Any) -> float:
            raise RuntimeError("no such model")

    class Broken(Studio):
        async def connect(self) -> SegmenterConnection:
            return SegmenterConnection(self.decoder, Request(settings=None), vad=Deaf())

    async def case() -> None:
        with pytest.raises(StreamError) as caught:
            await events_of(Broken(policy=QUICK).stream(live(SPEECH)))
        assert "no such model" in str(caught.value.__cause__)

    run(case())


def test_a_decoder_that_ends_cancelled_is_a_failure_of_the_attempt() -> None:
    class Quitter(SpokenDecoder):
        async def decode(self, samples: Any) -> Any:
            decoded = await super().decode(samples)
            if len(self.calls) == 2:
                raise asyncio.CancelledError
            return decoded

    async def case() -> None:
        stream = Studio(decoder=Quitter(), interim=False).stream(live(SPEECH))
        events = await events_of(stream)
        assert len(causes(events)) == 1
        assert heard(stream.transcript.text) == frames(SPEECH)

    run(case())


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.8, 1.1, 2.45, 2.95, 3.15, 3.3])
def test_closing_leaves_nothing_behind(seconds: float) -> None:
    async def case() -> None:
        decoder = SpokenDecoder(speed=0.2)
        before = asyncio.all_tasks()
        stream = Studio(decoder=decoder).stream(live(SPEECH))
        loop = asyncio.get_running_loop()
        async with stream:
            reading = asyncio.ensure_future(_read(stream))
            await asyncio.sleep(seconds)
            closing = loop.time()
        assert loop.time() - closing < 0.01
        await reading
        assert asyncio.all_tasks() == before
        assert decoder.running == 0

    run(case())


async def _read(stream: TranscriptionStream) -> list[StreamingResult]:
    return [result async for result in stream]


class Script:
    """A link that gives work from a list and keeps what is emitted."""

    def __init__(self, *feed: Feed) -> None:
        self.clock = LoopClock()
        self.policy = StreamPolicy()
        self.feed = list(feed)
        self.events: list[ConnectionEvent] = []
        self.at_work: list[float] = []

    def opened(self) -> None:
        """Nobody waits for it."""

    async def take(self, timeout: float | None = None) -> Feed | None:
        await asyncio.sleep(0.1)
        if not self.feed:
            await asyncio.sleep(1e6)
        return self.feed.pop(0)

    async def emit(self, *events: ConnectionEvent) -> None:
        self.events.extend(events)

    def working(self, seconds: float) -> Script:
        self.at_work.append(seconds)
        return self

    def __enter__(self) -> None:
        """It is at work."""

    def __exit__(self, *_: object) -> None:
        """It is no longer at work."""


@pytest.mark.parametrize("steps", range(0, 90, 3))
def test_cancelled_after_any_number_of_steps_it_lets_go_of_everything(steps: int) -> None:
    async def case() -> None:
        audio = spoken(0.2, 0.6, 0.8, 0.4)
        pieces = [audio[start : start + 6400] for start in range(0, len(audio), 6400)]
        decoder = SpokenDecoder(speed=0.5)
        link = Script(*pieces, End())
        connection = SegmenterConnection(decoder, Request(settings=None), vad=SpokenVad())
        before = asyncio.all_tasks()
        running = asyncio.ensure_future(connection.run(link))
        for _ in range(steps):
            await asyncio.sleep(0)
            if running.done():
                break
        running.cancel()
        await asyncio.wait([running])
        assert asyncio.all_tasks() == before
        assert decoder.running == 0

    run(case())


def test_audio_that_is_there_already_does_not_hold_up_the_loop() -> None:
    class Hasty(Script):
        async def take(self, timeout: float | None = None) -> Feed | None:
            return self.feed.pop(0)

    async def case() -> None:
        turns = 0

        async def somebody_else() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        other = asyncio.ensure_future(somebody_else())
        link = Hasty(*[spoken(0.2)] * 100, End())
        await SegmenterConnection(SpokenDecoder(), Request(settings=None), vad=SpokenVad()).run(link)
        other.cancel()
        assert turns >= 100

    run(case())


def test_a_failure_to_emit_ends_the_connection() -> None:
    class Refusing(Script):
        async def emit(self, *events: ConnectionEvent) -> None:
            raise ProtocolError("no")

    async def case() -> None:
        connection = SegmenterConnection(SpokenDecoder(), Request(settings=None), vad=SpokenVad())
        with pytest.raises(ProtocolError):
            await connection.run(Refusing(spoken(0.2)))

    run(case())


def test_the_allowance_for_a_decode_grows_with_its_audio() -> None:
    async def case() -> None:
        link = Script(spoken(0.0, 1.0, 0.7), End())
        connection = SegmenterConnection(SpokenDecoder(), Request(settings=None, interim=False), vad=SpokenVad())
        await connection.run(link)
        assert link.at_work == [pytest.approx(10.0 + 4 * 1.1, abs=0.2)]

    run(case())


def test_an_error_of_the_engine_is_raised_as_it_is() -> None:
    async def case() -> None:
        error = ProviderError("broken", code="-3")
        connection = SegmenterConnection(SpokenDecoder(errors={0: error}), Request(settings=None), vad=SpokenVad())
        with pytest.raises(ProviderError) as caught:
            await connection.run(Script(spoken(0.0, 1.0, 0.7), End()))
        assert caught.value is error

    run(case())


def test_samples_reach_the_decoder_as_they_were_sent() -> None:
    class Keeping(SpokenDecoder):
        async def decode(self, samples: Any) -> Any:
            kept.append(samples)
            return await super().decode(samples)

    kept: list[Any] = []

    async def case() -> None:
        audio = spoken(0.0, 1.0)
        connection = SegmenterConnection(Keeping(), Request(settings=None, interim=False), vad=SpokenVad())
        await connection.run(Script(audio, End()))
        (samples,) = kept
        assert samples.dtype == np.float32
        assert (np.rint(samples * 32768).astype("<i2").tobytes()) == audio

    run(case())


def test_a_decoder_that_is_slow_to_stop_is_waited_for() -> None:
    class Reluctant(SpokenDecoder):
        async def decode(self, samples: Any) -> Any:
            try:
                return await super().decode(samples)
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                stopped.append(True)
                raise

    stopped: list[bool] = []

    async def case() -> None:
        connection = SegmenterConnection(Reluctant(delays=[1e6]), Request(settings=None), vad=SpokenVad())
        running = asyncio.ensure_future(connection.run(Script(spoken(0.0, 1.0, 0.7))))
        await asyncio.sleep(3.0)
        running.cancel()
        await asyncio.wait([running])
        assert stopped == [True]

    run(case())


def test_without_a_detector_the_stream_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise AudioError("No voice activity detector is installed.", hint="Install it.")

    class Plain(Studio):
        async def connect(self) -> SegmenterConnection:
            self.connections += 1
            return SegmenterConnection(self.decoder, Request(settings=None))

    monkeypatch.setattr(segmenter, "open_vad", missing)

    async def case() -> None:
        studio = Plain()
        with pytest.raises(StreamError, match="Install it") as caught:
            await events_of(studio.stream(live(SPEECH, speed=None)))
        assert isinstance(caught.value.__cause__, AudioError)
        assert studio.connections == 1

    asyncio.run(case())
