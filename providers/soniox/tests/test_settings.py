from __future__ import annotations

from typing import Any

import pytest
from debabelizer_soniox import SPEC
from debabelizer_soniox.settings import SonioxSettings
from pydantic import ValidationError

from debabelizer import ConfigError, Secret
from debabelizer.config import load_settings, validate_provider


def refused(**table: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        SonioxSettings(**table)
    return str(caught.value)


def test_defaults() -> None:
    settings = SonioxSettings()
    assert settings.stream_endpoint == "wss://stt-rt.soniox.com/transcribe-websocket"
    assert settings.rest_endpoint == "https://api.soniox.com/v1"
    assert (settings.model, settings.file_model) == ("stt-rt-v5", "stt-async-v5")


@pytest.mark.parametrize("region", ["eu", "jp"])
def test_a_region_has_hosts_of_its_own(region: Any) -> None:
    settings = SonioxSettings(region=region)
    assert settings.stream_endpoint == f"wss://stt-rt.{region}.soniox.com/transcribe-websocket"
    assert settings.rest_endpoint == f"https://api.{region}.soniox.com/v1"


def test_addresses_override_the_region() -> None:
    settings = SonioxSettings(region="eu", websocket_url="wss://a.example/x?y=1", api_url="https://b.example/v1/")
    assert settings.stream_endpoint == "wss://a.example/x?y=1"
    assert settings.rest_endpoint == "https://b.example/v1"


def test_plain_addresses_of_other_machines_must_be_asked_for() -> None:
    table = {"websocket_url": "ws://example.com/x", "api_url": "http://example.com/v1"}
    assert refused(**table).count("insecure = true") == 2
    SonioxSettings(insecure=True, **table)


@pytest.mark.parametrize(
    "table",
    [
        {"max_endpoint_delay_ms": 500},
        {"max_endpoint_delay_ms": 3000},
        {"endpoint_sensitivity": -1},
        {"endpoint_sensitivity": 1},
        {"endpoint_latency_adjustment_level": 0},
        {"endpoint_latency_adjustment_level": 3},
        {"client_reference_id": "x" * 256},
        {"extra": {"newer": {"a": [1, None]}}},
    ],
)
def test_limits_are_inclusive(table: dict[str, Any]) -> None:
    SonioxSettings(**table)


@pytest.mark.parametrize(("code", "instead"), [("nb", "'no'"), ("nn", "'no'"), ("fil", "'tl'")])
def test_an_alias_says_what_to_write(code: str, instead: str) -> None:
    assert instead in refused(translation={"type": "one_way", "target_language": code})


def test_the_key_comes_from_the_variable_that_the_spec_names() -> None:
    settings = load_settings({}, environ={"SONIOX_API_KEY": "test-key"})
    table = validate_provider(settings, SPEC, SonioxSettings)
    assert isinstance(table.api_key, Secret)
    assert table.api_key.reveal() == "test-key"
    assert "test-key" not in repr(table)


def test_every_problem_is_told_with_its_key() -> None:
    config = {"providers": {"soniox": {"websocket_url": "ws://example.com/canary", "region": "mars", "modell": "x"}}}
    with pytest.raises(ConfigError) as caught:
        validate_provider(load_settings(config, environ={}), SPEC, SonioxSettings)
    assert {problem.key for problem in caught.value.problems} == {
        "providers.soniox.websocket_url",
        "providers.soniox.region",
        "providers.soniox.modell",
    }
    assert "canary" not in str(caught.value)
    assert "Did you mean 'model'?" in str(caught.value)


def test_insecure_for_everything_holds_here_too() -> None:
    config = {"insecure": True, "providers": {"soniox": {"websocket_url": "ws://example.com/x"}}}
    assert validate_provider(load_settings(config, environ={}), SPEC, SonioxSettings).insecure


def test_every_field_says_what_it_is() -> None:
    assert [name for name, field in SonioxSettings.model_fields.items() if not field.description] == []
