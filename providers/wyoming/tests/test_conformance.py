"""The provider keeps every promise: the conformance kit, with a server on loopback."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, ClassVar, Self
from unittest import mock

from debabelizer_wyoming import SPEC
from debabelizer_wyoming.testing import WyomingSimulator
from support.wyoming_streams import STREAMING

from debabelizer.testing.kit import CodedVad, ProviderSuite


class Server(WyomingSimulator):
    """The simulator, before which voice activity is that of coded words."""

    def __init__(self, key: str) -> None:
        super().__init__(chunks=True)
        self._patches = ExitStack()

    async def __aenter__(self) -> Self:
        for room in ("audio.recognition", "streaming.segmenter"):
            self._patches.enter_context(mock.patch(f"debabelizer.{room}.open_vad", CodedVad))
        return await super().__aenter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await super().__aexit__(exc_type, exc, traceback)
        self._patches.close()

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
    virtual = False
    settings: ClassVar[Mapping[str, Any]] = {"timeout": 0.4, "connect_timeout": 0.3}
