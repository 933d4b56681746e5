from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from debabelizer.config import PluginSettings, Settings, SttSettings, load_settings, user_file, with_profile
from debabelizer.streaming.policy import StreamPolicy


def test_defaults_keep_audio_here(place: Any) -> None:
    settings = place.load()
    assert settings.model_dump() == Settings().model_dump()
    assert settings.stt.provider == ("moonshine",)
    assert settings.stream == StreamPolicy()
    assert settings.insecure is False
    assert settings.sources == {}


def test_layers_from_weak_to_strong(place: Any) -> None:
    """Each layer is the strongest of those that set one of the keys."""
    place.user("[stt]\nconcurrency = 3\nlanguage_hints = ['aa']\nvocabulary = ['user']\ntranslate_to = 'aa'\n")
    place.config(
        "[stt]\nlanguage_hints = ['bb']\nvocabulary = ['project']\ntranslate_to = 'bb'\n"
        "[profiles.p]\nstt.vocabulary = ['profile']\nstt.translate_to = 'cc'\nstream.results = 3\n"
    )
    settings = place.load(
        environ={
            "DEBABELIZER_STT__TRANSLATE_TO": "dd",
            "DEBABELIZER_STREAM__RESULTS": "4",
            "DEBABELIZER_STREAM__MAX_ATTEMPTS": "4",
        },
        profile="p",
        sets=["stream.results=5", "stream.max_attempts=5"],
        overrides={"stream": {"max_attempts": 6}},
    )
    assert settings.stt.interim is SttSettings().interim
    assert settings.stt.concurrency == 3
    assert settings.stt.language_hints == ("bb",)
    assert settings.stt.vocabulary == ("profile",)
    assert settings.stt.translate_to == "dd"
    assert settings.stream.results == 5
    assert settings.stream.max_attempts == 6


def test_sources_say_where_each_setting_was_written(place: Any) -> None:
    user = place.user("[stt]\nconcurrency = 3\n")
    project = place.config(
        '[providers.parrot]\n# comment\nmodel = "ara"\nvoice = { pitch = 4 }\n[profiles.p.stt]\ninterim = false\n'
    )
    settings = place.load(
        environ={"DEBABELIZER_STREAM__REPLAY": "2m", "debabelizer_stt__diarization": "yes", "DEBABELIZER_PROFILE": "p"},
        sets=["stream.results=5"],
        overrides={"stt": {"provider": "parrot"}},
    )
    assert {key: str(source) for key, source in settings.sources.items()} == {
        "stt.concurrency": f"{user}:2",
        "providers.parrot.model": f"{project}:3",
        "providers.parrot.voice.pitch": f"{project}:4",
        "profiles.p.stt.interim": f"{project}:6",
        "stt.interim": f"{project}:6",
        "stream.replay": "environment variable DEBABELIZER_STREAM__REPLAY",
        "stt.diarization": "environment variable debabelizer_stt__diarization",
        "profile": "environment variable DEBABELIZER_PROFILE",
        "stream.results": "--set",
        "stt.provider": "argument",
    }


class TestFiles:
    def test_nearest_file_above_the_current_folder(self, place: Any) -> None:
        place.write("debabelizer.toml", "insecure = true\nstt.concurrency = 9\n")
        place.config("stt.concurrency = 3\n")
        settings = load_settings(environ=place.environ, cwd=place.inner)
        assert settings.stt.concurrency == 3
        assert settings.insecure is False

    def test_table_in_pyproject(self, place: Any) -> None:
        path = place.pyproject('[project]\nname = "x"\n\n[tool.debabelizer.stt]\nconcurrency = 3\n')
        settings = place.load()
        assert settings.stt.concurrency == 3
        source = settings.sources["stt.concurrency"]
        assert (source.name, source.line, source.key) == (path, 5, "tool.debabelizer.stt.concurrency")

    @pytest.mark.parametrize(
        "text", ['[project]\nname = "x"\n', "[tool.other]\n", 'dependencies = ["debabelizer"]\n', "[\n"]
    )
    def test_pyproject_that_is_none_of_ours(self, place: Any, text: str) -> None:
        place.write("debabelizer.toml", "stt.concurrency = 3\n")
        place.pyproject(text)
        assert place.load().stt.concurrency == 3

    def test_pyproject_that_cannot_be_read(self, place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        place.config("stt.concurrency = 3\n")
        place.pyproject("[tool.debabelizer]\n")

        def refuse(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "read_bytes", refuse)
        assert place.load().stt.concurrency == 3

    def test_file_beside_a_pyproject_that_is_none_of_ours(self, place: Any) -> None:
        place.pyproject("[tool.other]\n")
        place.config("stt.concurrency = 3\n")
        assert place.load().stt.concurrency == 3

    def test_named_file_instead_of_those_found(self, place: Any) -> None:
        place.user("stt.concurrency = 8\n")
        place.config("stt.concurrency = 9\n")
        place.write("project/other.toml", "stt.interim = false\n")
        for named in ("other.toml", Path("other.toml"), place.project / "other.toml", "~/project/other.toml"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("HOME", str(place.home))
                settings = place.load(named)
            assert (settings.stt.interim, settings.stt.concurrency) == (False, 2)

    def test_named_pyproject(self, place: Any) -> None:
        path = place.write("else/pyproject.toml", "[tool.debabelizer.stt]\nconcurrency = 3\n")
        assert place.load(path).stt.concurrency == 3

    def test_file_named_by_the_environment(self, place: Any) -> None:
        place.config("stt.concurrency = 9\n")
        place.write("project/other.toml", "stt.interim = false\n")
        environ = {"DEBABELIZER_CONFIG": "other.toml"}
        assert place.load(environ=environ).stt.concurrency == 2
        assert place.load({"stt": {"concurrency": 4}}, environ=environ).stt.interim is True

    def test_mapping_instead_of_files(self, place: Any) -> None:
        place.config("stt.concurrency = 9\n")
        settings = place.load({"stt": {"provider": ["a", "b"]}}, environ={"DEBABELIZER_STT__INTERIM": "false"})
        assert (settings.stt.provider, settings.stt.concurrency, settings.stt.interim) == (("a", "b"), 2, False)

    def test_own_file_that_is_the_project_s_as_well_is_read_once(self, place: Any) -> None:
        path = place.user("stt.concurrency = 3\n")
        settings = load_settings(environ=place.environ, cwd=path.parent)
        assert [layer.source.name for layer in settings.stack.base] == [path]

    def test_without_home_and_current_folder(self, place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(place.inner)
        place.inner.rmdir()
        assert load_settings(environ={}).sources == {}

    def test_process_environment_and_current_folder_by_default(
        self, place: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.config("stt.concurrency = 3\n")
        monkeypatch.chdir(place.project)
        monkeypatch.setenv("HOME", str(place.home))
        monkeypatch.setenv("DEBABELIZER_STT__INTERIM", "false")
        settings = load_settings()
        assert (settings.stt.concurrency, settings.stt.interim) == (3, False)

    @pytest.mark.skipif(os.name == "nt", reason="names of folders on Unix")
    def test_user_s_folder(self) -> None:
        assert user_file({"HOME": "/home/me"}) == Path("/home/me/.config/debabelizer/debabelizer.toml")
        assert user_file({"HOME": "/home/me", "XDG_CONFIG_HOME": "/x"}) == Path("/x/debabelizer/debabelizer.toml")
        assert user_file({}) is None


class TestMerging:
    def test_tables_are_merged_and_lists_replaced(self, place: Any) -> None:
        place.user('[stt]\nvocabulary = ["a", "b"]\nrequire = { local = true }\n')
        place.config('[stt]\nvocabulary = ["c"]\nrequire.words = "word"\n')
        settings = place.load()
        assert settings.stt.vocabulary == ("c",)
        assert settings.stt.require == {"local": True, "words": "word"}

    def test_a_reference_replaces_another(self, place: Any) -> None:
        place.user('[providers.parrot]\napi_key = { env = "A" }\n')
        place.config('[providers.parrot]\napi_key = { file = "a" }\n')
        assert place.load().provider_table("parrot") == {"api_key": {"file": "a"}}

    def test_settings_from_python_keep_all_that_was_given(self) -> None:
        given = Settings(providers={"parrot": {"voice": {"pitch": 4}}}, insecure=True)
        changed = load_settings(given, overrides={"providers": {"parrot": {"model": "ara"}}})
        assert changed.provider_table("parrot") == {"voice": {"pitch": 4}, "model": "ara"}
        assert changed.insecure is True

    def test_a_stream_policy_from_python_is_laid_over_key_by_key(self) -> None:
        settings = Settings(stream=StreamPolicy(replay=5.0), stt=SttSettings(provider=("a",)))
        changed = load_settings(settings, overrides={"stream": {"results": 7}})
        assert (changed.stream.replay, changed.stream.results, changed.stt.provider) == (5.0, 7, ("a",))


class TestEnvironment:
    def test_texts_become_what_is_expected(self, place: Any) -> None:
        environ = {
            "STT__PROVIDER": "a, b",
            "STT__LANGUAGE_HINTS": '["en", "de"]',
            "STT__INTERIM": "0",
            "STT__CONCURRENCY": "7",
            "STT__REQUIRE__LOCAL": "true",
            "STREAM__REPLAY": "500ms",
            "STREAM__REPLAY_BYTES": "1MiB",
            "PLUGINS__DISABLE": "x,y",
            "INSECURE": "true",
        }
        settings = place.load(environ={f"DEBABELIZER_{name}": text for name, text in environ.items()})
        assert settings.stt.provider == ("a", "b")
        assert settings.stt.language_hints == ("en", "de")
        assert (settings.stt.interim, settings.stt.concurrency) == (False, 7)
        assert settings.stt.require == {"local": True}
        assert (settings.stream.replay, settings.stream.replay_bytes) == (0.5, 1024**2)
        assert settings.plugins == PluginSettings(disable=("x", "y"))
        assert settings.insecure is True

    def test_provider_tables_stay_as_they_are(self, place: Any) -> None:
        environ = {
            "DEBABELIZER_PROVIDERS__PARROT__API_KEY": "12345678",
            "DEBABELIZER_PROVIDERS__PARROT__VOICE__PITCH": "4",
        }
        assert place.load(environ=environ).provider_table("parrot") == {"api_key": "12345678", "voice": {"pitch": "4"}}

    def test_profiles_too(self, place: Any) -> None:
        environ = {"DEBABELIZER_PROFILES__P__STT__PROVIDER": "a,b", "DEBABELIZER_PROFILE": "p"}
        assert place.load(environ=environ).stt.provider == ("a", "b")

    def test_texts_of_providers_are_not_decoded(self, place: Any) -> None:
        texts = {"A": '{"b": 1}', "MODEL": "4", "API_KEY__ENV": "null", "0": "[1, 2]", "VOICE__PITCH_": " x "}
        environ = {f"DEBABELIZER_PROVIDERS__PARROT__{name}": text for name, text in texts.items()}
        table = {"a": '{"b": 1}', "model": "4", "api_key": {"env": "null"}, "0": "[1, 2]", "voice": {"pitch_": " x "}}
        assert place.load(environ=environ).provider_table("parrot") == table

    def test_names_in_any_case_are_told_as_they_are_spelt(self, place: Any) -> None:
        environ = {"DeBabelizer_Stt__InterIM": "false", "Debabelizer_PROVIDERS__Parrot__Voice__Pitch": "4"}
        settings = place.load(environ=environ)
        assert settings.stt.interim is False
        assert settings.provider_table("parrot") == {"voice": {"pitch": "4"}}
        assert {key: str(source) for key, source in settings.sources.items()} == {
            "stt.interim": "environment variable DeBabelizer_Stt__InterIM",
            "providers.parrot.voice.pitch": "environment variable Debabelizer_PROVIDERS__Parrot__Voice__Pitch",
        }

    def test_of_names_that_differ_in_case_the_last_one_counts(self, place: Any) -> None:
        environ = {"DEBABELIZER_STT__RACE": "2", "debabelizer_stt__race": "3"}
        settings = place.load(environ=environ)
        assert settings.stt.race == 3
        assert str(settings.sources["stt.race"]) == "environment variable debabelizer_stt__race"

    def test_a_variable_of_a_whole_table_is_ignored_when_empty(self, place: Any) -> None:
        environ = {"DEBABELIZER_PROVIDERS__PARROT": "", "DEBABELIZER_PROVIDERS__PARROT__MODEL": "ara"}
        assert place.load(environ=environ).provider_table("parrot") == {"model": "ara"}

    def test_variables_are_laid_over_a_file_key_by_key(self, place: Any) -> None:
        place.config('[providers.parrot]\nmodel = "grey"\nvoice = { pitch = 3, words = ["a"] }')
        settings = place.load(environ={"DEBABELIZER_PROVIDERS__PARROT__VOICE__PITCH": "4"})
        assert settings.provider_table("parrot") == {"model": "grey", "voice": {"pitch": "4", "words": ["a"]}}

    def test_a_mapping_is_not_changed(self) -> None:
        environ = {"DEBABELIZER_STT__RACE": "2", "OTHER": "x"}
        load_settings({}, environ=environ)
        assert environ == {"DEBABELIZER_STT__RACE": "2", "OTHER": "x"}

    def test_empty_and_reserved_variables_are_no_settings(self, place: Any) -> None:
        environ = {"DEBABELIZER_STT__PROVIDER": "", "DEBABELIZER_PLUGINS": "a,b", "DEBABELIZER_CONFIG": ""}
        assert place.load(environ=environ).sources == {}


class TestSets:
    @pytest.mark.parametrize(
        ("text", "provider"),
        [
            ("stt.provider=soniox", ("soniox",)),
            (" stt . 'provider' = soniox ", ("soniox",)),
            ('stt.provider=["a", "b"]', ("a", "b")),
            ("stt.provider=a,b", ("a", "b")),
            ("stt={ provider = 'a' }", ("a",)),
        ],
    )
    def test_value_is_toml_or_else_text(self, place: Any, text: str, provider: tuple[str, ...]) -> None:
        assert place.load(sets=[text]).stt.provider == provider

    def test_text_with_an_equals_sign_or_a_line_break(self, place: Any) -> None:
        settings = place.load(sets=["providers.parrot.a=b=c", "providers.parrot.d=1\ne = 2"])
        assert settings.provider_table("parrot") == {"a": "b=c", "d": "1\ne = 2"}

    def test_later_ones_are_stronger(self, place: Any) -> None:
        assert place.load(sets=["stt.concurrency=3", "stt.concurrency=4"]).stt.concurrency == 4


class TestProfiles:
    TEXT = (
        "profile = 'a'\n[stt]\nconcurrency = 3\n[profiles.a.stt]\nconcurrency = 4\n[profiles.b.stt]\nconcurrency = 5\n"
    )

    def test_key_of_a_file_variable_and_argument(self, place: Any) -> None:
        place.config(self.TEXT)
        environ = {"DEBABELIZER_PROFILE": "b"}
        assert place.load().stt.concurrency == 4
        assert place.load(environ=environ).stt.concurrency == 5
        assert place.load(environ=environ, profile="a").stt.concurrency == 4
        assert place.load(environ=environ, profile="a").profile == "a"

    def test_parts_in_several_files_are_merged(self, place: Any) -> None:
        place.user("[profiles.a.stt]\nconcurrency = 4\ninterim = false\n")
        place.config("[profiles.a.stt]\nconcurrency = 5\n")
        settings = place.load(profile="a")
        assert (settings.stt.concurrency, settings.stt.interim) == (5, False)

    def test_the_same_layers_with_another_profile(self, place: Any) -> None:
        place.config(self.TEXT)
        settings = place.load(overrides={"stt": {"interim": False}})
        other = with_profile(settings, "b")
        assert (other.profile, other.stt.concurrency, other.stt.interim) == ("b", 5, False)
        assert load_settings(settings, profile="b").stt == other.stt


class TestSettings:
    def test_loading_settings_again_does_not_look_around_again(self, place: Any) -> None:
        place.config("stt.concurrency = 3\n")
        settings = place.load(sets=["stt.interim=false"])
        place.config("stt.concurrency = 4\n")
        again = load_settings(settings, environ={"DEBABELIZER_STT__INTERIM": "true"}, cwd=place.project)
        assert again.model_dump() == settings.model_dump()
        assert load_settings(again, overrides={"stt": {"provider": "x"}}).sources.keys() == {
            *settings.sources,
            "stt.provider",
        }

    def test_they_do_not_change(self) -> None:
        settings = Settings()
        with pytest.raises(ValueError, match="frozen"):
            settings.insecure = True  # type: ignore[misc]
        with pytest.raises(TypeError):
            settings.provider_table("x")["a"] = 1  # type: ignore[index]

    def test_made_in_python_they_read_no_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DEBABELIZER_STT__INTERIM", "false")
        assert Settings().stt.interim is True

    def test_they_do_not_show_what_may_be_a_secret(self, place: Any) -> None:
        text = 'api_key = "canary-text"\n'
        place.config(f"[providers.parrot]\n{text}[profiles.p.providers.parrot]\n{text}")
        settings = place.load()
        shown = repr(settings) + str(settings) + settings.model_dump_json() + repr(settings.model_dump())
        shown += repr(settings.stack) + repr(settings.layer) + repr(settings.profiles)
        assert "canary" not in shown
