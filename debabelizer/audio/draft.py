"""`Draft`: an utterance that is being spoken: when it is silent, and where it may be cut."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from debabelizer.audio.vad import FRAME_SAMPLES

__all__ = ["Draft"]

# A hard cut falls into the middle of this many frames (0.26 s) with the least speech among them. Fewer find the
# gaps inside words, more miss the short pauses between them. Even, so that the middle lies between two frames.
_SEAM_FRAMES: Final = 8


@dataclass(slots=True, kw_only=True)
class Draft:
    """An utterance that is not finished: the scores of its frames, and what they say.

    Attributes:
        threshold, release: See `CutterPolicy`.
        start: Position where its audio begins, padding included.
        first_frame: Position of its first frame.
        needed: Frames of speech that make it an utterance.
        announced: Whether its beginning was told.
        voiced: Frames of speech in it.
        heard: Position behind its last frame.
        speech_start: Position of the first frame of speech.
        silence_from: Position where the silence began that has lasted since, if there is one.
    """

    threshold: float
    release: float
    start: int
    first_frame: int
    needed: int
    announced: bool = False
    voiced: int = field(init=False, default=0)
    heard: int = field(init=False)
    speech_start: int = field(init=False)
    silence_from: int | None = field(init=False, default=None)
    _scores: list[float] = field(init=False, default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.heard = self.speech_start = self.first_frame

    @property
    def is_utterance(self) -> bool:
        """Whether there is enough speech in it."""
        return self.voiced >= self.needed

    @property
    def speech_end(self) -> int:
        """Position behind the last speech."""
        return self.heard if self.silence_from is None else self.silence_from

    @property
    def silence(self) -> int:
        """Samples of silence at its end."""
        return self.heard - self.speech_end

    def add(self, probability: float, heard: int) -> None:
        """Add the next frame, which ends at `heard`."""
        start, self.heard = self.heard, heard
        self._scores.append(probability)
        if probability >= self.threshold:
            if not self.voiced:
                self.speech_start = start
            self.voiced += 1
            self.silence_from = None
        elif probability < self.release and self.silence_from is None:
            self.silence_from = start

    def split(self, after: int) -> tuple[Draft, Draft]:
        """Cut it at the best pause behind the position `after`; the rules are applied to both parts anew."""
        seam = self._best_seam(after)
        cut = self.first_frame + seam * FRAME_SAMPLES
        before = replace(self)
        # What goes on behind a cut is no click, however short; and nobody began to speak there.
        behind = replace(self, start=cut, first_frame=cut, needed=1, announced=True)
        for index, probability in enumerate(self._scores):
            part = before if index < seam else behind
            part.add(probability, min(part.heard + FRAME_SAMPLES, self.heard))
        return before, behind

    def _best_seam(self, after: int) -> int:
        """The frame before which a cut loses least, of equal ones the latest."""
        first = max(0, -(-(after - self.first_frame) // FRAME_SAMPLES) - _SEAM_FRAMES // 2)
        speech = np.convolve(self._scores[first:], np.ones(_SEAM_FRAMES), "valid")
        quietest = len(speech) - 1 - int(np.argmin(speech[::-1]))
        return first + quietest + _SEAM_FRAMES // 2
