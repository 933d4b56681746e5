"""The short ways of a socket give what the long ones do, in the same order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Close, Opcode
from websockets.frames import Frame as WireFrame
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from debabelizer.errors import ProviderError
from debabelizer.streaming.dialect import Frame, Opening
from debabelizer.streaming.frames import masked, masks
from debabelizer.streaming.transport import ConnectionClosed, Socket, open_socket
from debabelizer.testing import virtual_time

MASK = b"mask"
Script = Callable[[ServerConnection], Awaitable[None]]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
@pytest.mark.parametrize("kind", [bytes, str])
def test_a_frame_is_read_by_others_as_it_was_meant(size: int, kind: type[Frame]) -> None:
    message: Frame = (
        bytes(index % 251 for index in range(size)) if kind is bytes else "ä" * (size // 2) + "x" * (size % 2)
    )
    server = ServerProtocol(state=OPEN, max_size=None)
    server.receive_data(masked(message, MASK) + masked(b"next", MASK))
    first, second = server.events_received()
    assert isinstance(first, WireFrame)
    assert (first.opcode, first.fin) == (Opcode.BINARY if kind is bytes else Opcode.TEXT, True)
    assert bytes(first.data) == (message if isinstance(message, bytes) else message.encode())
    assert bytes(second.data) == b"next"  # type: ignore[union-attr]
    assert not server.data_to_send()


def test_masks_are_never_used_twice_and_differ_between_connections() -> None:
    one, other = masks(), masks()
    drawn = [next(source) for source in (one, other) for _ in range(1000)]
    assert {len(mask) for mask in drawn} == {4}
    assert len(set(drawn)) > 1990  # of four thousand million, by chance


def test_a_connection_masks_each_frame_anew() -> None:
    wire = bytearray()

    async def script(socket: ServerConnection) -> None:
        receive = socket.protocol.receive_data
        socket.protocol.receive_data = lambda data: (wire.extend(data), receive(data))[1]  # type: ignore[method-assign,func-returns-value]
        await socket.wait_closed()

    async def main() -> None:
        async with serve(script, "127.0.0.1", 0) as listening:
            socket = await connected(listening.sockets[0].getsockname()[1])
            await asyncio.sleep(0.1)
            for _ in range(300):
                socket.post(b"\0" * 4)  # which shows the mask
            await asyncio.sleep(0.1)
            await socket.close()

    virtual_time.run(main())
    sent = bytes(wire[: 300 * 10])
    assert len({sent[begin + 6 : begin + 10] for begin in range(0, len(sent), 10)}) == 300


async def connected(port: int, limit: int = 10_000) -> Socket:
    """Connected to a service of this machine that sends no message longer than `limit` bytes."""
    opening = Opening(url=f"ws://127.0.0.1:{port}", max_message=limit)
    return await open_socket(opening, lambda answer: ProviderError(f"{answer.status}"), close_timeout=1.0)


def hear(
    script: Script, at_once: Callable[[Frame], bool], *, limit: int = 10_000
) -> tuple[list[Frame], ConnectionClosed]:
    """What `at_once` was called with until the end, in calls of `hear` one after another, and how it ended."""
    told: list[Frame] = []

    def note(message: Frame) -> bool:
        told.append(message)
        return at_once(message)

    async def main() -> ConnectionClosed:
        async with serve(script, "127.0.0.1", 0) as listening:
            socket = await connected(listening.sockets[0].getsockname()[1], limit)
            try:
                return await listen(socket)
            finally:
                await socket.close()

    async def listen(socket: Socket) -> ConnectionClosed:
        while True:
            try:
                await socket.hear(note)
            except ConnectionClosed as closed:
                return closed
            await asyncio.sleep(0.05)  # busy with what it was told, while more comes

    return told, virtual_time.run(main())


async def pieces(socket: ServerConnection, *parts: bytes) -> None:
    """Parts of the wire, each in a packet of its own."""
    for part in parts:
        socket.transport.write(part)
        await asyncio.sleep(0.001)


def packet(socket: ServerConnection, *frames: WireFrame) -> None:
    """All frames at once, so that they arrive within one call."""
    socket.transport.write(b"".join(frame.serialize(mask=False) for frame in frames))


@pytest.mark.parametrize("refuses", [set(), {"b"}, {"a", "b", "c", "d"}])
def test_every_message_is_told_once_and_in_order_whoever_is_busy(refuses: set[str]) -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        packet(socket, *(WireFrame(Opcode.TEXT, letter) for letter in (b"a", b"b", b"c")))
        await asyncio.sleep(0.01)
        await socket.send("d")

    told, closed = hear(script, lambda message: message not in refuses)
    assert told == ["a", "b", "c", "d"]
    assert closed.rcvd == Close(1000, "")


def test_a_message_in_pieces_comes_before_what_follows_it_in_the_same_packet() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        begin, end = WireFrame(Opcode.TEXT, b"one ", fin=False), WireFrame(Opcode.CONT, b"piece")
        ping = WireFrame(Opcode.PING, b"?")
        packet(socket, WireFrame(Opcode.BINARY, b"zero"), begin, ping, end, WireFrame(Opcode.TEXT, b"two"))
        await asyncio.sleep(0.1)

    assert hear(script, lambda _: True)[0] == [b"zero", "one piece", "two"]


def test_no_message_is_told_amid_another_one_that_began_while_nobody_listened() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        packet(socket, WireFrame(Opcode.TEXT, b"busy"), WireFrame(Opcode.TEXT, b"one ", fin=False))
        await asyncio.sleep(0.2)
        packet(socket, WireFrame(Opcode.TEXT, b"thief"))
        await socket.wait_closed()

    told, closed = hear(script, lambda message: message != "busy")
    assert told == ["busy"]
    assert closed.sent is not None
    assert closed.sent.code == 1002


def test_pings_are_answered_while_somebody_listens() -> None:
    answered = []

    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        answered.append(await (await socket.ping()) >= 0.0)
        await socket.send("after")

    assert hear(script, lambda _: True)[0] == ["after"]
    assert answered == [True]


def test_text_that_is_none_ends_the_connection_with_the_code_for_it() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        packet(socket, WireFrame(Opcode.TEXT, b"good"), WireFrame(Opcode.TEXT, b"\xff\xfe"))
        await socket.wait_closed()

    told, closed = hear(script, lambda _: True)
    assert told == ["good"]
    assert closed.sent is not None
    assert closed.sent.code == 1007


def test_what_came_before_the_close_is_told_before_it() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        packet(socket, WireFrame(Opcode.TEXT, b"last"), WireFrame(Opcode.CLOSE, Close(1011, "why").serialize()))

    told, closed = hear(script, lambda _: False)
    assert told == ["last"]
    assert closed.rcvd == Close(1011, "why")


def test_a_message_may_come_in_packets_cut_anywhere() -> None:
    frames = [WireFrame(Opcode.TEXT, b"short").serialize(mask=False)]
    frames += [WireFrame(Opcode.TEXT, "ä€😀".encode() * 20).serialize(mask=False)]  # a length of two bytes

    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        for frame in frames:
            for cut in range(1, len(frame)):
                await pieces(socket, frame[:cut], frame[cut:])
        await pieces(socket, *(bytes((byte,)) for byte in b"".join(frames)))
        both = b"".join(frames * 2)
        await pieces(socket, both[:-3], both[-3:] + frames[0])

    told, closed = hear(script, lambda message: len(message) % 3 != 0)
    expected = [text for frame, text in zip(frames, ["short", "ä€😀" * 20], strict=True) for _ in range(len(frame) - 1)]
    assert told == [*expected, *["short", "ä€😀" * 20] * 3, "short"]
    assert closed.rcvd == Close(1000, "")


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 1_000_000])
def test_a_message_of_any_length_up_to_the_limit_is_told(size: int) -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        await socket.send("x" * size)
        await socket.send("next")

    assert hear(script, lambda _: True, limit=size)[0] == ["x" * size, "next"]


def test_a_message_over_the_limit_ends_the_connection_with_the_code_for_it() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        await socket.send("good")
        await socket.send("x" * 1001)
        await socket.send("late")
        await socket.wait_closed()

    told, closed = hear(script, lambda _: True, limit=1000)
    assert told == ["good"]
    assert closed.sent is not None
    assert closed.sent.code == 1009


def test_a_server_that_masks_breaks_the_protocol() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        await pieces(socket, masked("hidden", MASK))
        await socket.wait_closed()

    told, closed = hear(script, lambda _: True)
    assert told == []
    assert closed.sent is not None
    assert closed.sent.code == 1002


def test_what_follows_a_close_is_no_message() -> None:
    async def script(socket: ServerConnection) -> None:
        await asyncio.sleep(0.1)
        packet(socket, WireFrame(Opcode.CLOSE, Close(1000, "").serialize()), WireFrame(Opcode.TEXT, b"ghost"))

    told, closed = hear(script, lambda _: True)
    assert told == []
    assert closed.rcvd == Close(1000, "")


@pytest.mark.parametrize("late", [0, 1, 2, 50])
@pytest.mark.parametrize("cut", [0, 1, 3, 6, 7, 9])
def test_frames_may_come_with_the_answer_to_the_handshake(cut: int, late: int) -> None:
    """`cut` bytes of two frames of seven stand in the packet of the answer, whose last `late` bytes come in another."""
    frames = b"".join(WireFrame(Opcode.TEXT, text).serialize(mask=False) for text in (b"first", b"other"))
    told: list[Frame] = []
    gone = asyncio.Event()

    def note(message: Frame) -> bool:
        told.append(message)
        return False

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        protocol = ServerProtocol()
        protocol.receive_data(request)
        [asked] = protocol.events_received()
        assert isinstance(asked, Request)
        protocol.send_response(protocol.accept(asked))
        said = b"".join(protocol.data_to_send())
        if late:
            writer.write(said[:-late])
            await asyncio.sleep(0.1)
        writer.write(said[len(said) - late if late else 0 :] + frames[:cut])
        await asyncio.sleep(0.1)
        writer.write(frames[cut:])
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        gone.set()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            socket = await connected(server.sockets[0].getsockname()[1])
            while len(told) < 2:
                await socket.hear(note)
            socket.transport.abort()
            await gone.wait()

    virtual_time.run(main())
    assert told == ["first", "other"]
