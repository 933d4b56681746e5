"""What is generated is current, the ready configurations work, and the page's snippets are true."""

from __future__ import annotations

import logging
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema.exceptions import ValidationError

from debabelizer.config import ProviderSettings, check, describe, load_settings, redaction
from debabelizer.config.generate import generated, main
from debabelizer.config.reference import reference
from debabelizer.config.schema import json_schema
from debabelizer.config.template import template
from debabelizer.plugins import PluginRegistry
from debabelizer.plugins.discovery import FIRST_PARTY
from debabelizer.spec import Capabilities, ProviderSpec, Secret

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
FILES = sorted((ROOT / "config").glob("*.toml"))
ENVIRON = {
    secret.env: "test-key" for spec in PluginRegistry.discover(allow=[*FIRST_PARTY]).specs for secret in spec.secrets
}


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def registry() -> PluginRegistry:
    return PluginRegistry.discover(allow=[*FIRST_PARTY])


@pytest.fixture(scope="module")
def known(registry: PluginRegistry) -> Any:
    return [(spec, registry.settings_model(spec)) for spec in registry.specs]


@pytest.fixture(scope="module")
def schema(known: Any) -> Any:
    return json_schema(known)


def test_generated_files_are_current(known: Any) -> None:
    stale = [path.name for path, text in generated(ROOT, known).items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "Type: python -m debabelizer.config.generate"


def test_the_command_makes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "config").mkdir()
    before, _, after = PAGE.partition("<!-- generated: end -->")
    (tmp_path / "docs" / "configuration.md").write_text(
        f"{before}stale<!-- generated: end -->{after}", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    main()
    for path in ("docs/configuration.md", "config/debabelizer.toml", "config/debabelizer.schema.json"):
        assert (tmp_path / path).read_text(encoding="utf-8") == (ROOT / path).read_text(encoding="utf-8")


def test_schema_is_one(schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_ready_configurations_work(path: Path, registry: PluginRegistry, schema: Any) -> None:
    assert path.read_text(encoding="utf-8").startswith("#:schema ./debabelizer.schema.json\n")
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), schema)
    settings = load_settings(path, environ=ENVIRON)
    report = check(settings, registry)
    assert (report.problems, report.notes) == ((), ())
    for name in settings.stt.provider:
        assert registry.spec(name).capabilities.unmet(settings.stt.require) == ()


def test_the_ready_configurations_are_all_there() -> None:
    names = [path.stem for path in FILES]
    assert names == ["captions", "debabelizer", "meeting", "privacy", "telephone"]


def test_template_has_every_setting_with_its_default(registry: PluginRegistry, schema: Any) -> None:
    """Taking away each # in front of a default changes nothing."""
    text = (ROOT / "config" / "debabelizer.toml").read_text(encoding="utf-8")
    text = re.sub(r"^#(\w+ = .*[^…\n])$", r"\1", text, flags=re.MULTILINE)
    jsonschema.validate(tomllib.loads(text), schema)
    mapping = tomllib.loads(text)
    settings = load_settings({**mapping, "stt": {**mapping["stt"], "provider": [*FIRST_PARTY]}}, environ={})
    defaults = load_settings({"stt": {"provider": [*FIRST_PARTY]}}, environ={})
    values = {row.key: row.value for row in describe(settings, registry)}
    assert values == {row.key: row.value for row in describe(defaults, registry)}
    written = settings.sources.keys()
    assert {"stt.concurrency", "stream.backoff_max", "plugins.disable", "insecure"} <= written
    assert {"providers.soniox.api_key", "providers.soniox.model", "providers.moonshine.engines"} <= written


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "x"},
        {"stt": {"provder": "x"}},
        {"stt": {"provider": []}},
        {"stt": {"require": {"words": "x"}}},
        {"stream": {"replay": "1 parsec"}},
        {"stream": {"max_attempts": 0}},
        {"providers": {"parrot": {"api_kee": "x"}}},
        {"providers": {"parrot": {"api_key": {"env": "A", "file": "b"}}}},
        {"profiles": {"p": {"providers": {"parrot": {"voice": {"pitch": 0}}}}}},
        {"profiles": {"p": {"profile": "q"}}},
    ],
    ids=str,
)
def test_schema_tells_what_loading_tells(place: Any, parrot: Any, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        jsonschema.validate(wrong, json_schema([parrot]))


@pytest.mark.parametrize(
    "right",
    [
        {"stt": {"provider": "x", "language_hints": ["en"], "require": {"languages": ["en", "de"], "channels": 2}}},
        {"stream": {"replay": "1.5m", "replay_bytes": "32 MiB", "stall_timeout": 3}},
        {"providers": {"parrot": {"api_key": "x", "voice": {"pitch": 1}}, "other": {"x": {"y": 1}}}},
        {"providers": {"parrot": {"api_key": {"command": ["a", "b"]}}}},
        {"profile": "p", "profiles": {"p": {"stt": {"interim": False}}}},
    ],
    ids=str,
)
def test_schema_accepts_what_loading_accepts(place: Any, parrot: Any, right: Any) -> None:
    jsonschema.validate(right, json_schema([parrot]))
    place.load(right)


def test_provider_without_settings_is_described() -> None:
    class Mute(ProviderSettings):
        pass

    spec = ProviderSpec(
        name="mute", summary="", api_version=1, capabilities=Capabilities(), settings="a:b", factory="a:b"
    )
    known = [(replace(spec, secrets=(Secret(key="no.such", env="KEY"),)), Mute)]
    assert json_schema(known)["$defs"]["Mute"]["properties"] == {}
    assert "mute" not in reference(known)
    assert "mute" not in template(known)


def test_made_up_provider_is_described(parrot: Any) -> None:
    assert json_schema([parrot])["$defs"]["ParrotSettings"]["properties"]["api_key"]["default"] == {
        "env": "PARROT_API_KEY"
    }
    table = reference([parrot])
    assert (
        '| `api_key` | secret | `{ env = "PARROT_API_KEY" }` | The key. | `DEBABELIZER_PROVIDERS__PARROT__API_KEY` |'
        in table
    )
    assert '| `patience` | duration | `"1s"` | How long it waits. |' in table
    assert "| `voice` | table |  | How it sounds. | `DEBABELIZER_PROVIDERS__PARROT__VOICE__…` |" in table
    text = template([parrot])
    assert '\n[providers.parrot]\n\n# The key.\n#api_key = { env = "PARROT_API_KEY" }\n' in text
    assert tomllib.loads(text)["providers"] == {"parrot": {}}


def test_snippets_of_toml_are_valid(registry: PluginRegistry, schema: Any, place: Any) -> None:
    for snippet in snippets("toml"):
        jsonschema.validate(tomllib.loads(snippet), schema)
        path = place.config(snippet)
        for profile in (None, *tomllib.loads(snippet).get("profiles", ())):
            settings = place.load(path, profile=profile, environ=ENVIRON)
            assert check(settings, registry).problems == ()
    assert len(snippets("toml")) == 3


def test_snippet_of_variables(place: Any) -> None:
    [snippet] = snippets("sh")
    environ = {name: text.strip("'") for name, text in re.findall(r"^export (\w+)=(.*)$", snippet, re.MULTILINE)}
    settings = place.load(environ=environ)
    assert settings.stt.provider == ("soniox", "moonshine")
    assert settings.stt.vocabulary == ("Smith, John", "Debabelizer")
    assert settings.stream.replay == 120.0


def test_snippet_of_errors(place: Any) -> None:
    [snippet] = snippets("text")
    place.config('[stt]\nprovder = "x"\nconcurrency = "two"\n\n[stream]\nreplay = "1 parsec"\n')
    told = place.problems(environ={"DEBABELIZER_STT_PROVIDER": "x"})
    assert [line.removeprefix("project/") for line in told] == snippet.splitlines()


def test_snippets_of_python_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redaction, "_known", {})
    monkeypatch.setattr(redaction, "_pattern", None)
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    for snippet in snippets("python"):
        exec(snippet, {})
    assert caplog.messages == ["key **********"]
    assert capsys.readouterr().out == "argument None stt.provder there is no such key. Did you mean 'provider'?\n"
