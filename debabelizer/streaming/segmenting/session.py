"""`Session`: a stream through the segmenter, as long as one connection lasts.

Two coroutines share the work. The listener takes audio and cuts it into utterances; it does not wait for the
decoder, unless too much waits for it already. The speaker decodes, one utterance at a time and what matters most
first, and says the results in order.

What makes it quick: a pause is decoded when it is noticed, and not when it has lasted long enough to end the
utterance. As an utterance ends a fixed padding behind its speech, this is the very audio that becomes final if
the speaker does not go on, and its text is there in time. If the speaker does go on, it was an interim.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.pcm import decode
from debabelizer.audio.utterances import (
    CutterEvent,
    Decoded,
    IncrementalDecoder,
    SpeechOnset,
    UtteranceAudio,
    UtteranceCutter,
    UtteranceDecoder,
)
from debabelizer.audio.vad import SAMPLE_RATE
from debabelizer.streaming.clock import Signal
from debabelizer.streaming.connection import End, Flush, Link
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Finished,
    Flushed,
    Hypothesis,
    Notice,
    Processed,
    SpeechStart,
    UtteranceEnd,
)
from debabelizer.streaming.segmenting.backlog import Backlog
from debabelizer.streaming.segmenting.preview import Plan, Preview
from debabelizer.streaming.segmenting.take import Take
from debabelizer.streaming.tasks import spawn, stop

__all__ = ["WIRE", "Session"]

WIRE: Final = AudioFormat("pcm_s16le", SAMPLE_RATE, 1)
"""The audio that the segmenter takes."""

_SLOWEST: Final = 4.0  # seconds of work on a second of audio that are still slow, and not hung


class Session:
    """A stream through the segmenter.

    Args:
        link: What the supervisor lends.
        decoder: Turns utterances into text.
        cutter: Finds them; fresh.
        preview: When to decode before an utterance is over.
        endpointing: Whether to say where utterances end.
    """

    def __init__(
        self,
        link: Link,
        decoder: UtteranceDecoder,
        cutter: UtteranceCutter,
        *,
        preview: Preview,
        endpointing: bool,
    ) -> None:
        self._link = link
        self._decoder = decoder
        self._cutter = cutter
        self._preview = preview
        self._endpointing = endpointing
        self._backlog = Backlog()
        self._changed = Signal(link.clock)  # there may be something to decode, or room for more
        self._heard = 0  # samples taken
        self._settled = 0  # position before which nothing can change any more
        self._shown = ""  # the interim that stands
        self._partial = ""  # what the decoder has understood so far of what it is decoding
        self._latest: Take | None = None
        self._listener: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Carry the stream to its end."""
        self._listener = spawn(self._listen(), name="debabelizer listener", on_end=self._changed.notify)
        try:
            await self._speak()
        finally:
            await stop(self._listener, self._link.clock, self._link.policy.close_timeout)

    # --- the listener ---

    async def _listen(self) -> None:
        """Take audio, cut it, and queue what is to become final."""
        while True:
            match await self._link.take():
                case bytes() as audio:
                    samples = decode(audio, WIRE).reshape(-1)
                    self._heard += len(samples)
                    # A piece is 0.2 s long at most and takes the detector 1 ms: not worth a thread.
                    await self._note(self._cutter.feed(samples))
                case Flush() as flush:
                    # What has hardly begun is left alone: cut off, it would be too short to count as speech.
                    await self._note(self._cutter.finish() if self._cutter.open is not None else (), flush)
                case End() as end:
                    await self._note(self._cutter.finish(), end)
                    return
            while self._backlog.is_full:
                await self._changed.wait()
            # Work that is there already does not suspend us, and others share the loop.
            await self._changed.wait(self._link.clock.time())

    async def _note(self, cut: Iterable[CutterEvent], *marks: Flush | End) -> None:
        """Queue what the cutter decided, and say how far it has listened."""
        onsets: list[ConnectionEvent] = []
        for event in cut:
            if isinstance(event, UtteranceAudio):
                self._backlog.put(event)
            else:
                onsets.append(self._begin(event))
        for mark in marks:
            self._backlog.put(mark)
        self._changed.notify()
        await self._link.emit(*onsets, Processed(_seconds(self._heard)), *self._settle())

    def _begin(self, onset: SpeechOnset) -> SpeechStart:
        self._preview.begin(self._link.clock.time(), self._heard)
        return SpeechStart(_seconds(onset.at))

    def _settle(self) -> tuple[Processed, ...]:
        """Say how far everything is final: what was said, and silence."""
        waiting = self._backlog.start
        settled = self._cutter.decided if waiting is None else waiting
        if settled <= self._settled:
            return ()
        self._settled = settled
        return (Processed(_seconds(settled), final=True),)

    # --- the speaker ---

    async def _speak(self) -> None:
        """Decode what matters most, and say it, until all is said."""
        while True:
            match self._backlog.head:
                case UtteranceAudio() as utterance:
                    await self._finalize(utterance)
                case Flush():
                    self._backlog.pop()
                    self._changed.notify()
                    await self._link.emit(*self._settle(), Flushed())
                case End():
                    await self._link.emit(*self._settle(), Finished(_seconds(self._heard)))
                    return
                case None:
                    await self._look_ahead()

    async def _finalize(self, utterance: UtteranceAudio) -> None:
        """Say what an utterance came to."""
        take = self._latest
        if take is None or not take.is_of(utterance):
            take = await self._decode(Plan(utterance, utterance, self._link.clock.time()))
        if take is None:
            return
        events: list[ConnectionEvent] = []
        ends = self._endpointing and not utterance.cut
        if take.decoded.text:
            events.append(_hypothesis(utterance, take.decoded, final=True, ends_utterance=ends))
        elif ends:
            events.append(UtteranceEnd(_seconds(utterance.speech_end)))
        events += self._withdraw()
        if self._backlog.is_slow(utterance, take.work):
            events.append(Notice("The engine is slower than speech: results come late."))
        self._backlog.pop()
        self._changed.notify()
        await self._link.emit(*events, *self._settle())

    async def _look_ahead(self) -> None:
        """Show what was said of an utterance that is not over, if it is time; else wait for something to happen."""
        plan = self._preview.plan()
        if plan is None or plan.when > self._link.clock.time():
            await self._wait(None if plan is None else plan.when)
            return
        take = await self._decode(plan)
        if take is None:
            return
        self._preview.done(plan, take)
        decoded = plan.whole(take.decoded)
        if self._backlog.head is not None:
            return  # it is final already
        if not decoded.text:
            await self._link.emit(*self._withdraw())
        elif decoded.text != self._shown:
            self._shown = decoded.text
            await self._link.emit(_hypothesis(plan.utterance, decoded, final=False))

    async def _decode(self, plan: Plan) -> Take | None:
        """Decode; None if it was given up for something that matters more."""
        clock, policy, audio = self._link.clock, self._link.policy, plan.audio
        begun = clock.time()
        self._partial = ""
        task = spawn(self._understand(audio.samples), name="debabelizer decoder", on_end=self._changed.notify)
        try:
            with self._link.working(policy.stall_timeout + _SLOWEST * _seconds(len(audio.samples))):
                while not task.done():
                    if self._is_overtaken(audio):
                        return None
                    if not await self._show_partial(plan):  # else more may have happened meanwhile
                        await self._wait()
        finally:
            if not task.done():
                await stop(task, clock, policy.close_timeout)
        self._latest = Take(audio.start, audio.end, task.result(), begun, clock.time())
        return self._latest

    async def _understand(self, samples: NDArray[np.float32]) -> Decoded:
        if self._preview.wanted and isinstance(self._decoder, IncrementalDecoder):
            return await self._decoder.decode_incrementally(samples, self._hear)
        return await self._decoder.decode(samples)

    def _hear(self, partial: str) -> None:
        self._partial = partial
        self._changed.notify()

    async def _show_partial(self, plan: Plan) -> bool:
        """Show what the decoder has understood so far, if that is more than what stands; whether it was."""
        text = plan.whole(Decoded(self._partial)).text if self._partial else ""
        if len(text) <= len(self._shown):
            return False
        self._shown = text
        await self._link.emit(_hypothesis(plan.utterance, Decoded(text), final=False))
        return True

    def _is_overtaken(self, audio: UtteranceAudio) -> bool:
        """Whether there is better to do than decoding `audio`."""
        head = self._backlog.head
        if head is None:
            plan = self._preview.plan()
            if plan is None or not plan.may_be_all or plan.when > self._link.clock.time():
                return False
            head = plan.audio
        return not isinstance(head, UtteranceAudio) or (head.start, head.end) != (audio.start, audio.end)

    async def _wait(self, until: float | None = None) -> None:
        """Wait for something to happen; a failure of the listener is raised."""
        await self._changed.wait(until)
        if self._listener is not None and self._listener.done():
            self._listener.result()

    def _withdraw(self) -> tuple[Hypothesis, ...]:
        """Take the interim off the user's screen."""
        if not self._shown:
            return ()
        self._shown = ""
        return (Hypothesis(text="", final=False),)


def _hypothesis(
    utterance: UtteranceAudio, decoded: Decoded, *, final: bool, ends_utterance: bool = False
) -> Hypothesis:
    """What is to be said of an utterance. Without times of words, the times are those of the speech."""
    words = tuple(
        replace(word, start=utterance.place(word.start), end=utterance.place(word.end)) for word in decoded.words
    )
    timed = bool(words) and words[0].start is not None and words[-1].end is not None
    return Hypothesis(
        text=decoded.text,
        final=final,
        words=words,
        start=None if timed else _seconds(utterance.speech_start),
        end=None if timed else _seconds(utterance.speech_end),
        language=decoded.language,
        confidence=decoded.confidence,
        ends_utterance=ends_utterance,
    )


def _seconds(position: int) -> float:
    return position / SAMPLE_RATE
