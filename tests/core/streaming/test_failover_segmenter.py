"""A vendor with a stream of its own and an engine behind the segmenter, one for the other: every sample heard once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

pytest.importorskip("numpy")

from support.fleet import leg
from support.spoken import FRAME, WIRE, SpokenDecoder, Studio, frames, heard, live, spoken

from debabelizer.errors import ConnectError, ServiceUnavailableError
from debabelizer.results import ProviderChanged, Word
from debabelizer.streaming.connection import Connection, End, Link
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Hypothesis, Processed, UtteranceEnd
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.testing.virtual_time import run

BLOCK = round(FRAME * WIRE.sample_rate) * 2  # bytes
LAG = 4  # blocks that stay interim


class Vendor(Connection):
    """Writes down what it hears, block by block; dies after `life` seconds of audio."""

    def __init__(self, life: float | None) -> None:
        self._life = life
        self._audio = b""
        self._said = 0  # blocks

    async def run(self, link: Link) -> None:
        await asyncio.sleep(0.2)
        while not isinstance(work := await link.take(), End):
            assert isinstance(work, bytes)
            self._audio += work
            await link.emit(*self._say(LAG))
            if self._life is not None and self._seconds >= self._life:
                raise ConnectError("gone")
        await link.emit(*self._say(0), Finished(self._seconds))

    @property
    def _seconds(self) -> float:
        return WIRE.seconds(len(self._audio))

    def _say(self, lag: int) -> Iterator[ConnectionEvent]:
        blocks = len(self._audio) // BLOCK if lag else -(-len(self._audio) // BLOCK)
        words = [word for block in range(self._said, blocks - lag) for word in self._words(block)]
        if words:
            yield Hypothesis(text=" ".join(word.text for word in words), final=True, words=tuple(words))
        self._said = max(blocks - lag, self._said)
        pending = [word for block in range(self._said, blocks) for word in self._words(block)]
        yield Hypothesis(text=" ".join(word.text for word in pending), final=False, words=tuple(pending))
        yield Processed(self._seconds)
        if not pending and not words:
            yield Processed(self._said * FRAME, final=True)
            yield UtteranceEnd()

    def _words(self, block: int) -> list[Word]:
        counts = frames(self._audio[block * BLOCK : (block + 1) * BLOCK])
        start, end = round(block * FRAME, 6), round(min((block + 1) * FRAME, self._seconds), 6)
        return [Word(f"{number}*{count}", start, end) for number, count in counts.items()]


@pytest.mark.parametrize("seed", range(25))
def test_every_sample_of_speech_is_heard_once(seed: int) -> None:
    chance = random.Random(seed)
    talk = [0.5, *(chance.uniform(0.3, 6.0) if turn % 2 else chance.uniform(0.7, 2.0) for turn in range(1, 13)), 1.0]
    audio = spoken(*talk)

    async def case() -> None:
        lives = [chance.choice([None, chance.uniform(0.1, 8.0)]) for _ in range(6)]
        errors: dict[int, Exception] = {
            number: ServiceUnavailableError("down") for number in range(60) if chance.random() < 0.15
        }
        studio = Studio(decoder=SpokenDecoder(errors=errors, words=chance.random() < 0.5))
        legs: list[Leg] = [
            leg("vendor", lambda: Vendor(lives.pop() if lives else None), wire=WIRE, max_session=9.0),
            Leg(provider="engine", connect=studio.connect, wire=WIRE),
        ]
        chance.shuffle(legs)
        policy = StreamPolicy(cool_down=chance.choice([1.0, 5.0]), cool_down_max=10.0)
        stream = TranscriptionStream(
            lambda: Supervisor(
                *legs, audio_format=WIRE, policy=policy, source=live(audio), random=lambda: chance.random()
            ),
            name="both",
        )
        async with stream:
            async for _ in stream:
                pass
        assert heard(stream.transcript.text) == frames(audio)
        assert stream.stats.gaps == ()
        starts = [segment.start for segment in stream.transcript.segments if segment.start is not None]
        assert starts == sorted(starts)
        assert len(asyncio.all_tasks()) == 1

    run(case())


def test_the_engine_goes_on_in_mid_word() -> None:
    async def case() -> None:
        studio = Studio(decoder=SpokenDecoder(words=True))
        legs = (
            leg("vendor", lambda: Vendor(3.3), wire=WIRE),
            Leg(provider="engine", connect=studio.connect, wire=WIRE),
        )
        audio = spoken(0.5, 5.0, 1.0, 2.0, 1.0)
        stream = TranscriptionStream(
            lambda: Supervisor(*legs, audio_format=WIRE, policy=StreamPolicy(), source=live(audio)), name="both"
        )
        async with stream:
            events = [event async for event in stream.events()]
        (change,) = [event for event in events if isinstance(event, ProviderChanged)]
        assert (change.previous, change.provider) == ("vendor", "engine")
        assert 3.0 < change.at < 3.3
        assert heard(stream.transcript.text) == frames(audio)

    run(case())
