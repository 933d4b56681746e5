"""The key goes into a handshake header and nowhere else: no log, event, repr, traceback, URL or message of ours."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from support.faults import CASES, PHASES, POLICY, WORDS

from debabelizer import DebabelizerError, VoiceProcessor
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import encode_words, wav
from debabelizer.testing.soniox import Fault, RestFault, SonioxSimulator
from debabelizer.testing.soniox.errors import error_reply

CANARY = "canary-0123456789-test-key"
SPEECH = encode_words(WORDS[:27])  # three seconds
MOMENTS = {**PHASES, "in mid-speech": 1.5, "within the last words": 2.8}


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


def config_for(server: SonioxSimulator) -> dict[str, Any]:
    return {
        "stt": {"provider": "soniox"},
        "providers": {"soniox": {"api_key": CANARY, "websocket_url": server.url, "api_url": server.api_url}},
        "stream": {**POLICY, "give_up_after": 0.5},
    }


def told(error: Exception) -> list[Any]:
    """All that can be read of an error."""
    return [error, *traceback.format_exception(error), vars(error), vars(error.__cause__) if error.__cause__ else None]


async def stream(faults: Iterable[Fault], key: str = CANARY) -> list[Any]:
    """All that a user sees of a stream; and what the service was told, with the keys of its handshakes hidden."""
    async with SonioxSimulator(faults=faults, keys=(key,)) as server:
        async with VoiceProcessor(config_for(server)) as processor, processor.transcribe_stream() as stream:
            shown: list[Any] = [processor, processor.settings, processor.settings.model_dump(), stream]
            await stream.send_audio(SPEECH)
            await stream.end_audio()
            try:
                async for event in stream.events():
                    shown.append(event)
            except DebabelizerError as error:
                shown += told(error)
            shown += [stream, stream.stats, stream.transcript]
        return [*shown, *((log.path, log.headers, log.config, log.frames) for log in server.connections)]


async def transcribe(faults: Iterable[RestFault], key: str = CANARY) -> list[Any]:
    """The same of a file."""
    async with SonioxSimulator(rest_faults=faults, keys=(key,)) as server:
        shown: list[Any] = []
        async with VoiceProcessor(config_for(server)) as processor:
            try:
                shown.append(await processor.transcribe(wav(SPEECH)))
            except DebabelizerError as error:
                shown += told(error)
        return [*shown, *server.rest.gate.requests]


def look(shown: list[Any], logged: Everything) -> None:
    texts = [text for value in shown for text in (repr(value), str(value))]
    assert [text for text in texts if CANARY in text] == []
    assert [text for text in logged.texts if CANARY in text] == []
    assert logged.texts


@pytest.mark.parametrize(
    ("name", "phase"), [(name, phase) for name, case in CASES.items() for phase in case.phases or ("none",)]
)
def test_the_key_is_seen_by_the_service_alone(name: str, phase: str, logged: Everything) -> None:
    shown = virtual_time.run(stream(CASES[name].faults(MOMENTS.get(phase, 0.0))))
    assert len(shown) > 6
    look(shown, logged)


@pytest.mark.parametrize("which", [400, 401, 402, "permission_denied", 503])
@pytest.mark.parametrize("at", [0.0, 1.5, "end"])
def test_a_service_that_repeats_the_key_is_not_repeated(which: int | str, at: Any, logged: Everything) -> None:
    fault = Fault.error(which, at=at, message=f"The key {CANARY} is not good", connections="always")
    shown = virtual_time.run(stream([fault]))
    assert any("The key **********" in str(value) for value in shown)
    look(shown, logged)


def test_a_wrong_key_is_not_shown_either(logged: Everything) -> None:
    shown = virtual_time.run(stream((), key="another-key"))
    assert any("AuthenticationError" in str(value) for value in shown)
    look(shown, logged)


CALLS = ("POST /files", "POST /transcriptions", "GET /transcriptions/{id}", "GET /transcriptions/{id}/transcript")
REMOVE = ("DELETE /files/{id}", "DELETE /transcriptions/{id}")


@pytest.mark.parametrize("which", [400, 401, 402, 403])
@pytest.mark.parametrize("call", CALLS)
def test_nor_is_that_of_a_file_from_whatever_call_on_it_is_refused(call: str, which: int, logged: Everything) -> None:
    reply = error_reply(which)
    refused = [RestFault(call=each, status=reply.code, error_type=reply.type, times=99) for each in (call, *REMOVE)]
    shown = asyncio.run(transcribe(refused))
    assert any("Error" in str(value) for value in shown)
    look(shown, logged)


@pytest.mark.parametrize("call", [*CALLS, *REMOVE])
def test_nor_when_its_connection_is_dropped(call: str, logged: Everything) -> None:
    look(asyncio.run(transcribe([RestFault(call=call, status=0)])), logged)


def test_nor_is_a_wrong_key_for_a_file(logged: Everything) -> None:
    shown = asyncio.run(transcribe((), key="another-key"))
    assert any("AuthenticationError" in str(value) for value in shown)
    look(shown, logged)
