from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import date
from typing import Any

import pytest

from debabelizer.config import SttSettings, describe
from debabelizer.config.describe import toml
from debabelizer.streaming.policy import StreamPolicy


def shown(place: Any, installed: Any = None, **options: Any) -> dict[str, tuple[str, str]]:
    rows = describe(place.load(**options), installed)
    assert len({row.key for row in rows}) == len(rows)
    return {row.key: (row.value, str(row.source).replace(f"{place.home}/", "")) for row in rows}


def test_every_setting_with_its_default(place: Any, installed: Any) -> None:
    rows = shown(place, installed)
    assert [*rows] == [
        *(f"stt.{name}" for name in SttSettings.model_fields),
        *(f"stream.{field.name}" for field in fields(StreamPolicy)),
        *("plugins.disable", "insecure", "profile"),
    ]
    assert {source for _, source in rows.values()} == {"default"}
    assert rows["stt.provider"][0] == '["moonshine"]'
    assert rows["stream.replay"][0] == "60.0"
    assert rows["stt.translate_to"][0] == ""


def test_where_each_was_written(place: Any, installed: Any) -> None:
    place.user("[stt]\nrequire = { local = true }\n")
    place.config('[stt]\nprovider = "parrot"\n[stream]\nreplay = "2m"\n[profiles.p.stt]\ninterim = false\n')
    rows = shown(place, installed, profile="p", sets=["plugins.disable=a,b"])
    assert rows["stt.require.local"] == ("true", ".config/debabelizer/debabelizer.toml:2")
    assert rows["stt.provider"] == ('["parrot"]', "project/debabelizer.toml:2")
    assert rows["stream.replay"] == ("120.0", "project/debabelizer.toml:4")
    assert rows["stt.interim"] == ("false", "project/debabelizer.toml:6")
    assert rows["profiles.p.stt.interim"] == ("false", "project/debabelizer.toml:6")
    assert rows["plugins.disable"] == ('["a", "b"]', "--set")
    assert rows["profile"] == ('"p"', "argument")


def test_secrets_are_hidden_and_references_are_shown(place: Any, installed: Any) -> None:
    settings = '[providers.parrot]\nmodel = "ara"\napi_key = '
    place.config(settings + '"canary-text"\n')
    rows = shown(place, installed)
    assert rows["providers.parrot.api_key"] == ('"**********"', "project/debabelizer.toml:3")
    assert rows["providers.parrot.model"] == ('"ara"', "project/debabelizer.toml:2")
    assert rows["providers.parrot.voice.pitch"] == ("3", "default")
    place.config(settings + '{ command = ["no-such-program", "x"] }\n')
    assert shown(place, installed)["providers.parrot.api_key"][0] == '{ command = ["no-such-program", "x"] }'
    place.config("stt.provider = 'parrot'\n")
    assert shown(place, installed)["providers.parrot.api_key"] == ('{ env = "PARROT_API_KEY" }', "default")


@pytest.mark.parametrize("is_installed", [True, False])
def test_nothing_that_may_be_a_secret_is_shown_of_a_table_that_is_wrong(
    place: Any, installed: Any, is_installed: bool
) -> None:
    place.config(
        '[providers.parrot]\napi_kee = "canary"\napi_key = ["canary"]\nmodel = "ara"\n'
        'voice = { x = ["y"], pitch = 4 }\n[profiles.q]\nproviders = {}\n[profiles.p.providers.x]\ny = "canary"\n'
        '[profiles.p.providers.parrot]\napi_kee = { a = ["canary"], b = { env = "E" } }\n'
    )
    rows = shown(place, installed if is_installed else None)
    assert "canary" not in str(rows)
    assert rows["providers.parrot.api_kee"] == ('"**********"', "project/debabelizer.toml:2")
    assert rows["providers.parrot.model"][0] == ('"ara"' if is_installed else '"**********"')
    assert rows["providers.parrot.voice.pitch"][0] == "4"
    assert rows["profiles.p.providers.parrot.api_kee.b"][0] == '{ env = "E" }'


@pytest.mark.parametrize(
    "value",
    [True, 3, 2.5, 'text "quoted" \\ é\n', [], [1, [True]], {}, {"a b": {"c": [1]}}, date(2026, 1, 2)],
)
def test_values_are_toml(value: object) -> None:
    parsed = tomllib.loads(f"value = {toml(value)}")["value"]
    assert parsed == (str(value) if isinstance(value, date) else value)
