"""A server that speaks Soniox's real-time protocol as cheaply as Python can, so that it is never the bottleneck.

    python tests/benchmarks/server.py --seconds 30 [--speed 1.0]

A protocol class on the bare event loop (uvloop where it is installed) counts the bytes of audio and writes messages
that were made beforehand. With `--speed` it takes no more audio than so many seconds a second. It prints its port as
a line of JSON, and at the end of its standard input another with what it counted.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import resource
import socket
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

from speech import BYTES_PER_SECOND, MESSAGES, messages, word_count

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _TEXT, _CLOSE, _PING = 2, 1, 8, 9
_SMALL = 64 * 1024  # bytes that the system takes in for a slow server, so that what waits, waits at the client


@dataclass
class Count:
    """What the server did in all."""

    connections: int = 0
    finished: int = 0
    words: int = 0
    audio: float = 0.0
    processor: float = 0.0
    wall: float = 0.0


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole WebSocket frame of a server."""
    length = len(payload)
    head = bytes((length,)) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + head + payload


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, frames: list[bytes], count: Count, speed: float | None) -> None:
        self._frames = frames
        self._count = count
        self._speed = speed
        self._buffer = bytearray()
        self._open = False
        self._skip = 0  # bytes of the current audio frame that are still to come
        self._heard = 0  # bytes of audio
        self._due = BYTES_PER_SECOND // MESSAGES  # bytes of audio at which the next message goes out
        self._said = 0  # messages
        self._free = 0.0  # when a slow server has worked off what it took
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        self._count.connections += 1

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._skip and len(data) < self._skip:  # the middle of a large piece: nothing to look at
            self._skip -= len(data)
            self._hear(len(data))
            return
        self._buffer += data
        if not self._open and not self._shake_hands():
            return
        while self._take_frame():
            pass

    def _shake_hands(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = bytes(self._buffer[:end]).split(b"\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        key = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + _GUID).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n"
        )
        del self._buffer[: end + 4]
        self._open = True
        return True

    def _take_frame(self) -> bool:
        """Take a frame, or what there is of an audio frame; False if more must come first."""
        buffer = self._buffer
        if self._skip:
            came = min(self._skip, len(buffer))
            del buffer[:came]
            self._skip -= came
            self._hear(came)
        if len(buffer) < 6:
            return False
        opcode, length, head = buffer[0] & 0x0F, buffer[1] & 0x7F, 6
        if length >= 126:
            head = 8 if length == 126 else 14
            length = int.from_bytes(buffer[2 : head - 4], "big")
        if len(buffer) < head or (opcode != _BINARY and len(buffer) < head + length):
            return False
        if opcode == _BINARY:  # audio is only counted, so it need not be unmasked
            del buffer[:head]
            self._skip = length
            return bool(buffer)
        mask, payload = buffer[head - 4 : head], buffer[head : head + length]
        del buffer[: head + length]
        self._control(opcode, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))
        return True

    def _hear(self, size: int) -> None:
        self._heard += size
        if self._speed is not None:
            self._work(size / BYTES_PER_SECOND / self._speed)
        while self._heard >= self._due and self._said < len(self._frames):
            self._transport.write(self._frames[self._said])
            self._said += 1
            self._due += BYTES_PER_SECOND // MESSAGES

    def _work(self, seconds: float) -> None:
        """Read nothing for so long, on top of what is to be worked off already."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._free <= now:
            self._transport.pause_reading()
            loop.call_later(seconds, self._go_on)
        self._free = max(self._free, now) + seconds

    def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        if self._free > loop.time():
            loop.call_at(self._free, self._go_on)
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._transport.write(frame(10, payload))
        elif opcode == _CLOSE:
            self._transport.write(frame(_CLOSE, payload[:2]))
            self._transport.close()
        elif opcode == _TEXT and not payload:
            milliseconds = self._said * 1000 // MESSAGES
            last = {"tokens": [], "final_audio_proc_ms": milliseconds, "total_audio_proc_ms": milliseconds}
            self._transport.write(frame(_TEXT, json.dumps(last | {"finished": True}).encode()))
            self._transport.write(frame(_CLOSE, (1000).to_bytes(2, "big")))
            self._count.finished += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._count.words += word_count(self._said / MESSAGES)
        self._count.audio += self._heard / BYTES_PER_SECOND


async def serve(seconds: float, speed: float | None) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    count = Count()
    frames = [frame(_TEXT, message.encode()) for message in messages(seconds)]
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    if speed is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
    server = await loop.create_server(partial(Session, frames, count, speed), sock=listener)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    begun = time.perf_counter()
    while line := await asyncio.to_thread(sys.stdin.readline):  # each line asks for the figures so far
        usage = resource.getrusage(resource.RUSAGE_SELF)
        count.processor, count.wall = usage.ru_utime + usage.ru_stime, time.perf_counter() - begun
        print(json.dumps(asdict(count)), flush=True)
        del line
    server.close()


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, required=True, help="speech that there are messages for")
    parser.add_argument("--speed", type=float, help="of taking audio, as a multiple of real time")
    options = parser.parse_args()
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    run(serve(options.seconds, options.speed))


if __name__ == "__main__":
    main()
