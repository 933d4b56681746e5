"""From the bytes of a source to blocks of audio of the wanted format, in the thread that calls."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final, TypeAlias

from debabelizer.audio import wav
from debabelizer.audio.convert import Converter
from debabelizer.audio.extras import needs
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.inputs import Input
from debabelizer.audio.notes import Notes
from debabelizer.errors import AudioSourceError

__all__ = ["read_blocks", "read_original"]

Piece: TypeAlias = tuple[AudioFormat, bytes]

_READ_BYTES: Final = 65536


def read_blocks(
    source: Input, raw: AudioFormat | None, target: AudioFormat, seconds: float, notes: Notes
) -> Iterator[bytes]:
    """Give blocks of `seconds` in the format `target`, the last one shorter.

    Args:
        source: Where it is read from.
        raw: The format, if the source is audio without a header.
        target: The format wanted.
        seconds: Length of a block; at least one frame.
        notes: Takes the duration, and what was wrong with the recording.
    """
    size = max(1, target.frames(seconds)) * target.frame_bytes
    block = bytearray()
    _check_not_empty(source)
    for data in _converted(_pieces(source, raw, target, notes), target):
        block += data
        while len(block) >= size:
            yield bytes(block[:size])
            del block[:size]
    if block:
        yield bytes(block)


def read_original(source: Input, raw: AudioFormat | None, size: int) -> Iterator[bytes]:
    """Give the bytes as they are, at most `size` at a time; audio without a header gets one, so that it can be read."""
    _check_not_empty(source)
    if raw is not None:
        yield wav.header(raw, source.size)
    while data := source.read(size):
        yield data


def _check_not_empty(source: Input) -> None:
    if not source.peek(1):
        raise AudioSourceError(f"{source.label} is empty (0 bytes).", source=source.label)


def _converted(pieces: Iterator[Piece], target: AudioFormat) -> Iterator[bytes]:
    converter: Converter | None = None
    for audio_format, data in pieces:
        if converter is None or converter.source != audio_format:  # a track may change its format on the way
            if converter is not None:
                yield converter.finish()
            converter = Converter(audio_format, target)
        yield converter.feed(data)
    if converter is not None:
        yield converter.finish()


def _pieces(source: Input, raw: AudioFormat | None, target: AudioFormat, notes: Notes) -> Iterator[Piece]:
    if raw is not None:
        return _raw_pieces(source, raw, notes)
    header = wav.parse(source.peek(wav.HEAD_BYTES))
    if header is not None and header.audio_format is not None:
        return _wav_pieces(source, header, header.audio_format, notes)
    with needs("audio", f"Decoding {source.label}"):
        from debabelizer.audio.decode import decode
    return decode(source, target.channels, notes)


def _raw_pieces(source: Input, raw: AudioFormat, notes: Notes) -> Iterator[Piece]:
    notes.duration = None if source.size is None else raw.seconds(source.size)
    total = yield from _frames(source, raw, None)
    if odd := total % raw.frame_bytes:
        notes.warnings.append(f"The audio ends within a frame: the last {odd} bytes are left out. Is it {raw}?")


def _wav_pieces(source: Input, header: wav.WavHeader, audio_format: AudioFormat, notes: Notes) -> Iterator[Piece]:
    there = None if source.size is None else source.size - header.offset
    sizes = [size for size in (header.size, there) if size is not None]
    notes.duration = audio_format.seconds(min(sizes)) if sizes else None
    skip = header.offset
    while skip and (data := source.read(skip)):
        skip -= len(data)
    total = yield from _frames(source, audio_format, header.size)
    if header.size is not None and header.size - total >= audio_format.frame_bytes:
        notes.truncated(audio_format.seconds(total), header.seconds)


def _frames(source: Input, audio_format: AudioFormat, limit: int | None) -> Generator[Piece, None, int]:
    """Give whole frames of at most `limit` bytes in all; return how many bytes were read, an odd rest included."""
    total = 0
    rest = b""
    while limit is None or total < limit:
        data = source.read(_READ_BYTES if limit is None else min(_READ_BYTES, limit - total))
        if not data:
            break
        total += len(data)
        data = rest + data
        whole = len(data) - len(data) % audio_format.frame_bytes
        rest = data[whole:]
        if whole:
            yield audio_format, data[:whole]
    return total
