"""The provider keeps every promise: the conformance kit, against the simulated service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from debabelizer_soniox import SPEC

from debabelizer.testing.kit import ProviderSuite
from debabelizer.testing.soniox import CodedWords, SonioxSimulator, SpokenWord

WORDS = CodedWords(
    SpokenWord(f"word{number}", speaker="AB"[number // 6 % 2], language="en", translation=f"mot{number}")
    for number in range(1000)
)


class Service(SonioxSimulator):
    def __init__(self, key: str) -> None:
        super().__init__(WORDS, keys=(key,))

    @property
    def address(self) -> tuple[str, int]:
        url = urlsplit(self.url)
        assert url.hostname is not None
        assert url.port is not None
        return url.hostname, url.port

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        path = urlsplit(self.url).path
        return {"websocket_url": f"ws://{host}:{port}{path}", "api_url": self.api_url}


class TestSoniox(ProviderSuite):
    spec = SPEC
    simulator = Service
    bad_settings = (
        {"model": ""},
        {"model": "m" * 33},
        {"region": "mars"},
        {"max_endpoint_delay_ms": 499},
        {"endpoint_sensitivity": 1.5},
        {"client_reference_id": "x" * 257},
        {"extra": {"api_key": "test-key"}},
        {"translation": {"type": "two_way", "language_a": "en", "language_b": "en"}},
    )
