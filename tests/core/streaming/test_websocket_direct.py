"""Live audio goes out within the call that brings it; everything else takes the writer's way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import pytest
from websockets.asyncio.server import ServerConnection, serve

from debabelizer.audio.format import AudioFormat
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Finished, Frame, Opening, Processed, Reply
from debabelizer.streaming.leg import Leg
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.streaming.transport import Socket
from debabelizer.streaming.websocket import WebSocketConnection
from debabelizer.testing import virtual_time

FORMAT = AudioFormat("pcm_s16le", 8000)
CHUNK = bytes(320)  # 20 ms


class Plain(Dialect):
    """Audio is binary; the answer to each frame is how many bytes were heard."""

    keepalive_after: ClassVar[float | None] = 1.0

    def __init__(self, url: str) -> None:
        self._url = url

    def open(self) -> Opening:
        return Opening(url=self._url)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent]:
        size = int(frame)
        return [Finished(FORMAT.seconds(-size))] if size < 0 else [Processed(FORMAT.seconds(size), final=True)]

    def keepalive(self) -> Sequence[Frame]:
        return ("alive",)

    def end(self) -> Sequence[Frame]:
        return ("end",)


class Service:
    """Hears everything, and remembers what came when."""

    def __init__(self) -> None:
        self.frames: list[tuple[float, Frame]] = []
        self.reads = asyncio.Event()
        self.reads.set()

    async def __call__(self, socket: ServerConnection) -> None:
        heard = 0
        async for frame in socket:
            self.frames.append((asyncio.get_running_loop().time(), frame))
            heard += len(frame) if isinstance(frame, bytes) else 0
            await socket.send(str(-heard if frame == "end" else heard))
            await self.reads.wait()

    @property
    def audio(self) -> bytes:
        return b"".join(frame for _, frame in self.frames if isinstance(frame, bytes))

    def times(self, what: str) -> list[float]:
        return [round(time, 2) for time, frame in self.frames if frame == what]


def stream_to(port: int, dialect: type[Plain] = Plain) -> TranscriptionStream:
    async def connect() -> WebSocketConnection:
        return WebSocketConnection(dialect(f"ws://127.0.0.1:{port}"))

    leg = Leg(provider="plain", connect=connect, wire=FORMAT)
    policy = StreamPolicy(max_attempts=1, send_timeout=5.0)
    return TranscriptionStream(lambda: Supervisor(leg, audio_format=FORMAT, policy=policy), name="plain")


def play(scene: Any, given: Service | None = None, dialect: type[Plain] = Plain) -> Service:
    async def main() -> Service:
        service = given or Service()
        async with serve(service, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            async with stream_to(port, dialect) as stream:
                reading = asyncio.create_task(drain(stream))
                await asyncio.sleep(0.1)
                await scene(stream, service)
                await reading
        return service

    async def drain(stream: TranscriptionStream) -> None:
        async for _ in stream:
            pass

    return virtual_time.run(main())


def test_audio_is_out_when_the_call_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    posted: list[Frame] = []
    post = Socket.post

    def spy(self: Socket, message: Frame) -> None:
        posted.append(message)
        post(self, message)

    monkeypatch.setattr(Socket, "post", spy)

    async def scene(stream: TranscriptionStream, _: Service) -> None:
        for number in range(1, 6):
            await stream.send_audio(CHUNK)
            assert posted == [CHUNK] * number
            await asyncio.sleep(0.02)
        await stream.end_audio()

    assert play(scene).audio == CHUNK * 5


def test_no_keepalive_goes_out_while_audio_flows() -> None:
    async def scene(stream: TranscriptionStream, _: Service) -> None:
        for _number in range(30):
            await stream.send_audio(CHUNK)
            await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)
        await stream.end_audio()

    # The last audio went out at 3.0 s: a second later, and another second later.
    assert play(scene).times("alive") == [4.0, 5.0]


def test_a_flush_goes_out_although_no_audio_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plain, "flush", lambda self, trailing_silence: ("flush",))

    async def scene(stream: TranscriptionStream, _: Service) -> None:
        for _number in range(4):
            await stream.send_audio(CHUNK)
            await asyncio.sleep(0.1)
        await stream.send_audio(CHUNK)
        await stream.flush()
        await asyncio.sleep(3.0)
        await stream.end_audio()

    assert play(scene).times("flush") == [0.5]


def test_a_service_that_does_not_read_for_a_while_gets_everything_in_order() -> None:
    async def scene(stream: TranscriptionStream, service: Service) -> None:
        service.reads.clear()
        asyncio.get_running_loop().call_later(4.0, service.reads.set)
        for number in range(256):
            await stream.send_audio(bytes([number, 0]) * 4000)
            await asyncio.sleep(0.01)
        await stream.end_audio()

    assert play(scene).audio == b"".join(bytes([number, 0]) * 4000 for number in range(256))


class Numbered(Plain):
    """Numbers its frames in the order in which it makes them, and answers what it is asked at length."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._made = 0

    def _frame(self, size: int) -> bytes:
        self._made += 1
        return self._made.to_bytes(4, "big") + bytes(size)

    def audio(self, chunk: bytes) -> Frame:
        return self._frame(len(chunk) - 4)

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        return [Reply(tuple(self._frame(50_000) for _ in range(40)))] if frame == "more" else super().receive(frame)


class Asking(Service):
    """Asks for more as soon as it hears something, and then does not read for a while."""

    async def __call__(self, socket: ServerConnection) -> None:
        self.frames.append((0.0, await socket.recv()))
        await socket.send("more")
        await asyncio.sleep(3.0)
        await super().__call__(socket)


def test_a_long_reply_to_a_service_that_does_not_read_stays_before_later_audio() -> None:
    async def scene(stream: TranscriptionStream, _: Service) -> None:
        for _number in range(60):
            await stream.send_audio(CHUNK)
            await asyncio.sleep(0.1)
        await stream.end_audio()

    frames = [frame for _, frame in play(scene, Asking(), Numbered).frames if isinstance(frame, bytes)]
    assert [int.from_bytes(frame[:4], "big") for frame in frames] == [*range(1, len(frames) + 1)]
    assert sum(len(frame) for frame in frames if len(frame) < 50_000) == 60 * len(CHUNK)


def test_a_dialect_that_fails_fails_the_connection_and_not_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Plain] = []

    def fail(self: Plain, chunk: bytes) -> Frame:
        asked.append(self)
        raise ValueError("cannot encode")

    monkeypatch.setattr(Plain, "audio", fail)

    async def scene(stream: TranscriptionStream, _: Service) -> None:
        await stream.send_audio(CHUNK)

    with pytest.raises(Exception, match="cannot encode") as raised:
        play(scene)
    assert isinstance(raised.value.__cause__, ValueError)
    assert len(asked) == len({*map(id, asked)})  # each was asked once: what it remembers of a chunk counts once
