"""Streams when nothing goes wrong: the laws, the claims, flush, silence, formats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, get_args
from urllib.parse import unquote

import pytest

from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.spec import Capabilities
from debabelizer.streaming.dialect import Flushed
from debabelizer.testing.coded import plan_words
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import SuiteBase, wait_for
from debabelizer.testing.kit.claims import OF_STREAMS, flush_of, of_stream
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.live import likeness
from debabelizer.testing.kit.play import PLAN, Performance, Scene
from debabelizer.testing.kit.promise import PromiseBrokenError

__all__ = ["StreamChecks", "wires"]

_FEW: Final = plan_words(6, phrase=3, pause=1.0)
_EXPECTED: Final = "xylophonquark"  # a word that nobody else writes
_LIKENESS: Final = 0.8
_UNUSUAL: Final = (8000, 44100)  # rates tried where any will do


def streams(suite: type[SuiteBase]) -> bool:
    """Whether the provider has streams of its own."""
    return suite.kind != "batch"


class StreamChecks(SuiteBase):
    """One scene is played for most tests, and each looks at one thing in it."""

    def test_a_connection_runs_until_it_has_proven_the_end(self) -> None:
        """When nothing goes wrong, `Connection.run` does not fail, and does not return early."""
        performance = self.show()
        wait_for(performance, laws.interims_are_settled)
        laws.no_connection_fails(performance)

    def test_the_end_is_proven(self) -> None:
        """The end of audio is answered by `Finished`, and never before."""
        performance = self.show()
        wait_for(performance, laws.no_connection_fails)
        laws.ends_with_proof(performance)

    def test_words_are_whole(self) -> None:
        """Law 3: what becomes final are whole words."""
        performance = self.show()
        if not performance.scene.live:
            laws.words_are_whole(performance)

    def test_every_word_is_written_once(self) -> None:
        """No word is lost, repeated, or out of order."""
        performance = self.show()
        wait_for(performance, laws.no_connection_fails, laws.ends_with_proof, laws.interims_are_settled)
        if performance.scene.live:
            _is_like(performance)
            return
        wait_for(performance, laws.words_are_whole)
        laws.words_are_complete(performance)

    @concerns(streams)
    def test_words_stand_where_they_were_said(self) -> None:
        """Times are seconds of audio on the connection."""
        performance = self.sound_show()
        if not performance.scene.live:
            laws.times_are_true(performance)

    def test_finals_are_said_once_and_in_order(self) -> None:
        """Law 1, on what the provider itself says: the core would hide a repetition."""
        laws.finals_are_said_once(self.show())

    @concerns(streams)
    def test_finals_do_not_wait_for_the_end(self) -> None:
        """Law 4: something becomes final before the audio is over."""
        laws.finals_do_not_wait(self.sound_show())

    @concerns(streams)
    def test_interims_hold_nothing_final(self) -> None:
        """Law 2: an interim holds only what is not final."""
        if not self.show().scene.live:  # people do say "yes, yes"
            laws.interims_hold_nothing_final(self.show())

    def test_interims_are_settled(self) -> None:
        """Law 2: no interim stands when the connection finishes."""
        laws.interims_are_settled(self.show())

    @concerns(streams)
    def test_claim(self, claim: str) -> None:
        """What the spec claims was seen, and what was seen is claimed."""
        self.check_claim(claim, *of_stream(claim, self.sound_show()))

    @concerns(streams)
    def test_claim_flush(self) -> None:
        """A flush does what the spec claims: nothing, something, or something that is confirmed."""
        self.check_claim("flush", *flush_of(self._flushed()))

    @concerns(lambda suite: suite.spec.capabilities.flush == "confirmed")
    def test_a_flush_makes_words_final(self) -> None:
        """When `Flushed` comes, all words before the flush are final."""
        performance = self._flushed()
        for tape in performance.tapes:
            answers = [at for at, noted in enumerate(tape.events) if isinstance(noted.event, Flushed)]
            if not answers:
                continue
            said = tape.events[: answers[0]]
            final = {
                word
                for noted, heard in laws.hypotheses(tape)
                if noted in said and heard.final
                for word in heard.text.split()
            }
            missing = [word.text for word in PLAN if word.end <= (performance.scene.flush_at or 0.0) - 0.1]
            if lost := [text for text in missing if text not in final]:
                raise PromiseBrokenError(
                    "`Flushed` says that all words before the flush were said as final",
                    f"it came before {lost[0]!r} was final",
                    where=tape.where(tape.events[answers[0]]),
                    look="flush",
                )

    @concerns(streams)
    def test_silence_does_not_end_the_session(self) -> None:
        """Keepalives do as claimed, and a session lives through a long silence."""
        if not self.virtual:
            pytest.skip("needs virtual time")
        claimed = self.spec.capabilities.keepalive
        self.sound_show()
        pause = 3.5 * claimed if claimed is not None else 60.0
        performance = self.play(pause=(PLAN[6].start - 0.5, pause))
        sent = [tape for tape in performance.tapes if any(frames.way == "keepalive" for frames in tape.wire)]
        if claimed is None and sent:
            raise PromiseBrokenError(
                "the spec claims keepalive=None: the vendor never hangs up on silence",
                "keepalive frames were sent",
                where=sent[0].where(),
                hint="say after how many seconds of silence the vendor hangs up",
                look="keepalive",
            )
        if len(performance.tapes) > 1 or performance.error is not None:
            raise PromiseBrokenError(
                f"a session lives through {pause:g} s without audio",
                f"it took {len(performance.tapes)} connections; the first ended: "
                f"{laws.why(performance.tapes[0].outcome if performance.tapes[0].outcome != 'returned' else None)}",
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
                look="vocabulary",
            )

    @concerns(streams)
    def test_audio_format_is_accepted(self, wire: AudioFormat) -> None:
        """Audio in each format that the spec claims is understood."""
        self.sound_show()
        performance = self.play(words=_FEW, audio_format=wire)
        if performance.error is not None or not performance.report.perfect:
            raise PromiseBrokenError(
                f"the spec claims that a stream takes {wire}",
                f"{performance.report}; {laws.why(performance.error)}",
                where=performance.tapes[-1].where() if performance.tapes else "",
                look="audio_formats",
            )

    def _flushed(self) -> Performance:
        """A scene with a flush within a phrase; the spec is made to claim it, so that the provider is asked."""
        self.sound_show()
        claims = replace(self.spec.capabilities, flush="confirmed")
        flush_at = PLAN[8].end + 0.04
        return self.play(spec=replace(self.spec, capabilities=claims), flush_at=flush_at, policy={"flush_timeout": 1.0})


def wires(capabilities: Capabilities) -> Iterator[AudioFormat]:
    """The formats that a spec claims to accept, as far as they can be tried."""
    known: tuple[Encoding, ...] = get_args(Encoding)
    claimed = [encoding for encoding in known if encoding in capabilities.audio_formats]
    for encoding in claimed:
        for rate in capabilities.sample_rates or _UNUSUAL:
            yield AudioFormat(encoding, rate)
    if capabilities.channels > 1 and claimed:
        yield AudioFormat(claimed[0], next(iter(capabilities.sample_rates), 16000), 2)


def stream_parameters(suite: type[SuiteBase]) -> dict[str, list[Any]]:
    """What the tests of this module are run with."""
    return {"claim": list(OF_STREAMS), "wire": list(wires(suite.spec.capabilities))}


def _is_like(performance: Performance) -> None:
    live = performance.scene.live
    if live is not None and likeness(performance.transcript.text, live.text) < _LIKENESS:
        raise PromiseBrokenError(
            f"what is said in {live.path.name} is written, one word in five may be wrong",
            f"said was {live.text!r}, written was {performance.transcript.text!r}",
            look="live",
        )
