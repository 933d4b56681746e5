"""The life of a provider: it lets go when cancelled, leaves nothing behind, blocks nobody, and keeps the key."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any, Final

import pytest

from debabelizer.errors import AuthenticationError
from debabelizer.testing.coded import plan_words
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import HASTE, SuiteBase, wait_for
from debabelizer.testing.kit.checks.streams import streams
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.play import Performance, Scene, play
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.secrecy import CANARY, everything_logged, is_kept, told_by
from debabelizer.testing.kit.standstill import watched

__all__ = ["LifeChecks"]

_FEW: Final = plan_words(4, phrase=2, pause=0.8)
_LONG: Final = plan_words(150, phrase=6, pause=1.0)
_MOST: Final = 30.0  # seconds of audio that may wait in a connection
_GAP: Final = 0.1  # seconds that the event loop may stand still
_TRIES: Final = 6  # where the system does not tell, a machine that is busy makes gaps too, but not each time
_FEW_STEPS: Final = 8  # where somebody has to wait


class LifeChecks(SuiteBase):
    """Cancellation, leaks, the event loop, back pressure, secrets."""

    def test_it_lets_go_wherever_it_is_cancelled(self) -> None:
        """Closed at any step, the connection ends at once and lets the cancellation pass."""
        self.sound_show()
        scene = Scene(words=_FEW, wishes=self.wishes(), policy={"close_timeout": 0.5})
        whole = self.play(scene)
        steps = 1 + sum(len(tape.events) + round(tape.sent / 0.2) + 3 for tape in whole.tapes)
        few = steps if self.virtual and self.kind != "batch" else _FEW_STEPS
        for step in sorted({1 + number * steps // few for number in range(few)}):
            performance = self.play(scene, close_at=step)
            for tape in performance.tapes:
                runs_on = tape in performance.outlived
                if runs_on or (tape.outcome == "returned" and not tape.finished):
                    raise PromiseBrokenError(
                        "a connection that is cancelled lets go at once, and lets the cancellation pass",
                        f"cancelled at step {step}, `Connection.run` "
                        + ("went on" if runs_on else "returned as if nothing had happened"),
                        where=tape.where(),
                        hint="look for `except CancelledError` or a bare `except` that does not raise again, and for "
                        "an `await` in a `finally` that waits for the peer",
                        look="cancellation",
                    )

    def test_nothing_is_left_behind(self) -> None:
        """No task, thread or socket outlives a stream, complete or abandoned."""
        few = Scene(words=_FEW, wishes=self.wishes(), policy={"close_timeout": 0.5}, thorough=True)
        closed = [self.play(few, close_at=step) for step in (4, 12)]
        for how, performance in (("complete", self.show()), *(("abandoned", each) for each in closed)):
            if performance.outlived:
                pytest.skip("waits for what else is broken: it does not let go when it is cancelled")
            if performance.left or performance.complaints:
                raise PromiseBrokenError(
                    "a stream leaves no task, thread or socket behind, and the event loop has nothing to complain of",
                    f"after a stream that was {how}: {', '.join([*performance.left, *performance.complaints])}",
                    hint="what a connection starts it stops in its own `finally`; what the provider opens it closes "
                    "in `aclose`; the same for the simulator",
                    look="leaks",
                )

    def test_the_event_loop_is_never_blocked(self) -> None:
        """While a stream runs, everybody else on the event loop does, too."""
        self.sound_show()
        scene = Scene(words=_FEW, wishes=self.wishes(), policy=HASTE)

        def gap() -> Coroutine[Any, Any, float]:
            return watched(play(self.spec, type(self).simulator, self.settings, scene))

        shortest = min(_until(_GAP, (self.run(gap) for _ in range(_TRIES))))
        if shortest >= _GAP:
            raise PromiseBrokenError(
                "a provider runs on the event loop with everybody else, and never blocks it",
                f"nothing else could run for {shortest:.2f} s",
                hint="hand what computes or waits to `asyncio.to_thread`",
                look="blocking",
            )

    @concerns(lambda suite: suite.kind == "connection")
    def test_it_takes_no_more_than_it_can_hand_on(self) -> None:
        """While nobody reads the results, the connection soon takes no more audio."""
        self.sound_show()
        scene = Scene(
            words=_LONG,
            wishes=self.wishes(),
            unread=20.0 if self.virtual else 1.0,
            policy={"results": 1, "replay": 3600.0, "max_speed": 1000.0},
        )
        performance = self.play(scene)
        if performance.taken_unread > _MOST:
            raise PromiseBrokenError(
                "a connection that cannot hand its results on takes no more audio before long",
                f"it took {performance.taken_unread:.0f} s of audio while nobody read the results",
                hint="between `Link.take` and `Link.emit` everything is bounded: no queue without a size",
                look="back-pressure",
            )

    @concerns(lambda suite: bool(suite.spec.secrets) and streams(suite))
    def test_a_wrong_key_is_told_at_once(self) -> None:
        """A key that is refused is an `AuthenticationError`, after one attempt."""
        wait_for(self.show(), laws.no_connection_fails)
        performance = self.play(key="wrong-test-key")
        cause = None if performance.error is None else performance.error.__cause__
        tapes = performance.tapes
        if not isinstance(cause, AuthenticationError) or len(tapes) != 1:
            raise PromiseBrokenError(
                "a key that is refused is an AuthenticationError, and is not tried again",
                f"connections made: {len(tapes)}; "
                + ("the stream went on" if performance.error is None else laws.why(performance.error)),
                where=tapes[-1].where() if tapes else "",
                hint="raise it in `Dialect.refused` or `Dialect.receive`; and the simulator must refuse a wrong key",
                look="secrets",
            )

    @concerns(lambda suite: bool(suite.spec.secrets) and streams(suite))
    def test_the_key_is_shown_nowhere(self) -> None:
        """The key stands in no URL, error, repr, traceback or log record."""
        for right in (CANARY, "another-key"):
            with everything_logged() as texts:
                performance = self.play(Scene(words=_FEW, wishes=self.wishes(), key=CANARY, right_key=right))
            is_kept([*_shown(performance), *texts])


def _until(enough: float, values: Iterator[float]) -> Iterator[float]:
    """The values, up to the first that is less than `enough`."""
    for value in values:
        yield value
        if value < enough:
            return


def _shown(performance: Performance) -> Iterator[tuple[str, str]]:
    for tape in performance.tapes:
        if tape.opening is not None:
            yield "the URL", tape.opening.url
            yield "the repr of the opening", repr(tape.opening).replace(repr(tape.opening.frames), "")
    for value in performance.shown:
        yield f"a {type(value).__name__}", f"{value!r} {value}"
    yield from told_by(performance.error)
