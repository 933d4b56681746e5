"""`Supervisor`: the one owner of a stream. It holds all that survives a failure, and it alone decides the outcome.

Why one owner. A stream used to be a reader task, a writer task and a keepalive task around a socket, and each
could end without the others noticing: that is how iterators just stop. Here a single task, the owner, runs one
attempt after another and judges how each one ended. There are only three ways out of it, and each writes the
outcome, once, into a slot: everything was proven processed, the user closed the stream, or it failed for good.
Readers learn of the end from that slot and never from a queue that might be full or a task that might be dead.

How an attempt ends is judged by what the provider has proven, not by how its task ended: a connection that
raises, that returns early, or that is cancelled by somebody else has failed, all alike. So has one that
outlives a deadline (`Attempt.deadline`): the owner sleeps until the earliest one and looks.

After a failure the next attempt replays the journal from the confirmed position: behind the last final word,
in front of everything that is not final. Roll-over before a vendor's session limit is the same path, taken
without a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import random as uniform

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import (
    CloseTimeout,
    StreamClosedError,
    StreamError,
)
from debabelizer.results import (
    Closed,
    FlushResult,
    Gap,
    Reconnected,
    Reconnecting,
    StreamEvent,
    StreamStats,
    Transcript,
)
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.clock import Clock, LoopClock, Signal
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Flushed
from debabelizer.streaming.flushes import Flushes, FlushMark
from debabelizer.streaming.history import History
from debabelizer.streaming.intake import Intake, Source
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.outbox import Outbox
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.record import Record
from debabelizer.streaming.retry import RetryBudget
from debabelizer.streaming.tasks import spawn, stop
from debabelizer.streaming.verdict import cause_of

__all__ = ["Outcome", "Supervisor"]

_ROLL_OVER = 0.98  # of the vendor's longest session


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a stream ended. `error` is None if it is complete, or was `closed` by the user."""

    error: Exception | None = None
    closed: bool = False


class Supervisor:
    """Owns a stream from its first connection to its outcome.

    Args:
        leg: The provider.
        audio_format: Format of the audio that the user gives.
        policy: Deadlines, bounds and the retry budget.
        source: Where audio is pulled from; None if the user pushes it.
        interim: Whether the user wants interims.
        clock, random: Injectable; by default the event loop's clock, and uniform random numbers.
    """

    def __init__(
        self,
        leg: Leg,
        *,
        audio_format: AudioFormat,
        policy: StreamPolicy,
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
        self._leg = leg
        self._history = History()
        self._budget = RetryBudget(policy, random)
        self._watch = Signal(self.clock)  # what the owner waits for
        self._owner: asyncio.Task[None] | None = None
        self._closing = False
        self._begun = self.clock.time()
        self._attempt: Attempt | None = None
        self._doubted: int | None = None  # the confirmed position when an end was last not believed

    # --- the user's side, called by the stream ---

    def start(self) -> None:
        """Start the owner. Idempotent."""
        if self._owner is None:
            self._owner = spawn(self._own(), name=f"debabelizer stream ({self._leg.provider})", on_end=self._ended)

    def cancel(self) -> None:
        """Begin to close, without waiting."""
        self._closing = True
        if self._owner is None or self._owner.get_loop().is_closed():
            self._ended()
        elif self.outcome is None:
            self._owner.cancel()

    async def close(self) -> None:
        """Abandon whatever is not done and wait until nothing is left; bounded by the close deadline."""
        self.cancel()
        await self.join()

    async def join(self) -> None:
        """Wait until nothing is left of the stream; its outcome is known already, or soon will be."""
        owner = self._owner
        if owner is not None and not owner.done() and owner.get_loop() is asyncio.get_running_loop():
            await asyncio.wait([owner])

    async def flush(self, trailing_silence: float) -> FlushResult:
        """See `TranscriptionStream.flush`."""
        position = self.journal.accepted
        at = self.journal.seconds(position)
        if position <= self.journal.confirmed:
            return FlushResult(confirmed=True, at=at)
        if not self._leg.flushes:
            return FlushResult(confirmed=False, at=at, reason="unsupported")
        mark = FlushMark(position, trailing_silence)
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
        if self._attempt is not None and self._attempt.caught_up:
            self.journal.forget(self._attempt.processed, size)
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
        billed = self.journal.seconds(self._history.sent + self._history.replayed)
        return replace(self.record.transcript, provider=self._leg.provider, audio_seconds=billed)

    @property
    def stats(self) -> StreamStats:
        """Figures as of now."""
        attempt = self._attempt
        processed = max(self.journal.confirmed, attempt.processed if attempt is not None else 0)
        return replace(
            self.record.figures(),
            sent=self.journal.seconds(self._history.sent),
            replayed=self.journal.seconds(self._history.replayed),
            processed=self.journal.seconds(processed),
            attempts=self._history.count,
            reconnects=self._history.reconnects,
        )

    # --- the attempt's side (Host) ---

    def ready(self) -> None:
        """The running attempt asks for audio for the first time."""
        history = self._history
        if history.count == 1 or self._attempt is None:
            return
        history.reconnects += 1
        start = self._attempt.start
        at, replayed = self.journal.seconds(start), self.journal.seconds(history.to_replay(start))
        gap = next((gap.end - gap.start for gap in self.record.gaps[-1:] if gap.end == at), 0.0)
        provider = self._leg.provider
        event = Reconnected(attempt=history.count, provider=provider, replayed=replayed, gap=gap, speakers_restart=True)
        self.outbox.put(event)

    def handle(self, event: ConnectionEvent) -> None:
        """Take one event of the running attempt."""
        attempt = self._attempt
        if attempt is None:
            return
        if isinstance(event, Finished):
            confirmed = self.record.confirm(attempt.sent)
            self.record.withdraw()
            self._watch.notify()
        elif isinstance(event, Flushed):
            confirmed = False
            if (mark := attempt.flushed()) is not None:
                mark.confirmed = True
        else:
            confirmed = self.record.handle(event, attempt)
        if confirmed:
            self._budget.refill(self.clock.time())
            self.flushes.confirm(self.journal.confirmed)
        self.moved.notify()

    def doubts(self) -> bool:
        """Whether the end that the provider claims is no proof: words were heard and never made final.

        It is believed when it says so of the same audio again: then the words were a guess that it took back.
        """
        if not self.record.unsettled or self._doubted == self.journal.confirmed:
            return False
        self._doubted = self.journal.confirmed
        return True

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
        except StreamError as error:
            outcome = Outcome(error=error)
        except Exception as error:  # noqa: BLE001 - the one catch: a fault of our own must not end a stream silently
            outcome = Outcome(error=error)
        finally:
            self._settle(outcome)
            if feeder is not None:
                await stop(feeder, self.clock, self.policy.close_timeout)

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
        """One attempt after another, until all audio is proven processed or hope is lost."""
        while not self._complete():
            if self._history.count:
                await self._until_needed()
            attempt = self._prepare()
            cause = await self._try(attempt)
            if cause is None:
                continue
            now = self.clock.time()
            self._history.failed(
                self._leg.provider,
                cause,
                started=attempt.begun - self._begun,
                duration=now - attempt.begun,
                confirmed=self.journal.seconds(self.journal.confirmed),
            )
            if self._complete():
                return
            delay = self._budget.spend(cause, attempt.begun, now, well=attempt.well_until)
            if delay is None:
                raise self._history.error(self._leg.provider, cause, self.stats) from cause
            provider = self._leg.provider
            self.outbox.put(Reconnecting(attempt=self._history.count, provider=provider, cause=cause, delay=delay))
            await self._sleep(delay)

    def _complete(self) -> bool:
        return self.journal.ended and self.journal.confirmed >= self.journal.accepted

    def _prepare(self) -> Attempt:
        """The next attempt, which begins at the confirmed position."""
        leg = self._leg
        start = self._replay_from()
        speed = self.policy.max_speed or leg.speed
        attempt = self._attempt = Attempt(self, start=start, wire=leg.wire, speed=speed, provider=leg.provider)
        self._history.begin(attempt)
        self.record.timeline.attach(self.journal.seconds(start), leg.provider)
        return attempt

    async def _try(self, attempt: Attempt) -> Exception | None:
        """Why an attempt failed; None if it finished, or was ended to roll over."""
        task = spawn(
            self._carry(attempt), name=f"debabelizer connection {self._history.count}", on_end=self._watch.notify
        )
        try:
            cause = await self._judge(attempt, task)
            if attempt.finished:
                await self._see_off(task)
        finally:
            attempt.retire()
            ended = await stop(task, self.clock, self.policy.close_timeout) if not task.done() else True
            self._history.end()
            self._attempt = None
            self.record.withdraw()
        if not ended and cause is not None:
            seconds = self.policy.close_timeout
            late = CloseTimeout(f"{task.get_name()} did not stop.", seconds=seconds, provider=self._leg.provider)
            late.__cause__ = cause
            return late
        return cause

    async def _carry(self, attempt: Attempt) -> None:
        connection = await self._leg.connect()
        await connection.run(attempt)

    async def _judge(self, attempt: Attempt, task: asyncio.Task[None]) -> Exception | None:
        """Wait for the end of an attempt, by itself or by a deadline, and say why it failed."""
        leg = self._leg
        retire = None if leg.max_session is None else self.clock.time() + leg.max_session * _ROLL_OVER
        while not task.done() and not attempt.finished:
            if self._complete() and attempt.sent == attempt.start:
                return None  # nothing was sent, so there is nothing for the provider to confirm
            now = self.clock.time()
            expiry = attempt.deadline()
            if expiry is not None and expiry[0] <= now:
                return expiry[1]()
            if retire is not None and retire <= now:
                if not attempt.ending:
                    return None
                retire = None
            # Deadlines follow from what happened last, so looking once in the shortest of them misses none, and
            # nobody has to wake the owner for every piece of audio.
            policy = self.policy
            look = now + min(policy.ready_timeout, policy.send_timeout, policy.stall_timeout, policy.drain_timeout)
            whens = (look, expiry[0] if expiry is not None else look, retire if retire is not None else look)
            await self._watch.wait(max(min(whens), now))
        if attempt.finished:
            if self._complete() and self.intake.error is None:
                self._settle(Outcome())  # the user need not wait while the connection is closed
            return None
        return cause_of(task, leg.provider)

    async def _see_off(self, task: asyncio.Task[None]) -> None:
        """Give a connection that finished the time to close properly."""
        deadline = self.clock.time() + self.policy.close_timeout
        while not task.done() and await self._watch.wait(deadline):
            pass

    def _replay_from(self) -> int:
        """Where the next connection begins; audio that had to be given up before is reported as a gap."""
        journal = self.journal
        if journal.oldest > journal.confirmed:
            self.record.gaps.append(Gap(start=journal.seconds(journal.confirmed), end=journal.seconds(journal.oldest)))
            journal.confirm(journal.oldest)
        return journal.confirmed

    async def _until_needed(self) -> None:
        """A connection without audio to send would only time out: wait for some, or for the end."""
        while self.journal.accepted == self.journal.confirmed and not self.journal.ended:
            await self.work.wait()

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
                self.outbox.observer(Closed(outcome.error))
        for signal in (self.outbox.changed, self.outbox.drained, self.moved, self.work):
            signal.notify()
