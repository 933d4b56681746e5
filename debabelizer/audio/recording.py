"""`Recording`: one sound track as it is decoded, and the judgement whether it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from debabelizer.audio.notes import Notes
from debabelizer.errors import AudioDecodeError

__all__ = ["Recording"]

_TOLERANCE: Final = 0.1
"""Seconds by which the audio may fall short of what was announced."""


class Recording:
    """One sound track as it is decoded: how far it came, and what was wrong.

    Args:
        track: The track.
        announced: Seconds of sound that the file itself promises, or None if it promises nothing.
    """

    def __init__(self, track: AudioStream, announced: float | None) -> None:
        self.announced = announced
        self._track = track
        self._has_duration = track.duration is not None  # asked now: it is judged when the container is closed
        self._is_mp3 = track.codec_context.name.startswith("mp3")
        self._seconds = 0.0  # decoded
        self._start: float | None = None  # by the time stamps of packets, which count padding
        self._end = 0.0
        self._others_end = 0.0
        self._gap: float | None = None  # seconds decoded when the first one came
        self._ends_badly = False
        self._sizes: set[int] = set()  # of the packets before the last, as long as they say something
        self._last_size = 0

    def frames(self, packet: Packet[Any]) -> Iterator[AudioFrame]:
        """Decode one packet; one that is damaged gives nothing."""
        if packet.stream is not self._track:
            if packet.pts is not None:
                self._others_end = max(self._others_end, _seconds(packet.pts + (packet.duration or 0), packet))
            return
        try:
            frames = self._track.decode(packet)
        except av.FFmpegError:
            self._ends_badly = True
            return
        if packet.size:
            self._count(packet)
        for frame in frames:
            self._seconds += frame.samples / frame.sample_rate
            yield frame

    def break_off(self) -> None:
        """The container cannot be read on."""
        self._ends_badly = True

    def judge(self, label: str, notes: Notes, *, open_end: bool) -> None:
        """Say what was wrong, at the end of the track.

        Args:
            label: How to name the source.
            notes: Takes it.
            open_end: Whether an end mark that the container should have is missing.

        Raises:
            AudioDecodeError: If there should be sound and none was found.
        """
        if self.announced is not None:
            is_cut = self.announced - max(self._reached, self._seconds) > _TOLERANCE
        else:
            is_cut = open_end or self._ends_badly or self._ends_within_mp3_frame()
        if not self._seconds and (is_cut or self._ends_badly):
            message = f"{label} holds no sound that can be decoded: it is damaged, or was cut off."
            raise AudioDecodeError(message, source=label)
        if is_cut:
            notes.truncated(self._seconds, self.announced)
        if self._gap is not None and (missing := self._end - (self._start or 0.0) - self._seconds) > _TOLERANCE:
            notes.has_gaps(missing, self._gap)

    @property
    def _reached(self) -> float:
        # Without a duration of its own for the track, what was announced is that of the longest one.
        return max(self._end, 0.0 if self._has_duration else self._others_end)

    def _count(self, packet: Packet[Any]) -> None:
        self._ends_badly = packet.is_corrupt
        if self._last_size and len(self._sizes) < 3:
            self._sizes.add(self._last_size)
        self._last_size = packet.size
        if packet.pts is None:
            return
        start = _seconds(packet.pts, packet)
        if self._start is None:
            self._start = max(0.0, start)  # below zero is what coders need to start, not sound
        elif self._gap is None and start - self._end > _TOLERANCE:
            self._gap = self._seconds
        self._end = max(self._end, start + _seconds(packet.duration, packet))

    def _ends_within_mp3_frame(self) -> bool:
        """Whether the last of frames of equal size (but for a byte of padding) is shorter than the others.

        The decoder makes sound of half a frame without complaint. Where frames differ in size nothing can be told.
        """
        if not self._sizes or not self._is_mp3:
            return False
        return max(self._sizes) - min(self._sizes) <= 1 and self._last_size < min(self._sizes)


def _seconds(ticks: int | None, packet: Packet[Any]) -> float:
    return float((ticks or 0) * packet.time_base) if packet.time_base else 0.0
