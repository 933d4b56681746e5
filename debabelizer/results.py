"""What users receive: words, segments, transcripts, streaming results and the events of a stream.

All times are seconds on the input's own audio clock, counted in samples from its first one.
``None`` means "the provider does not say"; zero never does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from debabelizer.values import Struct, as_dataclass

__all__ = [
    "Choice",
    "Closed",
    "FlushResult",
    "Gap",
    "Progress",
    "ProviderChanged",
    "Reconnected",
    "Reconnecting",
    "Segment",
    "SpeechStarted",
    "StreamEvent",
    "StreamStats",
    "StreamingResult",
    "Transcript",
    "Usage",
    "Utterance",
    "UtteranceEnded",
    "Word",
]


@as_dataclass
class Word(Struct, frozen=True, gc=False):
    """One word.

    Attributes:
        text: The word with its punctuation, without surrounding space.
        start, end: Seconds, or None.
        confidence: 0.0 to 1.0 on the provider's own scale, or None.
        speaker: Label of the speaker, or None.
        language: Two-letter code, or None.
        separator: What stands between the previous word and this one (``""`` in scripts without spaces).
    """

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    speaker: str | None = None
    language: str | None = None
    separator: str = " "


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech with its text, as cut by the provider or by voice activity.

    Attributes are those of `Word`, plus `words` (empty if the provider gives none) and `channel`.
    """

    text: str
    start: float | None = None
    end: float | None = None
    words: tuple[Word, ...] = ()
    language: str | None = None
    speaker: str | None = None
    confidence: float | None = None
    channel: int | None = None
    separator: str = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A transcript: complete after `VoiceProcessor.transcribe`, growing on a stream.

    Attributes:
        text: All final text.
        segments: In order of time.
        language: Two-letter code of the (main) language, or None.
        duration: Length of the audio in seconds.
        provider: Name of the provider that did the work.
        audio_seconds: Seconds of audio that the provider was given to recognise (what a vendor would bill).
        translation: All final translated text, when a translation was asked for, else None.
        warnings: What the user should know, e.g. that the file was truncated.
    """

    text: str
    segments: tuple[Segment, ...] = ()
    language: str | None = None
    duration: float = 0.0
    provider: str = ""
    audio_seconds: float = 0.0
    translation: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        """All words with whatever times the provider gives, in order; empty if it gives none."""
        return tuple(word for segment in self.segments for word in segment.words)


def join(parts: Iterable[tuple[str, str]]) -> str:
    """Join (separator, text) pairs; the separator before the first text is dropped."""
    out: list[str] = []
    for separator, text in parts:
        if out:
            out.append(separator)
        out.append(text)
    return "".join(out)


@as_dataclass
class StreamingResult(Struct, frozen=True, kw_only=True, gc=False):
    """A piece of transcript from a stream.

    A final is immutable; finals joined with their separators are the transcript. An interim replaces the
    previous interim and holds only text that is not final; an empty interim withdraws it.

    Attributes:
        text: What was said.
        is_final: Whether it can still change.
        start, end: Seconds on the stream's clock, or None.
        words: The words of `text`, if the provider gives words.
        language, speaker, confidence: As in `Word`.
        channel: 0-based audio channel, or None.
        separator: What stands between the previous final and this text.
        ends_utterance: Whether the provider holds the utterance for finished here.
        translation: Translated text that came with this result, or None.
        provider: Name of the provider that said it.
    """

    text: str
    is_final: bool
    start: float | None = None
    end: float | None = None
    words: tuple[Word, ...] = ()
    language: str | None = None
    speaker: str | None = None
    confidence: float | None = None
    channel: int | None = None
    separator: str = " "
    ends_utterance: bool = False
    translation: str | None = None
    provider: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `at` seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The speaker finished an utterance at `at` seconds (None: the provider does not say where)."""

    at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnecting:
    """An attempt failed; another starts after `delay` seconds.

    Attributes:
        attempt: Number of the attempt that failed, 1-based.
        provider: Which provider it was.
        cause: Why.
        delay: Seconds until the next attempt.
    """

    attempt: int
    provider: str
    cause: Exception
    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnected:
    """The stream goes on.

    Attributes:
        attempt: Number of the attempt that is now running.
        provider: Which provider it is.
        replayed: Seconds of audio sent again.
        gap: Seconds of audio that could not be kept for replay and are lost; 0.0 is the rule.
        speakers_restart: Speaker labels of the new connection are not those of the old one.
    """

    attempt: int
    provider: str
    replayed: float
    gap: float
    speakers_restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChanged:
    """Another provider continues.

    Attributes:
        previous: Who carried the stream before; at the start, the preferred provider that could not.
        provider: Who does now.
        at: From which second of the audio on.
        cause: Why the previous one was given up; None if the new one is preferred, and is back, or is ahead in a race.
    """

    previous: str
    provider: str
    at: float
    cause: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the work is.

    Attributes:
        done: Seconds of audio finished (on a stream: confirmed).
        total: Seconds in all, or None when not known.
        note: What the user should know, e.g. that the engine is slower than speech.
    """

    done: float
    total: float | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The last event of a stream.

    Attributes:
        error: Why it failed; None after a complete stream, or one that the user closed.
        stats: The figures of the stream.
    """

    error: Exception | None = None
    stats: StreamStats | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """The finals of one utterance put together.

    Attributes:
        text: The whole utterance.
        start, end: Seconds, or None.
        results: The finals it is made of.
        complete: False when the stream failed before the utterance was finished.
    """

    text: str
    start: float | None
    end: float | None
    results: tuple[StreamingResult, ...] = field(repr=False, default=())
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Audio that is lost: it could not be kept for replay when the connection failed.

    Attributes:
        start, end: Seconds on the stream's clock.
    """

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one provider was given, by a stream or by all work of a processor.

    Attributes:
        provider: Its name.
        attempts: Connections begun with it, and recordings it was asked for.
        sent: Seconds of audio that it was the first to be sent.
        replayed: Seconds of audio that it was sent again, after itself or another one.
        raced: Seconds of audio that it was sent beside another one that led.
        price_per_hour: US dollars for an hour of audio, as its spec says; None if that is not known.
    """

    provider: str
    attempts: int = 0
    sent: float = 0.0
    replayed: float = 0.0
    raced: float = 0.0
    price_per_hour: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of audio in all: what a vendor would bill."""
        return self.sent + self.replayed + self.raced

    @property
    def cost(self) -> float | None:
        """US dollars for these, by the price in the spec: an estimate; None if that is not known."""
        return None if self.price_per_hour is None else self.seconds / 3600.0 * self.price_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A provider that was considered.

    Attributes:
        provider: Its name.
        place: Its place in the order in which they are asked, from 1 on; None if it is not asked at all.
        reason: Why, in a few words.
    """

    provider: str
    place: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStats:
    """Figures of a stream, as of now. Seconds of audio, unless said otherwise.

    Attributes:
        accepted: Taken from the user.
        sent: Handed to a provider; replays not counted.
        replayed: Handed to a provider again.
        processed: How far the provider says it has listened.
        confirmed: Up to where all words are final.
        attempts: Connections begun.
        reconnects: Of these, the ones after the first that got as far as taking audio.
        dropped: Finals said again by the provider and dropped, by their time.
        gaps: Audio lost.
        first_word_latency: Clock seconds from the first audio accepted to the first text, or None.
        final_latency: Mean clock seconds from the acceptance of a word's audio to its final, or None.
        max_final_latency: The longest of these, or None.
        provider_changes: How often another provider went on.
        usage: What each provider was given, in the order in which they were first tried.
        choice: The providers that were considered, in the order in which they are asked, each with its reason.
    """

    accepted: float = 0.0
    sent: float = 0.0
    replayed: float = 0.0
    processed: float = 0.0
    confirmed: float = 0.0
    attempts: int = 0
    reconnects: int = 0
    dropped: int = 0
    gaps: tuple[Gap, ...] = ()
    first_word_latency: float | None = None
    final_latency: float | None = None
    max_final_latency: float | None = None
    provider_changes: int = 0
    usage: tuple[Usage, ...] = ()
    choice: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlushResult:
    """What became of a flush.

    Attributes:
        confirmed: Whether the provider confirmed that everything before it is final.
        at: Position of the flush, in seconds.
        reason: Why it was not confirmed: ``timeout``, ``unsupported`` or ``ended``; None if it was.
    """

    confirmed: bool
    at: float
    reason: str | None = None


StreamEvent: TypeAlias = (
    StreamingResult | SpeechStarted | UtteranceEnded | Reconnecting | Reconnected | ProviderChanged | Progress | Closed
)
