from __future__ import annotations

from typing import Any

import pytest

from debabelizer.testing._samples import RAW_ENCODINGS
from debabelizer.testing.audio import CONTAINERS, RawAudio
from debabelizer.testing.soniox.config import LANGUAGES, Translation, parse_start
from debabelizer.testing.soniox.errors import ERRORS, Refused, error_reply

MINIMAL = {"model": "stt-rt-v5", "audio_format": "auto"}
RAW = {"model": "stt-rt-v5", "audio_format": "pcm_s16le", "sample_rate": 16000, "num_channels": 1}


def refusal(**members: Any) -> str:
    with pytest.raises(Refused) as caught:
        parse_start({**RAW, **members})
    assert (caught.value.reply.code, caught.value.reply.type) == (400, "invalid_request")
    return caught.value.reply.message


def test_minimal() -> None:
    request = parse_start(MINIMAL)
    assert (request.audio_format, request.raw, request.language_hints) == ("auto", None, ())
    assert [request.diarization, request.language_identification, request.endpoint_detection] == [False] * 3
    assert request.max_endpoint_delay == 2.0


def test_everything() -> None:
    request = parse_start(
        {
            **RAW,
            "language_hints": ["en", "es"],
            "language_hints_strict": True,
            "enable_language_identification": True,
            "enable_speaker_diarization": True,
            "enable_endpoint_detection": True,
            "max_endpoint_delay_ms": 500,
            "endpoint_sensitivity": -0.5,
            "endpoint_latency_adjustment_level": 3,
            "context": {"general": [{"key": "domain", "value": "health"}], "terms": ["Zyrtec"]},
            "translation": {"type": "one_way", "target_language": "de"},
            "client_reference_id": "x" * 256,
        }
    )
    assert request.raw == RawAudio("pcm_s16le", 16000, 1)
    assert request.language_hints == ("en", "es")
    assert request.language_identification
    assert request.diarization
    assert request.endpoint_detection
    assert request.max_endpoint_delay == 0.5
    assert request.translation == Translation(target="de")


def test_unknown_members_and_nulls_are_ignored() -> None:
    nulls = dict.fromkeys(["language_hints", "context", "translation", "enable_endpoint_detection"])
    assert parse_start({**MINIMAL, **nulls, "include_nonfinal": True}) == parse_start(MINIMAL)


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_need_no_rate(name: str) -> None:
    assert parse_start({"model": "stt-rt-v4", "audio_format": name}).raw is None


@pytest.mark.parametrize("name", RAW_ENCODINGS)
def test_raw_encodings_need_rate_and_channels(name: str) -> None:
    assert parse_start({**RAW, "audio_format": name}).raw == RawAudio(name, 16000, 1)
    assert "sample rate must be specified" in refusal(audio_format=name, sample_rate=None)
    assert "channels must be specified" in refusal(audio_format=name, num_channels=None)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"model": None}, "Invalid model specified."),
        ({"model": "stt-async-v5"}, "Invalid model specified."),
        ({"audio_format": None}, "Missing audio format"),
        ({"audio_format": "avi"}, "Invalid audio data format: avi"),
        ({"audio_format": "s16le"}, "Invalid audio data format: s16le"),
        ({"num_channels": 3}, "Invalid num_channels"),
        ({"sample_rate": 0}, "Invalid sample_rate"),
        ({"sample_rate": "16000"}, "Start request is malformed."),
        ({"sample_rate": True}, "Start request is malformed."),
        ({"language_hints": ["en", "en"]}, "Language hints must be unique."),
        ({"language_hints": ["nb"]}, "Invalid language hint."),
        ({"language_hints": [7]}, "Invalid language hint."),
        ({"language_hints": "en"}, "Start request is malformed."),
        ({"enable_speaker_diarization": "yes"}, "Start request is malformed."),
        ({"max_endpoint_delay_ms": 499}, "Invalid max_endpoint_delay_ms"),
        ({"max_endpoint_delay_ms": 3001}, "Invalid max_endpoint_delay_ms"),
        ({"endpoint_sensitivity": 1.1}, "Invalid endpoint_sensitivity"),
        ({"endpoint_latency_adjustment_level": 4}, "Invalid endpoint_latency_adjustment_level"),
        ({"endpoint_latency_adjustment_level": 1.5}, "Start request is malformed."),
        ({"client_reference_id": "x" * 257}, "Client reference ID is too long"),
        ({"context": 7}, "Start request is malformed."),
        ({"context": "x" * 10100}, "Context is too long: 8080 tokens, the maximum is 8000 tokens."),
        ({"context": {"text": "語" * 8001}}, "Context is too long"),
        ({"translation": {"type": "three_way"}}, "Start request is malformed."),
        ({"translation": {"type": "one_way"}}, "Invalid translation target language."),
        ({"translation": {"type": "two_way", "language_a": "en", "language_b": "xx"}}, "Invalid translation target"),
    ],
)
def test_what_is_refused(members: dict[str, Any], message: str) -> None:
    assert message in refusal(**members)


def test_translation_targets() -> None:
    one_way, two_way = Translation(target="es"), Translation(pair=("en", "de"))
    assert [one_way.target_of(code) for code in ("en", "es")] == ["es", None]
    assert [two_way.target_of(code) for code in ("en", "de", "fr")] == ["de", "en", None]


def test_sixty_languages() -> None:
    assert len(LANGUAGES) == 60
    assert {"en", "no", "tl", "zh"} < LANGUAGES
    assert not {"nb", "nn", "fil"} & LANGUAGES


class TestErrors:
    def test_by_code_and_by_type(self) -> None:
        assert error_reply(503).type == "service_unavailable"
        assert error_reply("temp_api_key_session_expired").code == 403
        assert error_reply(408, "Input too slow").message == "Input too slow"

    def test_unknown(self) -> None:
        with pytest.raises(ValueError, match="418"):
            error_reply(418)

    def test_frames_new_and_old(self) -> None:
        row = ERRORS[0]
        assert row.frame("id") == {
            "tokens": [],
            "error_code": 400,
            "error_type": "invalid_request",
            "error_message": row.message,
            "more_info": "https://soniox.com/docs/api-reference/errors#invalid_request",
            "request_id": "id",
        }
        assert row.frame("id", tokens=False, modern=False) == {"error_code": 400, "error_message": row.message}
