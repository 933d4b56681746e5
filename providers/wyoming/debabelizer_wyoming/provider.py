"""`WyomingProvider`: utterances to a server, one connection each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.pcm import encode
from debabelizer.audio.recognition import recognize
from debabelizer.audio.utterances import CutterPolicy, Decoded, UtteranceDecoder
from debabelizer.provider import Provider, Request
from debabelizer.rest import any_failure, retrying
from debabelizer.results import Progress, Segment, Transcript
from debabelizer_wyoming.address import Address
from debabelizer_wyoming.fitness import check_fitness
from debabelizer_wyoming.server import FORMAT, Wishes, WyomingServer
from debabelizer_wyoming.settings import WyomingSettings

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["WyomingProvider"]


class WyomingProvider(Provider[WyomingSettings]):
    """A server that takes one utterance for each connection, and gives its text without times.

    So recordings and streams are cut here, by voice activity; segments get the times of their utterances.
    """

    async def transcribe(
        self, audio: AudioSource, request: Request[WyomingSettings], report: Callable[[Progress], None]
    ) -> Transcript:
        """Transcribe a whole recording, in memory that does not grow with its length."""
        settings = request.settings
        decoder = _Decoder(request)
        # To ask again costs nothing but time: the server is the user's own, and keeps nothing.
        await retrying(decoder.load, again=any_failure)

        async def understand(samples: NDArray[np.float32]) -> tuple[Segment, ...]:
            decoded = await retrying(lambda: decoder.decode(samples), again=any_failure)
            return (Segment(decoded.text, language=decoded.language),)

        policy = CutterPolicy(silence=settings.silence, max_utterance=settings.max_utterance)
        done = await recognize(audio, understand, policy, report, width=settings.connections)
        return Transcript(
            text=" ".join(segment.text for segment in done.segments),
            segments=done.segments,
            language=next((segment.language for segment in done.segments), None),
            duration=done.seconds,
            provider=self.spec.name,
            audio_seconds=done.seconds,
        )

    def decoder(self, request: Request[WyomingSettings]) -> UtteranceDecoder:
        """What the core makes streams of."""
        return _Decoder(request)


class _Decoder:
    """A `LoadableDecoder` and `IncrementalDecoder` that asks a server."""

    def __init__(self, request: Request[WyomingSettings]) -> None:
        settings = request.settings
        self._server = WyomingServer(
            Address.parse(settings.uri), connect_timeout=settings.connect_timeout, timeout=settings.timeout
        )
        self._allow_endpointing = settings.allow_endpointing
        self._wishes = _wishes(request)

    async def load(self) -> None:
        """See `LoadableDecoder`: there is nothing to load, but a server to be asked whether it can do this."""
        check_fitness(await self._server.describe(), self._wishes, allow_endpointing=self._allow_endpointing)

    async def decode(self, samples: NDArray[np.float32]) -> Decoded:
        """See `UtteranceDecoder`."""
        return await self._decode(samples, None)

    async def decode_incrementally(self, samples: NDArray[np.float32], heard: Callable[[str], None]) -> Decoded:
        """See `IncrementalDecoder`."""
        return await self._decode(samples, heard)

    async def _decode(self, samples: NDArray[np.float32], heard: Callable[[str], None] | None) -> Decoded:
        transcript = await self._server.transcribe(encode(samples, FORMAT.encoding), self._wishes, heard)
        return Decoded(transcript.text, language=transcript.language)


def _wishes(request: Request[WyomingSettings]) -> Wishes:
    """What the user asks for. Of several languages none is told: a request has one, and it would be taken as a fact."""
    settings = request.settings
    hints = tuple(dict.fromkeys(request.language_hints))
    return Wishes(
        name=settings.model,
        language=hints[0] if len(hints) == 1 else settings.language,
        context=settings.context,
        vad_sensitivity=settings.vad_sensitivity,
        transcript_names=settings.names,
        transcript_terms=settings.terms,
    )
