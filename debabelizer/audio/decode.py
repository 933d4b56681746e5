"""Decoding of whatever FFmpeg can read, with PyAV, in the thread that calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from debabelizer.audio import pcm, truncation, wav
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.inputs import FileInput, Input, spooled
from debabelizer.audio.notes import Notes
from debabelizer.audio.recording import Recording
from debabelizer.errors import AudioDecodeError, NoAudioTrackError

__all__ = ["decode"]

_STATE_DURATION: Final = {"aiff", "asf", "avi", "caf", "flac", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"}
"""Containers whose header says how long they are. For the others FFmpeg measures or guesses what is there."""

_FORGIVING: Final[dict[str, Any]] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Tags that are no UTF-8 make older versions of PyAV fail; newer ones always forgive them, and lack the option."""

_JOIN: Final = 0.2
"""Seconds of audio to convert at a time."""


def decode(source: Input, channels: int, notes: Notes) -> Iterator[tuple[AudioFormat, bytes]]:
    """Decode the best sound track, in pieces, each with its format.

    Args:
        source: Where it is read from; MP4 that cannot be sought in is first copied to a temporary file.
        channels: How many are wanted. They are left as they are, except that surround sound is mixed down with the
            weights of its layout, which is known only here.
        notes: Takes the duration, and what was wrong with the recording.

    Raises:
        AudioDecodeError: If it is not audio or video, or broken beyond use.
        NoAudioTrackError: If there is no sound in it.
        AudioSourceError: As raised by `source`.
    """
    if isinstance(source, FileInput) or not truncation.is_mp4(source.peek(8)):
        yield from _decode(source, channels, notes)
    else:
        with spooled(source) as file:
            yield from _decode(file, channels, notes)


def _decode(source: Input, channels: int, notes: Notes) -> Iterator[tuple[AudioFormat, bytes]]:
    head = source.peek(wav.HEAD_BYTES)
    mp3_samples = truncation.mp3_samples(source)
    if is_ogg := head[:4] == b"OggS":
        source.keep_tail()
    with _opened(source) as container:
        track = _sound_track(container, source.label)
        recording = Recording(track, _announced(container, track, head, mp3_samples))
        notes.duration = _guessed(container, track) or recording.announced
        remix = _Remix(channels)
        frames = (frame for packet in _packets(container, recording) for frame in recording.frames(packet))
        yield from _joined(remix(frame) for frame in frames)
    recording.judge(source.label, notes, open_end=is_ogg and not truncation.has_ogg_end(source.tail()))


def _joined(pieces: Iterable[tuple[AudioFormat, bytes]]) -> Iterator[tuple[AudioFormat, bytes]]:
    """Join pieces: frames are 20 ms and less, and every step behind costs the same for a short piece as for a long."""
    joined = bytearray()
    current: AudioFormat | None = None
    for audio_format, data in pieces:
        if current is not None and (audio_format != current or len(joined) >= current.bytes_per_second * _JOIN):
            yield current, bytes(joined)
            joined.clear()
        current = audio_format
        joined += data
    if current is not None:
        yield current, bytes(joined)


class _Remix:
    """Gives a frame as interleaved float samples, surround sound mixed down if fewer channels are wanted."""

    def __init__(self, channels: int) -> None:
        self._layout = {1: "mono", 2: "stereo"}.get(channels)
        self._mixer: AudioResampler | None = None
        self._mixes: object = None

    def __call__(self, frame: AudioFrame) -> tuple[AudioFormat, bytes]:
        # FFmpeg calls a layout that nobody declared "5 channels"; it knows no weights for that.
        if self._layout and frame.layout.nb_channels > 2 and not frame.layout.name.endswith("channels"):
            frame = self._mixed(frame, self._layout)
        samples = frame.to_ndarray()
        if frame.format.is_planar:
            samples = samples.T
        audio_format = AudioFormat("pcm_f32le", frame.sample_rate, frame.layout.nb_channels)
        return audio_format, pcm.encode(pcm.scaled(samples), "pcm_f32le")

    def _mixed(self, frame: AudioFrame, layout: str) -> AudioFrame:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._mixer is None or self._mixes != kind:
            # Into integers, because only then the weights are such that nothing clips.
            self._mixer, self._mixes = AudioResampler(format="s16", layout=layout, rate=frame.sample_rate), kind
        return self._mixer.resample(frame)[0]


@contextmanager
def _opened(source: Input) -> Iterator[InputContainer]:
    try:
        # Play lists are media to FFmpeg; no protocol being allowed, they can open neither addresses nor other files.
        container = av.open(source, "r", options={"protocol_whitelist": "none"}, **_FORGIVING)
    except av.FFmpegError as error:
        label = source.label
        if isinstance(source, FileInput) and _lacks_index(source):
            raise AudioDecodeError(
                f"{label} is an MP4 file without its index (no 'moov' box): it was cut off, or never finished.",
                source=label,
                hint="Get the whole file; the sound cannot be found without its index.",
            ) from error
        raise AudioDecodeError(
            f"{label} is not audio or video in any format that can be decoded.",
            source=label,
            hint="Raw audio without a header needs its format declared.",
        ) from error
    with container:
        yield container


def _lacks_index(source: FileInput) -> bool:
    source.seek(0)
    return truncation.is_mp4(source.peek(8)) and not truncation.has_mp4_index(source)


def _sound_track(container: InputContainer, label: str) -> AudioStream:
    track = container.streams.best("audio")
    if isinstance(track, AudioStream):
        return track
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    raise NoAudioTrackError(f"{label} has no sound track (it holds: {kinds}).", source=label)


def _packets(container: InputContainer, recording: Recording) -> Iterator[Packet[Any]]:
    try:
        yield from container.demux()
    except av.FFmpegError:
        recording.break_off()


def _announced(container: InputContainer, track: AudioStream, head: bytes, mp3_samples: int | None) -> float | None:
    """Seconds of sound that the file itself promises."""
    kind = container.format.name
    if kind == "wav" and (header := wav.parse(head)):
        return header.seconds
    if kind == "mp3":
        # FFmpeg's value lacks the padding. But it mistrusts the count when files were joined, and guesses instead.
        counted = mp3_samples / track.codec_context.sample_rate if mp3_samples else None
        return None if counted is None else min(counted, _guessed(container) or counted)
    return _guessed(container, track) if kind in _STATE_DURATION else None


def _guessed(container: InputContainer, track: AudioStream | None = None) -> float | None:
    if track is not None and track.duration is not None and track.time_base is not None:
        return float(track.duration * track.time_base)
    return None if container.duration is None else container.duration / av.time_base
