"""`AudioClock`: tells the audio that the user sent from the silence that was put in between."""

from __future__ import annotations

from typing import Final

from debabelizer.audio.format import AudioFormat, Encoding

__all__ = ["AudioClock"]

_SILENT: Final[dict[Encoding, int]] = {"pcm_s16le": 0, "pcm_f32le": 0, "mulaw": 0xFF, "alaw": 0xD5}


class AudioClock:
    """Counts what goes to the vendor, and turns its times into times of the user's audio.

    Silence that a dialect adds is none of the connection's audio: the core neither sent it nor knows of it. So a time
    within it is the time at which it was put in, and all later ones come earlier by its length.

    Args:
        audio_format: Of everything that is sent.
    """

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._own = 0  # bytes of the user's audio
        self._total = 0  # bytes of everything
        self._forgotten = 0.0  # seconds of silence that lie behind every time that is still to come
        self._gaps: list[tuple[float, float]] = []  # start and end of the silences after that, as the vendor counts

    @property
    def sent(self) -> float:
        """Seconds of the user's audio."""
        return self._format.seconds(self._own)

    @property
    def total(self) -> float:
        """Seconds of everything, as the vendor counts."""
        return self._format.seconds(self._total)

    def count(self, audio: bytes) -> None:
        """The user's audio was sent."""
        self._own += len(audio)
        self._total += len(audio)

    def silence(self, seconds: float) -> bytes:
        """Silence, which counts as sent."""
        frames = self._format.frames(seconds)
        audio = bytes([_SILENT[self._format.encoding]]) * (frames * self._format.frame_bytes)
        start = self.total
        self._total += len(audio)
        if self._gaps and self._gaps[-1][1] == start:  # nothing came in between: one silence, not two
            start = self._gaps.pop()[0]
        self._gaps.append((start, self.total))
        return audio

    def own(self, seconds: float) -> float:
        """A time of the vendor's as one of the user's audio."""
        before = self._forgotten
        for start, end in self._gaps:
            if start >= seconds:
                break
            before += min(seconds, end) - start
        return max(seconds - before, 0.0)

    def forget(self, before: float) -> None:
        """No time of the vendor's before this one will come again."""
        while self._gaps and self._gaps[0][1] <= before:
            start, end = self._gaps.pop(0)
            self._forgotten += end - start
