"""The kit can fail on a WebSocket vendor: on dialects, settings, specs and golden recordings."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import acme
from support.acme import spec, suite
from support.verdicts import NoOptions, broken, verdicts

from debabelizer.testing.kit import PromiseBrokenError, ProviderSuite
from debabelizer.testing.kit.checks.faults import FAULTS

SOCKETS = ("test_fault",)  # real ones, which take their time


def test_a_sound_dialect_passes() -> None:
    found = verdicts(suite(spec()), but=SOCKETS)
    found |= verdicts(suite(spec()), only="test_fault", cases={"phase": ["mid-speech"]})
    assert {name: verdict for name, verdict in found.items() if verdict is not None} == {}
    assert sum(name.startswith("test_fault[") for name in found) == len(FAULTS)


BROKEN = {
    acme.KeyInUrl: "test_the_key_is_shown_nowhere",
    acme.NoKeepalive: "test_silence_does_not_end_the_session",
    acme.LateKeepalive: "test_silence_does_not_end_the_session",
    acme.ForgetsVocabulary: "test_claim_vocabulary",
    acme.TriesTheWrongKeyAgain: "test_a_wrong_key_is_told_at_once",
    acme.TakesTheEndForARefusal: "test_session_end",
}


@pytest.mark.parametrize("dialect", BROKEN, ids=lambda dialect: dialect.__name__)
def test_a_broken_promise_is_found_by_its_test(dialect: type[acme.AcmeDialect]) -> None:
    assert broken(verdicts(suite(spec(dialect)), but=SOCKETS)) == {BROKEN[dialect]}


def test_a_keepalive_that_is_not_claimed_is_found() -> None:
    found = verdicts(suite(spec(keepalive=None)), only="test_silence")
    assert broken(found) == {"test_silence_does_not_end_the_session"}


@pytest.mark.parametrize("service", [acme.Patient, acme.Impatient])
def test_a_keepalive_that_is_not_needed_as_claimed_is_found(service: type[acme.AcmeService]) -> None:
    found = verdicts(suite(spec(), simulator=service), but=SOCKETS)
    assert broken(found) == {"test_claim_keepalive"}


def test_a_speed_that_the_vendor_does_not_take_is_found() -> None:
    found = verdicts(suite(spec(max_speed=4.0)), but=SOCKETS)
    assert broken(found) == {"test_claim_max_speed"}


def test_audio_that_is_held_back_and_sent_at_once_is_found() -> None:
    (failure,) = verdicts(suite(spec(acme.Hoards)), only="test_claim_max_speed").values()
    assert "s of audio more than that went over the wire at once" in str(failure)


def test_a_final_position_that_is_none_is_found_by_the_faults() -> None:
    named = suite(spec(acme.SettlesTooMuch))
    found = broken(verdicts(named, but=("test_fault",)))
    # A new connection before the time limit takes over between words, where even this does no harm.
    assert found == {"test_fault_within[mid-speech]", "test_session_end"}
    assert broken(verdicts(named, only="test_fault", cases={"fault": ["reset"], "phase": ["mid-speech"]})) == {
        "test_fault[reset][mid-speech]",
        "test_fault_within[mid-speech]",
    }


def test_an_end_that_the_vendor_did_not_confirm_is_found() -> None:
    found = broken(verdicts(suite(spec(acme.FinishesByItself)), but=SOCKETS))
    # After the end of a session, the delay before the next one decides whether anything is left to say at the end.
    assert found - {"test_session_end"} == {"test_fault_within[the end]"}


def test_settings_that_take_anything_are_found() -> None:
    found = broken(verdicts(suite(spec(settings="LaxSettings")), but=SOCKETS))
    assert found == {"test_bad_settings_are_refused[{'model': ''}]", "test_addresses_are_safe"}


def test_settings_that_show_the_key_are_found() -> None:
    found = broken(verdicts(suite(spec(settings="OpenSettings")), only="test_secrets"))
    assert found == {"test_secrets_are_hidden"}


def test_a_spec_that_cannot_be_registered_is_found() -> None:
    named = replace(spec(), summary="Two\nlines", api_version=99)
    assert broken(verdicts(suite(named), only="test_the_spec_is_well")) == {"test_the_spec_is_well_formed"}


def test_a_method_that_is_not_claimed_is_found() -> None:
    found = verdicts(suite(spec(factory="Eager")), only="test_what_the_spec_names")
    (failure,) = found.values()
    assert "overrides `transcribe`" in str(failure)


def test_a_factory_that_is_not_there_is_found() -> None:
    found = verdicts(suite(spec(factory="Nobody")), only="test_what_the_spec_names")
    assert broken(found) == {"test_what_the_spec_names_is_there"}


def test_a_spec_that_costs_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heavy_acme.py").write_text("import pydantic\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    named = replace(spec(), factory="heavy_acme:Nobody")
    (failure,) = verdicts(suite(named), only="test_the_spec_is_cheap").values()
    assert "it imported" in str(failure)
    assert "pydantic" in str(failure)


class Recorder(NoOptions):
    def getoption(self, name: str, default: Any = None) -> Any:
        return "simulator" if name == "--record" else default


class TestGolden:
    @pytest.fixture
    def recorded(self, tmp_path: Path) -> tuple[type[ProviderSuite], Path]:
        """A suite that has a recording, and the file."""
        members = {"golden": tmp_path}
        named = spec()
        one = suite(named, **members)()
        one._config = Recorder()  # type: ignore[assignment]
        one.test_record()
        return suite(named, **members), tmp_path / f"{named.name}-simulated.jsonl"

    def test_what_was_recorded_means_the_same_later(self, recorded: tuple[type[ProviderSuite], Path]) -> None:
        again, file = recorded
        assert verdicts(again, only="test_golden") == {f"test_golden[{file}]": None}

    def test_without_the_option_nothing_is_written(self, tmp_path: Path) -> None:
        verdicts(suite(spec(), golden=tmp_path), only="test_record")
        assert list(tmp_path.iterdir()) == []

    def test_those_of_another_suite_in_the_same_folder_are_left_alone(
        self, recorded: tuple[type[ProviderSuite], Path]
    ) -> None:
        assert verdicts(suite(spec(), golden=recorded[1].parent), only="test_golden") == {}

    def test_it_holds_what_people_say_and_no_key(self, recorded: tuple[type[ProviderSuite], Path]) -> None:
        text = recorded[1].read_text()
        assert "test-key" not in text
        assert all(word in text for word in ("fellow", "Americans,", "country."))
        assert "the simulator of acme_" in text.splitlines()[0]
        assert '{"sent": "audio", "bytes": 3200}' in text
        assert len(text) < 100_000

    def test_two_suites_do_not_write_to_one_file(self, recorded: tuple[type[ProviderSuite], Path]) -> None:
        again, file = recorded
        other = type("TestOther", (ProviderSuite,), {"spec": again.spec, "simulator": acme.AcmeService})
        other.golden = file.parent
        one = other()
        one._config = Recorder()  # type: ignore[assignment]
        with pytest.raises(PromiseBrokenError, match="a folder each"):
            one.test_record()

    def test_another_meaning_is_found(self, recorded: tuple[type[ProviderSuite], Path]) -> None:
        again, file = recorded
        file.write_text(file.read_text().replace('\\"Americans,\\"', '\\"Romans,\\"'))
        (failure,) = verdicts(again, only="test_golden").values()
        assert "received frame" in str(failure)
        assert "Romans," in str(failure)


class TestAdvice:
    """What somebody reads who has just begun."""

    def test_a_simulator_that_fails_is_told_of_with_its_line(self) -> None:
        class Failing(acme.AcmeService):
            async def serve(self, socket: Any) -> None:
                raise KeyError("ready")

        found = verdicts(suite(spec(), simulator=Failing), only="test_a_connection_runs")
        (failure,) = map(str, found.values())
        assert "it failed itself: KeyError: 'ready'" in failure
        assert 'raise KeyError("ready")' in failure

    def test_settings_that_lead_nowhere_are_told(self) -> None:
        class Elsewhere(acme.AcmeService):
            def settings(self, host: str, port: int) -> Any:
                return {"uri": "ws://127.0.0.1:1"}

        found = verdicts(suite(spec(), simulator=Elsewhere), but=SOCKETS)
        assert broken(found) == {"test_a_connection_runs_until_it_has_proven_the_end"}
        (failure,) = [str(verdict) for verdict in found.values() if isinstance(verdict, PromiseBrokenError)]
        assert "Did you mean 'url'?" in failure
        assert "#what-stands-in" in failure

    def test_a_simulator_with_words_of_its_own_is_told_what_to_say(self) -> None:
        class Chatty(acme.AcmeDialect):
            def events(self, words: Any, partial: str, heard: float, answer: Any) -> Any:
                return super().events([replace(word, text="hello") for word in words], "", heard, answer)

        (failure,) = map(str, verdicts(suite(spec(Chatty)), only="test_words_are_whole").values())
        assert "'hello' became final, which was never said" in failure
        assert "`CodedWords`" in failure

    def test_a_suite_without_a_simulator_says_what_it_needs(self) -> None:
        with pytest.raises(TypeError, match="TestNothing needs `simulator = "):
            type("TestNothing", (ProviderSuite,), {"spec": spec()})
