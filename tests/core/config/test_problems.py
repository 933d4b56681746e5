"""Whatever is wrong is told with its place, all at once, and never with a value."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from debabelizer.config import ProviderSettings, load_settings, validate_provider
from debabelizer.errors import ConfigError
from debabelizer.spec import ProviderSpec

WRONG = """\
provider = "canary"
[stt]
provder = "canary"
concurrency = "canary"
require = { loca = true, words = "canary" }
language_hints = [
  "canary",
  "de",
]
interim = [1]
diarization = "canary"
vocabulary = "a"
translate_to = 3

[stream]
replay = "6 canaries"
replay_bytes = "1 XB"
max_attempts = 0
stall_timout = 3
stall_timeout = true
give_up_after = nan
backoff_max = -1

[plugins]
disable = [1]

[profiles.x.stt]
interm = true

[profiles.y]
stt = 3
profiles = {}
"""


def test_every_problem_at_once(place: Any) -> None:
    place.config(WRONG)
    duration = 'must be a number of seconds, or a text like "500ms", "10s", "2m" or "1h".'
    assert place.problems() == [
        f"project/debabelizer.toml:{line}"
        for line in [
            "1:1: provider: there is no such key. Did you mean 'stt.provider'?",
            "3:1: stt.provder: there is no such key. Did you mean 'provider'?",
            "4:1: stt.concurrency: must be a whole number.",
            "5:13: stt.require.loca: there is no such key. Did you mean 'local'?",
            "5:26: stt.require.words: must be 'none', 'segment' or 'word'.",
            '7:3: stt.language_hints[0]: must be a language code, like "en" or "pt-BR".',
            "10:1: stt.interim: must be true or false.",
            "11:1: stt.diarization: must be true or false.",
            "13:1: stt.translate_to: must be a text.",
            f"16:1: stream.replay: {duration}",
            '17:1: stream.replay_bytes: must be a number of bytes, or a text like "512KiB" or "32MiB".',
            "18:1: stream.max_attempts: must be greater than or equal to 1.",
            "19:1: stream.stall_timout: there is no such key. Did you mean 'stall_timeout'?",
            f"20:1: stream.stall_timeout: {duration}",
            f"21:1: stream.give_up_after: {duration}",
            f"22:1: stream.backoff_max: {duration}",
            "25:12: plugins.disable[0]: must be a text.",
            "28:1: profiles.x.stt.interm: there is no such key. Did you mean 'interim'?",
            "31:1: profiles.y.stt: must be a table.",
            "32:1: profiles.y.profiles: there is no such key. Did you mean 'providers'?",
        ]
    ]


def test_a_problem_in_the_chosen_profile_is_told_once(place: Any) -> None:
    place.config("[profiles.x.stt]\ninterm = true\n")
    told = place.problems(profile="x")
    assert told == [
        "project/debabelizer.toml:2:1: profiles.x.stt.interm: there is no such key. Did you mean 'interim'?"
    ]


def test_keys_in_pyproject_are_named_as_they_stand_there(place: Any) -> None:
    place.pyproject("[tool.debabelizer]\nstt.provder = 'x'\n")
    assert place.problems() == [
        "project/pyproject.toml:2:1: tool.debabelizer.stt.provder: there is no such key. Did you mean 'provider'?"
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("STT__PROVDER", "stt.provder: there is no such key. Did you mean 'provider'?"),
        ("STT__CONCURRENCY", "stt.concurrency: must be a whole number."),
        ("STT", "stt: must be a table."),
        ("STT_PROVIDER", "is not a setting. Did you mean DEBABELIZER_STT__PROVIDER?"),
        ("PROFIL", "is not a setting. Did you mean DEBABELIZER_PROFILE?"),
        ("CANARY_SANG", "is not a setting. Its form is DEBABELIZER_TABLE__KEY."),
        ("PROFILE__X", "is not a setting. Did you mean DEBABELIZER_PROFILE?"),
        ("INSECURE__X__Y", "is not a setting. Did you mean DEBABELIZER_INSECURE?"),
        ("__STT", "is not a setting. Its form is DEBABELIZER_TABLE__KEY."),
        ("", "is not a setting. Its form is DEBABELIZER_TABLE__KEY."),
        ("STT__REQUIRE", "stt.require: must be a table."),
        ("PROVIDERS__PARROT", "providers.parrot: must be a table."),
        ("STT___RACE", "stt._race: there is no such key. Did you mean 'race'?"),
    ],
)
def test_environment_variable_is_named(place: Any, name: str, told: str) -> None:
    [problem] = place.problems(environ={f"DEBABELIZER_{name}": "a canary"})
    assert problem == f"environment variable DEBABELIZER_{name}: {told}"


@pytest.mark.parametrize("turned", [False, True], ids=["outer first", "inner first"])
@pytest.mark.parametrize(
    ("around", "within"),
    [
        ("DEBABELIZER_STT__PROVIDER", "DEBABELIZER_STT__PROVIDER__X"),
        ("DEBABELIZER_PROVIDERS__PARROT__VOICE", "DEBABELIZER_providers__parrot__voice__words__x"),
    ],
)
def test_environment_variable_within_another(place: Any, around: str, within: str, turned: bool) -> None:
    environ = {around: "canary", within: "canary"}
    [problem] = place.problems(environ=dict(reversed(environ.items())) if turned else environ)
    assert problem == f"environment variable {within}: lies within {around}, which is set too. Unset one of them."


@pytest.mark.parametrize("key", ["STT", "_env_file", "_cli_parse_args"])
def test_tables_are_named_exactly(place: Any, key: str) -> None:
    [problem] = place.problems({key: {}})
    assert problem.startswith(f"argument: {key}: there is no such key.")


@pytest.mark.parametrize("text", ["canary", "", "=canary", "a..b=canary", "a b=canary", "a\nb=canary"])
def test_set_without_key_and_value(place: Any, text: str) -> None:
    assert "--set: needs key=value, like stt.provider=moonshine." in place.problems(sets=[text, "stt.interim=x"])


def test_wrong_set_and_argument(place: Any) -> None:
    assert place.problems(sets=["stt.concurrency=0"], overrides={"stt": {"provder": "canary"}}) == [
        "--set: stt.concurrency: must be greater than or equal to 1.",
        "argument: stt.provder: there is no such key. Did you mean 'provider'?",
    ]


@pytest.mark.parametrize("provider", [[], "", ["Soniox"], ["a b"], 3, [3], "[canary"])
def test_provider_that_is_no_name(place: Any, provider: object) -> None:
    [problem] = place.problems({"stt": {"provider": provider}})
    assert problem.startswith("argument: stt.provider")
    assert "canary" not in problem


class TestProfiles:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"profile": "captons"}, "argument: profile: there is no profile 'captons'. Did you mean 'captions'?"),
            ({"profile": "x"}, "argument: profile: there is no profile 'x'. There are: captions, meet."),
            (
                {"environ": {"DEBABELIZER_PROFILE": "met"}},
                "environment variable DEBABELIZER_PROFILE: profile: there is no profile 'met'. Did you mean 'meet'?",
            ),
        ],
    )
    def test_unknown(self, place: Any, options: dict[str, Any], told: str) -> None:
        place.config("[profiles.captions]\n[profiles.meet]\n")
        assert place.problems(**options) == [told]

    def test_unknown_with_other_problems(self, place: Any) -> None:
        place.config("profile = 'x'\n[profiles.captions]\n[stt]\nprovder = 1\n")
        assert len(place.problems()) == 2

    def test_there_are_none(self, place: Any) -> None:
        assert place.problems(profile="a b") == [
            "argument: profile: there is no profile 'a b'. There are none: write one as a table [profiles.\"a b\"]."
        ]

    @pytest.mark.parametrize("text", ["profile = 3", "profiles = 3", "profile = 'x'\nprofiles.x = 3"])
    def test_something_else(self, place: Any, text: str) -> None:
        place.config(text)
        assert len(place.problems()) == 1


class TestFiles:
    def test_two_in_one_folder(self, place: Any) -> None:
        place.config("")
        place.pyproject("[tool.debabelizer]\n")
        [problem] = load_and_catch(place, cwd=place.inner)
        assert problem == (
            f"{place.project}: there are two configurations in this folder: debabelizer.toml and [tool.debabelizer] "
            "in pyproject.toml. Keep one of them."
        )

    def test_malformed_with_line_and_column(self, place: Any) -> None:
        place.config("[stt]\nprovider = canary\n")
        assert place.problems() == ["project/debabelizer.toml:2:12: is not valid TOML: Invalid value."]

    def test_malformed_pyproject_that_names_us(self, place: Any) -> None:
        place.pyproject("[tool.debabelizer]\nstt = \n")
        assert place.problems() == ["project/pyproject.toml:2:7: is not valid TOML: Invalid value."]

    def test_section_that_is_no_table(self, place: Any) -> None:
        place.pyproject("[tool]\ndebabelizer = 3\n")
        assert place.problems() == ["project/pyproject.toml: has no table [tool.debabelizer]."]

    def test_own_file_and_project_s_are_told_together(self, place: Any) -> None:
        place.user("a = \n")
        place.config("b = \n")
        assert [problem.partition(":")[0] for problem in place.problems()] == [
            ".config/debabelizer/debabelizer.toml",
            "project/debabelizer.toml",
        ]

    def test_unreadable(self, place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        place.config("")

        def refuse(path: Path, *arguments: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "open", refuse)
        assert place.problems() == ["project/debabelizer.toml: cannot be read: Permission denied."]

    def test_folder_and_broken_link(self, place: Any) -> None:
        path = place.project / "debabelizer.toml"
        path.mkdir()
        assert place.problems() == ["project/debabelizer.toml: is a folder, not a file."]
        path.rmdir()
        path.symlink_to("nowhere")
        assert place.problems() == ["project/debabelizer.toml: there is no such file."]

    def test_named_file_that_is_not_there(self, place: Any) -> None:
        assert place.problems("no.toml") == ["project/no.toml: there is no such file."]
        assert place.problems(environ={"DEBABELIZER_CONFIG": "no.toml"}) == [
            "project/no.toml: there is no such file. DEBABELIZER_CONFIG names it."
        ]

    def test_named_file_in_a_home_that_is_not_known(self, place: Any) -> None:
        assert place.problems("~nobody-of-that-name/x.toml") == [
            "project/~nobody-of-that-name/x.toml: there is no such file."
        ]

    def test_named_pyproject_without_our_table(self, place: Any) -> None:
        path = place.write("else/pyproject.toml", "[tool.other]\n")
        assert place.problems(path) == ["else/pyproject.toml: has no table [tool.debabelizer]."]

    def test_not_utf8(self, place: Any) -> None:
        place.config("").write_bytes(b"[stt]\nprovider = '\xe9'\n")
        assert place.problems() == ["project/debabelizer.toml:2:13: is not UTF-8 text. Save it as UTF-8."]


def load_and_catch(place: Any, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ=place.environ, **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def keyless(parrot: Any) -> ProviderSpec:
    return replace(parrot[0], secrets=())


class TestNoValueIsShown:
    """A mistyped key holds a secret; pydantic's errors hold what they are about."""

    @pytest.fixture
    def shown(self, place: Any, parrot: Any, caplog: pytest.LogCaptureFixture) -> str:
        """Everything that can be seen of the error for a table with a mistyped key."""
        place.config('[stt]\nprovider = "parrot"\n[providers.parrot]\nmodel = 3\napi_kee = "canary-text"\n')
        settings = place.load()
        with pytest.raises(ConfigError) as caught:
            validate_provider(settings, *parrot)
        error = caught.value
        assert error.__cause__ is None
        assert error.__context__ is None
        logging.getLogger("debabelizer.test").error("failed", exc_info=error)
        chain = traceback.TracebackException.from_exception(error)
        return "\n".join(
            [str(error), repr(error), repr(error.problems), *chain.format(), caplog.text, repr(vars(error))]
        )

    def test_mistyped_secret(self, shown: str) -> None:
        assert "debabelizer.toml:5:1: providers.parrot.api_kee: there is no such key. Did you mean 'api_key'?" in shown
        assert "debabelizer.toml:4:1: providers.parrot.model: must be a text." in shown
        assert "canary" not in shown

    def test_validator_that_quotes_the_value(self, place: Any, keyless: Any) -> None:
        class Talkative(ProviderSettings):
            model: str = ""
            size: int = 0
            words: tuple[str, ...] = ()

            @field_validator("model", "size")
            @classmethod
            def _refuse(cls, value: object) -> object:
                raise ValueError(f"{value!r} is not it")

            @model_validator(mode="after")
            def _refuse_all(self) -> Any:
                raise AssertionError(f"not {self.words[0]}")

        values = {"model": "canary-text", "size": 12345678}
        told = place.told(lambda: validate_provider(place.load(), keyless, Talkative, values))
        assert told == [
            "argument: providers.parrot.model: '…' is not it.",
            "argument: providers.parrot.size: … is not it.",
        ]
        told = place.told(lambda: validate_provider(place.load(), keyless, Talkative, {"words": ["canary-text"]}))
        assert "canary" not in str(told)

    def test_choice_of_a_union(self, place: Any, keyless: Any) -> None:
        class Model(BaseModel):
            model_config = ConfigDict(extra="forbid")
            rate: int | list[int] | None = None

        told = place.told(lambda: validate_provider(place.load(), keyless, Model, {"rate": "canary"}))
        assert told == ["argument: providers.parrot.rate: must be a whole number, or a list."]

    def test_model_without_json_schema(self, place: Any, keyless: Any) -> None:
        class Odd:
            pass

        class Model(BaseModel):
            model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
            thing: Odd | None = None

        told = place.told(lambda: validate_provider(place.load(), keyless, Model, {"thng": "canary"}))
        assert told == ["argument: providers.parrot.thng: there is no such key. Did you mean 'thing'?"]
