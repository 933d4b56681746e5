"""Requests, and detectors that hear coded speech."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from debabelizer_openai import settings as models

from debabelizer.provider import Request
from debabelizer.testing.kit import CodedVad

MODELS = {
    "openai": models.OpenAISettings,
    "openai_compatible": models.CompatibleSettings,
    "groq": models.GroqSettings,
    "speaches": models.SpeachesSettings,
    "whisper_cpp": models.WhisperCppSettings,
    "vllm": models.VllmSettings,
    "vllm_realtime": models.VllmRealtimeSettings,
    "localai": models.LocalAISettings,
}


@pytest.fixture
def request_for() -> Callable[..., Request[Any]]:
    def make(provider: str = "openai", wishes: dict[str, Any] | None = None, **table: Any) -> Request[Any]:
        settings = MODELS[provider].model_validate({"api_key": "test-key", **table})
        return Request(settings=settings, **(wishes or {}))

    return make


@pytest.fixture
def coded_voice() -> Iterator[None]:
    """No real detector takes coded speech for a voice."""
    with (
        mock.patch("debabelizer_openai.pieces.open_vad", CodedVad),
        mock.patch("debabelizer_openai.pauses.open_vad", CodedVad),
        mock.patch("debabelizer.streaming.segmenter.open_vad", CodedVad),
    ):
        yield
