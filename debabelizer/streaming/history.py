"""`History`: who carried a stream, what became of the attempts, and how much audio each provider was sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from debabelizer.errors import Attempt as AttemptRecord
from debabelizer.errors import DebabelizerError, StreamError
from debabelizer.results import Gap, ProviderChanged, Reconnected, StreamStats, Usage
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.line import Line

__all__ = ["History"]

_TOLD = 100  # attempts told by an error, at most


@dataclass(slots=True)
class _Account:
    """What one provider was given, in frames."""

    price: float | None
    attempts: int = 0
    sent: int = 0
    replayed: int = 0
    raced: int = 0


@dataclass(frozen=True, slots=True)
class _Stint:
    """An attempt that leads, or follows in a race, since it was sent the audio up to a position."""

    attempt: Attempt
    provider: str
    since: int


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
        furthest: The position up to which audio was sent by attempts that are over.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.against: Exception | None = None
        self.count = 0
        self.reconnects = 0
        self.changes = 0
        self._accounts: dict[str, _Account] = {}
        self._leads: _Stint | None = None
        self._follow: dict[Attempt, _Stint] = {}
        self.furthest = 0
        self._failures: deque[AttemptRecord] = deque(maxlen=_TOLD)

    def opened(self, leg: Leg) -> int:
        """A connection begins; its number."""
        self.count += 1
        self._accounts.setdefault(leg.provider, _Account(leg.price_per_hour)).attempts += 1
        return self.count

    def begin(self, line: Line) -> None:
        """`line` carries the stream from now on."""
        self.leaves(line)
        self._leads = _Stint(line.attempt, line.leg.provider, line.attempt.sent)

    def follows(self, line: Line) -> None:
        """`line` is sent audio beside the one that carries the stream."""
        self._follow[line.attempt] = _Stint(line.attempt, line.leg.provider, line.attempt.sent)

    def leaves(self, line: Line) -> None:
        """`line` does so no longer."""
        if (stint := self._follow.pop(line.attempt, None)) is not None:
            self._raced(stint, self._accounts)

    def takes_over(
        self, line: Line, journal: AudioJournal, gaps: Sequence[Gap]
    ) -> Iterator[ProviderChanged | Reconnected]:
        """The running attempt takes audio: what to tell the user.

        One that has raced and takes over without a failure is no new connection to the user.
        """
        provider, raced = line.leg.provider, line.seam is not None
        start = journal.confirmed if raced else line.attempt.start
        at = journal.seconds(start)
        anew = line.number > 1 and not (raced and self.against is None)
        if provider != self.provider:
            self.changes += 1
            yield ProviderChanged(previous=self.provider, provider=provider, at=at, cause=self.against)
        self.provider, self.against = provider, None
        if anew:
            self.reconnects += 1
            yield Reconnected(
                attempt=line.number,
                provider=provider,
                replayed=0.0 if raced else journal.seconds(max(self.furthest - start, 0)),
                gap=next((gap.end - gap.start for gap in gaps[-1:] if gap.end == at), 0.0),
                speakers_restart=True,
            )

    def end(self) -> None:
        """The running attempt is over, or no longer leads."""
        if self._leads is not None:
            self._led(self._leads, self._accounts)
            self.furthest = self.sent
            self._leads = None

    @property
    def sent(self) -> int:
        """The position up to which audio was sent by any attempt."""
        return self.furthest if self._leads is None else max(self.furthest, self._leads.attempt.sent)

    @property
    def billed(self) -> int:
        """Frames that were sent to anybody, however often."""
        return sum(account.sent + account.replayed + account.raced for account in self._books().values())

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
                raced=seconds(account.raced),
                price_per_hour=account.price,
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
        books = {provider: replace(account) for provider, account in self._accounts.items()}
        if self._leads is not None:
            self._led(self._leads, books)
        for stint in self._follow.values():
            self._raced(stint, books)
        return books

    def _led(self, stint: _Stint, books: dict[str, _Account]) -> None:
        """Add to the accounts what an attempt has sent while it led."""
        account, sent = books[stint.provider], stint.attempt.sent
        new = max(sent - max(self.furthest, stint.since), 0)
        account.sent += new
        account.replayed += sent - stint.since - new

    def _raced(self, stint: _Stint, books: dict[str, _Account]) -> None:
        books[stint.provider].raced += stint.attempt.sent - stint.since


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
