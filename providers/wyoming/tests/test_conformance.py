"""The provider keeps every promise: the conformance kit, with a server on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from debabelizer_wyoming import SPEC
from debabelizer_wyoming.testing import WyomingSimulator
from support.wyoming_streams import STREAMING

from debabelizer.testing.kit import ProviderSuite


class Server(WyomingSimulator):
    """The simulator; it asks for no key."""

    def __init__(self, key: str) -> None:
        super().__init__(chunks=True)

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"uri": f"tcp://{host}:{port}"}


class TestWyoming(ProviderSuite):
    spec = SPEC
    simulator = Server
    bad_settings = (
        {"uri": "127.0.0.1:10300"},
        {"uri": "tcp://127.0.0.1"},
        {"uri": "unix://"},
        {"uri": "tcp://user@127.0.0.1:10300"},
        {"uri": "http://127.0.0.1:10300"},
        {"uri": "tcp://homeassistant.local:10300"},
        {"timeout": 0},
        {"connections": 0},
        {"vad_sensitivity": "high"},
    )


class TestWyomingStreams(ProviderSuite):
    """Each utterance has a connection of its own; whatever becomes of it, the stream goes on."""

    spec = STREAMING
    simulator = Server
    listeners = ("debabelizer.audio.recognition", "debabelizer.streaming.segmenter")
    virtual = False
    settings: ClassVar[Mapping[str, Any]] = {"timeout": 0.4, "connect_timeout": 0.3}
