from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from debabelizer_deepgram.requests import authorization, file_query, flux_query, flux_url, stream_query, stream_url

from debabelizer import AudioFormat, AuthenticationError, InvalidRequestError

Make = Callable[..., Any]


def asked(query: list[tuple[str, str]], *names: str) -> dict[str, list[str]]:
    return {name: values for name in names if (values := [value for key, value in query if key == name])}


def test_the_key_is_a_token_or_a_bearer(make_nova_request: Make) -> None:
    assert authorization(make_nova_request().settings) == {"Authorization": "Token test-key"}
    assert authorization(make_nova_request({"key_type": "token"}).settings) == {"Authorization": "Bearer test-key"}
    with pytest.raises(AuthenticationError, match="no API key"):
        authorization(make_nova_request({"api_key": None}).settings)


def test_addresses(make_nova_request: Make, make_flux_request: Make) -> None:
    assert stream_url(make_nova_request(), AudioFormat()).startswith("wss://api.deepgram.com/v1/listen?model=nova-3&")
    europe = flux_url(make_flux_request({"region": "eu"}), AudioFormat())
    assert europe.startswith("wss://api.eu.deepgram.com/v2/listen?model=flux-")
    own = make_nova_request({"websocket_url": "ws://127.0.0.1:81/deep/"})
    assert stream_url(own, AudioFormat()).startswith("ws://127.0.0.1:81/deep/v1/listen?")


@pytest.mark.parametrize(
    ("table", "hints", "language", "language_hint"),
    [
        ({}, (), ["multi"], None),
        ({}, ("en",), ["en"], None),
        ({}, ("pt-BR",), ["pt-BR"], None),
        ({}, ("en", "es"), ["multi"], ["en", "es"]),
        ({}, ("en", "en"), ["en"], None),
        ({"language": "multi"}, ("fr",), ["multi"], ["fr"]),
        ({"language": "de"}, ("fr",), ["de"], None),
        ({"model": "nova-2"}, (), None, None),
        ({"model": "nova-2"}, ("en", "es"), ["multi"], None),
        ({"model": "nova-2"}, ("fr", "de"), ["fr"], None),
        ({"model": "enhanced"}, ("en", "es"), ["en"], None),
    ],
)
def test_languages(
    make_nova_request: Make, table: dict[str, Any], hints: tuple[str, ...], language: Any, language_hint: Any
) -> None:
    query = stream_query(make_nova_request(table, language_hints=hints), AudioFormat())
    found = asked(query, "language", "language_hint")
    assert (found.get("language"), found.get("language_hint")) == (language, language_hint)


def test_an_old_model_detects_the_language_of_a_file_but_not_of_a_stream(make_nova_request: Make) -> None:
    request = make_nova_request({"model": "nova-2"})
    assert asked(file_query(request), "detect_language") == {"detect_language": ["true"]}
    assert asked(stream_query(request, AudioFormat()), "detect_language") == {}
    assert asked(file_query(make_nova_request()), "detect_language") == {}


def test_endpointing(make_nova_request: Make) -> None:
    names = ("endpointing", "utterance_end_ms", "interim_results", "vad_events")
    assert asked(stream_query(make_nova_request(), AudioFormat()), *names) == {
        "endpointing": ["300"],
        "utterance_end_ms": ["1000"],
        "interim_results": ["true"],
        "vad_events": ["true"],
    }
    without = make_nova_request({"vad_events": False}, endpointing=False, interim=False)
    assert asked(stream_query(without, AudioFormat()), *names) == {
        "endpointing": ["false"],
        "interim_results": ["true"],  # the sign of life
    }


def test_vocabulary_is_key_terms_for_nova_3_and_keywords_before(make_nova_request: Make) -> None:
    words = ("Debabelizer", "Debabelizer", " two words ", " ")
    new = stream_query(make_nova_request(vocabulary=words), AudioFormat())
    assert asked(new, "keyterm", "keywords") == {"keyterm": ["Debabelizer", "two words"]}
    old = stream_query(make_nova_request({"model": "nova-2", "keyword_boost": 3}, vocabulary=words), AudioFormat())
    assert asked(old, "keyterm", "keywords") == {"keywords": ["Debabelizer:3", "two words:3"]}


def test_a_vocabulary_far_beyond_the_limit_is_refused(make_nova_request: Make, make_flux_request: Make) -> None:
    words = tuple(f"word{number}" for number in range(501))
    stream_query(make_nova_request(vocabulary=words[:500]), AudioFormat())
    for make, query in ((make_nova_request, stream_query), (make_flux_request, flux_query)):
        with pytest.raises(InvalidRequestError, match="501 terms"):
            query(make(vocabulary=words), AudioFormat())


def test_speakers_are_told_apart_when_that_is_asked_for(make_nova_request: Make) -> None:
    assert asked(stream_query(make_nova_request(), AudioFormat()), "diarize_model", "diarize") == {}
    request = make_nova_request({"diarize_model": "v1"}, diarization=True)
    assert asked(stream_query(request, AudioFormat()), "diarize_model", "diarize") == {"diarize_model": ["v1"]}


def test_what_is_not_set_is_left_to_deepgram(make_nova_request: Make) -> None:
    names = {
        name for name, _ in stream_query(make_nova_request(language_hints=("en",), endpointing=False), AudioFormat())
    }
    assert names == {
        *{"model", "language", "punctuate", "encoding", "sample_rate"},
        *{"interim_results", "vad_events", "endpointing"},
    }


def test_settings_are_parameters(make_nova_request: Make) -> None:
    table = {
        "smart_format": True,
        "numerals": True,
        "profanity_filter": False,
        "mip_opt_out": True,
        "version": "beta",
        "redact": ["pci", "ssn"],
        "replace": ["a:b"],
        "tag": ["x", "y"],
        "dictation": True,
        "extra": {"filler_words": True, "search": ["one", "two"], "measurements": False},
    }
    query = file_query(make_nova_request({**table, "utt_split": 1.5, "multichannel": True}))
    expected = {
        "smart_format": ["true"],
        "numerals": ["true"],
        "profanity_filter": ["false"],
        "mip_opt_out": ["true"],
        "version": ["beta"],
        "redact": ["pci", "ssn"],
        "replace": ["a:b"],
        "tag": ["x", "y"],
        "dictation": ["true"],
        "filler_words": ["true"],
        "search": ["one", "two"],
        "measurements": ["false"],
        "utterances": ["true"],
        "utt_split": ["1.5"],
        "multichannel": ["true"],
    }
    assert asked(query, *expected) == expected


@pytest.mark.parametrize(
    ("table", "hints", "model", "language_hint"),
    [
        ({}, (), "flux-general-multi", None),
        ({}, ("en",), "flux-general-en", None),
        ({}, ("en-GB", "en-US"), "flux-general-en", None),
        ({}, ("en", "es"), "flux-general-multi", ["en", "es"]),
        ({}, ("de",), "flux-general-multi", ["de"]),
        ({"model": "flux-general-en"}, ("de",), "flux-general-en", None),
    ],
)
def test_the_flux_model_follows_from_the_languages(
    make_flux_request: Make, table: dict[str, Any], hints: tuple[str, ...], model: str, language_hint: Any
) -> None:
    query = flux_query(make_flux_request(table, language_hints=hints), AudioFormat())
    found = asked(query, "model", "language_hint")
    assert (found["model"], found.get("language_hint")) == ([model], language_hint)


def test_flux_settings_are_parameters(make_flux_request: Make) -> None:
    table = {"eot_threshold": 0.8, "eot_timeout_ms": 3000, "numerals": True, "extra": {"eager_eot_threshold": 0.4}}
    query = flux_query(make_flux_request(table, vocabulary=("Debabelizer",)), AudioFormat("alaw", 8000))
    assert query == [
        *[("model", "flux-general-multi"), ("encoding", "alaw"), ("sample_rate", "8000"), ("eot_threshold", "0.8")],
        *[("eot_timeout_ms", "3000"), ("keyterm", "Debabelizer"), ("numerals", "true"), ("eager_eot_threshold", "0.4")],
    ]
