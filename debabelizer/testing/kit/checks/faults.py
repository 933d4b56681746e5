"""Every fault in every phase: the connection is broken, and the stream goes on without losing or repeating a word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from debabelizer.errors import ServiceUnavailableError
from debabelizer.testing.coded import plan_words
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import SuiteBase, wait_for
from debabelizer.testing.kit.checks.streams import alive, streams
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.play import Performance, Scene, Stage
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.tape import Moment, Tape
from debabelizer.testing.proxy import FaultProxy

__all__ = ["FAULTS", "PHASES", "FaultChecks", "fault_parameters"]

_SESSION: Final = 4.8  # seconds: this, and a little less, is within a word of the plan
_AS_SPOKEN: Final = {"max_speed": 1.0}
_SPEECH: Final = plan_words(36, length=0.09, gap=0.01, phrase=9, pause=0.2)  # 4 s without much pause

FAULTS: Final[dict[str, Callable[[FaultProxy], object]]] = {
    "cut": lambda proxy: proxy.cut(),
    "reset": lambda proxy: proxy.reset(),
    "half-open": lambda proxy: proxy.vanish(),
    "stall": lambda proxy: proxy.stall(),
    "slow": lambda proxy: proxy.slow(30_000),
    "garble": lambda proxy: proxy.garble(20, "down"),  # what goes up is audio: nobody could tell
}
"""What happens to the connection. It happens once; the next one is whole."""

PHASES: Final[dict[str, tuple[Moment, float]]] = {
    "connecting": ("begun", 0.0),
    "connected": ("opened", 0.0),
    "first audio": ("audio", 0.0),
    "mid-speech": ("audio", 2.13),
    "the end": ("end", 0.0),
}
"""When it happens: the moment, and seconds of audio that the connection took before it."""

# As short as forty times real time allows; the defaults are ten seconds and the like.
_SHORT: Final = {
    "max_speed": 40.0,
    "connect_timeout": 0.25,
    "ready_timeout": 0.25,
    "send_timeout": 0.25,
    "stall_timeout": 0.25,
    "drain_timeout": 0.25,
    "close_timeout": 0.2,
    "backoff_base": 0.005,
    "backoff_max": 0.1,
    "give_up_after": 5.0,
    "max_attempts": 8,
}


def networked(suite: type[SuiteBase]) -> bool:
    """Whether there is a network between the provider's streams and what they talk to."""
    return streams(suite) and getattr(suite.simulator, "address", ...) is not None


class FaultChecks(SuiteBase):
    """Over real sockets, through the fault proxy."""

    @concerns(networked)
    def test_fault(self, fault: str, phase: str) -> None:
        """Whatever happens to the connection, at any time, no word is lost or repeated."""
        wait_for(self.sound_show(), laws.times_are_true)
        policy = {"max_attempts": 8, "give_up_after": 60.0} if self.virtual else _SHORT
        scene = Scene(words=_SPEECH, wishes=self.wishes(), proxied="streams", policy=policy)
        performance = self.play(scene, time="hasty", watch=_striking(FAULTS[fault], *PHASES[phase]))
        self._is_exact(performance, f"{fault} ({phase})")

    @concerns(streams)
    def test_fault_within(self, phase: str) -> None:
        """A connection that fails by itself, at any time, is replaced without losing or repeating a word."""
        wait_for(self.sound_show(), laws.times_are_true)
        moment, seconds = PHASES[phase]

        def fail(_: Stage, now: Moment, tape: Tape) -> None:
            if tape.number == 1 and now == moment and tape.sent >= seconds:
                raise ServiceUnavailableError("A fault, on purpose.")

        performance = self.play(Scene(words=_SPEECH, wishes=self.wishes()), watch=fail)
        self._is_exact(performance, f"a failure ({phase})")

    @concerns(alive)
    def test_rollover(self) -> None:
        """A connection that is given up for a new one before a vendor's time limit costs no word, and never fails."""
        wait_for(self.sound_show(), laws.times_are_true, laws.finals_do_not_wait)
        short = replace(self.spec, capabilities=replace(self.spec.capabilities, max_session=_SESSION))
        scene = Scene(wishes=self.wishes(), spec=short, max_session=_SESSION, policy=_AS_SPOKEN)
        performance = self.play(scene)
        self._is_exact(performance, f"a new connection every {_SESSION:g} s")
        if failed := [tape for tape in performance.tapes if tape.failed]:
            raise PromiseBrokenError(
                f"when a vendor ends sessions after {_SESSION:g} s, and the spec says so, a new connection comes first",
                f"it ended with {laws.why(cast('BaseException', failed[0].outcome))}",
                where=failed[0].where(),
                look="max_session",
            )

    @concerns(alive)
    def test_session_end(self) -> None:
        """A session that the vendor ends by its own rule is followed by another, and no word is lost or repeated."""
        wait_for(self.sound_show(), laws.times_are_true, laws.finals_do_not_wait)
        endless = replace(self.spec, capabilities=replace(self.spec.capabilities, max_session=None))
        scene = Scene(wishes=self.wishes(), spec=endless, max_session=_SESSION, policy=_AS_SPOKEN)
        performance = self.play(scene)
        self._is_exact(performance, f"the end of a session after {_SESSION:g} s")
        if len(performance.tapes) < 2:
            raise PromiseBrokenError(
                f"the simulator ends a session after {_SESSION:g} s when its `max_session` says so",
                f"{performance.tapes[0].sent:.1f} s of audio went over one connection",
                look="what-stands-in",
            )

    def _is_exact(self, performance: Performance, what: str) -> None:
        """Whether replay was as exact as the spec claims."""
        report, resume = performance.report, self.spec.capabilities.resume
        repeats = resume == "none"  # without times nobody can tell what was said before
        exact = not (report.lost or report.damaged or report.unknown or report.out_of_order)
        if performance.error is None and exact and (repeats or report.perfect):
            laws.times_are_true(performance)
            return
        failed = "" if performance.error is None else f"; and the stream failed: {laws.why(performance.error)}"
        raise PromiseBrokenError(
            f"the spec claims resume={resume!r}: after {what} the stream goes on, and "
            + ("no word is lost" if repeats else "no word is lost or repeated"),
            f"{report}{failed}",
            where="; ".join(
                f"{tape.where()} it ended: {laws.why(tape.outcome)}"
                for tape in performance.tapes
                if isinstance(tape.outcome, BaseException)
            ),
            hint="times are those of the connection, which starts at zero; a new connection knows nothing of the old "
            "one; and nothing after a final position may have been said",
            look="faults",
        )


def fault_parameters() -> dict[str, list[Any]]:
    """What the tests of this module are run with."""
    return {"fault": list(FAULTS), "phase": list(PHASES)}


def _striking(strike: Callable[[FaultProxy], object], moment: Moment, seconds: float) -> Any:
    """Lets a fault happen on the first connection."""
    struck: list[int] = []

    def watch(stage: Stage, now: Moment, tape: Tape) -> None:
        if struck or now != moment or tape.sent < seconds:
            return
        struck.append(tape.number)
        hit = partial(strike, cast("FaultProxy", stage.proxy))
        if moment == "begun":
            stage.tasks.append(asyncio.create_task(when_connected(cast("FaultProxy", stage.proxy), hit)))
        else:
            hit()

    return watch


async def when_connected(proxy: FaultProxy, hit: Callable[[], object]) -> None:
    """The proxy does not say when somebody connects; it is within a few steps of the loop."""
    while not proxy.open:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)
    hit()
