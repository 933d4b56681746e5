"""Dialects, requests, and what a service says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from debabelizer_deepgram.dialect import DeepgramDialect
from debabelizer_deepgram.flux import FluxDialect
from debabelizer_deepgram.settings import DeepgramSettings, FluxSettings

from debabelizer import AudioFormat
from debabelizer.provider import Request


def nova_request(table: dict[str, Any] | None = None, **wishes: Any) -> Request[DeepgramSettings]:
    settings = DeepgramSettings.model_validate({"api_key": "test-key", **(table or {})})
    return Request(settings=settings, **wishes)


def flux_request(table: dict[str, Any] | None = None, **wishes: Any) -> Request[FluxSettings]:
    settings = FluxSettings.model_validate({"api_key": "test-key", **(table or {})})
    return Request(settings=settings, **wishes)


@pytest.fixture
def make_nova_request() -> Callable[..., Request[DeepgramSettings]]:
    return nova_request


@pytest.fixture
def make_flux_request() -> Callable[..., Request[FluxSettings]]:
    return flux_request


@pytest.fixture
def nova() -> DeepgramDialect:
    return DeepgramDialect(nova_request(diarization=True), AudioFormat())


@pytest.fixture
def flux() -> FluxDialect:
    return FluxDialect(flux_request(), AudioFormat())


@pytest.fixture
def seconds() -> Callable[[float], bytes]:
    """Audio of that length."""
    return lambda length: b"\1\0" * round(length * 16000)


@pytest.fixture
def hear(nova: DeepgramDialect) -> Callable[..., list[Any]]:
    """What the Nova dialect makes of a ``Results`` of words ``(text, start, end)`` in a window."""

    def make(words: list[tuple[Any, ...]], start: float, end: float, **members: Any) -> list[Any]:
        return list(nova.receive(json.dumps(results(words, start, end, **members))))

    return make


def results(words: list[tuple[Any, ...]], start: float, end: float, **members: Any) -> dict[str, Any]:
    written = [
        {"word": text.lower(), "punctuated_word": text, "start": begun, "end": ended, "confidence": 0.5, **rest}
        for text, begun, ended, rest in ((*word, {}) if len(word) == 3 else word for word in words)
    ]
    alternative = {"transcript": " ".join(word[0] for word in words), "confidence": 0.9, "words": written}
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": end - start,
        "is_final": False,
        "speech_final": False,
        "channel": {"alternatives": [alternative]},
        **members,
    }


@pytest.fixture
def take_turn(flux: FluxDialect) -> Callable[..., list[Any]]:
    """What the Flux dialect makes of a ``TurnInfo`` of words ``(text, start, end)``."""

    def make(event: str, words: list[tuple[Any, ...]], end: float, **members: Any) -> list[Any]:
        body = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": 0,
            "request_id": "r",
            "sequence_id": 1,
            "audio_window_start": 0.0,
            "audio_window_end": end,
            "end_of_turn_confidence": 0.5,
            "transcript": " ".join(word[0] for word in words),
            "words": [
                {"word": word[0], "confidence": 0.5, **({"start": word[1], "end": word[2]} if word[1:] else {})}
                for word in words
            ],
            **members,
        }
        return list(flux.receive(json.dumps(body)))

    return make
