from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from debabelizer.config import ProviderSettings, Secret, check, missing_secret, reveal_all, validate_provider
from debabelizer.errors import ConfigError
from debabelizer.spec import Secret as SecretSpec


def test_table_is_validated_by_the_provider_s_model(place: Any, parrot: Any) -> None:
    place.config('[providers.parrot]\nmodel = "ara"\npatience = "2m"\nvoice.pitch = 4\n')
    table = validate_provider(place.load(), *parrot)
    assert (table.model, table.patience, table.voice.pitch) == ("ara", 120.0, 4)


def test_without_a_table_there_are_defaults(place: Any, parrot: Any) -> None:
    assert validate_provider(place.load(), *parrot).model == "grey"


def test_options_of_one_call_are_laid_over(place: Any, parrot: Any) -> None:
    place.config('[providers.parrot]\nmodel = "ara"\nvoice = { pitch = 4, words = ["a"] }\n')
    settings = place.load()
    table = validate_provider(settings, *parrot, {"model": "kea", "voice": {"words": ["b"]}})
    assert (table.model, table.voice.pitch, table.voice.words) == ("kea", 4, ("b",))
    assert validate_provider(settings, *parrot).model == "ara"


def test_lists_in_variables(place: Any, parrot: Any) -> None:
    settings = place.load(environ={"DEBABELIZER_PROVIDERS__PARROT__HINTS": "a,b"})
    assert validate_provider(settings, *parrot).hints == ("a", "b")


def test_insecure_holds_for_providers_that_know_it(place: Any, parrot: Any) -> None:
    assert validate_provider(place.load({"insecure": True}), *parrot).insecure is True
    settings = place.load({"insecure": True, "providers": {"parrot": {"insecure": False}}})
    assert validate_provider(settings, *parrot).insecure is False

    class Deaf(ProviderSettings):
        model: str = ""

    assert validate_provider(place.load({"insecure": True}), replace(parrot[0], secrets=()), Deaf) == Deaf()


class TestSecrets:
    def test_by_default_in_the_spec_s_variable(self, place: Any, parrot: Any) -> None:
        table = validate_provider(place.load(environ={"PARROT_API_KEY": "test-key"}), *parrot)
        assert table.api_key.reveal() == "test-key"
        assert table.api_key.reference == '{ env = "PARROT_API_KEY" }'

    def test_missing_is_told_when_it_is_needed(self, place: Any, parrot: Any) -> None:
        table = validate_provider(place.load(), *parrot)
        [told] = place.told(table.api_key.reveal)
        assert told.startswith("providers.parrot.api_key: environment variable PARROT_API_KEY is not set.")

    def test_optional_ones_are_left_out(self, place: Any, parrot: Any) -> None:
        spec = replace(parrot[0], secrets=(SecretSpec(key="api_key", env="PARROT_API_KEY", required=False),))
        assert validate_provider(place.load(), spec, parrot[1]).api_key is None
        settings = place.load(environ={"PARROT_API_KEY": "test-key"})
        assert validate_provider(settings, spec, parrot[1]).api_key.reveal() == "test-key"

    def test_file_beside_the_configuration_that_names_it(self, place: Any, parrot: Any) -> None:
        place.user('[providers.parrot]\napi_key = { file = "key.txt" }\n')
        place.config('[providers.parrot]\nmodel = "ara"\n')
        key = place.write(".config/debabelizer/key.txt", "test-key\n")
        assert validate_provider(place.load(), *parrot).api_key.reveal() == "test-key"
        key.unlink()
        [told] = place.told(validate_provider(place.load(), *parrot).api_key.reveal)
        assert told.startswith(
            ".config/debabelizer/debabelizer.toml:2:1: providers.parrot.api_key: .config/debabelizer/key.txt cannot be"
        )

    @pytest.mark.parametrize("name", ["API_KEY", "API_KEY__ENV"])
    def test_in_a_variable_as_text_or_reference(self, place: Any, parrot: Any, name: str) -> None:
        text = "12345678" if name == "API_KEY" else "OTHER"
        settings = place.load(environ={f"DEBABELIZER_PROVIDERS__PARROT__{name}": text, "OTHER": "12345678"})
        assert validate_provider(settings, *parrot).api_key.reveal() == "12345678"

    def test_malformed(self, place: Any, parrot: Any) -> None:
        place.config('[providers.parrot]\napi_key = { enb = "canary" }\n')
        settings = place.load()
        [told] = place.told(lambda: validate_provider(settings, *parrot))
        assert told == (
            'project/debabelizer.toml:2:1: providers.parrot.api_key: must be a text, or { env = "NAME" }, '
            '{ file = "path" } or { command = ["program", "argument"] }.'
        )
        assert str(missing_secret(settings, parrot[0], parrot[0].secrets[0])) == f"{place.home}/{told}"

    def test_command_runs_once_for_all_calls(self, place: Any, parrot: Any, tmp_path: Path) -> None:
        script = f"p = open({str(tmp_path / 'runs')!r}, 'a+'); p.write('x'); print('key-of-parrot')"
        settings = place.load({"providers": {"parrot": {"api_key": {"command": [sys.executable, "-c", script]}}}})
        for _ in range(2):
            table = validate_provider(settings, *parrot)
            asyncio.run(reveal_all(table))
            assert table.api_key.reveal() == "key-of-parrot"
        assert (tmp_path / "runs").read_text() == "x"

    def test_reveal_all_reads_nested_ones_and_tells_what_is_missing(self, place: Any, parrot: Any) -> None:
        class Account(ProviderSettings):
            token: Secret | None = None

        class Model(ProviderSettings):
            account: Account = Account()

        spec = replace(parrot[0], secrets=(SecretSpec(key="account.token", env="TOKEN"),))
        table = validate_provider(place.load(environ={"TOKEN": "test-key"}), spec, Model)
        asyncio.run(reveal_all(table))
        assert table.account.token is not None
        assert table.account.token.reveal() == "test-key"
        with pytest.raises(ConfigError, match=r"providers\.parrot\.account\.token: environment variable TOKEN"):
            asyncio.run(reveal_all(validate_provider(place.load(), spec, Model)))
        [told] = place.told(
            lambda: validate_provider(place.load({"providers": {"parrot": {"account": 3}}}), spec, Model)
        )
        assert told == "argument: providers.parrot.account: must be a table."

    def test_secret_that_the_spec_does_not_name(self, place: Any, parrot: Any) -> None:
        class Model(ProviderSettings):
            api_key: Secret | None = None
            token: Secret | None = None

        assert validate_provider(place.load(), parrot[0], Model).token is None
        place.config('[providers.parrot]\ntoken = { file = "token.txt" }\n')
        place.write("project/token.txt", "test-token")
        table = validate_provider(place.load(), parrot[0], Model)
        assert table.token is not None
        assert table.token.reveal() == "test-token"

    def test_missing_secret_needs_no_model(self, place: Any, parrot: Any) -> None:
        spec = parrot[0]
        assert "PARROT_API_KEY is not set" in str(missing_secret(place.load(), spec, spec.secrets[0]))
        assert missing_secret(place.load(environ={"PARROT_API_KEY": "x"}), spec, spec.secrets[0]) is None
        assert missing_secret(place.load({"providers": {"parrot": {"api_key": "x"}}}), spec, spec.secrets[0]) is None
        optional = replace(spec.secrets[0], required=False)
        assert missing_secret(place.load(), spec, optional) is None


class TestCheck:
    def test_nothing_is_wrong(self, place: Any, installed: Any) -> None:
        place.config('stt.provider = "parrot"\n')
        report = check(place.load(environ={"PARROT_API_KEY": "x"}), installed)
        assert (report.problems, report.notes) == ((), ())

    def test_tables_are_checked_in_every_profile(self, place: Any, installed: Any) -> None:
        place.config(
            'stt.provider = "parrot"\n[providers.parrot]\napi_key = "x"\nmodl = 1\n'
            "[profiles.a.providers.parrot]\nmodel = 2\n[profiles.b.stt]\ninterim = false\n"
        )
        report = check(place.load(), installed)
        assert [str(problem).rpartition("debabelizer.toml:")[2] for problem in report.problems] == [
            "4:1: providers.parrot.modl: there is no such key. Did you mean 'model'?",
            "6:1: profiles.a.providers.parrot.model: must be a text.",
        ]
        assert report.notes == ()

    def test_what_is_not_used_is_only_worth_a_note(self, place: Any, installed: Any) -> None:
        place.config(
            'stt.provider = "parrot"\n[providers.other]\nx = 1\n[profiles.a]\nstt.provider = "absent"\n'
            'providers.parrot.api_key = { env = "NO_SUCH" }\n'
        )
        report = check(place.load(environ={"PARROT_API_KEY": "x"}), installed)
        assert report.problems == ()
        assert [str(note).rpartition("debabelizer.toml:")[2].partition(" Put it")[0] for note in report.notes] == [
            "2:1: providers.other: Provider 'other' is not installed. Install it.",
            "5:1: profiles.a.stt.provider: Provider 'absent' is not installed. Install it.",
            "6:1: profiles.a.providers.parrot.api_key: environment variable NO_SUCH is not set.",
        ]

    def test_what_is_used_and_not_there_is_a_problem(self, place: Any, installed: Any) -> None:
        place.config('stt.provider = ["parrot", "absent"]\n')
        report = check(place.load(), installed)
        assert [problem.key for problem in report.problems] == ["providers.parrot.api_key", "stt.provider"]
        assert "PARROT_API_KEY is not set" in report.problems[0].message
        assert report.problems[1].line == 1
