"""`Attempt`: the supervisor's side of one connection. It feeds audio, takes events, and knows every deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from debabelizer.audio.convert import Converter
from debabelizer.audio.format import AudioFormat
from debabelizer.errors import (
    ConnectionLostError,
    ConnectTimeout,
    DeadlineError,
    DrainTimeout,
    ProgressTimeout,
    ProtocolError,
    ReadyTimeout,
    SendTimeout,
)
from debabelizer.streaming.clock import Clock, Signal
from debabelizer.streaming.connection import End, Feed, Flush
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Hypothesis, Processed
from debabelizer.streaming.flushes import Flushes, FlushMark
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.outbox import Outbox
from debabelizer.streaming.policy import StreamPolicy

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

    def doubts(self) -> bool:
        """Whether the end that the provider claims is no proof, for what it said before."""

    def ready(self) -> None:
        """The running attempt asks for audio for the first time."""

    def handle(self, event: ConnectionEvent) -> None:
        """Take one event of the running attempt."""


class Attempt:
    """One attempt, as lent to a `Connection` (it is the `Link`). Ends with it; knows nothing of retries.

    Args:
        host: What survives the attempt.
        start: Stream position of this connection's zero.
        wire: Format of the audio on this connection.
        speed: Fastest sending as a multiple of real time, or None.
        provider: Name, for errors.
    """

    def __init__(self, host: Host, *, start: int, wire: AudioFormat, speed: float | None, provider: str) -> None:
        self.clock = host.clock
        self.policy = host.policy
        self.start = start
        self.sent = start
        self.processed = start
        self.finished = False
        self._retired = False
        self._host = host
        self._journal = host.journal
        self._patience = min(_UNHEARD, host.journal.audio_format.seconds(host.journal.capacity) / 2)
        self._converter = Converter(host.journal.audio_format, wire)
        self._speed = speed
        self._provider = provider
        self._flushes_sent: list[FlushMark] = []
        self._ending = False  # audio is over; what the converter held back is still to go
        now = self.clock.time()
        self.begun = self.well_until = now
        self._opened: float | None = None
        self._ready: float | None = None  # first asked for audio
        self._handed: float | None = None  # gave out work that was not finished yet
        self._ended: float | None = None  # gave out `End`
        self._progress = now
        self._paused = 0  # how many tasks of the connection wait for the user
        self._working: tuple[float, float] | None = None  # until when an engine may be at work, and for how long

    # --- the connection's side (Link) ---

    def opened(self) -> None:
        """See `Link`."""
        self._opened = self.clock.time()

    async def take(self, timeout: float | None = None) -> Feed | None:
        """See `Link`."""
        self._check_current()
        now = self.clock.time()
        self._handed = None
        if self._ready is None:
            self._ready = self._progress = now
            if self._opened is None:
                self._opened = now
            self._host.ready()
        deadline = None if timeout is None else now + timeout
        while True:
            work, retry_at = self._next_work()
            if work is not None:
                self._handed = self.clock.time()
                if isinstance(work, End):
                    self._ended = self._handed
                return work
            self._host.moved.notify()  # a user who waits for room may be the only one who can go on
            until = min((when for when in (deadline, retry_at) if when is not None), default=None)
            notified = await self._host.work.wait(until)
            self._check_current()
            if not notified and until == deadline:
                return None

    async def emit(self, *events: ConnectionEvent) -> None:
        """See `Link`."""
        self._check_current()
        for event in events:
            if self.finished:
                raise ProtocolError(f"{type(event).__name__} came after the end.", provider=self._provider)
            if isinstance(event, Finished):
                self._finish(event.through)
            elif isinstance(event, Processed):
                self._note_processed(event.through)
            elif isinstance(event, Hypothesis):
                end = event.end if event.end is not None or not event.words else event.words[-1].end
                if event.final or end is None:
                    self._progress = self.clock.time()
                if end is not None:  # to guess anew at the same audio is no progress
                    self._note_processed(end)
            self._host.handle(event)
        outbox = self._host.outbox
        if outbox.full:
            self._paused += 1
            try:
                while outbox.full:
                    await outbox.drained.wait()
            finally:
                self._paused -= 1
                self._excuse()  # whatever the peer did not do meanwhile was our doing

    @contextmanager
    def working(self, seconds: float) -> Iterator[None]:
        """See `Link`."""
        self._working = (self.clock.time() + seconds, seconds)
        try:
            yield
        finally:
            self._working = None
            self._excuse()

    # --- the supervisor's side ---

    @property
    def ending(self) -> bool:
        """Whether the end of audio was handed out."""
        return self._ended is not None

    @property
    def caught_up(self) -> bool:
        """Whether the provider was sent everything there is, and has heard it."""
        return self.sent == self._journal.accepted and self._unheard <= self._patience

    def retire(self) -> None:
        """The attempt is given up, or done. A connection that lives on for a while has no say any more."""
        self._retired = True
        self.well_until = self.clock.time() if self.caught_up else self._progress

    def position(self, connection_seconds: float) -> int:
        """Stream position of a time on this connection's clock, never behind what was sent."""
        journal = self._journal
        frames = journal.audio_format.frames(connection_seconds)
        return min(max(self.start + frames, self.start), self.sent)

    def flushed(self) -> FlushMark | None:
        """The oldest flush that this connection was given and did not answer."""
        return self._flushes_sent.pop(0) if self._flushes_sent else None

    def deadline(self) -> tuple[float, Callable[[], DeadlineError]] | None:
        """The earliest clock time at which this attempt is to be given up if nothing changes, and why then."""
        if self._paused or self.finished:
            return None
        policy, name = self.policy, self._provider
        if self._working is not None:
            until, allowed = self._working
            return until, lambda: ProgressTimeout(
                f"The engine did not come back within {allowed:g} s.", seconds=allowed, provider=name
            )
        if self._opened is None:
            wait = policy.connect_timeout
            return self.begun + wait, lambda: ConnectTimeout(
                f"The connection was not made within {wait:g} s.", seconds=wait, provider=name
            )
        if self._ready is None:
            wait = policy.ready_timeout
            return self._opened + wait, lambda: ReadyTimeout(
                f"The connection opened, but the provider was not ready within {wait:g} s.", seconds=wait, provider=name
            )
        candidates: list[tuple[float, Callable[[], DeadlineError]]] = []
        if self._ended is not None:
            drain = policy.drain_timeout
            candidates.append(
                (
                    max(self._ended, self._progress) + drain,
                    lambda: DrainTimeout(
                        f"The end of audio was not confirmed within {drain:g} s.", seconds=drain, provider=name
                    ),
                )
            )
        elif self._handed is not None:
            send = policy.send_timeout
            candidates.append(
                (
                    self._handed + send,
                    lambda: SendTimeout(f"The provider took no audio for {send:g} s.", seconds=send, provider=name),
                )
            )
        unheard = self._unheard
        if unheard > self._patience:
            stall = policy.stall_timeout
            candidates.append(
                (
                    self._progress + stall,
                    lambda: ProgressTimeout(
                        f"{unheard:.1f} s of audio were sent and nothing of it was processed for {stall:g} s.",
                        seconds=stall,
                        provider=name,
                    ),
                )
            )
        return min(candidates, key=lambda candidate: candidate[0], default=None)

    # --- inside ---

    @property
    def _unheard(self) -> float:
        """Seconds of audio that were sent and are not processed."""
        return self._journal.seconds(self.sent - self.processed)

    def _check_current(self) -> None:
        if self._retired:
            raise ConnectionLostError("This connection was given up before.", provider=self._provider)

    def _excuse(self) -> None:
        """Start every wait anew: there was a good reason for what did not happen meanwhile."""
        self._progress = now = self.clock.time()
        self._handed = None if self._handed is None else now
        self._ended = None if self._ended is None else now

    def _next_work(self) -> tuple[Feed | None, float | None]:
        """The next piece of work; or None and the clock time at which pacing allows more."""
        nothing_new = self._journal.confirmed == self._journal.accepted and self.sent == self.start
        while self._ended is None and not nothing_new:
            if self._ending:
                return End(), None
            mark = self._next_flush()
            if mark is not None and mark.position <= self.sent:
                self._flushes_sent.append(mark)
                return Flush(mark.trailing_silence), None
            limit = self._journal.accepted if mark is None else mark.position
            if limit == self.sent:
                if mark is not None or not self._journal.ended:
                    return None, None
                self._ending = True
                return self._converter.finish() or End(), None
            frames, retry_at = self._allowed(limit - self.sent)
            if frames == 0:
                return None, retry_at
            audio = self._converter.feed(self._journal.read(self.sent, frames))
            if self._unheard <= self._patience:
                # What may stay unheard for ever is no reason for alarm, however long ago it was sent.
                self._progress = max(self._progress, self.clock.time() - self._patience)
            self.sent += frames
            if audio:  # a resampler may hold back a first piece
                return audio, None
        return None, None

    def _next_flush(self) -> FlushMark | None:
        if not self._host.flushes.open:
            return None
        sent = self._flushes_sent
        return next((mark for mark in self._host.flushes.open if not mark.confirmed and mark not in sent), None)

    def _allowed(self, frames: int) -> tuple[int, float | None]:
        """How many of `frames` may be sent now; if none, when one piece more may."""
        audio_format = self._journal.audio_format
        frames = min(frames, audio_format.frames(_CHUNK))
        if self._speed is None or self._ready is None:
            return frames, None
        rate = audio_format.sample_rate * self._speed
        ahead = self.sent - self.start - rate * (self.clock.time() - self._ready)
        spare = int(audio_format.sample_rate * _BURST - ahead)
        if spare >= frames:
            return frames, None
        return 0, self.clock.time() + (frames - spare) / rate

    def _note_processed(self, through: float) -> None:
        position = self.position(through)
        if position > self.processed:
            self.processed = position
            self._progress = self.clock.time()

    def _finish(self, through: float | None) -> None:
        if self._ended is None:
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
        if self._host.doubts():
            raise ProtocolError("The provider finished without making its last words final.", provider=self._provider)
        self.finished = True
