"""`Converter`: raw audio of one format into raw audio of another, as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debabelizer.audio.extras import needs
from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AudioFormatError

if TYPE_CHECKING:
    from debabelizer.audio.pcm import Samples

__all__ = ["Converter"]


class Converter:
    """Converts encoding, channels and sample rate of a stream of raw audio.

    Chunks may be of any size, also such that split a frame. Output is always whole frames, as soon as they are
    known; when all was fed, it has ``round(frames x target rate / source rate)`` of them. Equal formats pass
    through untouched, without numpy.

    Args:
        source: Format of what is fed.
        target: Format of what comes out.

    Raises:
        AudioFormatError: If the channels cannot be brought together (many to mono, mono to many, or as many).
        AudioError: If the ``audio`` extra is needed and not installed.
    """

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        if source.channels != target.channels and 1 not in (source.channels, target.channels):
            raise AudioFormatError(
                f"{source.channels} channels cannot be converted to {target.channels}.",
                hint="Ask for one channel, or for as many as there are.",
            )
        self.source = source
        self.target = target
        self._rest = b""
        self._stage = None if source == target else _Stage(source, target)

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        """Take a chunk, and give what is ready of it and of earlier ones."""
        whole = self._rest + bytes(data) if self._rest else bytes(data)
        cut = len(whole) - len(whole) % self.source.frame_bytes
        whole, self._rest = whole[:cut], whole[cut:]
        return self._stage.feed(whole) if self._stage and whole else whole

    def finish(self) -> bytes:
        """Give the rest; the converter is spent afterwards.

        Raises:
            AudioFormatError: If the audio ended within a frame.
        """
        if self._rest:
            raise AudioFormatError(
                f"The audio ends within a frame: {len(self._rest)} of the {self.source.frame_bytes} bytes "
                f"of a frame of {self.source}.",
                hint="Declare the format that the audio has, or send whole frames.",
            )
        return self._stage.finish() if self._stage else b""


class _Stage:
    """What a conversion does to whole frames."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self._source = source
        self._target = target
        self._resampler = None
        with needs("audio", f"Converting {source} to {target}"):
            from debabelizer.audio import pcm

            self._pcm = pcm
            if source.sample_rate != target.sample_rate:
                from debabelizer.audio.resample import Resampler

                # Channels are mixed before resampling when that leaves fewer of them, and after it otherwise.
                channels = min(source.channels, target.channels)
                self._resampler = Resampler(source.sample_rate, target.sample_rate, channels)

    def feed(self, data: bytes) -> bytes:
        samples = self._pcm.decode(data, self._source)
        if self._target.channels < self._source.channels:
            samples = self._pcm.mix(samples, self._target.channels)
        if self._resampler:
            samples = self._resampler.feed(samples)
        return self._encode(samples)

    def finish(self) -> bytes:
        return self._encode(self._resampler.finish()) if self._resampler else b""

    def _encode(self, samples: Samples) -> bytes:
        return self._pcm.encode(self._pcm.mix(samples, self._target.channels), self._target.encoding)
