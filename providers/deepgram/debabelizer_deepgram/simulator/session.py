"""`Session`: the far side of one stream. It times the client, and hands audio to a recognizer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from debabelizer.testing.audio import RawAudio
from debabelizer_deepgram.simulator.behaviour import Behaviour, Disconnect
from debabelizer_deepgram.simulator.nova import Message, NovaRecognizer
from debabelizer_deepgram.simulator.query import Query
from debabelizer_deepgram.simulator.turns import TurnRecognizer

__all__ = ["Session", "StreamLog"]


@dataclass(slots=True, eq=False)
class StreamLog:
    """What happened on one stream.

    Attributes:
        path: ``/v1/listen`` or ``/v2/listen``.
        query: What was asked for.
        seconds: Seconds of audio received.
        controls: Types of the text messages received, in order.
        messages: What was sent.
        empty_frames: Binary frames without audio.
        ahead: Most seconds by which the audio ran ahead of real time.
        closed: Why it ended: the code and reason of our close frame, or None while it runs.
    """

    path: str
    query: Query
    seconds: float = 0.0
    controls: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list, repr=False)
    empty_frames: int = 0
    ahead: float = 0.0
    closed: tuple[int | None, str] | None = None


class Session:
    """One stream.

    Args:
        socket: Connected.
        recognizer: Fresh.
        raw: Format of the audio.
        behaviour: Of the service.
        log: To be kept.
        fault: What is to go wrong, if anything.
    """

    def __init__(
        self,
        socket: ServerConnection,
        recognizer: NovaRecognizer | TurnRecognizer,
        raw: RawAudio,
        behaviour: Behaviour,
        log: StreamLog,
        fault: Disconnect | None = None,
    ) -> None:
        self._socket = socket
        self._recognizer = recognizer
        self._raw = raw
        self._behaviour = behaviour
        self._log = log
        self._fault = fault
        self._time: Callable[[], float] = asyncio.get_running_loop().time
        self._begun = self._alive = self._time()

    async def run(self) -> None:
        """Serve it to its end."""
        try:
            if isinstance(self._recognizer, TurnRecognizer):
                await self._send([self._recognizer.connected()])
            while self._log.closed is None:
                try:
                    async with asyncio.timeout_at(self._alive + self._behaviour.idle_timeout):
                        frame = await self._socket.recv()
                except TimeoutError:
                    await self._close(1011, "Deepgram did not receive audio data within the timeout window. NET-0001")
                    return
                await (self._hear(frame) if isinstance(frame, bytes) else self._obey(frame))
        except ConnectionClosed:
            pass
        finally:
            self._log.closed = self._log.closed or (None, "the client left")

    async def _hear(self, audio: bytes) -> None:
        if not audio:
            self._log.empty_frames += 1
            await self._finish()  # a frame without audio means the end (documentation)
            return
        now = self._time()
        self._alive = now
        self._log.seconds += len(audio) / self._raw.bytes_per_second
        self._log.ahead = max(self._log.ahead, self._log.seconds - (now - self._begun))
        speed = self._behaviour.max_speed
        if speed is not None and self._log.seconds > speed * (now - self._begun) + self._behaviour.burst:
            await self._close(1011, "Audio came faster than it is accepted. NET-0000")
            return
        await self._send(self._recognizer.hear(audio))
        fault = self._fault
        if fault is not None and self._log.seconds >= fault.at:
            await self._close(fault.code, fault.reason)

    async def _obey(self, text: str) -> None:
        try:
            kind = json.loads(text)["type"]
        except (ValueError, LookupError, TypeError):
            kind = None
        self._log.controls.append(str(kind))
        match kind, self._recognizer:
            case "CloseStream", _:
                await self._finish()
            case "Finalize", NovaRecognizer() as nova:
                await self._send(nova.finalize())
            case "KeepAlive", NovaRecognizer():
                if self._log.seconds:  # before any audio it holds nothing (documentation)
                    self._alive = self._time()
            case "ForceEndTurn", TurnRecognizer() as turns:
                await self._send(turns.force_end())
            case _:
                await self._complain(text)

    async def _complain(self, text: str) -> None:
        if isinstance(self._recognizer, TurnRecognizer):
            await self._send([self._recognizer.error("UNPARSABLE_CLIENT_MESSAGE", "The message is not understood.")])
        else:
            description = "Could not deserialize last text message."
            await self._send([{"type": "Error", "variant": "SchemaError", "description": description, "message": text}])
        await self._close(1008, "The message is not understood.")

    async def _finish(self) -> None:
        await self._send(self._recognizer.close())
        if isinstance(self._recognizer, NovaRecognizer) or self._behaviour.turn_close == "normal":
            await self._close(1000, "")
        elif self._behaviour.turn_close == "no frame":
            await self._close(None, "")
        else:
            self._log.closed = (1005, "")
            self._socket.protocol.send_close()
            self._socket.send_data()
            await self._socket.wait_closed()

    async def _close(self, code: int | None, reason: str) -> None:
        self._log.closed = (code, reason)
        if code is not None:
            await self._socket.close(code, reason)
            return
        # What was written before still arrives: a transport that is closed, not aborted, sends it.
        self._socket.transport.close()
        await self._socket.wait_closed()

    async def _send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._log.messages.append(message)
            await self._socket.send(json.dumps(message))
