"""`Race`: connections with other providers that hear the same audio, ready to go on at any word.

The first providers in the order run side by side over one journal, each with its own connection, its own format on
the wire and its own pace. One of them leads: the user is given its words, and only its own. What the others say is
kept as far as it lies behind the confirmed position. The rules, all of them:

* The lead goes over when the leader fails, or when another one has had words final for a second that the leader
  has not. So no word waits more than a second longer than the quickest needs, and the lead does not flutter.
* Whoever takes over goes on at the confirmed position without hearing anything again, if there is no doubt where
  that lies in its own words (`Seam`). If there is, a lead that nobody lost is left as it is, and a failed leader is
  followed by a new connection with a provider that is well, which is sent the audio from there on.
* One that cannot keep up with the leader for as long as the journal reaches is out of the race for a while. Audio
  is kept for it only as long as there is room, so it slows down nobody.
* One that fails while it follows costs nothing but trust, and joins again when its circuit lets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.clock import Signal
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Hypothesis
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.line import Line
from debabelizer.streaming.record import Record
from debabelizer.streaming.relief import last_moment
from debabelizer.streaming.route import Route
from debabelizer.streaming.runner import Runner
from debabelizer.streaming.seam import Seam
from debabelizer.streaming.tasks import Parting

__all__ = ["Race"]

_AHEAD: Final = 1.0  # seconds for which another one has to be ahead before it leads


class Race:
    """Opens, feeds and follows the connections that do not lead, and says which one is to take over.

    Args:
        legs: Who races, in order of preference; fewer than two are no race.
        route: Says who may be asked.
        record: What was said to the user.
        watch: Notified when somebody may be ahead.
        open_line: Opens a connection that stands by.
        begun: Told of one that is given audio.
        lost: Told of one that is out, and why.
        parting: Closes those that are out.
    """

    def __init__(
        self,
        legs: Sequence[Leg],
        route: Route,
        record: Record,
        watch: Signal,
        *,
        open_line: Callable[[Leg], Line],
        begun: Callable[[Line], None],
        lost: Callable[[Line, Exception | None], None],
        parting: Parting,
    ) -> None:
        self._legs = tuple(legs) if len(legs) > 1 else ()
        self._route = route
        self._record = record
        self._journal = record.journal
        self._watch = watch
        self._open = open_line
        self._begun = begun
        self._lost = lost
        self._parting = parting
        self._runners: dict[Attempt, Runner] = {}
        self._heir: Runner | None = None
        self._seen = 0  # audio accepted when it was last asked
        self._rests: dict[Leg, float] = {}  # until when one that could not keep up is left out
        self._journal.needed = self._needed

    @property
    def has_heir(self) -> bool:
        """Whether somebody is to take over."""
        return self._heir is not None

    def keeps(self, leader: Line) -> bool:
        """Whether a leader that is to hand over runs on: it is of those that race."""
        return self.has_heir and leader.leg in self._legs

    def hear(self, event: ConnectionEvent, attempt: Attempt) -> None:
        """One that does not lead said something."""
        runner = self._runners.get(attempt)
        if runner is None:
            return
        now = attempt.clock.time()
        runner.hear(event, now)
        runner.forget(self._journal.confirmed)
        if isinstance(event, Finished) or (isinstance(event, Hypothesis) and event.final):
            self._route.trust(runner.line.leg, attempt.begun, now)
            self._watch.notify()

    def doubts(self, attempt: Attempt) -> bool:
        """Whether one that claims to be finished left words interim."""
        runner = self._runners.get(attempt)
        return runner is not None and runner.guess is not None and bool(runner.guess.text)

    def tend(self, leader: Line, now: float) -> None:
        """Drop who is out, give audio to who is ready, and ask who may join, while `leader` leads."""
        for runner in list(self._runners.values()):
            line = runner.line
            if (cause := line.failure(now)) is not None:
                self._route.lost(line.leg, cause, now)
                self._drop(runner, cause)
            elif line.leg is leader.leg or now >= last_moment(line):  # the next one is opened below
                self._drop(runner)
            elif runner.runs and (
                line.attempt.sent < self._journal.oldest or len(runner.said) > line.attempt.policy.results
            ):
                self._rests[line.leg] = now + line.attempt.policy.cool_down
                self._drop(runner)
            elif line.attempt.is_ready and not runner.runs:
                runner.runs = True
                line.attempt.begin(max(self._journal.confirmed, self._journal.oldest))
                self._begun(line)
        if leader.leg not in self._legs or leader.attempt.ending:
            return
        due = [leg for leg in self._absent(leader) if now >= self._joins_at(leg)]
        for leg in due if due and self._audio_comes() else ():
            if self._route.joins(leg, now):
                line = self._open(leg)
                self._runners[line.attempt] = Runner(line)

    def wakes(self, leader: Line, now: float) -> float:
        """When to tend to the race again, unless somebody says something before."""
        times = [self._joins_at(leg) for leg in self._absent(leader)]
        for runner in self._runners.values():
            since, expiry = runner.ahead_since(self._journal.confirmed), runner.line.attempt.expiry()
            times += [inf if since is None else since + _AHEAD, inf if expiry is None else expiry.when]
            times.append(last_moment(runner.line))
        return min((time for time in times if time > now), default=inf)

    def is_overtaken(self, now: float) -> bool:
        """Whether the leader is: somebody is ahead, and can go on without a doubt."""
        confirmed = self._journal.confirmed
        for runner in self._in_order():
            since = runner.ahead_since(confirmed)
            if since is not None and since + _AHEAD <= now and runner.fits(self.seam(runner.line)):
                self._heir = runner
                return True
        return False

    def succeeds(self, now: float) -> bool:
        """Whether somebody can take over from a leader that failed."""
        ready = [runner for runner in self._in_order() if runner.line.attempt.is_ready]
        well = [runner for runner in ready if runner.line.failure(now) is None]
        heard = [runner for runner in well if runner.line.attempt.sent >= self._journal.oldest]
        self._heir = next((runner for runner in heard if runner.fits(self.seam(runner.line))), next(iter(heard), None))
        return self._heir is not None

    def seam(self, line: Line) -> Seam:
        """Where `line` would take over now."""
        at, base = self._journal.seconds(self._journal.confirmed), self._journal.seconds(line.attempt.start)
        return Seam(at, self._record.last_word, base)

    def take(self, leg: Leg) -> Runner | None:
        """Who is to take over; if nobody in particular, the connection with `leg`, if there is one."""
        heir, self._heir = self._heir, None
        heir = heir or next((it for it in self._runners.values() if it.line.leg is leg and not it.runs), None)
        if heir is not None:
            heir.forget(self._journal.confirmed)
            del self._runners[heir.line.attempt]
        return heir

    def join(self, line: Line) -> None:
        """`line` was overtaken, and follows now."""
        line.seam = None
        self._runners[line.attempt] = Runner(line, runs=True)
        self._begun(line)

    def end(self) -> None:
        """Begin to close all connections."""
        for runner in list(self._runners.values()):
            self._drop(runner)

    def _drop(self, runner: Runner, cause: Exception | None = None) -> None:
        del self._runners[runner.line.attempt]
        self._lost(runner.line, cause)
        runner.line.part(self._parting)

    def _joins_at(self, leg: Leg) -> float:
        """When a leg may join."""
        return max(self._rests.get(leg, -inf), self._route.joins_at(leg))

    def _audio_comes(self) -> bool:
        """Whether there is audio to send, or was since the last time that somebody asked; or it is still to begin."""
        seen, self._seen = self._seen, self._journal.accepted
        return not self._seen or self._seen > min(seen, self._journal.confirmed)

    def _absent(self, leader: Line) -> list[Leg]:
        present = {leader.leg, *(runner.line.leg for runner in self._runners.values())}
        return [leg for leg in self._legs if leg not in present]

    def _in_order(self) -> list[Runner]:
        runners = [runner for runner in self._runners.values() if runner.runs]
        return sorted(runners, key=lambda runner: self._legs.index(runner.line.leg))

    def _needed(self) -> int:
        """The first position that somebody has still to be sent."""
        oldest, confirmed = self._journal.oldest, self._journal.confirmed
        sent = [runner.line.attempt.sent for runner in self._runners.values() if runner.runs]
        return min((position for position in sent if position >= oldest), default=confirmed)
