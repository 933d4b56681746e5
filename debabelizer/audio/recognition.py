"""From a whole recording to text, utterance by utterance, for engines that know only utterances."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.pool import EnginePool, EngineT
from debabelizer.audio.utterances import CutterEvent, CutterPolicy, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import SAMPLE_RATE, open_vad
from debabelizer.results import Progress, Segment

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["Recognized", "recognize"]

_FORMAT: Final = AudioFormat("pcm_f32le", SAMPLE_RATE, 1)


@dataclass(frozen=True, slots=True)
class Recognized:
    """What was said in a recording: its segments in order, and how many seconds it has."""

    segments: tuple[Segment, ...]
    seconds: float


async def recognize(
    audio: AudioSource,
    pool: EnginePool[EngineT],
    understand: Callable[[EngineT, NDArray[np.float32]], Sequence[Segment]],
    policy: CutterPolicy,
    report: Callable[[Progress], None],
) -> Recognized:
    """Cut a recording into utterances by voice activity, and let the engines of a pool understand them.

    Only the utterances in work are in memory, so the length of the recording does not matter.

    Args:
        audio: The recording.
        pool: Whose engines do the work; several recordings share them fairly.
        understand: What an engine makes of one utterance of mono samples at 16 kHz, with times in seconds from its
            start; called in a thread. A segment without times gets those of the utterance.
        policy: How to cut.
        report: See `Provider.transcribe`.

    Raises:
        ProviderError: As raised by the engines.
        AudioError: As raised by `audio`.
    """
    cutter = await pool.listen(lambda: UtteranceCutter(open_vad(), policy))
    work = _Work(pool, understand)
    try:
        async with audio.blocks(_FORMAT) as blocks:
            async for block in blocks:
                await work.take(await pool.listen(cutter.feed, np.frombuffer(block, "<f4")))
                report(Progress(done=work.done(cutter.decided), total=audio.duration))
        await work.take(await pool.listen(cutter.finish))
        while work.pending:
            await work.collect()
            report(Progress(done=work.done(cutter.decided), total=audio.duration))
    finally:
        work.abandon()
    seconds = cutter.decided / SAMPLE_RATE
    report(Progress(done=seconds, total=seconds))
    return Recognized(tuple(work.segments), seconds)


class _Work(Generic[EngineT]):
    """The utterances of one recording: a few of them in the queue of the pool, their texts in order.

    As each recording has only a few utterances in the queue, several share the engines fairly, and none needs
    memory for more.
    """

    def __init__(
        self, pool: EnginePool[EngineT], understand: Callable[[EngineT, NDArray[np.float32]], Sequence[Segment]]
    ) -> None:
        self.segments: list[Segment] = []
        self.pending: deque[tuple[UtteranceAudio, asyncio.Future[Sequence[Segment]]]] = deque()
        self._pool = pool
        self._understand = understand

    async def take(self, events: Iterable[CutterEvent]) -> None:
        """Queue the utterances among `events`; waits while too many are pending."""
        for event in events:
            if isinstance(event, UtteranceAudio):
                while len(self.pending) > self._pool.size:  # One more than can be decoded at once.
                    await self.collect()
                self.pending.append((event, self._queue(event.samples)))
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

    def abandon(self) -> None:
        """Take what is pending out of the queue."""
        for _, future in self.pending:
            if not future.cancel() and not future.cancelled():
                future.exception()  # Looked at, so that asyncio does not complain that nobody did.

    def _queue(self, samples: NDArray[np.float32]) -> asyncio.Future[Sequence[Segment]]:
        return self._pool.use(lambda engine: self._understand(engine, samples))


def _placed(segment: Segment, utterance: UtteranceAudio) -> Segment:
    """A segment of an utterance, on the clock of the recording."""
    start = utterance.place(0.0 if segment.start is None else segment.start)
    end = utterance.end / SAMPLE_RATE if segment.end is None else utterance.place(segment.end)
    words = tuple(
        replace(word, start=utterance.place(word.start), end=utterance.place(word.end)) for word in segment.words
    )
    return replace(segment, start=start, end=end, words=words)
