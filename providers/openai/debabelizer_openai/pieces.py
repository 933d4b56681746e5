"""Cutting a recording into pieces, at pauses.

Every recording is cut, whatever its length. A limit of 25 MB must be kept somehow, and compression would only move
it, to what at least one server (whisper.cpp) cannot read. Cut at pauses, the length of a recording does not matter:
not to memory, not to a limit, not to models that leave out parts of long recordings. A piece that fails is sent again
alone, several can be under way at once, silence is neither sent nor paid for, and where the model tells no times, its
place in the recording does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.pcm import decode
from debabelizer.audio.utterances import CutterEvent, CutterPolicy, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import SAMPLE_RATE, open_vad

__all__ = ["FORMAT", "Piece", "PieceCutter"]

FORMAT: Final = AudioFormat("pcm_s16le", SAMPLE_RATE, 1)
"""What pieces are made of: speech models hear no more than that."""

_SILENCE: Final = 3.0  # seconds of it end a piece: Whisper hears words in long silence, and tokens cost money
_PADDING: Final = 0.25
_WIDTH: Final = FORMAT.frame_bytes


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A stretch of a recording.

    Attributes:
        audio: Its samples, in `FORMAT`.
        start, end: Where it lies, in seconds.
    """

    audio: bytes = field(repr=False)
    start: float
    end: float


class PieceCutter:
    """Cuts one recording. Blocking: it runs the detector, about 4 ms for a second of audio.

    Args:
        longest: Most seconds of a piece.
    """

    def __init__(self, longest: float) -> None:
        # The longest utterance is cut at its best pause, so that every piece is a row of whole utterances.
        utterance = min(30.0, longest)
        policy = CutterPolicy(silence=0.5, padding=_PADDING, max_utterance=utterance)
        self._cutter = UtteranceCutter(open_vad(), policy)
        self._longest = round(longest * SAMPLE_RATE)
        self._audio = bytearray()
        self._first = 0  # position of the first sample in it
        self._begun: int | None = None  # of the open piece
        self._end = 0

    @property
    def seconds(self) -> float:
        """Seconds of audio taken."""
        return (self._first + len(self._audio) // _WIDTH) / SAMPLE_RATE

    def feed(self, block: bytes) -> list[Piece]:
        """Take more audio; the pieces that are complete."""
        self._audio += block
        events = self._cutter.feed(decode(block, FORMAT)[:, 0].astype(np.float32, copy=False))
        return list(self._pieces(events))

    def finish(self) -> list[Piece]:
        """The recording is over: the last pieces."""
        return [*self._pieces(self._cutter.finish()), *self._close()]

    def _pieces(self, events: Sequence[CutterEvent]) -> Iterator[Piece]:
        for event in events:
            if not isinstance(event, UtteranceAudio):
                continue
            if self._begun is not None and event.end - self._begun > self._longest:
                yield from self._close()
            yield from self._close_after_silence(event.start)
            self._begun = event.start if self._begun is None else self._begun
            self._end = event.end
        yield from self._close_after_silence(self._cutter.decided)
        self._forget(self._cutter.decided if self._begun is None else self._begun)

    def _close_after_silence(self, position: int) -> Iterator[Piece]:
        """The open piece, if nothing was said for long before a position."""
        if position - self._end > _SILENCE * SAMPLE_RATE:
            yield from self._close()

    def _close(self) -> Iterator[Piece]:
        """The open piece, if there is one."""
        if self._begun is not None:
            begin, end = self._begun - self._first, self._end - self._first
            audio = bytes(self._audio[begin * _WIDTH : end * _WIDTH])
            yield Piece(audio, self._begun / SAMPLE_RATE, self._end / SAMPLE_RATE)
        self._begun = None

    def _forget(self, position: int) -> None:
        """What lies before a position is of no use any more."""
        if position > self._first:
            del self._audio[: (position - self._first) * _WIDTH]
            self._first = position
