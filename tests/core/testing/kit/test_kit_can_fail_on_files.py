"""The kit can fail on an engine that takes whole recordings only."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from support import courier
from support.scribe import LEFT, suite
from support.verdicts import broken, verdicts

from debabelizer.testing.kit.checks.file_faults import FILE_FAULTS, FILE_PHASES


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    for over in LEFT:
        over.set()
    LEFT.clear()
    for thread in threading.enumerate():
        if thread.name == "forgotten":
            thread.join(10)


def test_a_sound_engine_passes() -> None:
    found = verdicts(suite())
    assert {name: verdict for name, verdict in found.items() if verdict is not None} == {}
    assert len(found) > 20


def test_what_does_not_concern_it_is_not_run() -> None:
    names = {name.partition("[")[0] for name in verdicts(suite(), only="test_claim[")}
    assert names == set()


@pytest.mark.parametrize(
    ("factory", "tests"),
    [
        ("Loses", {"test_file_is_transcribed"}),
        ("Blocks", {"test_the_event_loop_is_never_blocked"}),
        ("SaysNoDuration", {"test_file_duration_is_told"}),
        ("ReadsWavOnly", {"test_file_is_transcribed"}),
        ("HasWords", {"test_file_claim[words]", "test_file_claim[confidence]"}),
    ],
)
def test_a_broken_promise_is_found_by_its_test(factory: str, tests: set[str]) -> None:
    found = broken(verdicts(suite(factory)))
    streams = {"test_every_word_is_written_once", "test_words_are_whole"}  # its streams come from the same words
    assert found - streams == tests


def test_a_transcription_that_does_not_let_go_is_found() -> None:
    assert broken(verdicts(suite("Stays"), only="test_file_lets_go")) == {"test_file_lets_go_when_cancelled"}


def test_a_thread_that_is_left_is_found() -> None:
    (failure,) = verdicts(suite("LeavesAThread"), only="test_file_leaves").values()
    assert "the thread 'forgotten'" in str(failure)


def test_a_claim_that_is_not_kept_is_found() -> None:
    found = verdicts(suite(diarization=True, languages=("en", "de")), only="test_file_claim")
    assert broken(found) == {"test_file_claim[diarization]"}


class TestOverANetwork:
    """A service that takes files at an address: the fault proxy stands before it."""

    def test_a_sound_provider_passes(self) -> None:
        found = verdicts(courier.suite(), only="test_file")
        assert {name: verdict for name, verdict in found.items() if verdict is not None} == {}
        assert sum(name.startswith("test_file_fault[") for name in found) == len(FILE_FAULTS) * len(FILE_PHASES)

    @pytest.mark.parametrize(
        ("factory", "found"),
        [
            ("TakesWhatCame", {"cut": {"answer"}, "garble": {"waiting", "answer"}}),
            ("SaysItRaw", {"half-open": {"waiting", "answer"}, "reset": {"waiting", "answer"}}),
            ("WaitsLong", {"half-open": {"answer"}}),
            ("WaitsForever", {"half-open": {"answer"}}),
        ],
    )
    def test_a_broken_promise_is_found_by_its_test(self, factory: str, found: dict[str, set[str]]) -> None:
        cases = {"file_fault": ["cut", *found], "file_phase": sorted(set().union(*found.values()))}
        suite = courier.suite(factory)
        expected = {f"test_file_fault[{fault}][{phase}]" for fault, phases in found.items() for phase in phases}
        assert broken(verdicts(suite, only="test_file_fault", cases=cases)) == expected
        assert broken(verdicts(suite, only="test_file_", but=("test_file_fault",))) == set()

    @pytest.mark.parametrize(
        ("factory", "test"),
        [("TellsTheKey", "test_file_keeps_the_key"), ("TriesAnyKey", "test_file_with_a_wrong_key_is_refused")],
    )
    def test_a_key_that_is_not_kept_or_not_minded_is_found(self, factory: str, test: str) -> None:
        assert broken(verdicts(courier.suite(factory), only="test_file_", but=("test_file_fault",))) == {test}

    def test_a_simulator_that_leads_past_the_proxy_is_told_how_to_do_it(self) -> None:
        found = verdicts(courier.suite(simulator=courier.HidesItsAddress), only="test_file_fault")
        assert all("`file_address` and `file_settings`" in str(verdict) for verdict in found.values())
