"""`Stage`: which connection carries the stream now, and what becomes of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debabelizer.errors import ProtocolError
from debabelizer.streaming.attempt import Attempt
from debabelizer.streaming.clock import Signal
from debabelizer.streaming.dialect import ConnectionEvent, Finished, Flushed
from debabelizer.streaming.flushes import FlushMark
from debabelizer.streaming.history import History
from debabelizer.streaming.line import Line
from debabelizer.streaming.race import Race
from debabelizer.streaming.relief import Relief
from debabelizer.streaming.route import Route
from debabelizer.streaming.runner import Runner

if TYPE_CHECKING:
    from debabelizer.streaming.supervisor import Supervisor

__all__ = ["Stage"]


class Stage:
    """What attempts are lent of the supervisor (it is their `Host`). It listens to one of them, and decides nothing.

    Args:
        supervisor: What survives the attempts.
        history: Counts what they are sent.
        route: Learns who does well.
        relief: Waits for a pause.
        race: Hears the others.
        watch: Wakes the owner.

    Attributes:
        line: The connection that carries the stream, or None.
    """

    def __init__(
        self, supervisor: Supervisor, history: History, route: Route, relief: Relief, race: Race, watch: Signal
    ) -> None:
        self.clock = supervisor.clock
        self.policy = supervisor.policy
        self.journal = supervisor.journal
        self.outbox = supervisor.outbox
        self.work = supervisor.work
        self.moved = supervisor.moved
        self.flushes = supervisor.flushes
        self.line: Line | None = None
        self._record = supervisor.record
        self._history = history
        self._route = route
        self._relief = relief
        self._race = race
        self._watch = watch
        self._question: FlushMark | None = None  # asked because of an end that was not believed

    # --- the supervisor's side ---

    def enter(self, line: Line, runner: Runner | None) -> Exception | None:
        """Have `line` carry the stream; why it cannot, if what it said as a runner does not fit."""
        self.line = line
        if runner is None or not runner.runs:
            start = self._record.resume()
            self._record.timeline.attach(self.journal.seconds(start), line.leg.provider)
            line.attempt.begin(start)
            self._history.begin(line)
            return None
        line.seam = self._race.seam(line)
        self._record.timeline.attach(self.journal.seconds(line.attempt.start), line.leg.provider)
        self._history.begin(line)
        self.ready(line.attempt)
        try:
            for event in runner.events():
                self.handle(event, line.attempt)
        except ProtocolError as doubt:
            return doubt
        for _ in range(runner.answered):
            self.handle(Flushed(), line.attempt)
        return None

    def leave(self) -> None:
        """Nobody carries the stream any more: what is interim will not become final as it is."""
        self._history.end()
        self.line = None
        self._record.withdraw()

    # --- the attempt's side (Host) ---

    def stands_by(self) -> None:
        """An attempt asks for audio, and is not to carry the stream yet."""
        self._watch.notify()

    def ready(self, attempt: Attempt) -> None:
        """The running attempt asks for audio for the first time."""
        line = self.line
        if line is not None and line.attempt is attempt:
            for event in self._history.takes_over(line, self.journal, self._record.gaps):
                self.outbox.put(event)

    def handle(self, event: ConnectionEvent, attempt: Attempt) -> None:
        """Take one event of the running attempt; others are heard for the case that they take over."""
        line = self.line
        if line is None or line.attempt is not attempt:
            self._race.hear(event, attempt)
            return
        news = event if line.seam is None else line.seam.admit(event)
        if news is None:
            return
        confirmed = False
        if isinstance(news, Flushed):
            if (mark := attempt.flushed()) is not None:
                mark.confirmed = True
        elif isinstance(news, Finished):
            confirmed = self._record.confirm(attempt.sent)
            self._record.withdraw()
            self._watch.notify()
        else:
            confirmed = self._record.handle(news, attempt)
        if confirmed:
            self._route.progressed(line.leg, attempt.begun, self.clock.time())
            self.flushes.confirm(self.journal.confirmed)
        self.moved.notify()
        if self._relief.stands_by:
            self._watch.notify()  # the speaker may pause

    def doubts(self, attempt: Attempt) -> bool:
        """Whether the end that the provider claims is no proof: words were heard and never made final.

        That it says so again proves nothing: a service that shuts down ends every session too early. So the next
        connection is asked, by a flush before its end: the answer makes the words final, or takes them back.
        """
        if self.line is None or self.line.attempt is not attempt:
            return self._race.doubts(attempt)
        if not self._record.unsettled:
            return False
        if self._question is not None:
            self.flushes.open.remove(self._question)
        self._question = FlushMark(self.journal.accepted, 0.0)
        self.flushes.open.append(self._question)
        return True
