"""`MoonshineProvider`: recordings to text, utterance by utterance."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.utterances import (
    CutterEvent,
    CutterPolicy,
    Decoded,
    UtteranceAudio,
    UtteranceCutter,
    UtteranceDecoder,
)
from debabelizer.audio.vad import SAMPLE_RATE, open_vad
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript
from debabelizer_moonshine import LANGUAGE
from debabelizer_moonshine.engine import Engine
from debabelizer_moonshine.pool import EnginePool
from debabelizer_moonshine.settings import MoonshineSettings

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource
    from debabelizer.spec import ProviderSpec

__all__ = ["MoonshineProvider"]

_FORMAT: Final = AudioFormat("pcm_f32le", SAMPLE_RATE, 1)


class MoonshineProvider(Provider[MoonshineSettings]):
    """The embedded engine.

    The audio is cut into utterances by voice activity, and a small pool of engines decodes them. Only the
    utterances in work are in memory, so the length of a recording does not matter.
    """

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._pool: EnginePool | None = None

    async def transcribe(
        self, audio: AudioSource, request: Request[MoonshineSettings], report: Callable[[Progress], None]
    ) -> Transcript:
        """Transcribe a whole recording, in memory that does not grow with its length."""
        pool = self._open_pool(request.settings)
        policy = _policy(request.settings)
        cutter = await pool.listen(lambda: UtteranceCutter(open_vad(), policy))
        work = _Work(pool)
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
        return Transcript(
            text=" ".join(segment.text for segment in work.segments),
            segments=tuple(work.segments),
            language=LANGUAGE,
            duration=seconds,
            provider=self.spec.name,
            audio_seconds=seconds,
        )

    def decoder(self, request: Request[MoonshineSettings]) -> UtteranceDecoder:
        """Lend the pool to the core, which makes streams of it."""
        pool = self._open_pool(request.settings)
        pool.warm_up()
        return pool

    async def aclose(self) -> None:
        """End the threads and free the engines. Idempotent."""
        if self._pool is not None:
            await self._pool.aclose()

    def _open_pool(self, settings: MoonshineSettings) -> EnginePool:
        if self._pool is None:
            self._pool = EnginePool(Engine, settings.engines)
        return self._pool


class _Work:
    """The utterances of one transcription: a few of them in the queue of the pool, their texts in order.

    As each transcription has only a few utterances in the queue, several share the engines fairly, and none
    needs memory for more.
    """

    def __init__(self, pool: EnginePool) -> None:
        self.segments: list[Segment] = []
        self.pending: deque[tuple[UtteranceAudio, asyncio.Future[Decoded]]] = deque()
        self._pool = pool

    async def take(self, events: Iterable[CutterEvent]) -> None:
        """Queue the utterances among `events`; waits while too many are pending."""
        for event in events:
            if isinstance(event, UtteranceAudio):
                while len(self.pending) > self._pool.size:  # One more than can be decoded at once.
                    await self.collect()
                self.pending.append((event, self._pool.decode(event.samples)))
        while self.pending and self.pending[0][1].done():
            await self.collect()

    async def collect(self) -> None:
        """Wait for the text of the oldest pending utterance."""
        utterance, future = self.pending[0]
        text = (await future).text
        self.pending.popleft()
        if text:
            start, end = utterance.start / SAMPLE_RATE, utterance.end / SAMPLE_RATE
            self.segments.append(Segment(text, start, end, language=LANGUAGE))

    def done(self, decided: int) -> float:
        """Seconds of audio that are finished, when the cutter has decided on `decided` samples."""
        return (self.pending[0][0].start if self.pending else decided) / SAMPLE_RATE

    def abandon(self) -> None:
        """Take what is pending out of the queue."""
        for _, future in self.pending:
            if not future.cancel() and not future.cancelled():
                future.exception()  # Looked at, so that asyncio does not complain that nobody did.


def _policy(settings: MoonshineSettings) -> CutterPolicy:
    return CutterPolicy(silence=settings.silence, max_utterance=settings.max_utterance)
