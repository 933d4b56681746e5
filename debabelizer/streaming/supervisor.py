"""`Supervisor`: the one owner of a stream. It holds all that survives a failure, and it alone decides the outcome.

Why one owner. A stream used to be a reader task, a writer task and a keepalive task around a socket, and each
could end without the others noticing: that is how iterators just stop. Here a single task, the owner, runs one
attempt after another and judges how each one ended. There are only three ways out of it, and each writes the
outcome, once, into a slot: everything was proven processed, the user closed the stream, or it failed for good.
Readers learn of the end from that slot and never from a queue that might be full or a task that might be dead.

How an attempt ends is judged by what the provider has proven, not by how its task ended: a connection that
raises, that returns early, or that is cancelled by somebody else has failed, all alike. So has one that
outlives a deadline (`Attempt.expiry`): the owner sleeps until the earliest one and looks.

After a failure the next attempt replays the journal from the confirmed position: behind the last final word,
in front of everything that is not final. With which provider, the `Route` says: nothing else is different when it
is another one. Roll-over before a vendor's session limit and the return to a preferred provider are the same
path too, taken without a failure by a connection that stands by already (`Relief`). In a race, others hear the same
audio at the same time, and go on without a replay (`Race`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from random import random as uniform

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import CloseTimeout, SessionExpiredError, StreamClosedError
from debabelizer.results import (
    Choice,
    Closed,
    FlushResult,
    Reconnecting,
    StreamEvent,
    StreamStats,
    Transcript,
)
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.clock import Clock, LoopClock, Signal
from debabelizer.streaming.flushes import Flushes, FlushMark
from debabelizer.streaming.health import Health
from debabelizer.streaming.history import History
from debabelizer.streaming.intake import Intake, Source
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.line import Line
from debabelizer.streaming.outbox import Outbox
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.race import Race
from debabelizer.streaming.record import Record
from debabelizer.streaming.relief import Relief, renews_at
from debabelizer.streaming.route import Route, Step
from debabelizer.streaming.runner import Runner
from debabelizer.streaming.stage import Stage
from debabelizer.streaming.tasks import Parting, spawn, stop

__all__ = ["Outcome", "Supervisor"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a stream ended. `error` is None if it is complete, or was `closed` by the user."""

    error: Exception | None = None
    closed: bool = False


class Supervisor:
    """Owns a stream from its first connection to its outcome.

    Args:
        legs: The providers, in order of preference; at least one.
        audio_format: Format of the audio that the user gives.
        policy: Deadlines, bounds and the retry budget.
        health: What other streams know of the providers; by default nothing.
        race: How many of them, from the first on, hear the audio side by side.
        choice: Why they are in this order, for the figures.
        source: Where audio is pulled from; None if the user pushes it.
        interim: Whether the user wants interims.
        clock, random: Injectable; by default the event loop's clock, and uniform random numbers.
    """

    def __init__(
        self,
        *legs: Leg,
        audio_format: AudioFormat,
        policy: StreamPolicy,
        health: Health | None = None,
        race: int = 1,
        choice: tuple[Choice, ...] = (),
        source: Source | None = None,
        interim: bool = True,
        clock: Clock | None = None,
        random: Callable[[], float] = uniform,
    ) -> None:
        self.clock = clock or LoopClock()
        self.policy = policy
        self.journal = AudioJournal(audio_format, seconds=policy.replay, size=policy.replay_bytes)
        self.outbox = Outbox(policy.results, self.clock)
        self.work = Signal(self.clock)  # there may be something to send, or the end
        self.outcome: Outcome | None = None
        self.record = Record(self.journal, self.outbox, interim=interim, clock=self.clock)
        self.intake = Intake(self, source)
        self.was_read = False
        self.on_end: Callable[[], object] | None = None  # called when nothing is left of the stream
        self.moved = Signal(self.clock)  # audio was confirmed or worked through, a flush answered, or all is over
        self.flushes = Flushes(self.moved, self.clock)
        self._history = History(legs[0].provider)
        self._choice = choice
        self._watch = Signal(self.clock)  # what the owner waits for
        self._route = Route(legs, policy, health or Health(), random, race=race)
        self._parting = Parting()
        self._relief = Relief(self._route, self.journal, self._open, self._note_failure, self._parting)
        self._race = Race(
            legs[:race],
            self._route,
            self.record,
            self._watch,
            open_line=self._open,
            begun=self._history.follows,
            lost=self._note_loss,
            parting=self._parting,
        )
        self._stage = Stage(self, self._history, self._route, self._relief, self._race, self._watch)
        self._owner: asyncio.Task[None] | None = None
        self._closing = False
        self._begun = self.clock.time()
        self._leaving: asyncio.Task[CloseTimeout | None] | None = None  # closes what carried the stream last

    # --- the user's side, called by the stream ---

    def start(self) -> None:
        """Start the owner. Idempotent."""
        if self._owner is None:
            self._owner = spawn(self._own(), name=f"debabelizer stream ({self._history.provider})", on_end=self._ended)

    def cancel(self) -> None:
        """Begin to close, without waiting."""
        self._closing = True
        if self._owner is None or self._owner.get_loop().is_closed():
            self._ended()
        else:
            self._owner.cancel()

    async def close(self) -> None:
        """Abandon whatever is not done and wait until nothing is left; bounded by the close deadline."""
        self.cancel()
        await self.join()

    async def join(self) -> None:
        """Wait until nothing is left of the stream; its outcome is known already, or soon will be."""
        owner = self._owner
        if owner is not None and owner.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([owner])  # also if it is done: who is to be told of that may not have been yet

    async def flush(self, trailing_silence: float) -> FlushResult:
        """See `TranscriptionStream.flush`."""
        position = self.journal.accepted
        at = self.journal.seconds(position)
        if position <= self.journal.confirmed:
            return FlushResult(confirmed=True, at=at)
        line = self._stage.line
        leg = self._route.preferred if line is None else line.leg
        if not leg.flushes:
            return FlushResult(confirmed=False, at=at, reason="unsupported")
        mark = FlushMark(position, trailing_silence)
        self.flushes.open.append(mark)  # before anybody is told: who is looks for it within the call
        self.work.notify()
        return await self.flushes.wait(mark, at, self.policy.flush_timeout, lambda: self.outcome is not None)

    def end(self) -> None:
        """No more audio."""
        self.journal.ended = True
        self.work.notify()
        self._watch.notify()

    def room_for(self, size: int) -> bool:
        """Whether `size` bytes of audio can be accepted now.

        To make room, audio that was heard but is not confirmed is given up, yet only if waiting cannot help: a
        provider that has heard everything and confirms nothing is waiting for more audio itself.
        """
        self.journal.release(size)
        line = self._stage.line
        if line is not None and line.attempt.caught_up:
            self.journal.forget(line.attempt.processed, size)
        return self.journal.room >= size

    async def next_event(self) -> StreamEvent | None:
        """The next event for the user, or None when there is an outcome and nothing before it."""
        self.was_read = True
        while True:
            event = self.outbox.take()
            if event is not None or self.outcome is not None:
                return event
            await self.outbox.changed.wait()

    @property
    def transcript(self) -> Transcript:
        """What is final so far."""
        billed = self.journal.seconds(self._history.billed)
        transcript = self.record.transcript
        return replace(transcript, provider=transcript.provider or self._history.provider, audio_seconds=billed)

    @property
    def stats(self) -> StreamStats:
        """Figures as of now."""
        history, seconds = self._history, self.journal.seconds
        line = self._stage.line
        processed = self.journal.confirmed if line is None else max(self.journal.confirmed, line.attempt.processed)
        return replace(
            self.record.figures(),
            sent=seconds(history.sent),
            replayed=seconds(history.replayed),
            processed=seconds(processed),
            attempts=history.count,
            reconnects=history.reconnects,
            provider_changes=history.changes,
            usage=history.usage(seconds),
            choice=self._choice,
        )

    # --- the owner ---

    async def _own(self) -> None:
        """The life of the stream. Writes the outcome, whatever happens."""
        outcome = self._stopped()
        feeder = self.intake.start(self._watch.notify)
        try:
            await self._run()
            outcome = Outcome(error=self.intake.error)
        except asyncio.CancelledError:
            # Nobody awaits the owner for its result: the cancellation ends here, as an outcome.
            outcome = self._stopped()
        except Exception as error:  # noqa: BLE001 - the one catch: no fault, not even our own, ends a stream silently
            outcome = Outcome(error=error)
        finally:
            self._settle(outcome)
            if feeder is not None:
                closing = stop(feeder, self.clock, self.policy.close_timeout)
                self._parting.begin(closing, name="debabelizer closing the source")
            self._relief.end()
            self._race.end()
            await self._parting.end()

    def _stopped(self) -> Outcome:
        """The outcome of a stream whose owner was cancelled."""
        if self._closing:
            return Outcome(closed=True)
        return Outcome(error=StreamClosedError("The stream was stopped from outside: its event loop is shutting down."))

    def _ended(self) -> None:
        """The owner is gone. Cancelled before its first step, it did not even get to write the outcome."""
        self._settle(self._stopped())
        if self.on_end is not None:
            self.on_end()

    async def _run(self) -> None:
        """One connection after another, until all audio is proven processed or hope is lost."""
        leg = self._route.first(self.clock.time())
        self._history.against = self._route.cause(self._route.preferred)
        while not self._complete():
            runner = self._race.take(leg)
            line = runner.line if runner else self._relief.take(leg) or await self._next(leg)
            cause = await self._carry(line, runner)
            if cause is not None:
                may_wait = not self._race.succeeds(self.clock.time())
                if may_wait and (late := await self._part()) is not None:
                    late.__cause__, cause = cause, late
                self._note_failure(line, cause)
            leg = line.leg if cause is None or self._complete() else await self._recover(line, cause)

    def _complete(self) -> bool:
        return self.journal.ended and self.journal.confirmed >= self.journal.accepted

    def _open(self, leg: Leg) -> Line:
        """Open a connection, which stands by."""
        return Line(leg, Attempt(self._stage, leg), self._history.opened(leg), self._watch)

    async def _carry(self, line: Line, runner: Runner | None) -> Exception | None:
        """Let `line` carry the stream, from the confirmed position on; why it failed, or None if it did not.

        It did not if it finished, or is to be relieved, or was overtaken by another one; then it races on.
        """
        follows = False
        try:
            cause = self._stage.enter(line, runner) or await self._judge(line)
            follows = cause is None and self._race.keeps(line)
            if line.attempt.finished:
                await line.see_off()
        finally:
            self._stage.leave()
            if follows:
                self._race.join(line)
            else:
                self._leaving = line.part(self._parting)
        return cause

    async def _part(self) -> CloseTimeout | None:
        """Wait until the connection that carried the stream last is closed; an error if that took too long."""
        closing, self._leaving = self._leaving, None
        if closing is None:
            return None
        await asyncio.wait([closing])
        return closing.result()

    async def _judge(self, line: Line) -> Exception | None:
        """Wait for the end of an attempt: by itself, by a deadline, or because it is relieved; why it failed."""
        attempt = line.attempt
        while not attempt.finished:
            if self._complete() and attempt.sent == attempt.start:
                return None  # nothing was sent, so there is nothing for the provider to confirm
            now = self.clock.time()
            if (cause := line.failure(now)) is not None:
                return cause
            if self._relief.is_due(line, now, is_quiet=self.record.is_quiet(attempt)):
                return self._fruitless(line, now)
            self._race.tend(line, now)
            if self._race.is_overtaken(now):
                return None
            # Deadlines follow from what happened last, so looking once in the shortest of them misses none, and
            # nobody has to wake the owner for every piece of audio.
            policy = self.policy
            look = now + min(policy.ready_timeout, policy.send_timeout, policy.stall_timeout, policy.drain_timeout)
            expiry = attempt.expiry()
            when = min(
                look, inf if expiry is None else expiry.when, self._relief.wakes(line), self._race.wakes(line, now)
            )
            await self._watch.wait(max(when, now))
        if self._complete() and self.intake.error is None:
            self._settle(Outcome())  # the user need not wait while the connection is closed
        return None

    def _fruitless(self, line: Line, now: float) -> Exception | None:
        """Why a session that comes to its end has failed: the next one would hear the same audio for as long, for ever.

        None if it got the stream further: something is final, or nobody spoke and there was more of that.
        """
        attempt = line.attempt
        silent = not self.record.unsettled and attempt.sent > self._history.furthest
        line.is_barren = now >= renews_at(line) and self.journal.confirmed <= attempt.start and not silent
        if not line.is_barren:
            return None
        what = "The session came to its end before anything that it was sent was final."
        return SessionExpiredError(what, provider=line.leg.provider)

    def _note_failure(self, line: Line, cause: Exception) -> None:
        """An attempt failed: told by the error that the stream may end with."""
        confirmed = self.journal.seconds(self.journal.confirmed)
        self._history.failed(line, cause, opened=self._begun, now=self.clock.time(), confirmed=confirmed)

    def _note_loss(self, line: Line, cause: Exception | None) -> None:
        """A connection is out of the race."""
        self._history.leaves(line)
        if cause is not None:
            self._note_failure(line, cause)

    async def _recover(self, line: Line, cause: Exception) -> Leg:
        """Wait until the next attempt is due, and say with whom; raises when hope is lost."""
        attempt, now = line.attempt, self.clock.time()
        # A barren session is neither well nor a time of trouble: somebody may have begun to speak at its very end.
        begun, well = (now, None) if line.is_barren else (attempt.begun, attempt.well_until)
        step = self._route.failed(line.leg, cause, begun, now, well=well)
        if self._race.has_heir:
            step = Step(line.leg)
        if step is None:
            raise self._history.error(line.leg.provider, cause, self.stats) from cause
        if step.leg is not line.leg:
            self._relief.drop(line.leg)
        delay = 0.0 if self._relief.is_ready else step.delay
        self.outbox.put(Reconnecting(attempt=line.number, provider=line.leg.provider, cause=cause, delay=delay))
        await self._sleep(delay)
        return step.leg

    async def _next(self, leg: Leg) -> Line:
        """A new connection, as soon as there is audio for it: one without would only time out.

        The very first is opened at once, so that it is there in time.
        """
        await self._part()
        while self._history.count and self.journal.accepted == self.journal.confirmed and not self.journal.ended:
            await self.work.wait()
        return self._open(leg)

    async def _sleep(self, delay: float) -> None:
        until = self.clock.time() + delay
        while self.clock.time() < until and not self._complete():
            await self._watch.wait(until)

    def _settle(self, outcome: Outcome) -> None:
        """Write the outcome, once, and wake everybody."""
        if self.outcome is None:
            self.outcome = outcome
            if outcome.closed:
                self.outbox.clear()
            if self.outbox.observer is not None:
                self.outbox.observer(Closed(outcome.error, self.stats))
        for signal in (self.outbox.changed, self.outbox.drained, self.moved, self.work):
            signal.notify()
