from __future__ import annotations

from typing import Any

import pytest
from debabelizer_soniox.requests import authorization, file_request, start_request
from debabelizer_soniox.settings import SonioxSettings

from debabelizer import AudioFormat, AuthenticationError, InvalidRequestError, Secret
from debabelizer.provider import Request


def request(settings: dict[str, Any] | None = None, **wishes: Any) -> Request[SonioxSettings]:
    table = {"enable_language_identification": False, **(settings or {})}
    return Request(settings=SonioxSettings.model_validate(table), **wishes)


def start(settings: dict[str, Any] | None = None, **wishes: Any) -> dict[str, Any]:
    """The start request without what is always the same."""
    body = start_request(request(settings, **{"endpointing": False, **wishes}), AudioFormat())
    same = {"model": "stt-rt-v5", "audio_format": "pcm_s16le", "sample_rate": 16000, "num_channels": 1}
    assert {name: body.pop(name) for name in same} == same
    return body


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    assert start() == {}
    assert file_request(request(), "f-1") == {"model": "stt-async-v5", "file_id": "f-1"}


def test_the_defaults_ask_for_languages_and_endpoints() -> None:
    body = start_request(Request(settings=SonioxSettings()), AudioFormat("mulaw", 8000, 2))
    assert body == {
        "model": "stt-rt-v5",
        "audio_format": "mulaw",
        "sample_rate": 8000,
        "num_channels": 2,
        "enable_language_identification": True,
        "enable_endpoint_detection": True,
    }


@pytest.mark.parametrize(
    ("settings", "wishes", "expected"),
    [
        ({}, {"diarization": True}, {"enable_speaker_diarization": True}),
        ({"language_hints_strict": True}, {}, {}),
        ({}, {"language_hints": ("en-US", "es", "en-GB")}, {"language_hints": ["en", "es"]}),
        (
            {"language_hints_strict": True},
            {"language_hints": ("de",)},
            {"language_hints": ["de"], "language_hints_strict": True},
        ),
        ({"max_endpoint_delay_ms": 700}, {}, {}),
        (
            {"max_endpoint_delay_ms": 700, "endpoint_sensitivity": 0, "endpoint_latency_adjustment_level": 0},
            {"endpointing": True},
            {
                "enable_endpoint_detection": True,
                "max_endpoint_delay_ms": 700,
                "endpoint_sensitivity": 0.0,
                "endpoint_latency_adjustment_level": 0,
            },
        ),
        ({}, {"vocabulary": ("Zyrtec",)}, {"context": {"terms": ["Zyrtec"]}}),
        (
            {"context": {"terms": ["Celebrex", "Zyrtec"], "text": "Notes", "general": {"domain": "Health"}}},
            {"vocabulary": ("Zyrtec", "Xanax")},
            {
                "context": {
                    "general": [{"key": "domain", "value": "Health"}],
                    "text": "Notes",
                    "terms": ["Celebrex", "Zyrtec", "Xanax"],
                }
            },
        ),
        (
            {"context": {"translation_terms": {"stent": "Stent"}}},
            {},
            {"context": {"translation_terms": [{"source": "stent", "target": "Stent"}]}},
        ),
        ({}, {"translate_to": "es-MX"}, {"translation": {"type": "one_way", "target_language": "es"}}),
        (
            {"translation": {"type": "two_way", "language_a": "en", "language_b": "de"}},
            {},
            {"translation": {"type": "two_way", "language_a": "en", "language_b": "de"}},
        ),
        (
            {"translation": {"type": "two_way", "language_a": "en", "language_b": "de"}},
            {"translate_to": "fr"},
            {"translation": {"type": "one_way", "target_language": "fr"}},
        ),
        ({"client_reference_id": "me"}, {}, {"client_reference_id": "me"}),
        ({"extra": {"newer": 1}, "file_extra": {"other": 2}}, {}, {"newer": 1}),
    ],
)
def test_what_is_asked_for(settings: dict[str, Any], wishes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert start(settings, **wishes) == expected


def test_a_file_is_asked_for_the_same_without_endpoints() -> None:
    body = file_request(
        request(
            {"max_endpoint_delay_ms": 700, "file_extra": {"newer": 1}, "extra": {"other": 2}, "file_model": "m"},
            language_hints=("en",),
            diarization=True,
            vocabulary=("Zyrtec",),
            translate_to="es",
        ),
        "f-1",
    )
    assert body == {
        "model": "m",
        "file_id": "f-1",
        "language_hints": ["en"],
        "enable_speaker_diarization": True,
        "context": {"terms": ["Zyrtec"]},
        "translation": {"type": "one_way", "target_language": "es"},
        "newer": 1,
    }


@pytest.mark.parametrize("wishes", [{"language_hints": ("nb",)}, {"translate_to": "nb"}, {"language_hints": ("xx",)}])
def test_a_language_that_soniox_does_not_know_is_refused(wishes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=r"'(nb|xx)' must be"):
        start(**wishes)


def test_a_context_far_beyond_the_limit_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="40001 characters") as caught:
        start({"context": {"text": "x" * 39_000}}, vocabulary=("y" * 1001,))
    assert "8,000 tokens" in str(caught.value)
    start({"context": {"text": "x" * 39_000}}, vocabulary=("y" * 1000,))


def test_the_key_goes_into_the_header() -> None:
    assert authorization(SonioxSettings(api_key=Secret("test-key"))) == {"Authorization": "Bearer test-key"}


def test_without_a_key_it_says_where_to_put_one() -> None:
    with pytest.raises(AuthenticationError, match="SONIOX_API_KEY"):
        authorization(SonioxSettings())


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "canary\x00", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        authorization(SonioxSettings(api_key=Secret(key)))
    assert key not in str(caught.value)
    assert key not in repr(caught.value)
