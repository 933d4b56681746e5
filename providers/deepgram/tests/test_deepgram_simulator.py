"""The simulated service does what Deepgram documents, also to clients that are none of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import pytest
from debabelizer_deepgram.simulator import Behaviour, DeepgramSimulator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from debabelizer.testing import virtual_time
from debabelizer.testing.coded import encode_words

AUDIO = encode_words(3)
NOVA = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000"
FLUX = "/v2/listen?model=flux-general-en&encoding=linear16&sample_rate=16000"
KEEPALIVE = '{"type": "KeepAlive"}'


def converse(path: str, act: Callable[[ClientConnection], Awaitable[Any]], **behaviour: Any) -> tuple[list[Any], Any]:
    """What the service said, and how it closed; in virtual time."""

    async def main() -> tuple[list[Any], Any]:
        async with DeepgramSimulator(behaviour=Behaviour(**behaviour)) as server:
            headers = {"Authorization": "Token test-key"}
            async with connect(f"{server.url}{path}", additional_headers=headers, compression=None) as socket:
                said = []
                acting = asyncio.create_task(act(socket))  # type: ignore[arg-type]
                try:
                    while True:
                        said.append(json.loads(await socket.recv()))
                except ConnectionClosed as error:
                    acting.cancel()
                    return said, (error.rcvd.code, error.rcvd.reason) if error.rcvd else None

    return virtual_time.run(main())


def test_an_empty_frame_ends_the_stream() -> None:
    async def act(socket: ClientConnection) -> None:
        await socket.send(AUDIO)
        await socket.send(b"")

    said, closed = converse(NOVA, act, max_speed=None)
    assert said[-1]["type"] == "Metadata"
    assert said[-1]["sha256"] == sha256(AUDIO).hexdigest()
    assert said[-1]["duration"] == len(AUDIO) / 32000
    assert closed == (1000, "")


def test_a_stream_without_audio_ends_whatever_keepalives_come() -> None:
    async def act(socket: ClientConnection) -> None:
        while True:
            await socket.send(KEEPALIVE)
            await asyncio.sleep(3)

    _, (code, reason) = converse(NOVA, act)
    assert (code, reason[-8:]) == (1011, "NET-0001")


@pytest.mark.parametrize("path", [NOVA, FLUX])
def test_a_stream_ends_after_ten_seconds_without_audio(path: str) -> None:
    async def act(socket: ClientConnection) -> None:
        await socket.send(AUDIO)

    _, (code, reason) = converse(path, act)
    assert (code, reason[-8:]) == (1011, "NET-0001")


def test_a_keepalive_that_is_binary_is_audio() -> None:
    async def act(socket: ClientConnection) -> None:
        await socket.send(KEEPALIVE.encode())
        await socket.send('{"type": "CloseStream"}')

    said, _ = converse(NOVA, act)
    assert said[-1]["duration"] == pytest.approx(len(KEEPALIVE) / 32000, abs=1e-6)


@pytest.mark.parametrize("path", [NOVA, FLUX])
def test_audio_that_comes_too_fast_ends_the_stream(path: str) -> None:
    async def act(socket: ClientConnection) -> None:
        for _ in range(20):
            await socket.send(bytes(32000))
            await asyncio.sleep(0.7)

    _, (code, reason) = converse(path, act)
    assert (code, reason[-8:]) == (1011, "NET-0000")


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        (NOVA, "what?", "variant"),
        (NOVA, '{"type": "ForceEndTurn"}', "variant"),
        (FLUX, KEEPALIVE, "code"),
        (FLUX, '{"type": "Finalize"}', "code"),
        (FLUX, "[]", "code"),
    ],
)
def test_a_message_that_is_not_understood_is_an_error(path: str, text: str, name: str) -> None:
    said, (code, _) = converse(path, lambda socket: socket.send(text))
    assert said[-1]["type"] == "Error"
    assert said[-1][name]
    assert said[-1]["description"]
    assert code == 1008


@pytest.mark.parametrize(
    ("path", "key", "status", "code"),
    [
        (NOVA, "wrong-test-key", 401, "INVALID_AUTH"),
        ("/v3/listen?", "test-key", 404, "Not Found"),
        ("/v1/listen?encoding=linear16&sample_rate=16000", "test-key", 400, "Bad Request"),
        ("/v1/listen?model=nova-3&encoding=linear16", "test-key", 400, "Bad Request"),
        (f"{NOVA}&diarize_model=v2", "test-key", 400, "Bad Request"),
        (f"{NOVA}&utterance_end_ms=1000", "test-key", 400, "Bad Request"),
        (f"{NOVA}&utterance_end_ms=999&interim_results=true", "test-key", 400, "Bad Request"),
        (f"{NOVA}&detect_language=true", "test-key", 400, "Bad Request"),
        (f"{NOVA}&language=en&language_hint=en", "test-key", 400, "Bad Request"),
        (f"{NOVA}&encoding=mp3", "test-key", 400, "Bad Request"),
        (NOVA.replace("nova-3", "nova-2") + "&keyterm=x", "test-key", 400, "Bad Request"),
        (NOVA.replace("nova-3", "flux-general-en"), "test-key", 400, "Bad Request"),
        (f"{FLUX}&diarize=true", "test-key", 400, "Bad Request"),
        (f"{FLUX}&language_hint=en", "test-key", 400, "Bad Request"),
        (f"{FLUX}&eot_threshold=0.4", "test-key", 400, "Bad Request"),
        (f"{FLUX}&eot_timeout_ms=x", "test-key", 400, "Bad Request"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(path: str, key: str, status: int, code: str) -> None:
    async def main() -> Any:
        async with DeepgramSimulator() as server:
            with pytest.raises(InvalidStatus) as caught:
                await connect(f"{server.url}{path}", additional_headers={"Authorization": f"Token {key}"})
            return caught.value.response

    response = virtual_time.run(main())
    body = json.loads(response.body)
    assert (response.status_code, body["err_code"]) == (status, code)
    assert response.headers["dg-error"] == f"{code}: {body['err_msg']}"
    assert response.headers["dg-request-id"] == body["request_id"]
