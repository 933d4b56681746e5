"""What vendors need beside: an end proven by a close, a refusal told in headers, answers to what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from support.service import FORMAT
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from debabelizer.errors import ConnectionLostError, InvalidRequestError, ProviderError, StreamError
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Finished, Frame, Hypothesis, Opening, Refusal, Reply
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.streaming.websocket import WebSocketConnection

Handler = Callable[[ServerConnection], Awaitable[None]]


class Curt(Dialect):
    """Its vendor answers nothing, and closes when it has heard everything."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.size = 0
        self.has_ended = False
        self.codes: list[int | None] = []

    def open(self) -> Opening:
        return Opening(url=self.url)

    def audio(self, chunk: bytes) -> Frame | Sequence[Frame]:
        self.size += len(chunk)
        return chunk

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        return ()

    def end(self) -> tuple[Frame, ...]:
        self.has_ended = True
        return ("end",)

    def hung_up(self, code: int | None) -> Iterable[ConnectionEvent]:
        self.codes.append(code)
        if not self.has_ended or code == 1011:
            return ()
        seconds = FORMAT.seconds(self.size)
        return (Hypothesis(text="over", final=True, start=0.0, end=seconds), Finished(seconds))

    def refusal(self, answer: Refusal) -> ProviderError:
        retry_after = "none" if answer.retry_after is None else f"{answer.retry_after:g}"
        message = f"{answer.status} {answer.headers.get('X-Reason')} {answer.body.decode()} {retry_after}"
        return InvalidRequestError(message)


@asynccontextmanager
async def server(handler: Handler, **options: Any) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, **options) as listening:
        yield f"ws://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


def stream_to(url: str, dialects: list[Curt], kind: type[Curt]) -> TranscriptionStream:
    async def connect() -> WebSocketConnection:
        dialects.append(kind(url))
        return WebSocketConnection(dialects[-1])

    leg = Leg(provider="curt", connect=connect, wire=FORMAT)
    policy = StreamPolicy(max_attempts=2, backoff_base=0.001, close_timeout=0.3)
    return TranscriptionStream(lambda: Supervisor(leg, audio_format=FORMAT, policy=policy), name="curt")


async def transcribe(url: str, dialects: list[Curt], kind: type[Curt] = Curt) -> str:
    async with stream_to(url, dialects, kind) as stream:
        await stream.send_audio(b"\1\0" * 500)
        await stream.end_audio()
        return " ".join([result.text async for result in stream if result.is_final])


def until_the_end(close: Handler) -> Handler:
    async def handler(socket: ServerConnection) -> None:
        async for frame in socket:
            if frame == "end":
                await close(socket)

    return handler


async def close_normally(socket: ServerConnection) -> None:
    await socket.close()


async def close_without_a_status(socket: ServerConnection) -> None:
    socket.protocol.send_close()
    socket.send_data()
    await socket.wait_closed()


async def drop(socket: ServerConnection) -> None:
    socket.transport.close()


@pytest.mark.parametrize(
    ("close", "code"),
    [(close_normally, 1000), (close_without_a_status, 1005), (drop, None)],
    ids=["closed normally", "without a status", "dropped"],
)
def test_a_close_can_be_the_proof_of_the_end(close: Handler, code: int | None) -> None:
    async def main() -> tuple[str, list[Curt]]:
        dialects: list[Curt] = []
        async with server(until_the_end(close)) as url:
            return await transcribe(url, dialects), dialects

    text, dialects = asyncio.run(main())
    assert text == "over"
    assert [dialect.codes for dialect in dialects] == [[code]]


def test_a_close_that_the_dialect_does_not_take_for_the_end_is_a_failure() -> None:
    async def fail(socket: ServerConnection) -> None:
        await socket.close(1011)

    async def main() -> list[Curt]:
        dialects: list[Curt] = []
        async with server(until_the_end(fail)) as url:
            with pytest.raises(StreamError) as caught:
                await transcribe(url, dialects)
            assert isinstance(caught.value.__cause__, ConnectionLostError)
        return dialects

    dialects = asyncio.run(main())
    assert [dialect.codes for dialect in dialects] == [[1011], [1011]]


def test_a_refusal_is_told_with_its_headers() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.BAD_REQUEST, "a body")
        response.headers["x-reason"] = "a reason"
        response.headers["Retry-After"] = "7"
        return response

    async def main() -> str:
        async with server(close_normally, process_request=refuse) as url:
            with pytest.raises(StreamError) as caught:
                await transcribe(url, [])
            return str(caught.value.__cause__)

    assert asyncio.run(main()) == "curt: 400 a reason a body 7"


class Obedient(Curt):
    """Announces each piece of audio, and does what it is told."""

    def audio(self, chunk: bytes) -> tuple[Frame, ...]:
        super().audio(chunk)
        return ("audio follows", chunk)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        yield Reply((f"yes, {frame!s}", "and more"))


def test_what_is_received_can_be_answered_and_audio_announced() -> None:
    said: list[str | bytes] = []

    async def converse(socket: ServerConnection) -> None:
        await socket.send("say yes")
        async for frame in socket:
            said.append(frame)
            if frame == "end":
                await socket.close()

    async def main() -> str:
        async with server(converse) as url:
            return await transcribe(url, [], Obedient)

    assert asyncio.run(main()) == "over"
    assert said.index("and more") == said.index("yes, say yes") + 1
    assert isinstance(said[said.index("audio follows") + 1], bytes)
