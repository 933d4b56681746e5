"""Streams when nothing goes wrong: the laws, and the formats of audio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from debabelizer.audio.format import AudioFormat, Encoding
from debabelizer.spec import Capabilities
from debabelizer.testing.coded import plan_words
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import SuiteBase, wait_for
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.live import likeness
from debabelizer.testing.kit.play import Performance
from debabelizer.testing.kit.promise import PromiseBrokenError

__all__ = ["StreamChecks", "alive", "stream_parameters", "streams", "wires"]

_FEW: Final = plan_words(6, phrase=3, pause=1.0)
_LIKENESS: Final = 0.8
_UNUSUAL: Final = (8000, 44100)  # rates tried where any will do


def streams(suite: type[SuiteBase]) -> bool:
    """Whether the provider has streams of its own."""
    return suite.kind != "batch"


def alive(suite: type[SuiteBase]) -> bool:
    """Whether the provider has streams of its own, and they live in virtual time."""
    return streams(suite) and suite.virtual


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


def wires(capabilities: Capabilities) -> Iterator[AudioFormat]:
    """The formats that a spec claims to accept, as far as they can be tried."""
    known: tuple[Encoding, ...] = get_args(Encoding)
    rates = capabilities.rates_of_encodings
    claimed = [encoding for encoding in known if encoding in rates]
    for encoding in claimed:
        for rate in rates[encoding] or _UNUSUAL:
            yield AudioFormat(encoding, rate)
    if capabilities.channels > 1 and claimed:
        yield AudioFormat(claimed[0], next(iter(capabilities.sample_rates), 16000), 2)


def stream_parameters(suite: type[SuiteBase]) -> dict[str, list[Any]]:
    """What the tests of this module are run with."""
    return {"wire": list(wires(suite.spec.capabilities))}


def _is_like(performance: Performance) -> None:
    live = performance.scene.live
    if live is not None and likeness(performance.transcript.text, live.text) < _LIKENESS:
        raise PromiseBrokenError(
            f"what is said in {live.path.name} is written, one word in five may be wrong",
            f"said was {live.text!r}, written was {performance.transcript.text!r}",
            look="live",
        )
