"""What a stream shows of the claims of the spec, in the scene that all look at or in one of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote

from debabelizer.streaming.dialect import Flushed
from debabelizer.testing.coded import plan_words
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import SuiteBase, wait_for
from debabelizer.testing.kit.checks.streams import alive, streams
from debabelizer.testing.kit.claims import OF_STREAMS, flush_of, of_stream
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.pace import Pace
from debabelizer.testing.kit.play import PLAN, Performance, Scene
from debabelizer.testing.kit.promise import PromiseBrokenError

__all__ = ["ClaimChecks", "claim_parameters"]

_FEW: Final = plan_words(6, phrase=3, pause=1.0)
_MANY: Final = plan_words(60, phrase=6, pause=1.0)
_EXPECTED: Final = "xylophonquark"  # a word that nobody else writes
_LONG: Final = 60.0  # seconds of silence that a vendor who never hangs up puts up with
_LEAST: Final = 4.0  # times real time, for one that claims to be as fast as it goes


class ClaimChecks(SuiteBase):
    """Each claim is tested both ways where that can be."""

    @concerns(streams)
    def test_claim(self, claim: str) -> None:
        """What the spec claims was seen, and what was seen is claimed."""
        self.check_claim(claim, *of_stream(claim, self.sound_show()))

    @concerns(streams)
    def test_claim_flush(self) -> None:
        """A flush does what the spec claims: nothing, something, or something that is confirmed."""
        claimed = self.spec.capabilities.flush
        seen, where = flush_of(self._flushed(), claimed)
        self.check_claim("flush", seen, where)
        if claimed == "none" and self.kind == "connection":
            self._is_not_flushed()

    @concerns(lambda suite: suite.spec.capabilities.flush == "confirmed")
    def test_a_flush_makes_words_final(self) -> None:
        """When `Flushed` comes, all words before the flush are final."""
        performance = self._flushed()
        spoken = [word.text for word in PLAN if word.end <= (performance.scene.flush_at or 0.0) - 0.1]
        for tape in performance.tapes:
            answers = [at for at, noted in enumerate(tape.events) if isinstance(noted.event, Flushed)]
            said = tape.events[: answers[0]] if answers else []
            heard = [each for noted, each in laws.hypotheses(tape) if noted in said and each.final]
            final = {word for each in heard for word in each.text.split()}
            if answers and (lost := [text for text in spoken if text not in final]):
                raise PromiseBrokenError(
                    "`Flushed` says that all words before the flush were said as final",
                    f"it came before {lost[0]!r} was final",
                    where=tape.where(tape.events[answers[0]]),
                    hint="emit the finals first; and if the vendor answers before it has said them, wait for them",
                    look="flush",
                )

    @concerns(alive)
    def test_silence_does_not_end_the_session(self) -> None:
        """Keepalives do as claimed, and a session lives through a long silence."""
        claimed = self.spec.capabilities.keepalive
        pause = 3.5 * claimed if claimed is not None else _LONG
        performance = self._silent(pause)
        sent = [tape for tape in performance.tapes if any(frames.way == "keepalive" for frames in tape.wire)]
        if claimed is None and sent:
            raise PromiseBrokenError(
                "the spec claims keepalive=None: the vendor never hangs up on silence",
                "keepalive frames were sent",
                where=sent[0].where(),
                hint="say after how many seconds of silence the vendor hangs up",
                look="keepalive",
            )
        if _is_broken(performance):
            raise PromiseBrokenError(
                f"a session lives through {pause:g} s without audio",
                f"it took {len(performance.tapes)} connections; the first ended: {_end_of(performance)}",
                hint="set `keepalive_after` to less than the vendor's limit, and write `keepalive`",
                look="keepalive",
            )
        if claimed is not None and self.kind == "websocket" and not sent:
            raise PromiseBrokenError(
                f"the spec claims keepalive={claimed!r}: a vendor that hangs up after so many seconds of silence",
                f"no keepalive frame was sent in {pause:g} s of it",
                hint="set `keepalive_after` to less than that, and write `keepalive`",
                look="keepalive",
            )

    @concerns(lambda suite: alive(suite) and suite.kind == "websocket" and suite.spec.capabilities.keepalive)
    def test_claim_keepalive(self) -> None:
        """Without keepalives the vendor hangs up after as many seconds of silence as claimed, and not before."""
        claimed = self.spec.capabilities.keepalive or 0.0
        for pause, ends in ((0.8 * claimed, False), (1.5 * claimed, True)):
            performance = self._silent(pause, mute=True)
            if _is_broken(performance) is not ends:
                raise PromiseBrokenError(
                    f"the spec claims keepalive={claimed!r}: the vendor hangs up after so many seconds of silence",
                    f"when no keepalives were sent, {pause:g} s of silence "
                    + ("did not end the session" if ends else f"ended the session: {_end_of(performance)}"),
                    hint="correct the claim, or the simulator, which hangs up when the vendor would; "
                    "a vendor that never does has keepalive=None",
                    look="keepalive",
                )

    @concerns(lambda suite: suite.kind == "websocket" and suite.spec.capabilities.vocabulary)
    def test_claim_vocabulary(self) -> None:
        """Words to expect are handed to the vendor."""
        wishes = {**self.wishes(), "vocabulary": (_EXPECTED,)}
        self.sound_show()
        tape = self.play(Scene(wishes=wishes, words=_FEW)).tapes[0]
        first = [tape.opening.url, *tape.opening.headers.values()] if tape.opening else []
        sent = [str(part) for part in (*first, *(frame for frames in tape.wire[:2] for frame in frames.frames))]
        if not any(_EXPECTED in unquote(part) for part in sent):
            raise PromiseBrokenError(
                "the spec claims vocabulary=True: the words to expect are handed to the vendor",
                f"{_EXPECTED!r} was asked for, and stands in nothing that was sent when the connection was opened",
                hint="put `Request.vocabulary` into the address, a header or the first frame, as the vendor wants it",
                look="vocabulary",
            )

    @concerns(alive)
    def test_claim_max_speed(self) -> None:
        """Audio that is there at once arrives as fast as claimed, not faster, and the vendor puts up with it."""
        self.sound_show()
        claimed, pace = self.spec.capabilities.max_speed, Pace()
        performance = self.play(Scene(words=_MANY, wishes=self.wishes(), at_once=True, watch=pace.watch))
        promised = (
            f"the spec claims max_speed={claimed!r}: audio is taken at {claimed or 'any number of'} times real time"
        )
        if _is_broken(performance) or not performance.report.perfect:
            raise PromiseBrokenError(
                promised,
                f"{performance.report}; {len(performance.tapes)} connections; the first ended: {_end_of(performance)}",
                hint="claim no more than the vendor takes: replays are sent at that speed",
                look="max_speed",
            )
        if claimed is not None and (lead := pace.lead(performance.tapes[0], claimed)) is not None:
            raise PromiseBrokenError(
                promised,
                f"{lead:.1f} s of audio more than that went over the wire at once",
                where=performance.tapes[0].where(),
                hint="send audio when it is taken: what is held back and sent at once is a burst",
                look="max_speed",
            )
        if pace.speed < 0.8 * (claimed or _LEAST):
            raise PromiseBrokenError(
                promised,
                f"all of it was there at once, and was taken at {pace.speed:.1f} times real time",
                hint="claim what it is, or look for what waits between one piece of audio and the next",
                look="max_speed",
            )

    def _silent(self, pause: float, *, mute: bool = False) -> Performance:
        """A scene with a long silence within a phrase."""
        self.sound_show()
        return self.play(pause=(PLAN[6].start - 0.5, pause), mute=mute)

    def _flushed(self) -> Performance:
        """A scene with a flush within a phrase; the spec is made to claim it, so that the provider is asked."""
        self.sound_show()
        claims = replace(self.spec.capabilities, flush="confirmed")
        flush_at = PLAN[8].end + 0.04
        return self.play(spec=replace(self.spec, capabilities=claims), flush_at=flush_at, policy={"flush_timeout": 1.0})

    def _is_not_flushed(self) -> None:
        """Whether a connection that cannot flush is never asked to, and the stream goes on."""
        performance = self.play(flush_at=PLAN[8].end + 0.04)
        wait_for(performance, laws.words_are_complete)
        if performance.flush is None or performance.flush.reason != "unsupported":
            raise PromiseBrokenError(
                "the spec claims flush='none': a flush is answered by reason='unsupported'",
                f"it was answered by {performance.flush}",
                look="flush",
            )


def claim_parameters() -> dict[str, list[Any]]:
    """What the tests of this module are run with."""
    return {"claim": list(OF_STREAMS)}


def _is_broken(performance: Performance) -> bool:
    """Whether a session did not last."""
    return len(performance.tapes) != 1 or performance.error is not None


def _end_of(performance: Performance) -> str:
    """How the first connection ended."""
    outcome = performance.tapes[0].outcome if performance.tapes else performance.error
    return laws.why(outcome) if isinstance(outcome, BaseException) else "as it should"
