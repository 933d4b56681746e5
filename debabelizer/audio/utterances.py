"""Cutting a stream of audio into utterances, by voice activity.

`UtteranceCutter` is pure and synchronous: audio in, events out, all positions counted in samples from the
first one. The same audio gives the same events however it is chunked. `UtteranceDecoder` is what turns one
utterance into text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.draft import Draft
from debabelizer.audio.tape import Tape
from debabelizer.audio.vad import FRAME_SAMPLES, SAMPLE_RATE, VoiceActivityDetector
from debabelizer.results import Word

__all__ = [
    "STREAM_CUTTING",
    "CutterEvent",
    "CutterPolicy",
    "CuttingDecoder",
    "Decoded",
    "IncrementalDecoder",
    "LoadableDecoder",
    "SpeechOnset",
    "UtteranceAudio",
    "UtteranceCutter",
    "UtteranceDecoder",
]

# Audio is taken in pieces of a second, so that a caller who feeds an hour at once does not make the tape long.
_PIECE: Final = SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class CutterPolicy:
    """When speech begins, when it is over, and how long an utterance may be. Durations are in seconds.

    Attributes:
        threshold: Probability from which a frame is speech.
        release: Probability below which a frame is silence; what lies between prolongs what is.
        silence: Silence that ends an utterance.
        padding: Audio kept before and after the speech, for consonants that the detector does not hear. More of
            it makes decoders hear words in the quiet.
        min_speech: Speech in an utterance below which it is taken for a click and dropped.
        max_utterance: Longest utterance; a longer one is cut at the best pause in its second half.
    """

    threshold: float = 0.5
    release: float = 0.35
    silence: float = 0.6
    padding: float = 0.1
    min_speech: float = 0.1
    max_utterance: float = 15.0

    def __post_init__(self) -> None:
        if not 0.0 < self.release <= self.threshold < 1.0:
            raise ValueError(f"Needed: 0 < release <= threshold < 1, not {self.release} and {self.threshold}.")
        if self.silence <= 0.0 or self.padding < 0.0 or self.min_speech < 0.0:
            raise ValueError("Silence must be longer than 0 s; padding and min_speech must not be negative.")
        if self.max_utterance < max(2.0, 4 * self.padding):
            raise ValueError("The longest utterance must be at least 2 s, and four times the padding.")


STREAM_CUTTING: Final = CutterPolicy(max_utterance=15.0, silence=0.8)
"""How streams are cut. People wait for the end of an utterance, so it comes earlier than in a recording. At 0.6 s, read
speech is cut where the model then hears other words: a point of word error rate."""


@dataclass(frozen=True, slots=True)
class SpeechOnset:
    """Speech began: `at` is the position of its first frame."""

    at: int


@dataclass(frozen=True, slots=True, eq=False)
class UtteranceAudio:
    """One utterance, whole or still growing.

    Attributes:
        samples: Read-only view of its audio, padding included; it never changes, and costs no copy.
        start, end: Positions of `samples`: ``end - start == len(samples)``.
        speech_start, speech_end: Positions between which speech was heard.
        cut: Whether it was cut for its length; then the next utterance begins where this one ends, if anybody
            speaks on there.
    """

    samples: NDArray[np.float32] = field(repr=False)
    start: int
    end: int
    speech_start: int
    speech_end: int
    cut: bool = False

    def place(self, time: float | None) -> float | None:
        """A time in seconds from `start` as seconds of all audio. Engines are at times a little beyond its bounds."""
        if time is None:
            return None
        return min(self.start / SAMPLE_RATE + max(time, 0.0), self.end / SAMPLE_RATE)


CutterEvent: TypeAlias = SpeechOnset | UtteranceAudio


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of one utterance.

    Attributes:
        text: What was said; empty if nothing was understood.
        words: With times in seconds from the start of the utterance; empty if the decoder gives none.
        language: Two-letter code, or None.
        confidence: 0.0 to 1.0, or None.
    """

    text: str
    words: tuple[Word, ...] = ()
    language: str | None = None
    confidence: float | None = None


class UtteranceDecoder(Protocol):
    """Turns one utterance into text; it keeps nothing from one call to the next."""

    def decode(self, samples: NDArray[np.float32]) -> Awaitable[Decoded]:
        """Decode an utterance of mono samples at 16 kHz, without blocking the event loop.

        Cancelling the wait gives its place in the decoder's queue back.

        Raises:
            ProviderError: If the decoder fails.
        """
        ...


@runtime_checkable
class IncrementalDecoder(UtteranceDecoder, Protocol):
    """A decoder that says while it decodes what it has understood so far."""

    def decode_incrementally(self, samples: NDArray[np.float32], heard: Callable[[str], None]) -> Awaitable[Decoded]:
        """Decode as `decode` does; `heard` is to be called with all of the text so far, whenever there is more."""
        ...


@runtime_checkable
class LoadableDecoder(UtteranceDecoder, Protocol):
    """A decoder whose model has to be loaded, which may take minutes. A stream begins when that is done."""

    async def load(self) -> None:
        """Load the model, without blocking the event loop; called before each stream, quick if it is there.

        Raises:
            ProviderError: If it cannot be loaded.
        """
        ...


@runtime_checkable
class CuttingDecoder(UtteranceDecoder, Protocol):
    """A decoder that knows how the streams it is given should be cut.

    Attributes:
        cutting: The rules; those of others are `STREAM_CUTTING`.
    """

    cutting: CutterPolicy


class UtteranceCutter:
    """Finds the utterances in one stream of 16 kHz mono samples.

    Memory is bounded by the longest utterance: silence is forgotten but for the padding that a later utterance
    may need.

    Args:
        vad: A detector of its own.
        policy: The rules.
    """

    def __init__(self, vad: VoiceActivityDetector, policy: CutterPolicy | None = None) -> None:
        policy = policy or CutterPolicy()
        self._vad = vad
        self._policy = policy
        self._silence = _samples(policy.silence)
        # More padding than the silence rule waits for is not there when the utterance ends.
        self._padding = min(_samples(policy.padding), self._silence)
        self._needed = max(1, round(_samples(policy.min_speech) / FRAME_SAMPLES))
        self._longest = _samples(policy.max_utterance)
        self._tape = Tape(2 * self._longest + _PIECE)
        self._heard = 0
        self._floor = 0
        self._open: Draft | None = None
        self._events: list[CutterEvent] = []

    def feed(self, samples: NDArray[np.float32]) -> list[CutterEvent]:
        """Take more audio; return what it decided, in order.

        This runs the detector: about 4 ms for a second of audio, so an event loop wants it in a thread.
        """
        for offset in range(0, len(samples), _PIECE):
            # One value that is not a number would stay in the detector's state, and all after it would be silence.
            self._tape.append(np.nan_to_num(samples[offset : offset + _PIECE], posinf=0.0, neginf=0.0))
            while self._tape.end - self._heard >= FRAME_SAMPLES:
                self._hear(self._tape.view(self._heard, self._heard + FRAME_SAMPLES), FRAME_SAMPLES)
        return self._take_events()

    def finish(self) -> list[CutterEvent]:
        """Decide all audio fed so far, the open utterance included; return the last events.

        More may be fed afterwards: this is also how a stream is flushed.
        """
        rest = self._tape.end - self._heard
        if rest:
            frame = np.zeros(FRAME_SAMPLES, np.float32)
            frame[:rest] = self._tape.view(self._heard, self._tape.end)
            self._hear(frame, rest)
        if self._open is not None:
            self._close(self._open)
        self._floor = self._heard
        return self._take_events()

    @property
    def open(self) -> UtteranceAudio | None:
        """The utterance that is being spoken, as far as it was heard; None before its `SpeechOnset`."""
        draft = self._open
        if draft is None or not draft.is_utterance:
            return None
        return self._audio(draft, self._heard)

    @property
    def decided(self) -> int:
        """The position before which no audio will be part of a later utterance: it was cut, or is silence."""
        if self._open is not None:
            return self._open.start
        return max(self._floor, self._heard - self._padding)

    def _hear(self, frame: NDArray[np.float32], length: int) -> None:
        """Score the frame at the current position, of which `length` samples are real, and apply the rules."""
        probability = self._vad.probability(frame)
        start, self._heard = self._heard, self._heard + length
        if self._open is None and probability >= self._policy.threshold:
            self._open = Draft(
                threshold=self._policy.threshold,
                release=self._policy.release,
                start=max(self._floor, start - self._padding),
                first_frame=start,
                needed=self._needed,
            )
        if self._open is not None:
            self._open.add(probability, self._heard)
            self._apply_rules(self._open)
        self._tape.forget(self.decided)

    def _apply_rules(self, draft: Draft) -> None:
        if draft.is_utterance:
            self._announce(draft)
        if draft.silence >= self._silence:
            self._close(draft)
        elif self._heard + FRAME_SAMPLES - draft.start > self._longest:
            self._split(draft)

    def _announce(self, draft: Draft) -> None:
        if not draft.announced:
            draft.announced = True
            self._events.append(SpeechOnset(draft.speech_start))

    def _close(self, draft: Draft) -> None:
        """End the open utterance at its silence; drop it if it never was one."""
        self._open = None
        if draft.is_utterance:
            self._emit(draft, min(draft.speech_end + self._padding, self._heard))

    def _split(self, draft: Draft) -> None:
        """Cut the open utterance for its length; what lies behind the cut begins the next one."""
        before, self._open = draft.split(draft.start + self._longest // 2)
        self._floor = self._open.start
        if before.voiced:  # Few frames of speech are enough: so long a stretch is no click.
            self._announce(before)
            self._emit(before, self._floor, cut=True)

    def _emit(self, draft: Draft, end: int, *, cut: bool = False) -> None:
        self._events.append(self._audio(draft, end, cut=cut))
        self._floor = end

    def _audio(self, draft: Draft, end: int, *, cut: bool = False) -> UtteranceAudio:
        samples = self._tape.view(draft.start, end)
        return UtteranceAudio(samples, draft.start, end, draft.speech_start, draft.speech_end, cut)

    def _take_events(self) -> list[CutterEvent]:
        events, self._events = self._events, []
        return events


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
