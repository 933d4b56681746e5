"""`Relief`: the connection that is to take over, opened while another one still carries the stream.

A stream moves without a failure for one of two reasons: the vendor's session limit is near, or a provider that is
preferred may be well again. Either way the next connection opens early and stands by, so that nobody waits for a
handshake, and takes over where the speaker pauses, so that little is sent again and nothing is taken off the
screen. If no pause comes in time it takes over all the same: to begin at the confirmed position is always right.

One that fails while it stands by has cost nothing. Its provider's circuit opens, and the next one is opened with
whoever the route names then.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from debabelizer.streaming.journal import AudioJournal
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.line import Line
from debabelizer.streaming.route import Route
from debabelizer.streaming.tasks import Parting

__all__ = ["Relief", "last_moment", "renews_at"]

_LIMIT = 0.98  # of the vendor's longest session: the last moment
_EARLY = 20.0  # seconds before that moment at which the next connection opens, and for which it stands by at most
_SHARE = 0.1  # of the session that these seconds may be


class Relief:
    """Opens the next connection, watches over it, and says when it is to take over.

    Args:
        route: Says with whom.
        journal: The audio: without any, nobody is needed.
        open_line: Opens a connection that stands by.
        lost: Told of one that failed before it took over.
        parting: Closes those that are not needed.
    """

    def __init__(
        self,
        route: Route,
        journal: AudioJournal,
        open_line: Callable[[Leg], Line],
        lost: Callable[[Line, Exception], None],
        parting: Parting,
    ) -> None:
        self._route = route
        self._journal = journal
        self._open = open_line
        self._lost = lost
        self._parting = parting
        self._line: Line | None = None
        self._seen = 0  # audio accepted when it was last asked
        self._until = inf  # when the one that stands by takes over without a pause

    @property
    def stands_by(self) -> bool:
        """Whether a connection is open, or opening."""
        return self._line is not None

    @property
    def is_ready(self) -> bool:
        """Whether one waits to take over."""
        return self._line is not None and self._line.attempt.is_ready

    def is_due(self, line: Line, now: float, *, is_quiet: bool) -> bool:
        """Whether `line` is to be relieved now, even if nobody is there to take over.

        Args:
            line: The connection that carries the stream.
            now: Clock seconds.
            is_quiet: Whether the speaker pauses.
        """
        if line.attempt.ending:
            return False  # soon over
        waiting = self._line
        if waiting is not None:
            if (cause := waiting.failure(now)) is not None:
                self.end()
                self._route.lost(waiting.leg, cause, now)
                self._lost(waiting, cause)
            elif waiting.attempt.is_ready and (is_quiet or now >= self._until):
                return True
        elif self._audio_comes():
            self._open_if_due(line, now)
        return now >= last_moment(line)

    def wakes(self, line: Line) -> float:
        """When to ask again, at the latest, unless a connection ends or speaks before."""
        times = [last_moment(line)]
        if self._line is None:
            times += [renews_at(line), self._route.better_at(line.leg)]
        else:
            expiry = self._line.attempt.expiry()
            times += [self._until, inf if expiry is None else expiry.when]
        now = line.attempt.clock.time()
        return min((time for time in times if time > now), default=inf)

    def take(self, leg: Leg) -> Line | None:
        """The connection that stands by, to carry the stream: if it is ready, or else with `leg`."""
        line = self._line
        if line is None or not (self.is_ready or line.leg is leg):
            return None
        self._line = None
        return line

    def drop(self, leg: Leg) -> None:
        """Have nobody of `leg` take over: it was given up."""
        if self._line is not None and self._line.leg is leg:
            self.end()

    def end(self) -> None:
        """Begin to close the connection that stands by, if there is one."""
        line, self._line = self._line, None
        if line is not None:
            line.part(self._parting)

    def _audio_comes(self) -> bool:
        """Whether there is audio to send, or was since the last time that somebody asked."""
        seen, self._seen = self._seen, self._journal.accepted
        return self._journal.accepted > min(seen, self._journal.confirmed)

    def _open_if_due(self, line: Line, now: float) -> None:
        if now >= renews_at(line):
            leg = self._route.renewal(line.leg, now)
        else:
            leg = None if self._journal.ended else self._route.better(line.leg, now)
        if leg is not None:
            self._line = self._open(leg)
            self._until = now + _lead(line)


def last_moment(line: Line) -> float:
    """When the vendor is about to end the session."""
    longest = line.leg.max_session
    return inf if longest is None else line.attempt.begun + longest * _LIMIT


def renews_at(line: Line) -> float:
    """When the next connection is opened, to take over before that moment."""
    return last_moment(line) - _lead(line)


def _lead(line: Line) -> float:
    longest = line.leg.max_session
    return _EARLY if longest is None else min(_EARLY, longest * _SHARE)
