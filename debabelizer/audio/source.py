"""`AudioSource`: whatever people hand in, read as audio."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from debabelizer.audio import wav
from debabelizer.audio.blocks import read_blocks, read_original
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.inputs import Input
from debabelizer.audio.link import Link
from debabelizer.audio.notes import Notes
from debabelizer.audio.origin import Origin, recognised
from debabelizer.audio.reading import Feed, Original, Reading
from debabelizer.errors import AudioSourceError

__all__ = ["AudioSource"]

_SPEECH: Final = AudioFormat()


class AudioSource:
    """A recording or a live source, in any container and codec. Make one with `AudioSource.of`.

    Paths, bytes and files that can seek may be read again and again; what comes once (a pipe, an asynchronous
    iterable) can be read once. Files and iterables handed in stay their owner's; an asynchronous generator is
    closed with the reading that began it.

    Attributes:
        name: How it is named in messages.
        path: Where it lies, or None.
        audio_format: The declared format of audio without a header, or None.
        readings: How often `blocks` was asked for.
    """

    def __init__(self, origin: Origin, audio_format: AudioFormat | None) -> None:
        self.name = origin.name
        self.path = origin.data if isinstance(origin.data, Path) else None
        self.audio_format = audio_format
        self._origin = origin
        self._was_read = False
        self.readings = 0
        self._notes = Notes()
        self._readings: weakref.WeakSet[Reading] = weakref.WeakSet()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @classmethod
    def of(cls, source: Any, *, audio_format: AudioFormat | None = None, name: str | None = None) -> AudioSource:
        """Make a source of what was handed in; nothing is read yet.

        Args:
            source: A path; bytes; a binary file object, if only with ``read(n)``; an asynchronous iterable of bytes,
                or an asynchronous reader; or an `AudioSource`, which is given back.
            audio_format: Only for audio without a header: how to read it.
            name: How to name it in messages.

        Raises:
            AudioSourceError: If it is none of these.
        """
        if not isinstance(source, AudioSource):
            return cls(recognised(source, name), audio_format)
        if audio_format not in (None, source.audio_format):
            have = source.audio_format or "none declared"
            raise AudioSourceError(f"{source.name} has its own audio format ({have}).", source=source.name)
        return source

    @property
    def duration(self) -> float | None:
        """Seconds of audio, announced or estimated, once reading has begun; None if that is not known."""
        return self._notes.duration

    @property
    def position(self) -> float:
        """Seconds of audio delivered by the latest reading."""
        return self._notes.position

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the latest reading found wrong, as sentences: that the recording is cut off, or damaged."""
        return tuple(self._notes.warnings)

    @property
    def comes_once(self) -> bool:
        """Whether it cannot be read again: a pipe, an asynchronous iterable."""
        return self._origin.comes_once

    @property
    def is_spent(self) -> bool:
        """Whether it came once and was read: there is nothing left to read."""
        return self._origin.comes_once and self._was_read

    def blocks(self, audio_format: AudioFormat = _SPEECH, *, seconds: float = 1.0) -> Reading:
        """Read it decoded, mixed and resampled, in bounded memory.

        Args:
            audio_format: The format to give.
            seconds: Length of a block; the last one is shorter.

        Returns:
            An asynchronous context manager and iterator of ``bytes``. Using it raises `AudioSourceError` if the
            source cannot be read, `NoAudioTrackError` if it has no sound, `AudioDecodeError` if it is not audio,
            and `AudioError` if a package is missing.
        """
        self._notes = notes = Notes()
        self.readings += 1
        read = partial(read_blocks, raw=self.audio_format, target=audio_format, seconds=seconds, notes=notes)
        work = partial(_work, self._origin, notes, read)
        reading = Reading(work, self._feed(), self.name, notes, self._begin, audio_format.bytes_per_second)
        self._readings.add(reading)
        return reading

    def original(self, size: int = 65536) -> Original:
        """Read its bytes as they are, at most `size` at a time. Audio without a header gets that of a WAV file.

        Returns:
            An asynchronous context manager and iterator of ``bytes``, with ``filename`` and, once open, ``size``.
        """
        notes = Notes()
        work = partial(_work, self._origin, notes, partial(read_original, raw=self.audio_format, size=size))
        reading = Original(work, self._feed(), self.name, notes, self._begin)
        file = Path(Path(self.name).name if Path(self.name).suffix else "audio")
        reading.filename = str(file)
        if self.audio_format is not None:
            reading.filename = str(file.with_suffix(".wav"))
            reading.header_bytes = len(wav.header(self.audio_format))
        self._readings.add(reading)
        return reading

    async def check(self) -> None:
        """Make sure that there is something to read; of what comes once nothing is known before it comes.

        Raises:
            AudioSourceError: If it is missing, unreadable, a directory, or empty.
        """
        if not self._origin.comes_once:
            async with self.original(1) as reading:
                await anext(reading)

    async def aclose(self) -> None:
        """End all readings that are open."""
        for reading in tuple(self._readings):
            await reading.aclose()

    def _feed(self) -> Feed:
        return Feed(self._origin.chunks, self.name)

    def _begin(self) -> None:
        name = self.name
        if self.is_spent:
            hint = "Keep its bytes, or write them to a file, to read them again."
            raise AudioSourceError(f"{name} can be read only once.", source=name, hint=hint)
        if self._origin.start is not None and any(reading.is_open for reading in self._readings):
            raise AudioSourceError(f"{name} is being read already, and a file object stands in one place.", source=name)
        self._was_read = True


def _work(
    origin: Origin, notes: Notes, read: Callable[[Input], Iterator[bytes]], link: Link
) -> Generator[bytes, None, None]:
    with origin.open(link) as source:
        notes.size = source.size
        yield b""  # it is open
        yield from read(source)
