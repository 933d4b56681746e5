"""The WebSocket connection over real sockets, with a dialect of a few lines."""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, ClassVar

import pytest
from support.service import FORMAT
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from debabelizer.errors import (
    AuthenticationError,
    CertificateError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeout,
    InvalidRequestError,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    StreamError,
)
from debabelizer.results import Reconnecting
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Dialect,
    Finished,
    Flushed,
    Frame,
    Hypothesis,
    Opening,
    Processed,
    Ready,
)
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.streaming.websocket import WebSocketConnection


class Echo(Dialect):
    """Speaks of bytes: ``{"heard": bytes}``, ``{"final": text, "bytes": [from, to]}``, ``{"done": true}``."""

    keepalive_after: ClassVar[float | None] = 0.05
    awaits_ready = False

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self) -> Opening:
        return Opening(
            url=self.url,
            headers={"Authorization": "Bearer test-key"},
            frames=(json.dumps({"config": 1}),),
            awaits_ready=self.awaits_ready,
            max_message=4096,
        )

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent]:
        if isinstance(frame, bytes):
            raise ProtocolError("binary")
        message = json.loads(frame)
        match message:
            case {"ready": True}:
                yield Ready()
            case {"heard": size}:
                yield Processed(FORMAT.seconds(size))
            case {"final": text, "bytes": [start, end]}:
                yield Hypothesis(text=text, final=True, start=FORMAT.seconds(start), end=FORMAT.seconds(end))
            case {"flushed": True}:
                yield Flushed()
            case {"done": size}:
                yield Finished(FORMAT.seconds(size))

    def flush(self, trailing_silence: float) -> Sequence[Frame]:
        return (json.dumps({"flush": trailing_silence}),)

    def keepalive(self) -> Sequence[Frame]:
        return ('{"keepalive":1}',)

    def end(self) -> Sequence[Frame]:
        return ('{"end":1}',)

    def closed(self, code: int | None, reason: str) -> ProviderError | None:
        return QuotaExceededError("out of money", code=str(code)) if code == 4002 else None


Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, **options: Any) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, **options) as listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def honest(socket: ServerConnection) -> None:
    """Hears everything; says a word for every 200 bytes."""
    heard = said = 0
    async for frame in socket:
        if isinstance(frame, bytes):
            heard += len(frame)
            await socket.send(json.dumps({"heard": heard}))
        elif "flush" in frame or "end" in frame:
            if heard > said:
                await socket.send(json.dumps({"final": f"{said}-{heard}", "bytes": [said, heard]}))
                said = heard
            await socket.send('{"flushed":true}' if "flush" in frame else json.dumps({"done": heard}))


def stream_to(url: str, dialect: type[Echo] = Echo, policy: StreamPolicy | None = None) -> TranscriptionStream:
    async def connect() -> WebSocketConnection:
        return WebSocketConnection(dialect(url))

    leg = Leg(provider="echo", connect=connect, wire=FORMAT)
    policy = policy or StreamPolicy(max_attempts=2, backoff_base=0.001, close_timeout=0.3)
    return TranscriptionStream(lambda: Supervisor(leg, audio_format=FORMAT, policy=policy), name="echo")


async def transcribe(stream: TranscriptionStream) -> list[Any]:
    async with stream:
        await stream.send_audio(b"\1\0" * 500)
        await stream.end_audio()
        return [event async for event in stream.events()]


async def failure(stream: TranscriptionStream) -> Exception:
    with pytest.raises(StreamError) as caught:
        await transcribe(stream)
    assert len(asyncio.all_tasks()) < 4  # the test's own, and the server's
    assert caught.value.__cause__ is not None
    return caught.value.attempts[-1].cause


def case(test: Callable[[], Awaitable[None]]) -> None:
    async def guarded() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(guarded())


def test_a_session_from_handshake_to_proof() -> None:
    async def test() -> None:
        frames: list[Frame] = []
        headers: list[str] = []

        async def handler(socket: ServerConnection) -> None:
            assert socket.request is not None
            headers.append(socket.request.headers["Authorization"])
            assert "Sec-WebSocket-Extensions" not in socket.request.headers

            class Recording:
                async def __aiter__(self) -> AsyncIterator[Frame]:
                    async for frame in socket:
                        frames.append(frame)
                        yield frame

                send = socket.send

            await honest(Recording())  # type: ignore[arg-type]

        async with server(handler) as url:
            stream = stream_to(url)
            async with stream:
                await stream.send_audio(b"\1\0" * 500)
                assert (await stream.flush(trailing_silence=0.2)).confirmed
                await asyncio.sleep(0.2)
                await stream.send_audio(b"\1\0" * 100)
                await stream.end_audio()
                texts = [result.text async for result in stream if result.is_final]
        assert texts == ["0-1000", "1000-1200"]
        assert headers == ["Bearer test-key"]
        assert frames[0] == '{"config": 1}'
        assert json.loads(frames[frames.index('{"flush": 0.2}')])
        assert frames.count('{"keepalive":1}') >= 2
        assert frames[-1] == '{"end":1}'
        assert b"".join(frame for frame in frames if isinstance(frame, bytes)) == b"\1\0" * 600

    case(test)


def test_audio_waits_for_a_provider_that_must_be_ready() -> None:
    class Patient(Echo):
        awaits_ready = True

    async def test() -> None:
        order: list[str] = []

        async def handler(socket: ServerConnection) -> None:
            order.append(str(await socket.recv()))
            await asyncio.sleep(0.1)
            order.append("ready")
            await socket.send('{"ready":true}')
            await honest(socket)

        async with server(handler) as url:
            await transcribe(stream_to(url, Patient))
        assert order == ['{"config": 1}', "ready"]

    case(test)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationError), (403, AuthenticationError), (402, QuotaExceededError), (404, InvalidRequestError)],
)
def test_a_refused_handshake_is_a_typed_error_at_once(status: int, kind: type[Exception]) -> None:
    async def test() -> None:
        tries: list[int] = []

        def refuse(socket: ServerConnection, request: Request) -> Response:
            tries.append(status)
            return socket.respond(HTTPStatus(status), "go away")

        async with server(honest, process_request=refuse) as url:
            cause = await failure(stream_to(url))
        assert type(cause) is kind
        assert "go away" in str(cause)
        assert len(tries) == 1

    case(test)


def test_retry_after_of_a_refused_handshake_is_obeyed() -> None:
    async def test() -> None:
        def refuse(socket: ServerConnection, request: Request) -> Response:
            response = socket.respond(HTTPStatus.TOO_MANY_REQUESTS, "")
            response.headers["Retry-After"] = "86400"
            return response

        async with server(honest, process_request=refuse) as url:
            cause = await failure(stream_to(url))
        assert isinstance(cause, RateLimitedError)
        assert cause.retry_after == 86400.0

    case(test)


def test_a_redirect_is_not_followed_so_that_nobody_else_gets_the_key() -> None:
    async def test() -> None:
        strangers: list[ServerConnection] = []

        async def stranger(socket: ServerConnection) -> None:
            strangers.append(socket)
            await honest(socket)

        async with server(stranger) as elsewhere:

            def redirect(socket: ServerConnection, request: Request) -> Response:
                response = socket.respond(HTTPStatus.TEMPORARY_REDIRECT, "")
                response.headers["Location"] = elsewhere
                return response

            async with server(honest, process_request=redirect) as url:
                cause = await failure(stream_to(url))
        assert isinstance(cause, InvalidRequestError)
        assert cause.code == "307"
        assert strangers == []

    case(test)


@pytest.mark.parametrize("proxy", ["ftp://me:test-password@127.0.0.1:9", "socks5://me:test-password@127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_told_at_once_without_its_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("WS_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")

    async def test() -> None:
        async with server(honest) as url:
            with pytest.raises(StreamError, match="proxy") as caught:
                await transcribe(stream_to(url))
        told = "".join(traceback.format_exception(caught.value))
        assert "test-password" not in told
        assert len(caught.value.attempts) == 1

    case(test)


def test_a_certificate_that_cannot_be_trusted_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*args: Any, **options: Any) -> Any:
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise error

    async def test() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refused)
        cause = await failure(stream_to("wss://127.0.0.1:9"))
        assert isinstance(cause, CertificateError)
        assert "self-signed certificate" in str(cause)

    case(test)


def test_nothing_is_sent_after_the_end_of_audio() -> None:
    async def test() -> None:
        frames: list[Frame] = []

        async def deaf(socket: ServerConnection) -> None:
            with suppress(ConnectionClosed):
                async for frame in socket:
                    frames.append(frame)

        async with server(deaf) as url:
            await failure(stream_to(url, policy=StreamPolicy(drain_timeout=0.3, max_attempts=1)))
        assert frames[-1] == '{"end":1}'

    case(test)


async def reset(socket: ServerConnection) -> None:
    await socket.recv()
    raw = socket.transport.get_extra_info("socket")
    raw.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    socket.transport.abort()


async def hang_up(socket: ServerConnection) -> None:
    await socket.recv()
    socket.transport.close()


def closing(code: int) -> Handler:
    async def close(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(code, "so there")

    return close


def saying(frame: Frame) -> Handler:
    async def say(socket: ServerConnection) -> None:
        await socket.send(frame)
        await honest(socket)

    return say


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        (reset, ConnectionLostError, "without a close"),
        (hang_up, ConnectionLostError, "without a close"),
        (closing(1000), ConnectionLostError, "close code 1000 (so there)"),
        (closing(1011), ConnectionLostError, "close code 1011 (so there)"),
        (closing(4002), QuotaExceededError, "out of money"),
        (saying("{"), json.JSONDecodeError, ""),
        (saying(b"\0"), ProtocolError, "binary"),
        (saying('"' + "x" * 10_000 + '"'), ConnectionLostError, "by us"),
        (saying('{"done":0}'), ProtocolError, "before the end"),
    ],
)
def test_every_way_a_connection_breaks_is_a_failure_with_its_cause(
    handler: Handler, kind: type[Exception], words: str
) -> None:
    async def test() -> None:
        async with server(handler) as url:
            cause = await failure(stream_to(url))
        assert type(cause) is kind
        assert words in str(cause)

    case(test)


def test_a_dialect_that_fails_to_write_is_a_failure_of_the_attempt() -> None:
    class Broken(Echo):
        def audio(self, chunk: bytes) -> Frame:
            raise ValueError("cannot encode")

    async def test() -> None:
        async with server(honest) as url:
            cause = await failure(stream_to(url, Broken))
        assert isinstance(cause, ValueError)

    case(test)


def test_nobody_listening_and_no_such_address() -> None:
    async def test() -> None:
        async with server(honest) as url:
            pass
        assert isinstance(await failure(stream_to(url)), ConnectError)
        assert isinstance(await failure(stream_to("http://127.0.0.1:9")), InvalidRequestError)

    case(test)


def test_a_handshake_that_is_never_answered_times_out() -> None:
    async def test() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        listening = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            policy = StreamPolicy(connect_timeout=0.2, max_attempts=2, backoff_base=0.001)
            cause = await failure(stream_to(f"ws://127.0.0.1:{port}", policy=policy))
        assert isinstance(cause, ConnectTimeout)

    case(test)


def test_a_peer_that_never_closes_does_not_hold_the_user_up() -> None:
    async def test() -> None:
        finished = asyncio.Event()

        async def handler(socket: ServerConnection) -> None:
            try:
                async for frame in socket:
                    if frame == '{"end":1}':
                        await socket.send('{"done":1000}')
                        socket.transport.pause_reading()
                        await finished.wait()
            except ConnectionClosed:
                pass

        async with server(handler, close_timeout=0.1) as url:
            stream = stream_to(url)
            events = await transcribe(stream)
            finished.set()
        assert events[-1].error is None
        assert not [event for event in events if isinstance(event, Reconnecting)]

    case(test)


def test_an_abandoned_connection_is_let_go_of_without_waiting_for_the_peer() -> None:
    async def test() -> None:
        gone = asyncio.Event()

        async def handler(socket: ServerConnection) -> None:
            try:
                async for _ in socket:
                    pass
            finally:
                gone.set()

        async with server(handler) as url:
            stream = stream_to(url, policy=StreamPolicy(close_timeout=30.0))
            async with stream:
                await stream.send_audio(b"\1\0" * 500)
                await asyncio.sleep(0.05)
            await gone.wait()

    case(test)
