from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from debabelizer_openai.faults import http_error
from debabelizer_openai.requests import headers, realtime_url

from debabelizer import AuthenticationError, InvalidRequestError, ProviderError, ServiceUnavailableError


def test_who_pays_is_said_in_headers(request_for: Callable[..., Any]) -> None:
    settings = request_for(organization="org-1", project="proj-1").settings
    assert headers(settings, env="OPENAI_API_KEY") == {
        "Authorization": "Bearer test-key",
        "OpenAI-Organization": "org-1",
        "OpenAI-Project": "proj-1",
    }


def test_a_key_is_a_must_or_not(request_for: Callable[..., Any]) -> None:
    assert headers(request_for("whisper_cpp", api_key=None).settings, env=None) == {}
    with pytest.raises(AuthenticationError, match="GROQ_API_KEY"):
        headers(request_for("groq", api_key=None).settings, env="GROQ_API_KEY")
    with pytest.raises(AuthenticationError, match="characters that no key has"):
        headers(request_for("vllm", api_key="test key").settings, env=None)


def test_streams_lie_beside_recordings() -> None:
    assert realtime_url("https://example.com/v1") == "wss://example.com/v1/realtime"
    assert realtime_url("http://127.0.0.1:1/v1", model="a b") == "ws://127.0.0.1:1/v1/realtime?model=a+b"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"error": {"message": "A reason.", "type": "invalid_request_error", "param": None, "code": None}},
            "A reason.",
        ),
        ({"error": "A reason."}, "A reason."),
        ({"object": "error", "message": "A reason.", "type": "BadRequestError", "code": 400}, "A reason."),
        ({"detail": "A reason."}, "A reason."),
        ({"detail": [{"msg": "A reason."}]}, '{"detail": [{"msg": "A reason."}]}'),
        ("A reason.", "A reason."),
        ([], "[]"),
    ],
)
def test_errors_in_every_shape(body: Any, said: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    error = http_error(400, text.encode(), None, "vLLM")
    assert isinstance(error, InvalidRequestError)
    assert f": {said}" in error.message


@pytest.mark.parametrize(
    ("status", "kind"), [(302, InvalidRequestError), (418, InvalidRequestError), (529, ServiceUnavailableError)]
)
def test_other_statuses(status: int, kind: type[ProviderError]) -> None:
    error = http_error(status, b"\xff" * 9000, 3.0, "Groq", "GROQ_API_KEY")
    assert isinstance(error, kind)
    assert error.retry_after == 3.0
    assert len(str(error)) < 800
