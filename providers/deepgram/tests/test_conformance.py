"""Both providers keep every promise: the conformance kit, against the simulated service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from debabelizer_deepgram import SPEC
from debabelizer_deepgram.flux_spec import SPEC as FLUX_SPEC
from debabelizer_deepgram.simulator import Behaviour, DeepgramSimulator

from debabelizer.testing.kit import ProviderSuite, text_of
from debabelizer.testing.script import CodedWords, SpokenWord


def spoken(number: int) -> SpokenWord:
    return SpokenWord(text_of(number), speaker="AB"[number // 6 % 2], language=("en", "es")[number // 6 % 2])


# The kit changes connections every two seconds, and plays a part at forty times real time.
BRISK = Behaviour(cadence=0.5, window=1.0, step=0.1, turn_silence=0.1, max_speed=None)


class FluxService(DeepgramSimulator):
    def __init__(self, key: str) -> None:
        super().__init__(CodedWords(map(spoken, range(200))), keys=(key,), behaviour=BRISK)

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"websocket_url": f"ws://{host}:{port}"}


class Service(FluxService):
    @property
    def file_address(self) -> tuple[str, int]:
        return self.files.address

    def file_settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"api_url": f"http://{host}:{port}"}


BAD = (
    {"region": "mars"},
    {"key_type": "bearer"},
    {"websocket_url": "wss://example.com/?model=nova-3"},
    {"extra": {"callback": "https://example.com"}},
)


class TestDeepgram(ProviderSuite):
    spec = SPEC
    simulator = Service
    settings: ClassVar = {"file_timeout": 60}
    bad_settings = (
        *BAD,
        {"model": ""},
        {"model": "flux-general-en"},
        {"endpointing_ms": 9},
        {"utterance_end_ms": 999},
        {"keyword_boost": 11},
        {"utt_split": 0},
        {"file_timeout": 0},
    )


class TestDeepgramFlux(ProviderSuite):
    spec = FLUX_SPEC
    simulator = FluxService
    bad_settings = (
        *BAD,
        {"model": "nova-3"},
        {"eot_threshold": 0.4},
        {"eot_threshold": 1.1},
        {"eot_timeout_ms": 499},
    )
