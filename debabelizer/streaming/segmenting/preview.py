"""`Preview`: when an utterance that is still being spoken is to be decoded, and which part of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from debabelizer.audio.utterances import CutterPolicy, Decoded, UtteranceAudio, UtteranceCutter
from debabelizer.audio.vad import SAMPLE_RATE
from debabelizer.results import Word
from debabelizer.streaming.segmenting.take import Take

__all__ = ["Plan", "Preview"]

_FIRST: Final = 0.2  # seconds from the onset of speech to its first interim
_INTERVAL: Final = 0.3  # least seconds between interims
_SHARE: Final = 0.25  # of the time, at most, goes into interims: an engine that is slow or busy is asked less often
_PAUSE: Final = 0.3  # seconds of silence after which the utterance may be over
_BREATH: Final = 0.15  # seconds of silence that part one phrase from the next
_PHRASE: Final = 2.0  # least seconds of a phrase; decoders need that much context
_LIVE: Final = 2.0  # times real time: audio that comes faster is not live, and nobody watches it being spoken


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What to decode next.

    Attributes:
        utterance: All of the utterance as far as it is to be shown.
        audio: What to decode: the utterance, or its last part.
        when: Clock time from which on it is due.
        before: What was said in the part before `audio`; None if there is none.
        ends_phrase: Whether the speaker paused at its end.
        may_be_all: Whether the pause is so long that the utterance may be over.
    """

    utterance: UtteranceAudio
    audio: UtteranceAudio
    when: float
    before: Decoded | None = None
    ends_phrase: bool = False
    may_be_all: bool = False

    def whole(self, decoded: Decoded) -> Decoded:
        """What was said in the utterance, when `audio` came to `decoded`."""
        before = self.before
        if before is None:
            return decoded
        offset = (self.audio.start - self.utterance.start) / SAMPLE_RATE
        words = tuple(_later(word, offset) for word in decoded.words)
        return Decoded(f"{before.text} {decoded.text}".strip(), before.words + words, decoded.language)


class Preview:
    """Decides which audio is worth decoding before it is final.

    While there is speech, that is what was said last, every now and then: the phrases before it keep their text, so
    that long utterances neither flicker nor keep the engine busy. At a pause it is the utterance as it will be if
    nothing more is said: then its text is there when the pause has lasted long enough.

    All of this is for live audio. A file, or a replay after a failure, is over before it could be shown.

    Args:
        cutter: Knows the utterance.
        policy: Its rules.
        wanted: Whether anybody wants interims.
    """

    def __init__(self, cutter: UtteranceCutter, policy: CutterPolicy, *, wanted: bool = True) -> None:
        self.wanted = wanted
        self._cutter = cutter
        self._padding = _samples(min(policy.padding, policy.silence))
        # Not before the padding is complete, or the audio would not be what becomes final.
        self._pause = max(_samples(min(_PAUSE, policy.silence / 2)), self._padding)
        self._onset = (0.0, 0)  # when speech was heard to begin, and how much audio there was then
        self._due = 0.0
        self._breath = 0  # position behind the latest phrase
        self._latest: Take | None = None  # the latest that was decoded
        self._phrases: Take | None = None  # of the utterance, from its start to the end of a phrase

    def begin(self, now: float, heard: int) -> None:
        """Speech was heard to begin, in audio of `heard` samples."""
        self._onset = (now, heard)
        self._due = now + _FIRST

    def done(self, plan: Plan, take: Take) -> None:
        """What was planned was decoded."""
        self._latest = take
        # A pause is decoded once, and all of the utterance; what comes behind it will take less.
        rest = 0.0 if plan.may_be_all else take.work / _SHARE
        self._due = take.begun + max(_INTERVAL, rest)
        if plan.ends_phrase:
            self._phrases = replace(take, start=plan.utterance.start, decoded=plan.whole(take.decoded))

    def plan(self) -> Plan | None:
        """What to decode next; None if more must be heard first."""
        draft = self._cutter.open if self.wanted else None
        if draft is None:
            return None
        silence = draft.end - draft.speech_end
        end = min(draft.speech_end + self._padding, draft.end)
        if silence >= _samples(_BREATH):
            self._breath = end
        if silence >= self._pause:
            audio = _part(draft, draft.start, end)
            plan = Plan(audio, audio, self._live_from(draft), ends_phrase=True, may_be_all=True)
        else:
            plan = self._plan_phrase(draft)
            if silence and not plan.ends_phrase:
                return None  # soon it is a pause, or speech again
        return None if self._latest is not None and self._latest.is_of(plan.audio) else plan

    def _plan_phrase(self, draft: UtteranceAudio) -> Plan:
        phrases = self._phrases
        if phrases is not None and phrases.start == draft.start:
            start, before = phrases.end, phrases.decoded
        else:
            start, before = draft.start, None
        is_phrase = self._breath - start >= _samples(_PHRASE)
        end = self._breath if is_phrase else draft.end
        when = max(self._due, self._live_from(draft))
        return Plan(
            _part(draft, draft.start, end), _part(draft, start, end), when, before=before, ends_phrase=is_phrase
        )

    def _live_from(self, draft: UtteranceAudio) -> float:
        since, heard = self._onset
        return since + (draft.end - heard) / SAMPLE_RATE / _LIVE


def _part(draft: UtteranceAudio, start: int, end: int) -> UtteranceAudio:
    samples = draft.samples[start - draft.start : end - draft.start]
    return replace(draft, samples=samples, start=start, end=end, speech_end=min(draft.speech_end, end))


def _later(word: Word, seconds: float) -> Word:
    start = None if word.start is None else word.start + seconds
    end = None if word.end is None else word.end + seconds
    return replace(word, start=start, end=end)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
