"""Speech whose every sample says when it was spoken, a detector and a decoder that read it, and streams of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.utterances import CutterPolicy, Decoded
from debabelizer.audio.vad import FRAME_SAMPLES, SAMPLE_RATE
from debabelizer.provider import Request
from debabelizer.results import Word
from debabelizer.streaming.intake import Source
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.segmenter import SegmenterConnection
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor

WIRE = AudioFormat("pcm_s16le", SAMPLE_RATE, 1)
FRAME = FRAME_SAMPLES / SAMPLE_RATE  # seconds: 0.032
QUIET = 1000  # what is louder is speech; its loudness is QUIET + the number of its frame


def spoken(*stretches: float) -> bytes:
    """Audio of stretches in seconds: silence, speech, silence, and so on."""
    parts: list[NDArray[np.int16]] = []
    at = 0
    for index, seconds in enumerate(stretches):
        count = round(seconds * SAMPLE_RATE)
        numbers = (at + np.arange(count)) // FRAME_SAMPLES + QUIET + 1
        parts.append((numbers if index % 2 else np.zeros(count)).astype("<i2"))
        at += count
    return b"".join(part.tobytes() for part in parts)


def frames(audio: bytes) -> dict[int, int]:
    """How many samples of speech there are in each frame of the audio."""
    return _count(np.frombuffer(audio, "<i2"))


def heard(text: str) -> dict[int, int]:
    """The same, of what a `SpokenDecoder` wrote; fails if a frame is out of order."""
    counts: dict[int, int] = {}
    for token in text.split():
        number, count = map(int, token.split("*"))
        assert number >= max(counts, default=0), f"frame {number} came after frame {max(counts)}"
        counts[number] = counts.get(number, 0) + count
    return counts


def _count(samples: NDArray[Any]) -> dict[int, int]:
    numbers, counts = np.unique(samples[samples > QUIET], return_counts=True)
    return {int(number) - QUIET - 1: int(count) for number, count in zip(numbers, counts, strict=True)}


class SpokenVad:
    """Hears speech in a frame that has any."""

    def probability(self, frame: NDArray[np.float32]) -> float:
        return 1.0 if float(frame.max()) * 32768 > QUIET else 0.0

    def reset(self) -> None:
        """It remembers nothing."""


@dataclass
class Call:
    """One call of the decoder."""

    first: int  # number of the first frame of speech
    last: int
    seconds: float
    at: float
    ended: str = "running"


@dataclass
class SpokenDecoder:
    """Writes down how many samples of which frame it hears.

    `speed`: seconds of work on a second of audio. `delays` and `errors` are for the calls one by one: they come
    instead. `deaf`: calls that understand nothing. `words`: give every frame as a word of its own.
    """

    speed: float = 0.04
    delays: Sequence[float] = ()
    errors: dict[int, Exception] = field(default_factory=dict)
    deaf: frozenset[int] = frozenset()
    words: bool = False
    calls: list[Call] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def decode(self, samples: NDArray[np.float32]) -> Decoded:
        counts = _count(np.rint(samples * 32768).astype(np.int64))
        number = len(self.calls)
        seconds = len(samples) / SAMPLE_RATE
        now = asyncio.get_running_loop().time()
        call = Call(min(counts, default=-1), max(counts, default=-1), seconds, now)
        self.calls.append(call)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.delays[number] if number < len(self.delays) else self.speed * seconds)
            if number in self.errors:
                raise self.errors[number]
            call.ended = "done"
        finally:
            if call.ended == "running":
                call.ended = "failed" if number in self.errors else "cancelled"
            self.running -= 1
        if number in self.deaf:
            return Decoded("")
        tokens = [f"{frame}*{count}" for frame, count in sorted(counts.items())]
        if not self.words:
            return Decoded(" ".join(tokens), language="xx", confidence=0.5)
        begin = int(np.argmax(samples * 32768 > QUIET)) / SAMPLE_RATE
        words = [Word(token, begin + i * FRAME, begin + (i + 1) * FRAME) for i, token in enumerate(tokens)]
        return Decoded(" ".join(tokens), tuple(words))


def live(audio: bytes, *, chunk: float = 0.05, speed: float | None = 1.0) -> Source:
    """A source that gives audio in real time, or as fast as it goes."""
    step = max(round(chunk * SAMPLE_RATE), 1) * 2

    async def blocks() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for start in range(0, len(audio), step):
            piece = audio[start : start + step]
            if speed is not None:
                await asyncio.sleep(max(begun + WIRE.seconds(start + len(piece)) / speed - loop.time(), 0.0))
            yield piece

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        yield blocks()

    return Source(blocks=opened)


@dataclass
class Studio:
    """Makes streams through the segmenter."""

    decoder: Any = field(default_factory=SpokenDecoder)
    policy: StreamPolicy = field(default_factory=StreamPolicy)
    cutting: CutterPolicy | None = field(default_factory=lambda: CutterPolicy(max_utterance=15.0))  # a pause of 0.6 s
    interim: bool = True
    endpointing: bool = True
    connections: int = 0

    async def connect(self) -> SegmenterConnection:
        self.connections += 1
        request: Request[None] = Request(settings=None, interim=self.interim, endpointing=self.endpointing)
        return SegmenterConnection(self.decoder, request, policy=self.cutting, vad=SpokenVad())

    def stream(self, source: Source | None = None) -> TranscriptionStream:
        leg = Leg(provider="fake", connect=self.connect, wire=WIRE)
        return TranscriptionStream(
            lambda: Supervisor(
                leg,
                audio_format=WIRE,
                policy=self.policy,
                source=source,
                interim=self.interim,
                random=lambda: 0.5,
            ),
            name="fake",
        )
