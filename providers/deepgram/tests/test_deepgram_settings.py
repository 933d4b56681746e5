from __future__ import annotations

import math
from typing import Any

import pytest
from debabelizer_deepgram import SPEC
from debabelizer_deepgram.flux_spec import SPEC as FLUX_SPEC
from debabelizer_deepgram.settings import DeepgramSettings, FluxSettings
from pydantic import ValidationError

from debabelizer import ConfigError, Secret
from debabelizer.config import load_settings, validate_provider


@pytest.mark.parametrize(
    "table",
    [
        {"model": ""},
        {"model": "flux-general-en"},
        {"language": ""},
        {"region": "us"},
        {"key_type": "bearer"},
        {"endpointing_ms": 9},
        {"endpointing_ms": 10_001},
        {"utterance_end_ms": 999},
        {"utterance_end_ms": 5001},
        {"keyword_boost": -11},
        {"utt_split": 0},
        {"utt_split": math.inf},
        {"file_timeout": 0},
        {"extra": {"callback": "https://example.com"}},
        {"extra": {"model": "nova-2"}},
        {"extra": {"diarize": True}},
        {"extra": {"nested": {"a": 1}}},
        {"websocket_url": "wss://example.com?model=x"},
        {"websocket_url": "https://example.com"},
        {"api_url": "http://example.com"},
        {"api_kee": "x"},
    ],
)
def test_what_deepgram_would_refuse_is_refused_before(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DeepgramSettings(**table)


@pytest.mark.parametrize(
    "table",
    [
        {"model": "nova-3"},
        {"eot_threshold": 0.49},
        {"eot_threshold": 1.01},
        {"eot_threshold": math.nan},
        {"eot_timeout_ms": 499},
        {"eot_timeout_ms": 60_001},
        {"endpointing_ms": 300},
        {"extra": {"keyterm": "x"}},
    ],
)
def test_what_flux_would_refuse_is_refused_before(table: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FluxSettings(**table)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (DeepgramSettings, {"endpointing_ms": 10, "utterance_end_ms": 1000, "keyword_boost": -10}),
        (DeepgramSettings, {"endpointing_ms": 10_000, "utterance_end_ms": None, "utt_split": 60}),
        (DeepgramSettings, {"extra": {"filler_words": True, "search": ["a", "b"], "n": 1.5}}),
        (FluxSettings, {"eot_threshold": 0.5, "eot_timeout_ms": 500}),
        (FluxSettings, {"eot_threshold": 1, "eot_timeout_ms": 60_000, "model": "flux-new"}),
    ],
)
def test_limits_are_inclusive(model: type[Any], table: dict[str, Any]) -> None:
    model(**table)


def test_a_flux_model_leads_to_its_provider() -> None:
    with pytest.raises(ValidationError, match="deepgram_flux"):
        DeepgramSettings(model="flux-general-en")


def test_addresses() -> None:
    assert DeepgramSettings().stream_endpoint == FluxSettings().stream_endpoint == "wss://api.deepgram.com"
    assert DeepgramSettings(region="eu").rest_endpoint == "https://api.eu.deepgram.com"
    own = DeepgramSettings(websocket_url="wss://deep.example/x/", api_url="https://deep.example/x/")
    assert (own.stream_endpoint, own.rest_endpoint) == ("wss://deep.example/x", "https://deep.example/x")


@pytest.mark.parametrize(("spec", "model"), [(SPEC, DeepgramSettings), (FLUX_SPEC, FluxSettings)])
def test_both_take_the_key_from_the_same_variable(spec: Any, model: type[Any]) -> None:
    settings = load_settings({}, environ={"DEEPGRAM_API_KEY": "test-key"})
    table = validate_provider(settings, spec, model)
    assert isinstance(table.api_key, Secret)
    assert table.api_key.reveal() == "test-key"
    assert "test-key" not in repr(table)


def test_every_problem_is_told_with_its_key() -> None:
    table = {"websocket_url": "ws://example.com/canary", "region": "mars", "modell": "x"}
    with pytest.raises(ConfigError) as caught:
        validate_provider(load_settings({"providers": {"deepgram": table}}, environ={}), SPEC, DeepgramSettings)
    assert {problem.key for problem in caught.value.problems} == {
        "providers.deepgram.websocket_url",
        "providers.deepgram.region",
        "providers.deepgram.modell",
    }
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("model", [DeepgramSettings, FluxSettings])
def test_every_field_says_what_it_is(model: type[Any]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []
