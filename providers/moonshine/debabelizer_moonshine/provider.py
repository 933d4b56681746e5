"""`MoonshineProvider`: recordings to text, utterance by utterance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.pool import EnginePool, PoolDecoder
from debabelizer.audio.recognition import recognize
from debabelizer.audio.utterances import CutterPolicy, UtteranceDecoder
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript
from debabelizer_moonshine import LANGUAGE
from debabelizer_moonshine.engine import Engine
from debabelizer_moonshine.settings import MoonshineSettings

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource
    from debabelizer.spec import ProviderSpec

__all__ = ["MoonshineProvider"]


class MoonshineProvider(Provider[MoonshineSettings]):
    """The embedded engine.

    The audio is cut into utterances by voice activity, and a small pool of engines decodes them. Only the
    utterances in work are in memory, so the length of a recording does not matter.
    """

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._pool: EnginePool[Engine] | None = None

    async def transcribe(
        self, audio: AudioSource, request: Request[MoonshineSettings], report: Callable[[Progress], None]
    ) -> Transcript:
        """Transcribe a whole recording, in memory that does not grow with its length."""
        settings = request.settings
        pool = self._open_pool(settings)
        policy = CutterPolicy(silence=settings.silence, max_utterance=settings.max_utterance)
        done = await recognize(
            audio,
            lambda samples: pool.use(lambda engine: _segments(engine, samples)),
            policy,
            report,
            width=pool.size,
        )
        return Transcript(
            text=" ".join(segment.text for segment in done.segments),
            segments=done.segments,
            language=LANGUAGE,
            duration=done.seconds,
            provider=self.spec.name,
            audio_seconds=done.seconds,
        )

    def decoder(self, request: Request[MoonshineSettings]) -> UtteranceDecoder:
        """Lend the pool to the core, which makes streams of it."""
        settings = request.settings
        cutting = CutterPolicy(silence=settings.stream_silence, max_utterance=settings.stream_max_utterance)
        return PoolDecoder(self._open_pool(settings), Engine.decode, cutting)

    async def aclose(self) -> None:
        """End the threads and free the engines. Idempotent."""
        if self._pool is not None:
            await self._pool.aclose()

    def _open_pool(self, settings: MoonshineSettings) -> EnginePool[Engine]:
        if self._pool is None:
            self._pool = EnginePool(Engine, settings.engines, name="moonshine")
        return self._pool


def _segments(engine: Engine, samples: NDArray[np.float32]) -> Sequence[Segment]:
    return (Segment(engine.decode(samples).text, language=LANGUAGE),)
