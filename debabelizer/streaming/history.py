"""`History`: who carried a stream, what became of the attempts, and how much audio each provider was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from debabelizer.errors import Attempt as AttemptRecord
from debabelizer.errors import DebabelizerError, StreamError
from debabelizer.results import Gap, ProviderChanged, Reconnected, StreamStats, Usage
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.line import Line

__all__ = ["History"]

_TOLD = 100  # attempts told by an error, at most


@dataclass(slots=True)
class _Account:
    """What one provider was given, in frames."""

    attempts: int = 0
    sent: int = 0
    replayed: int = 0


class History:
    """Counts attempts and frames over the life of a stream.

    Args:
        provider: The preferred one.

    Attributes:
        provider: Who carried the stream last.
        against: Why that one was given up, or None.
        count: Attempts begun.
        reconnects: Of these, the ones after the first that got as far as taking audio.
        changes: How often another provider went on.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.against: Exception | None = None
        self.count = 0
        self.reconnects = 0
        self.changes = 0
        self._accounts: dict[str, _Account] = {}
        self._running: tuple[Attempt, _Account] | None = None
        self._furthest = 0
        self._failures: deque[AttemptRecord] = deque(maxlen=_TOLD)

    def opened(self, provider: str) -> int:
        """A connection begins; its number."""
        self.count += 1
        self._accounts.setdefault(provider, _Account()).attempts += 1
        return self.count

    def begin(self, line: Line) -> None:
        """`line` carries the stream from now on."""
        self._running = line.attempt, self._accounts[line.leg.provider]

    def takes_over(
        self, line: Line, journal: AudioJournal, gaps: Sequence[Gap]
    ) -> Iterator[ProviderChanged | Reconnected]:
        """The running attempt takes audio: what to tell the user."""
        provider, start = line.leg.provider, line.attempt.start
        at = journal.seconds(start)
        if provider != self.provider:
            self.changes += 1
            yield ProviderChanged(previous=self.provider, provider=provider, at=at, cause=self.against)
        self.provider, self.against = provider, None
        if line.number > 1:
            self.reconnects += 1
            yield Reconnected(
                attempt=line.number,
                provider=provider,
                replayed=journal.seconds(max(self._furthest - start, 0)),
                gap=next((gap.end - gap.start for gap in gaps[-1:] if gap.end == at), 0.0),
                speakers_restart=True,
            )

    def end(self) -> None:
        """The running attempt is over."""
        if self._running is not None:
            attempt, account = self._running
            self._settle(attempt, account)
            self._furthest = self.sent
            self._running = None

    @property
    def sent(self) -> int:
        """The position up to which audio was sent by any attempt."""
        return self._furthest if self._running is None else max(self._furthest, self._running[0].sent)

    @property
    def replayed(self) -> int:
        """Frames that were sent again."""
        return sum(account.replayed for account in self._books().values())

    def usage(self, seconds: Callable[[int], float]) -> tuple[Usage, ...]:
        """What each provider was given, in the order in which they were first tried; `seconds` of so many frames."""
        return tuple(
            Usage(
                provider=provider,
                attempts=account.attempts,
                sent=seconds(account.sent),
                replayed=seconds(account.replayed),
            )
            for provider, account in self._books().items()
        )

    def failed(self, line: Line, cause: Exception, *, opened: float, now: float, confirmed: float) -> None:
        """An attempt failed. Clock seconds, also of when the stream was `opened`; `confirmed` in seconds of audio."""
        if line.leg.provider == self.provider:
            self.against = self.against or cause
        self._failures.append(
            AttemptRecord(
                number=line.number,
                provider=line.leg.provider,
                started=line.attempt.begun - opened,
                duration=now - line.attempt.begun,
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
        whom = "" if len(self._accounts) == 1 else f" with {_listed(list(self._accounts))}"
        return StreamError(
            f"The stream failed after {self.count} attempt{'s' * (self.count > 1)}{whom}: {what}",
            provider=provider,
            attempts=tuple(self._failures),
            accepted=stats.accepted,
            sent=stats.sent,
            confirmed=stats.confirmed,
            hint=f"{hint} {kept}" if hint else kept,
        )

    def _books(self) -> dict[str, _Account]:
        """The accounts as of now."""
        if self._running is None:
            return self._accounts
        attempt, running = self._running
        now = _Account(running.attempts, running.sent, running.replayed)
        self._settle(attempt, now)
        return {provider: now if each is running else each for provider, each in self._accounts.items()}

    def _settle(self, attempt: Attempt, account: _Account) -> None:
        """Add to an account what an attempt has sent."""
        new = max(attempt.sent - max(self._furthest, attempt.start), 0)
        account.sent += new
        account.replayed += attempt.sent - attempt.start - new


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
