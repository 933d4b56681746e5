"""`PauseFinder`: where one may cut a stream, for services that leave it to the client to end utterances.

It is the core's voice activity with rules for live audio: a cut is made where the stream is now, never in the past,
since what was sent cannot be taken back. So the longer somebody speaks, the shorter a pause will do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from debabelizer.audio.convert import Converter
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.vad import FRAME_SAMPLES, SAMPLE_RATE, VoiceActivityDetector, open_vad

__all__ = ["PauseFinder", "Stretch"]

_HEARD: Final = AudioFormat("pcm_f32le", SAMPLE_RATE, 1)
_FRAME_BYTES: Final = FRAME_SAMPLES * _HEARD.frame_bytes
_FRAME: Final = FRAME_SAMPLES / SAMPLE_RATE
_SPEECH: Final = 0.5  # probability from which a frame is speech
_SILENCE: Final = 0.35  # probability below which it is silence
_PADDING: Final = 0.3  # seconds before speech that may hold a consonant
_HURRY: Final = 15.0  # seconds of speech after which half a pause will do, and after twice as long any


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of what was fed.

    Attributes:
        audio: Its bytes.
        end: Where it ends, in seconds of all audio fed.
        begun: Where speech began that was noticed in it, or None.
        over: Whether the utterance is over at its end.
    """

    audio: bytes = field(repr=False)
    end: float
    begun: float | None = None
    over: bool = False


class PauseFinder:
    """Finds the pauses of one stream.

    Args:
        audio_format: Of the audio.
        pause: Silence in seconds that ends an utterance.
        vad: A detector of its own; by default one is opened.
    """

    def __init__(self, audio_format: AudioFormat, pause: float, vad: VoiceActivityDetector | None = None) -> None:
        self._format = audio_format
        self._pause = pause
        self._vad = vad or open_vad()
        self._converter = Converter(audio_format, _HEARD)
        self._rest = b""  # less than one frame
        self._frames = 0
        self._size = 0  # bytes fed
        self._silence = 0.0
        self.since: float | None = None
        """Where the utterance began that is not over, in seconds."""

    @property
    def quiet_until(self) -> float:
        """Up to where everything is decided: no later speech can begin before it."""
        heard = self._frames * _FRAME if self.since is None else self.since
        return max(heard - (_PADDING if self.since is None else 0.0), 0.0)

    def feed(self, chunk: bytes) -> list[Stretch]:
        """Take a chunk; it comes back in stretches, cut where an utterance is over."""
        stretches: list[Stretch] = []
        taken, begun = 0, None
        base = self._size
        self._size += len(chunk)
        self._rest += self._converter.feed(chunk)
        while len(self._rest) >= _FRAME_BYTES:
            frame, self._rest = self._rest[:_FRAME_BYTES], self._rest[_FRAME_BYTES:]
            was_silent = self.since is None
            over = self._hear(self._vad.probability(np.frombuffer(frame, "<f4")))
            if was_silent and self.since is not None:
                begun = self.since
            if over:
                # The converter may lag behind what was fed, so the place may lie before this chunk.
                place = self._format.frames(self._frames * _FRAME) * self._format.frame_bytes
                cut = min(max(place - base, taken), len(chunk))
                stretches.append(Stretch(chunk[taken:cut], self._format.seconds(base + cut), begun, over=True))
                taken, begun = cut, None
        if taken < len(chunk) or begun is not None:
            stretches.append(Stretch(chunk[taken:], self._format.seconds(self._size), begun))
        return stretches

    def restart(self) -> None:
        """The utterance was ended for another reason; whoever still speaks begins a new one here."""
        if self.since is not None:
            self.since = self._format.seconds(self._size)

    def _hear(self, probability: float) -> bool:
        """Take the next frame; whether the utterance is over with it."""
        start = self._frames * _FRAME
        self._frames += 1
        if probability >= _SPEECH:
            self._silence = 0.0
            if self.since is None:
                self.since = max(start - _PADDING, 0.0)
            return False
        if self.since is None:
            return False
        self._silence = self._silence + _FRAME if probability < _SILENCE or self._silence else 0.0
        if self._silence < self._needed(start + _FRAME - self.since):
            return False
        self.since, self._silence = None, 0.0
        return True

    def _needed(self, spoken: float) -> float:
        if spoken < _HURRY:
            return self._pause
        return self._pause / 2 if spoken < 2 * _HURRY else min(0.1, self._pause)
