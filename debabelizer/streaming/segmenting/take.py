"""`Take`: what the decoder made of a stretch of audio."""

from __future__ import annotations

from dataclasses import dataclass

from debabelizer.audio.utterances import Decoded, UtteranceAudio

__all__ = ["Take"]


@dataclass(frozen=True, slots=True)
class Take:
    """What the decoder made of the audio between two positions.

    Attributes:
        start, end: The positions.
        decoded: What was said there.
        begun, ended: Clock times of the decoding.
    """

    start: int
    end: int
    decoded: Decoded
    begun: float
    ended: float

    @property
    def work(self) -> float:
        """Seconds that it took."""
        return self.ended - self.begun

    def is_of(self, audio: UtteranceAudio) -> bool:
        """Whether it is all of `audio` and nothing else."""
        return (self.start, self.end) == (audio.start, audio.end)
