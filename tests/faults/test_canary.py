"""The key goes into a handshake header and nowhere else: no log, event, repr, traceback, URL or message of ours."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from support.faults import CASES, PHASES, POLICY, WORDS

from debabelizer import DebabelizerError, VoiceProcessor
from debabelizer.testing.coded import encode_words
from debabelizer.testing.soniox import SonioxSimulator

CANARY = "canary-0123456789-test-key"


class Everything(logging.Handler):
    """Keeps each record as text, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.texts: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.texts += [self.format(record), repr(record.args), str(record.getMessage())]


@pytest.fixture
def logged() -> Iterator[Everything]:
    """All that any logger of the process says at any level."""
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.NOTSET)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("name", ["none", "reset", "401", "503", "upgrade 401", "malformed", "no handshake always"])
@pytest.mark.parametrize("keys", [(CANARY,), ("another-key",)], ids=["right key", "wrong key"])
def test_the_key_is_seen_by_the_service_alone(name: str, keys: tuple[str, ...], logged: Everything) -> None:
    shown: list[Any] = []
    case = CASES[name]

    async def run() -> None:
        faults = case.faults(PHASES["at the first audio"])
        async with SonioxSimulator(faults=faults, keys=keys) as server:
            config = {
                "stt": {"provider": "soniox"},
                "providers": {"soniox": {"api_key": CANARY, "websocket_url": server.url}},
                "stream": {**POLICY, "give_up_after": 0.5},
            }
            async with VoiceProcessor(config) as processor, processor.transcribe_stream() as stream:
                shown.extend([processor, processor.settings, processor.settings.model_dump(), stream])
                await stream.send_audio(encode_words(WORDS[:9]))
                await stream.end_audio()
                try:
                    async for event in stream.events():
                        shown.append(event)
                except DebabelizerError as error:
                    shown.extend([error, *traceback.format_exception(error), vars(error)])
                shown.extend([stream, stream.stats, stream.transcript])
            assert all(CANARY not in str(log) and CANARY not in str(log.config) for log in server.connections)
            for log in server.connections:
                assert CANARY not in repr(log.frames)

    asyncio.run(run())
    texts = [text for value in shown for text in (repr(value), str(value))]
    assert [text for text in texts if CANARY in text] == []
    assert [text for text in logged.texts if CANARY in text] == []
    assert logged.texts
