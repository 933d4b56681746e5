"""The kit can fail: a provider that breaks one promise is caught by just the test of that promise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from support import broken as engines
from support.broken import LEFT, Sound, doing, spec
from support.verdicts import broken, verdicts

from debabelizer.testing.kit import EngineDouble, ProviderSuite


def suite_of(named: Any, **attributes: Any) -> type[ProviderSuite]:
    return type("TestIt", (ProviderSuite,), {"spec": named, "simulator": EngineDouble, **attributes})


@pytest.fixture(autouse=True)
def _nothing_is_held() -> Iterator[None]:
    yield
    for left in LEFT:
        if not isinstance(left, asyncio.Task):
            left.close()
    LEFT.clear()


def test_a_sound_engine_passes() -> None:
    found = verdicts(suite_of(spec(Sound)))
    assert {name: verdict for name, verdict in found.items() if verdict is not None} == {}
    assert len(found) > 30


BROKEN = {
    engines.ReturnsEarly: "test_a_connection_runs_until_it_has_proven_the_end",
    engines.NeverProves: "test_the_end_is_proven",
    engines.Repeats: "test_finals_are_said_once_and_in_order",
    engines.Splits: "test_words_are_whole",
    engines.Loses: "test_every_word_is_written_once",
    engines.TimesInMilliseconds: "test_words_stand_where_they_were_said",
    engines.WaitsForTheEnd: "test_finals_do_not_wait_for_the_end",
    engines.ShowsWhatIsFinal: "test_interims_hold_nothing_final",
    engines.LeavesAnInterim: "test_interims_are_settled",
    engines.SwallowsCancellation: "test_it_lets_go_wherever_it_is_cancelled",
    engines.OutlivesCancellation: "test_it_lets_go_wherever_it_is_cancelled",
    engines.Blocks: "test_the_event_loop_is_never_blocked",
    engines.LeaksATask: "test_nothing_is_left_behind",
    engines.LeaksASocket: "test_nothing_is_left_behind",
    engines.TakesEverything: "test_it_takes_no_more_than_it_can_hand_on",
    engines.PacesItself: "test_claim_max_speed",
    engines.CallsHome: "test_claim_local",
    engines.KnowsFewerLanguages: "test_claim_languages",
    engines.KnowsNoRegions: "test_claim_languages",
    engines.FlushesTooSoon: "test_a_flush_makes_words_final",
}


@pytest.mark.untidy
@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_promise_is_found_by_its_test(kind: type[Sound]) -> None:
    found = verdicts(suite_of(spec(kind)))
    assert broken(found) == {BROKEN[kind]}


@pytest.mark.parametrize(("kind", "found"), [(Sound, set()), (engines.TakesEverything, {"test_it_takes_no_more"})])
def test_in_real_time_back_pressure_is_looked_at_too(kind: type[Sound], found: set[str]) -> None:
    verdict = broken(verdicts(suite_of(spec(kind), virtual=False), only="test_it_takes_no_more"))
    assert {name.removesuffix("_than_it_can_hand_on") for name in verdict} == found


def test_a_connection_that_goes_on_counting_is_found_by_the_faults() -> None:
    found = broken(verdicts(suite_of(spec(engines.GoesOnCounting, sample_rates=(16000,)))))
    assert {name.partition("[")[0] for name in found} == {"test_fault_within", "test_rollover", "test_session_end"}


def test_a_format_that_is_not_understood_is_found() -> None:
    named = spec(engines.HearsOnlyOneFormat, audio_formats=("pcm_s16le", "mulaw"))
    assert broken(verdicts(suite_of(named))) == {"test_audio_format_is_accepted[mulaw/16000/1]"}


CLAIMS = {
    "interims": (False, True),
    "confidence": (False, True),
    "endpointing": (False, True),
    "diarization": (False, True),
    "language_identification": (False, True),
    "translation": (False, True),
    "words": ("none", "word"),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_that_is_not_kept_is_found(claim: str) -> None:
    less, more = CLAIMS[claim]
    kind = doing("segment", without=(claim,))
    if claim == "words":
        less = "segment"
    found = verdicts(suite_of(spec(kind, **{claim: more})), only="test_claim[")
    assert broken(found) == {f"test_claim[{claim}]"}
    assert broken(verdicts(suite_of(spec(kind, **{claim: less})), only="test_claim[")) == set()


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_is_done_and_not_claimed_is_found(claim: str) -> None:
    less, more = CLAIMS[claim]
    kind = doing(claim)
    found = verdicts(suite_of(spec(kind, **{claim: less})), only="test_claim[")
    assert broken(found) == {f"test_claim[{claim}]"}
    assert broken(verdicts(suite_of(spec(kind, **{claim: more})), only="test_claim[")) == set()


def test_a_flush_that_is_claimed_and_not_confirmed_is_found_and_the_other_way() -> None:
    mute = spec(doing(without=("flush",)))
    assert broken(verdicts(suite_of(mute), only="test_claim_flush")) == {"test_claim_flush"}
    modest = spec(Sound, flush="none")
    assert broken(verdicts(suite_of(modest), only="test_claim_flush")) == {"test_claim_flush"}


@pytest.mark.parametrize("kind", [doing(without=("flush",)), engines.CannotFlush])
def test_a_connection_that_cannot_flush_and_says_so_passes(kind: type[Sound]) -> None:
    assert broken(verdicts(suite_of(spec(kind, flush="none")))) == set()
    assert broken(verdicts(suite_of(spec(kind, flush="confirmed")), only="test_claim_flush")) == {"test_claim_flush"}


@pytest.mark.parametrize(
    ("claims", "test"),
    [
        ({"price_per_hour": 0.5}, "test_claim_price_per_hour"),
        ({"price_per_hour": None}, "test_claim_price_per_hour"),
        ({"local": False}, "test_claim_price_per_hour"),
        ({"max_session": 0.0}, "test_claims_make_sense"),
        ({"max_speed": 0.5}, "test_claims_make_sense"),
        ({"audio_formats": ("opus",)}, "test_claims_make_sense"),
        ({"languages": ()}, "test_claims_make_sense"),
        ({"languages": ("en", "English")}, "test_claims_make_sense"),
    ],
)
def test_a_claim_that_cannot_be_is_found(claims: dict[str, Any], test: str) -> None:
    assert broken(verdicts(suite_of(spec(Sound, **claims)), only="test_claims_make_sense")) | broken(
        verdicts(suite_of(spec(Sound, **claims)), only="test_claim_price")
    ) == {test}


def test_to_resume_without_times_is_found_and_the_other_way() -> None:
    blind = spec(doing(without=("words", "resume")), words="none", resume="exact")
    assert broken(verdicts(suite_of(blind), only="test_claim[")) == {"test_claim[resume]"}
    modest = spec(Sound, resume="none")
    assert broken(verdicts(suite_of(modest), only="test_claim[")) == {"test_claim[resume]"}


def test_a_failure_reads_like_advice() -> None:
    found = verdicts(suite_of(spec(engines.Repeats)), only="test_finals_are_said_once")
    (text,) = [str(verdict) for verdict in found.values()]
    assert text == (
        "\n  promised  finals are said once, in order, and do not overlap (law 1)"
        "\n  happened  'word0' (0.20 to 0.45 s) was said as final after 'word0' (0.20 to 0.45 s)"
        "\n  where     connection 1, after 0.50 s of audio: Hypothesis(text='word0', final=True, "
        "words=(Word(text='word0', start=0.2, end=0.45, confidence=0.9)), confidence=0.9)"
        "\n  hint      a final may be repeated by the vendor: tell it apart by its time, and say it once"
        "\n  look      docs/conformance.md#law-1"
    )
