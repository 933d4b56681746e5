"""`Attempt`: the supervisor's side of one connection. It feeds audio and takes events."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from debabelizer.audio.convert import Converter
from debabelizer.errors import ConnectionLostError, ProtocolError
from debabelizer.streaming.clock import Clock, Signal
from debabelizer.streaming.connection import End, Feed, Flush
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Hypothesis, Processed
from debabelizer.streaming.flushes import Flushes, FlushMark
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.outbox import Outbox
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.watchdog import Expiry, Watchdog

__all__ = ["Attempt", "Host"]

_BURST = 1.0  # seconds of audio that may run ahead of the allowed speed, so that jitter never delays live audio
_CHUNK = 0.2  # seconds of backlog put into one piece at most
_UNHEARD = 1.0  # seconds of audio a provider may leave unprocessed for ever without that being a stall
_NOTHING = 0.1  # seconds that may be sent without any of it being processed by the end
_SHORTFALL = 0.5  # seconds by which the last processed position may stay behind the audio sent at the end


class Host(Protocol):
    """What an attempt needs of its supervisor: what survives it."""

    clock: Clock
    policy: StreamPolicy
    journal: AudioJournal
    outbox: Outbox
    work: Signal
    moved: Signal
    flushes: Flushes

    def doubts(self, attempt: Attempt) -> bool:
        """Whether the end that the provider claims is no proof, for what it said before."""

    def stands_by(self) -> None:
        """An attempt asks for audio, and is not to carry the stream yet."""

    def ready(self, attempt: Attempt) -> None:
        """An attempt that is to carry the stream asks for audio for the first time."""

    def handle(self, event: ConnectionEvent, attempt: Attempt) -> None:
        """Take one event of an attempt."""


class Attempt:
    """One attempt, as lent to a `Connection` (it is the `Link`). Ends with it; knows nothing of retries.

    It stands by, and its connection is given nothing, until `begin` says from where on it carries the stream. That is
    how a connection can be opened early, while another one still carries the stream.

    Args:
        host: What survives the attempt.
        leg: The provider.

    Attributes:
        start: Stream position of this connection's zero.
        sent: Position behind the last audio it was given.
        processed: Position behind the last audio it has heard.
        finished: Whether it has proven that everything sent was processed.
    """

    def __init__(self, host: Host, leg: Leg) -> None:
        self.clock = host.clock
        self.policy = host.policy
        self.start = self.sent = self.processed = 0
        self.finished = False
        self._retired = False
        self._host = host
        self._journal = host.journal
        self._outbox = host.outbox
        audio_format = host.journal.audio_format
        self._rate = audio_format.sample_rate
        self._piece = audio_format.frames(_CHUNK)
        self._clear = 0  # position up to which pacing is known to allow
        self._patience = min(_UNHEARD, audio_format.seconds(host.journal.capacity) / 2)
        self._slack = self._patience * self._rate
        self._converter = Converter(audio_format, leg.wire)
        self._speed = host.policy.max_speed or leg.speed
        self._provider = leg.provider
        self._flushes_sent: list[FlushMark] = []
        self._ending = False  # audio is over; what the converter held back is still to go
        self._dog = Watchdog(host.clock, host.policy, leg.provider)
        self.well_until = self._dog.begun
        self._begun = False
        self._fed: float | None = None  # since when it was both begun and ready
        self._asked = 0.0  # when it last came back for more
        self._left: Feed | None = None  # work for which the connection must be woken
        self._converts = audio_format != leg.wire

    # --- the connection's side (Link) ---

    def opened(self) -> None:
        """See `Link`."""
        self._dog.opened = self.clock.time()

    async def take(self, timeout: float | None = None, direct: Callable[[bytes], bool] | None = None) -> Feed | None:
        """See `Link`."""
        self._check_current()
        dog = self._dog
        dog.handed = None
        self._asked = now = self.clock.time()
        if dog.asked is None:
            dog.asked = dog.progress = now
            if dog.opened is None:
                dog.opened = now
            if self._begun:
                self._feed(now)
            else:
                self._host.stands_by()
        unless = None if direct is None or self._converts else partial(self._serve, direct)
        while True:
            work, retry_at = self._next_work(self.clock.time())
            if work is not None:
                dog.handed = self.clock.time()
                if isinstance(work, End):
                    dog.ended = dog.handed
                return work
            self._host.moved.notify()  # a user who waits for room may be the only one who can go on
            deadline = None if timeout is None else self._asked + timeout
            until = deadline if retry_at is None or (deadline is not None and deadline < retry_at) else retry_at
            notified = await self._host.work.wait(until, unless)
            self._check_current()
            if not notified and timeout is not None and until == self._asked + timeout:
                return None

    def _serve(self, direct: Callable[[bytes], bool]) -> bool:
        """Hand on what there is without waking the connection; False if it must be woken for it."""
        if self._retired:
            return False
        now = self.clock.time()
        while True:
            work, retry_at = self._next_work(now)
            if work is None:
                self._host.moved.notify()
                return retry_at is None
            if not isinstance(work, bytes) or not direct(work):
                self._left = work
                return False
            self._asked = now
            if self.sent == self._journal.accepted and not self._journal.ended and not self._host.flushes.open:
                self._host.moved.notify()
                return True  # all there is, which is the rule

    def post(self, event: ConnectionEvent) -> bool:
        """See `Link`."""
        if self._retired or self.finished:
            self._check_current()
            raise ProtocolError(f"{type(event).__name__} came after the end.", provider=self._provider)
        if isinstance(event, Processed):
            self._note_processed(event.through)
            if not event.final:  # which concerns nobody else
                self._host.moved.notify()
                return not self._outbox.full
        elif isinstance(event, Hypothesis):
            end = event.end if event.end is not None or not event.words else event.words[-1].end
            if event.final or end is None:
                self._dog.progress = self.clock.time()
            if end is not None:  # to guess anew at the same audio is no progress
                self._note_processed(end)
        elif isinstance(event, Finished):
            self._finish(event.through)
        self._host.handle(event, self)
        return not self._outbox.full

    async def emit(self, *events: ConnectionEvent) -> None:
        """See `Link`."""
        self._check_current()
        for event in events:
            self.post(event)
        outbox = self._outbox
        if outbox.full:
            with self._dog.paused():
                while outbox.full:
                    await outbox.drained.wait()

    def working(self, seconds: float) -> AbstractContextManager[None]:
        """See `Link`."""
        return self._dog.working(seconds)

    # --- the supervisor's side ---

    @property
    def is_ready(self) -> bool:
        """Whether the connection asks for audio."""
        return self._dog.asked is not None

    @property
    def begun(self) -> float:
        """Clock time at which the connection was begun."""
        return self._dog.begun

    @property
    def ending(self) -> bool:
        """Whether the end of audio was handed out."""
        return self._dog.ended is not None

    @property
    def caught_up(self) -> bool:
        """Whether the provider was sent everything there is, and has heard it."""
        return self.sent == self._journal.accepted and self._unheard <= self._patience

    def begin(self, start: int) -> None:
        """Carry the stream from this position on."""
        self.start = self.sent = self.processed = self._clear = start
        self._begun = True
        self._dog.progress = now = self.clock.time()
        if self.is_ready:
            self._feed(now)
            self._host.work.notify()

    def retire(self) -> None:
        """The attempt is given up, or done. A connection that lives on for a while has no say any more."""
        self._retired = True
        self.well_until = self.clock.time() if self.caught_up else self._dog.progress

    def position(self, connection_seconds: float) -> int:
        """Stream position of a time on this connection's clock, never behind what was sent."""
        return min(max(self.start + self.frames(connection_seconds), self.start), self.sent)

    def frames(self, seconds: float) -> int:
        """Seconds as frames of the stream."""
        return int(seconds * self._rate + 1e-6)

    def flushed(self) -> FlushMark | None:
        """The oldest flush that this connection was given and did not answer."""
        return self._flushes_sent.pop(0) if self._flushes_sent else None

    def expiry(self) -> Expiry | None:
        """The earliest clock time at which this attempt is to be given up if nothing changes, and why then."""
        return None if self.finished else self._dog.expiry(self._unheard, self._patience)

    # --- inside ---

    @property
    def _unheard(self) -> float:
        """Seconds of audio that were sent and are not processed."""
        return self._journal.seconds(self.sent - self.processed)

    def _check_current(self) -> None:
        if self._retired:
            raise ConnectionLostError("This connection was given up before.", provider=self._provider)

    def _feed(self, now: float) -> None:
        self._fed = now
        self._host.ready(self)

    def _next_work(self, now: float) -> tuple[Feed | None, float | None]:
        """The next piece of work; or None and the clock time at which pacing allows more."""
        if self._left is not None:
            work, self._left = self._left, None
            return work, None
        journal, dog, sent = self._journal, self._dog, self.sent
        if self._fed is None or dog.ended is not None or sent < journal.oldest:  # outrun: see `Race`
            return None, None
        mark = self._next_flush() if self._host.flushes.open else None
        frames = (journal.accepted if mark is None else mark.position) - sent
        if frames <= 0:
            return self._after_audio(mark), None
        frames = min(frames, self._piece)
        if sent + frames > self._clear and (retry_at := self._pace(sent + frames, now)) is not None:
            return None, retry_at
        audio = journal.read(sent, frames)
        if self._converts:
            audio = self._converter.feed(audio)
        if sent - self.processed <= self._slack and dog.progress < now - self._patience:
            # What may stay unheard for ever is no reason for alarm, however long ago it was sent.
            dog.progress = now - self._patience
        self.sent = sent + frames
        return (audio, None) if audio else self._next_work(now)  # a resampler may hold back a first piece

    def _after_audio(self, mark: FlushMark | None) -> Feed | None:
        """What is due when everything before it was sent: a flush, the end, or nothing."""
        if self.start == self.sent == self._journal.accepted:
            return None
        if self._ending:
            return End()
        if mark is not None:
            self._flushes_sent.append(mark)
            return Flush(mark.trailing_silence)
        self._ending = self._journal.ended
        return (self._converter.finish() or End()) if self._ending else None

    def _next_flush(self) -> FlushMark | None:
        sent = self._flushes_sent
        return next((mark for mark in self._host.flushes.open if not mark.confirmed and mark not in sent), None)

    def _pace(self, position: int, now: float) -> float | None:
        """When audio may be sent up to there; None if that is now."""
        if self._speed is None or self._fed is None:
            return None
        rate = self._rate * self._speed
        self._clear = self.start + int(self._rate * _BURST + rate * (now - self._fed))
        return None if position <= self._clear else now + (position - self._clear) / rate

    def _note_processed(self, through: float) -> None:
        position = min(self.start + self.frames(through), self.sent)  # what was not sent cannot be heard
        if position > self.processed:
            self.processed = position
            self._dog.progress = self.clock.time()

    def _finish(self, through: float | None) -> None:
        if self._dog.ended is None:
            raise ProtocolError("The provider finished before the end of audio.", provider=self._provider)
        # A provider that says nothing of how far it got is believed.
        heard = self.position(through) if through is not None else self.processed
        says_how_far = through is not None or heard > self.start
        unheard = self._journal.seconds(self.sent - heard)
        if says_how_far and unheard > (_SHORTFALL if heard > self.start else _NOTHING):
            raise ProtocolError(
                f"The provider finished without having processed the last {unheard:.2f} s of audio.",
                provider=self._provider,
            )
        if self._host.doubts(self):
            raise ProtocolError("The provider finished without making its last words final.", provider=self._provider)
        self.finished = True
