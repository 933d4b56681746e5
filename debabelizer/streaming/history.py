"""`History`: what became of the attempts of a stream, and how much audio they were sent."""

from __future__ import annotations

from collections import deque

from debabelizer.errors import Attempt as AttemptRecord
from debabelizer.errors import DebabelizerError, StreamError
from debabelizer.results import StreamStats
from debabelizer.streaming.attempt import Attempt

__all__ = ["History"]

_TOLD = 100  # attempts told by an error, at most


class History:
    """Counts attempts and frames over the life of a stream.

    Attributes:
        count: Attempts begun.
        reconnects: Of these, the ones after the first that got as far as asking for audio.
    """

    def __init__(self) -> None:
        self.count = 0
        self.reconnects = 0
        self._running: Attempt | None = None
        self._furthest = 0
        self._replayed = 0
        self._failures: deque[AttemptRecord] = deque(maxlen=_TOLD)

    def begin(self, attempt: Attempt) -> None:
        """An attempt begins."""
        self.count += 1
        self._running = attempt

    def end(self) -> None:
        """The running attempt is over."""
        self._furthest, self._replayed, self._running = self.sent, self.replayed, None

    @property
    def sent(self) -> int:
        """The position up to which audio was sent by any attempt."""
        return self._furthest if self._running is None else max(self._furthest, self._running.sent)

    @property
    def replayed(self) -> int:
        """Frames that were sent again."""
        if self._running is None:
            return self._replayed
        return self._replayed + max(min(self._running.sent, self._furthest) - self._running.start, 0)

    def to_replay(self, start: int) -> int:
        """Frames that an attempt from `start` has to send again."""
        return max(self._furthest - start, 0)

    def failed(self, provider: str, cause: Exception, *, started: float, duration: float, confirmed: float) -> None:
        """The latest attempt failed. Times in seconds since the stream was opened."""
        self._failures.append(
            AttemptRecord(
                number=self.count,
                provider=provider,
                started=started,
                duration=duration,
                confirmed=confirmed,
                cause=cause,
            )
        )

    def error(self, provider: str, cause: Exception, stats: StreamStats) -> StreamError:
        """The error of a stream that `cause` ended for good."""
        what, hint = f"{type(cause).__name__}: {cause}", None
        if isinstance(cause, DebabelizerError):
            what, hint = cause.message, cause.hint
        kept = f"The transcript up to {stats.confirmed:.2f} s stays readable in stream.transcript."
        return StreamError(
            f"The stream failed after {self.count} attempt{'s' * (self.count > 1)}: {what}",
            provider=provider,
            attempts=tuple(self._failures),
            accepted=stats.accepted,
            sent=stats.sent,
            confirmed=stats.confirmed,
            hint=f"{hint} {kept}" if hint else kept,
        )
