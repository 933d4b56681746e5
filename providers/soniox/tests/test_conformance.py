"""The provider keeps every promise: the conformance kit, against the simulated service."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from debabelizer_soniox import SPEC

from debabelizer.testing.kit import ProviderSuite, text_of
from debabelizer.testing.soniox import Behaviour, CodedWords, SonioxSimulator, SpokenWord


def spoken(number: int) -> SpokenWord:
    return SpokenWord(text_of(number), speaker="AB"[number // 6 % 2], language="en", translation=f"mot{number}")


class Service(SonioxSimulator):
    def __init__(self, key: str) -> None:
        super().__init__(CodedWords(map(spoken, range(200))), keys=(key,))

    @property
    def max_session(self) -> float:
        return self.behaviour.max_duration

    @max_session.setter
    def max_session(self, seconds: float) -> None:
        self.behaviour = Behaviour(max_duration=seconds)

    @property
    def address(self) -> tuple[str, int]:
        return _address(self.url)

    @property
    def file_address(self) -> tuple[str, int]:
        return _address(self.api_url)

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"websocket_url": f"ws://{host}:{port}{urlsplit(self.url).path}"}

    def file_settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"api_url": f"http://{host}:{port}{urlsplit(self.api_url).path}"}


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


class TestSoniox(ProviderSuite):
    spec = SPEC
    simulator = Service
    bad_settings = (  # limits are those that Soniox documents
        {"region": "us-east"},
        {"model": ""},
        {"model": "m" * 33},
        {"file_model": ""},
        {"max_endpoint_delay_ms": 499},
        {"max_endpoint_delay_ms": 3001},
        {"endpoint_sensitivity": -1.01},
        {"endpoint_sensitivity": 1.01},
        {"endpoint_sensitivity": math.nan},
        {"endpoint_latency_adjustment_level": -1},
        {"endpoint_latency_adjustment_level": 4},
        {"client_reference_id": ""},
        {"client_reference_id": "x" * 257},
        {"file_timeout": 0},
        {"context": {"text": 7}},
        {"context": {"wrong": "x"}},
        {"context": {"general": {"domain": 7}}},
        {"context": {"translation_terms": ["x"]}},
        {"translation": {"target_language": "es"}},
        {"translation": {"type": "three_way"}},
        {"translation": {"type": "one_way"}},
        {"translation": {"type": "one_way", "target_language": "xx"}},
        {"translation": {"type": "one_way", "target_language": "es", "language_a": "en"}},
        {"translation": {"type": "two_way", "language_a": "en"}},
        {"translation": {"type": "two_way", "language_a": "en", "language_b": "en-GB"}},
        {"extra": {"api_key": "x"}},
        {"extra": {"enable_endpoint_detection": True}},
        {"file_extra": {"file_id": "x"}},
        {"extra": {"x": object()}},
        {"extra": {"x": [math.inf]}},
    )
