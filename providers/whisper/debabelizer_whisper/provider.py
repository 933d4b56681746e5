"""`WhisperProvider`: recordings to text, utterance by utterance."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.pool import EnginePool, PoolDecoder
from debabelizer.audio.recognition import recognize
from debabelizer.audio.utterances import CutterPolicy, Decoded, UtteranceDecoder
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress, Segment, Transcript
from debabelizer_whisper.engine import Engine, Place, Task
from debabelizer_whisper.settings import WhisperSettings
from debabelizer_whisper.texts import decoded_of, text_of

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource
    from debabelizer.spec import ProviderSpec

__all__ = ["WhisperProvider"]


class WhisperProvider(Provider[WhisperSettings]):
    """Whisper in this process.

    The audio is cut into utterances by voice activity; threads that share a model decode them. Calls may name
    different models: each is loaded when it is first needed.
    """

    def __init__(self, spec: ProviderSpec) -> None:
        super().__init__(spec)
        self._pools: dict[Place, EnginePool[Engine]] = {}

    async def transcribe(
        self, audio: AudioSource, request: Request[WhisperSettings], report: Callable[[Progress], None]
    ) -> Transcript:
        """Transcribe a whole recording, in memory that does not grow with its length."""
        settings = request.settings
        pool, task = self._open_pool(settings), _task(request)
        policy = CutterPolicy(silence=settings.silence, max_utterance=settings.max_utterance)
        done = await recognize(
            audio,
            lambda samples: pool.use(lambda engine: engine.understand(samples, task)),
            policy,
            report,
            width=pool.size,
        )
        return Transcript(
            text=text_of(done.segments),
            segments=done.segments,
            language=_main_language(done.segments),
            duration=done.seconds,
            provider=self.spec.name,
            audio_seconds=done.seconds,
        )

    def decoder(self, request: Request[WhisperSettings]) -> UtteranceDecoder:
        """Lend the threads to the core, which makes streams of them."""
        settings, task = request.settings, _task(request)

        def decode(engine: Engine, samples: NDArray[np.float32]) -> Decoded:
            return decoded_of(engine.understand(samples, task))

        cutting = CutterPolicy(silence=settings.stream_silence, max_utterance=settings.stream_max_utterance)
        return PoolDecoder(self._open_pool(settings), decode, cutting)

    async def aclose(self) -> None:
        """End the threads and free the models; waits for what is being decoded, loaded or downloaded. Idempotent."""
        for pool in self._pools.values():
            await pool.aclose()

    def _open_pool(self, settings: WhisperSettings) -> EnginePool[Engine]:
        place = Place.of(settings)
        if place not in self._pools:
            self._pools[place] = EnginePool(_Shared(partial(Engine, place)), settings.workers, name="whisper")
        return self._pools[place]


class _Shared:
    """Gives all threads of a pool the same engine, which the first of them loads."""

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._load = load
        self._loading = threading.Lock()
        self._engine: Engine | None = None

    def __call__(self) -> Engine:
        with self._loading:
            if self._engine is None:
                self._engine = self._load()
            return self._engine


def _task(request: Request[WhisperSettings]) -> Task:
    """What the user asks for, as arguments of faster-whisper."""
    settings = request.settings
    return Task(
        languages=tuple(dict.fromkeys(request.language_hints)),
        english=settings.task == "translate",
        arguments={
            "beam_size": settings.beam_size,
            "initial_prompt": settings.initial_prompt or None,
            "hotwords": ", ".join(request.vocabulary) or None,
            **settings.extra,
        },
    )


def _main_language(segments: Iterable[Segment]) -> str | None:
    """The language that is spoken longest."""
    seconds: Counter[str] = Counter()
    for segment in segments:
        if segment.language is not None and segment.start is not None and segment.end is not None:
            seconds[segment.language] += round(1000 * (segment.end - segment.start))
    return max(seconds, key=lambda language: seconds[language], default=None)
