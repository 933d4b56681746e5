"""From a whole recording to text, utterance by utterance, for engines that know only utterances."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.utterances import CutterEvent, CutterPolicy, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import SAMPLE_RATE, open_vad
from debabelizer.results import Progress, Segment

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["Recognized", "Understand", "recognize"]

Understand: TypeAlias = Callable[[NDArray[np.float32]], Awaitable[Sequence[Segment]]]

_FORMAT: Final = AudioFormat("pcm_f32le", SAMPLE_RATE, 1)


@dataclass(frozen=True, slots=True)
class Recognized:
    """What was said in a recording: its segments in order, and how many seconds it has."""

    segments: tuple[Segment, ...]
    seconds: float


async def recognize(
    audio: AudioSource,
    understand: Understand,
    policy: CutterPolicy,
    report: Callable[[Progress], None],
    *,
    width: int,
) -> Recognized:
    """Cut a recording into utterances by voice activity, and have them understood.

    Only the utterances in work are in memory, so the length of the recording does not matter.

    Args:
        audio: The recording.
        understand: Makes segments of one utterance of mono samples at 16 kHz, with times in seconds from its start. A
            segment without times gets those of the utterance.
        policy: How to cut.
        report: See `Provider.transcribe`.
        width: How many utterances can be understood at the same time. One more is asked for, so that recordings that
            share an engine do so fairly.

    Raises:
        ProviderError: As raised by `understand`.
        AudioError: As raised by `audio`.
    """
    # Voice activity takes 4 ms for a second of audio: not much, and too much for the event loop.
    cutter = await asyncio.to_thread(lambda: UtteranceCutter(open_vad(), policy))
    work = _Work(understand, width + 1)
    try:
        async with audio.blocks(_FORMAT) as blocks:
            async for block in blocks:
                await work.take(await asyncio.to_thread(cutter.feed, np.frombuffer(block, "<f4")))
                report(Progress(done=work.done(cutter.decided), total=audio.duration))
        await work.take(await asyncio.to_thread(cutter.finish))
        while work.pending:
            await work.collect()
            report(Progress(done=work.done(cutter.decided), total=audio.duration))
    finally:
        await work.abandon()
    seconds = cutter.decided / SAMPLE_RATE
    report(Progress(done=seconds, total=seconds))
    return Recognized(tuple(work.segments), seconds)


class _Work:
    """The utterances of one recording: a few of them in work, their texts in order."""

    def __init__(self, understand: Understand, most: int) -> None:
        self.segments: list[Segment] = []
        self.pending: deque[tuple[UtteranceAudio, asyncio.Future[Sequence[Segment]]]] = deque()
        self._understand = understand
        self._most = most

    async def take(self, events: Iterable[CutterEvent]) -> None:
        """Begin with the utterances among `events`; waits while too many are pending."""
        for event in events:
            if isinstance(event, UtteranceAudio):
                while len(self.pending) >= self._most:
                    await self.collect()
                self.pending.append((event, asyncio.ensure_future(self._understand(event.samples))))
        while self.pending and self.pending[0][1].done():
            await self.collect()

    async def collect(self) -> None:
        """Wait for the text of the oldest pending utterance."""
        utterance, future = self.pending[0]
        segments = await future
        self.pending.popleft()
        self.segments += [_placed(segment, utterance) for segment in segments if segment.text]

    def done(self, decided: int) -> float:
        """Seconds of audio that are finished, when the cutter has decided on `decided` samples."""
        return (self.pending[0][0].start if self.pending else decided) / SAMPLE_RATE

    async def abandon(self) -> None:
        """Give up what is pending."""
        futures = [future for _, future in self.pending]
        for future in futures:
            future.cancel()
        await asyncio.gather(*futures, return_exceptions=True)


def _placed(segment: Segment, utterance: UtteranceAudio) -> Segment:
    """A segment of an utterance, on the clock of the recording."""
    start = utterance.place(0.0 if segment.start is None else segment.start)
    end = utterance.end / SAMPLE_RATE if segment.end is None else utterance.place(segment.end)
    words = tuple(
        replace(word, start=utterance.place(word.start), end=utterance.place(word.end)) for word in segment.words
    )
    return replace(segment, start=start, end=end, words=words)
