"""`Runner`: a connection in a race that does not lead, and what it has said behind the confirmed position."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from debabelizer.errors import ProtocolError
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Finished,
    Flushed,
    Hypothesis,
    Notice,
    Processed,
    SpeechStart,
)
from debabelizer.streaming.line import Line
from debabelizer.streaming.seam import TOLERANCE, Seam

__all__ = ["Runner"]


class Runner:
    """A connection that does not lead: what it has said behind the confirmed position.

    Args:
        line: The connection.

    Attributes:
        runs: Whether it was given audio.
        said: What it said, oldest first, each with when; one final before the confirmed position is among it.
        guess: What is interim.
        answered: How many flushes it has answered: the oldest of those that it was given.
    """

    def __init__(self, line: Line, *, runs: bool = False) -> None:
        self.line = line
        self.runs = runs
        self.said: deque[tuple[float, ConnectionEvent]] = deque()
        self.guess: Hypothesis | None = None
        self.answered = 0

    def hear(self, event: ConnectionEvent, now: float) -> None:
        """Keep what may be needed."""
        match event:
            case Hypothesis(final=False):
                self.guess = event
            case Flushed():
                self.answered += 1
            case Processed(final=False) | SpeechStart() | Notice():
                pass
            case Hypothesis() | Finished():
                self.guess = None
                self.said.append((now, event))
            case _:  # in a long silence the latest will do
                while self.said and type(self.said[-1][1]) is type(event):
                    self.said.pop()
                self.said.append((now, event))

    def forget(self, confirmed: int) -> None:
        """Forget what was said before the confirmed position, but for one final, whose end is compared there."""
        attempt = self.line.attempt
        old = [
            index
            for index, (_, event) in enumerate(self.said)
            if isinstance(event, Hypothesis) and event.text and _through(event, attempt) <= confirmed
        ]
        for _ in range(old[-1] if old else 0):
            self.said.popleft()

    def ahead_since(self, confirmed: int) -> float | None:
        """Since when it has words final that lie behind the confirmed position, or has finished."""
        attempt = self.line.attempt
        slack = attempt.frames(TOLERANCE)
        for when, event in self.said:
            if isinstance(event, Finished) or (
                isinstance(event, Hypothesis) and event.text and _through(event, attempt) > confirmed + slack
            ):
                return when
        return None

    def fits(self, seam: Seam) -> bool:
        """Whether it can go on there with what it has said."""
        try:
            for _, event in self.said:
                seam.admit(event)
        except ProtocolError:
            return False
        return seam.closed

    def events(self) -> Iterator[ConnectionEvent]:
        """What it has to say now that it leads."""
        yield from (event for _, event in self.said)
        if self.guess is not None:
            yield self.guess


def _through(final: Hypothesis, attempt: Attempt) -> int:
    """Stream position of the end of a final."""
    end = final.end if final.end is not None or not final.words else final.words[-1].end
    return attempt.sent if end is None else attempt.position(end)
