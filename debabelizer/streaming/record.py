"""`Record`: what was said on a stream so far, and how it reaches the user."""

from __future__ import annotations

from collections import Counter

from debabelizer.results import (
    Gap,
    Progress,
    Segment,
    SpeechStarted,
    StreamingResult,
    StreamStats,
    Transcript,
    UtteranceEnded,
    Word,
    join,
)
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.clock import Clock
from debabelizer.streaming.dialect import ConnectionEvent, Hypothesis, Notice, Processed, SpeechStart, UtteranceEnd
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.outbox import Outbox
from debabelizer.streaming.timeline import Timeline

__all__ = ["Record"]


class Record:
    """Takes what attempts report, keeps the laws of results, and remembers every final.

    Args:
        journal: Whose `confirmed` mark moves as words become final.
        outbox: Where results go.
        interim: Whether the user wants interims.
        clock: For latency figures.
    """

    def __init__(self, journal: AudioJournal, outbox: Outbox, *, interim: bool, clock: Clock) -> None:
        self.timeline = Timeline()
        self.gaps: list[Gap] = []
        self.warnings: list[str] = []
        self.total: float | None = None  # length of the whole input in seconds, if known
        self.journal = journal
        self._outbox = outbox
        self._interim = interim
        self._clock = clock
        self._finals: list[StreamingResult] = []
        self.unsettled = False  # whether words were heard that are neither final nor withdrawn
        self._shown = ""  # the interim the user sees now
        self._open_utterance = False
        self._begun: float | None = None
        self._first_word: float | None = None
        self._latencies: dict[str, tuple[int, float, float]] = {}  # by provider: count, sum, longest

    def handle(self, event: ConnectionEvent, attempt: Attempt) -> bool:
        """Take one event of `attempt`. Whether audio was confirmed by it."""
        if isinstance(event, Hypothesis):
            if event.final:
                return self._final(event, attempt)
            self._replace_interim(event)
        elif isinstance(event, Processed):
            return event.final and self.confirm(attempt.position(event.through))
        else:
            self._tell(event)
        return False

    def confirm(self, position: int) -> bool:
        """All words before `position` are final. Whether that is news."""
        if not self.journal.confirm(position):
            return False
        if self.total is not None:
            self._outbox.put(Progress(done=self.journal.seconds(self.journal.confirmed), total=self.total))
        return True

    def resume(self) -> int:
        """Where the next connection begins; audio that had to be given up before that is a gap."""
        journal = self.journal
        if journal.oldest > journal.confirmed:
            self.gaps.append(Gap(start=journal.seconds(journal.confirmed), end=journal.seconds(journal.oldest)))
            journal.confirm(journal.oldest)
        return journal.confirmed

    def accepted(self, now: float) -> None:
        """The user gave audio; the first of it starts the latency clock."""
        if self._begun is None:
            self._begun = now

    def is_quiet(self, attempt: Attempt) -> bool:
        """Whether the speaker pauses, as far as `attempt` has told: the best moment for another one to take over."""
        if self.unsettled:
            return False
        return not self._open_utterance or self.journal.confirmed >= attempt.processed

    def withdraw(self) -> None:
        """What is interim will not become final as it is: take it off the user's screen."""
        self.unsettled = False
        if self._shown:
            self._shown = ""
            self._outbox.put(StreamingResult(text="", is_final=False))

    @property
    def last_word(self) -> Word | None:
        """The last word that is final; of text without words its last one, which ends where the text does."""
        final = next((final for final in reversed(self._finals) if final.text), None)
        if final is None or final.words:
            return None if final is None else final.words[-1]
        return Word(final.text.split()[-1], final.start, final.end)

    @property
    def transcript(self) -> Transcript:
        """All finals so far."""
        spoken = [final for final in self._finals if final.text]
        languages = Counter(final.language for final in spoken if final.language)
        translations = [final.translation for final in self._finals if final.translation is not None]
        return Transcript(
            text=join((final.separator, final.text) for final in spoken),
            segments=tuple(_segment(final) for final in spoken),
            language=languages.most_common(1)[0][0] if languages else None,
            duration=self.journal.seconds(self.journal.accepted),
            provider=self._finals[-1].provider if self._finals else "",
            translation="".join(translations).strip() if translations else None,
            warnings=tuple(self.warnings),
        )

    def latencies(self) -> dict[str, float]:
        """Mean seconds from a word to its final, by provider; nothing for audio that comes faster than it is spoken."""
        if self.total is not None:
            return {}
        return {provider: total / count for provider, (count, total, _) in self._latencies.items()}

    def figures(self) -> StreamStats:
        """The part of the stream's figures that is known here."""
        counts, totals, longest = zip(*self._latencies.values(), strict=True) if self._latencies else ((), (), ())
        count = sum(counts)
        return StreamStats(
            accepted=self.journal.seconds(self.journal.accepted),
            confirmed=self.journal.seconds(self.journal.confirmed),
            dropped=self.timeline.dropped,
            gaps=tuple(self.gaps),
            first_word_latency=self._first_word,
            final_latency=sum(totals) / count if count else None,
            max_final_latency=max(longest, default=None),
        )

    def _tell(self, event: ConnectionEvent) -> None:
        match event:
            case SpeechStart(at=at):
                self._outbox.put(SpeechStarted(self.timeline.seconds(at)))
            case UtteranceEnd(at=at):
                self._end_utterance(None if at is None else self.timeline.seconds(at))
            case Notice(text=text):
                done = self.journal.seconds(self.journal.confirmed)
                self._outbox.put(Progress(done=done, total=self.total, note=text))
            case _:
                pass

    def _final(self, hypothesis: Hypothesis, attempt: Attempt) -> bool:
        result = self.timeline.result(hypothesis)
        if result is None:
            return False
        self._finals.append(result)
        self._outbox.put(result)
        self._note_text(result)
        self._open_utterance = not result.ends_utterance and (self._open_utterance or bool(result.text))
        if result.ends_utterance:
            self._outbox.put(UtteranceEnded(result.end))
        if result.end is None or not result.text:
            return False
        position = self.journal.position(result.end)
        arrived = self.journal.arrived(position)
        if arrived is not None:
            count, total, longest = self._latencies.get(result.provider, (0, 0.0, 0.0))
            latency = max(self._clock.time() - arrived, 0.0)
            self._latencies[result.provider] = (count + 1, total + latency, max(longest, latency))
        return self.confirm(min(position, attempt.sent))

    def _replace_interim(self, hypothesis: Hypothesis) -> None:
        self.unsettled = bool(hypothesis.text)
        shown = hypothesis.text or (hypothesis.translation or "")
        if not self._interim or (not shown and not self._shown):
            return
        result = self.timeline.result(hypothesis)
        if result is not None:
            self._shown = shown
            self._outbox.put(result)
            self._note_text(result)

    def _end_utterance(self, at: float | None) -> None:
        last = self._finals[-1] if self._finals else None
        at = at if at is not None or last is None else last.end
        if self._open_utterance and last is not None:
            # The vendor says so only now, after the last final went out: an empty final carries the news.
            self._open_utterance = False
            marker = StreamingResult(
                text="", is_final=True, start=at, end=at, separator="", ends_utterance=True, provider=last.provider
            )
            self._finals.append(marker)
            self._outbox.put(marker)
        self._outbox.put(UtteranceEnded(at))

    def _note_text(self, result: StreamingResult) -> None:
        if self._first_word is None and result.text and self._begun is not None:
            self._first_word = self._clock.time() - self._begun


def _segment(final: StreamingResult) -> Segment:
    return Segment(
        text=final.text,
        start=final.start,
        end=final.end,
        words=final.words,
        language=final.language,
        speaker=final.speaker,
        confidence=final.confidence,
        channel=final.channel,
        separator=final.separator,
    )
