"""From what the user hands in to what a stream runs on: the source of its audio, and the format on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

from debabelizer.audio.extras import needs
from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.audio.origin import recognised
from debabelizer.audio.source import AudioSource
from debabelizer.spec import Capabilities
from debabelizer.streaming.intake import Source

__all__ = ["source_of", "stream_capabilities", "wire_format"]

_BLOCK = 0.1  # seconds of decoded audio in one piece


def stream_capabilities(capabilities: Capabilities) -> Capabilities:
    """What a stream can do: what the provider says, or for one without streams what the segmenter lends it.

    Raises:
        AudioError: If the segmenter needs an extra that is not installed.
    """
    if capabilities.streaming:
        return capabilities
    with needs("vad", "A stream of a provider that only knows whole recordings"):
        from debabelizer.streaming.segmenter import lent_capabilities
    return lent_capabilities(capabilities)


def wire_format(capabilities: Capabilities, audio_format: AudioFormat) -> AudioFormat:
    """The format in which to send audio given as `audio_format`: itself if the provider takes it, else the nearest.

    A rate is raised rather than lowered, so that nothing of the sound is lost.
    """
    accepted: dict[Any, tuple[int, ...]] = capabilities.rates_of_encodings
    preferred: Encoding = next(iter(accepted))
    encoding = audio_format.encoding if audio_format.encoding in accepted else preferred
    rate = _nearest(audio_format.sample_rate, accepted[encoding])
    if rate < audio_format.sample_rate:
        best = _nearest(audio_format.sample_rate, accepted[preferred])
        encoding, rate = (preferred, best) if best > rate else (encoding, rate)
    return AudioFormat(encoding, rate, min(audio_format.channels, capabilities.channels))


def _nearest(rate: int, accepted: tuple[int, ...]) -> int:
    """The rate itself if it is accepted, else the next higher one, else the highest."""
    if not accepted or rate in accepted:
        return rate
    return min((each for each in accepted if each > rate), default=max(accepted))


def source_of(source: Any, audio_format: AudioFormat | None) -> tuple[Source, AudioFormat]:
    """How to pull audio from `source`, and the format in which it comes.

    An async iterable of bytes, or an async reader, is live, raw audio: in `audio_format`, in the format it names
    itself by an attribute of that name, or in the default one. Everything else is decoded.
    """
    live = None if isinstance(source, AudioSource) else recognised(source).chunks
    if live is not None:
        given = audio_format or getattr(source, "audio_format", None) or AudioFormat()
        return Source(blocks=lambda: _live(live)), given
    audio = AudioSource.of(source, audio_format=audio_format)
    decoded = AudioFormat()

    @asynccontextmanager
    async def blocks() -> AsyncIterator[AsyncIterator[bytes]]:
        try:
            await audio.check()
            async with audio.blocks(decoded, seconds=_BLOCK) as opened:
                yield opened
        finally:
            if audio is not source:
                await audio.aclose()

    return Source(blocks=blocks, total=lambda: audio.duration, warnings=lambda: tuple(audio.warnings)), decoded


@asynccontextmanager
async def _live(source: Any) -> AsyncIterator[AsyncIterator[bytes]]:
    """Iterate over live audio, and give back whatever it holds at the end."""
    if isinstance(source, AbstractAsyncContextManager):
        async with source as opened:
            yield aiter(cast("Any", opened if hasattr(opened, "__aiter__") else source))
        return
    iterator = aiter(source)
    try:
        yield iterator
    finally:
        if hasattr(iterator, "aclose"):
            await iterator.aclose()
