"""`BatchDecoder`: a provider that transcribes whole recordings, as a decoder of utterances."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.pcm import encode
from debabelizer.audio.source import AudioSource
from debabelizer.audio.utterances import Decoded
from debabelizer.audio.vad import SAMPLE_RATE
from debabelizer.provider import Provider, Request
from debabelizer.results import Progress

__all__ = ["BatchDecoder"]

SettingsT = TypeVar("SettingsT")

_FORMAT: Final = AudioFormat("pcm_s16le", SAMPLE_RATE, 1)


class BatchDecoder(Generic[SettingsT]):
    """An `UtteranceDecoder` that hands each utterance to `Provider.transcribe`, as 16-bit audio.

    Args:
        provider: The provider.
        request: What the user asked for.
    """

    def __init__(self, provider: Provider[SettingsT], request: Request[SettingsT]) -> None:
        self._provider = provider
        self._request = request

    async def decode(self, samples: NDArray[np.float32]) -> Decoded:
        """See `UtteranceDecoder`."""
        audio = AudioSource.of(encode(samples, _FORMAT.encoding), audio_format=_FORMAT, name="utterance")
        try:
            transcript = await self._provider.transcribe(audio, self._request, _ignore)
        finally:
            await audio.aclose()
        # A speaker's label holds within one recording: from one utterance to the next it means nothing.
        words = tuple(replace(word, speaker=None) for word in transcript.words)
        return Decoded(transcript.text.strip(), words, transcript.language)


def _ignore(progress: Progress) -> None:
    """Take no notice: an utterance is too short for progress."""
