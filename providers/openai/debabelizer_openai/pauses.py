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
        self._samples = b""  # for the detector, less than one frame
        self._frames = 0  # that it heard
        self._held = b""  # fed and not handed out: less than two frames, and what the conversion lags behind
        self._given = 0  # bytes handed out
        self._silence = 0.0
        self.since: float | None = None
        """Where the utterance began that is not over, in seconds."""

    @property
    def quiet_until(self) -> float:
        """Up to where everything is decided: no later speech can begin before it."""
        if self.since is not None:
            return self.since
        return max(self._frames * _FRAME - _PADDING, 0.0)

    def feed(self, chunk: bytes) -> list[Stretch]:
        """Take a chunk, and hand out what the detector has heard, cut where an utterance is over."""
        self._held += chunk
        self._samples += self._converter.feed(chunk)
        stretches: list[Stretch] = []
        begun: float | None = None
        while len(self._samples) >= _FRAME_BYTES:
            frame, self._samples = self._samples[:_FRAME_BYTES], self._samples[_FRAME_BYTES:]
            was_silent = self.since is None
            over = self._hear(self._vad.probability(np.frombuffer(frame, "<f4")))
            if was_silent:
                begun = self.since
            if over:
                stretches.append(self._hand_out(begun, over=True))
                begun = None
        last = self._hand_out(begun, over=False)
        return [*stretches, last] if last.audio or last.begun is not None else stretches

    def stop(self) -> bytes:
        """The utterance is ended for another reason: all that was fed and not handed out.

        Whoever still speaks begins a new utterance here.
        """
        rest, self._held = self._held, b""
        self._given += len(rest)
        if self.since is not None:
            self.since = self._format.seconds(self._given)
        return rest

    def _hand_out(self, begun: float | None, *, over: bool) -> Stretch:
        """What was heard, and not handed out before; all but the latest frame.

        In that, a word may begin that is too short yet to be heard, and a cut would go through it.
        """
        heard = self._format.frames((self._frames - 1) * _FRAME) * self._format.frame_bytes
        size = min(max(heard - self._given, 0), len(self._held))
        audio, self._held = self._held[:size], self._held[size:]
        self._given += size
        return Stretch(audio, self._format.seconds(self._given), begun, over)

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
