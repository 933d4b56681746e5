"""`Peer`: the server's end of one WebSocket connection. Drives a session over a transport, and breaks it.

Built on the I/O-free protocol of `websockets` and on plain callbacks: nothing is awaited and no task is made, so
that a fault happens at the exact sample it was planned for, and closing leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State as WireState
from websockets.server import ServerProtocol

from debabelizer.testing._transport import reset
from debabelizer.testing.script import Words
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.faults import Fault, FaultPlan, Kind
from debabelizer.testing.soniox.handshake import HIDDEN, PATH, credentials, public_headers, select_subprotocol
from debabelizer.testing.soniox.keys import KeyRing
from debabelizer.testing.soniox.log import ConnectionLog, FrameKind, FrameLog, SentKind, SentLog, classify
from debabelizer.testing.soniox.protocol import EPSILON, Credential, Output, Send, SonioxSession, State

__all__ = ["Hub", "Peer"]

# The wire logger writes headers at level DEBUG, and headers carry the key.
_wire_logger = logging.getLogger("debabelizer.testing.wire")
_wire_logger.setLevel(logging.WARNING)


class Hub(Protocol):
    """What the connections of one simulator share."""

    behaviour: Behaviour
    faults: FaultPlan
    keys: KeyRing
    words: Words
    connections: list[ConnectionLog]
    seconds: float  # of audio heard on all connections

    def joined(self, peer: Peer) -> None:
        """A connection was made."""

    def left(self, peer: Peer) -> None:
        """A connection is gone."""

    def changed(self) -> None:
        """Something happened that a test may wait for."""

    def refuse(self, seconds: float | None) -> None:
        """Accept no connection for a while."""


class Peer(asyncio.Protocol):
    """One connection. Its life can be read in `log`."""

    log: ConnectionLog
    _transport: asyncio.Transport

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._behaviour = hub.behaviour
        self._loop = asyncio.get_running_loop()
        self._wire = ServerProtocol(
            select_subprotocol=select_subprotocol, max_size=hub.behaviour.max_message, logger=_wire_logger
        )
        self._session: SonioxSession | None = None
        self._fragments: list[bytes] = []
        self._text = False
        self._modes: set[Kind] = set()
        self._dead = False  # no more input is looked at
        self._answer: Callable[[Request], None] = self._accept
        self._last: dict[str, Any] = {}  # response
        self._timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast("asyncio.Transport", transport)
        self.log = ConnectionLog(len(self._hub.connections), self._loop.time())
        self._hub.joined(self)
        for fault in self._hub.faults.take(self.log.number, "accept"):
            self.strike(fault)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if not self._dead:
            self._wire.receive_data(data)
            # Pongs wait for their turn: one for a ping behind the point of a fault must not be sent.
            answers = self._wire.data_to_send()
            for event in self._wire.events_received():
                self._event(event)
            self._transmit(answers)
            self._hub.changed()

    def eof_received(self) -> None:
        """The client will send no more."""
        self._wire.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._dead = True
        self.log.closed = self._loop.time()
        self.log.client_reset = isinstance(exc, ConnectionError)
        for timer in (self._timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        self._hub.left(self)

    def pause_writing(self) -> None:
        """The client does not read: do not read either, as a server with bounded buffers must."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        if not self._dead:
            self._transport.resume_reading()

    def _event(self, event: object) -> None:
        if self._dead:
            return
        if isinstance(event, Request):
            self.log.path, self.log.headers = event.path, public_headers(event)
            self._answer(event)
        elif isinstance(event, Frame):
            self._frame(event)

    # Handshake

    def _accept(self, request: Request) -> None:
        if not self._transport.is_closing():
            right = request.path == PATH
            response = self._wire.accept(request) if right else self._wire.reject(404, "Not found.\n")
            self._respond(response)
            if response.status_code == 101:
                self._open(credentials(request))

    def _accept_late(self, request: Request) -> None:
        self._timer = None
        self._accept(request)
        self._hub.changed()

    def _respond(self, response: Response) -> None:
        self._wire.send_response(response)
        self._flush()

    def _open(self, keys: Sequence[Credential]) -> None:
        self.log.remember(keys)
        self._session = SonioxSession(
            credentials=keys,
            behaviour=self._behaviour,
            keys=self._hub.keys,
            words=self._hub.words,
            clock=self._loop.time,
            connection=self.log.number,
        )
        self._perform(self._session.open())
        for fault in self._hub.faults.take(self.log.number, "open"):
            self.strike(fault)
        self._arm(self._session)

    # Frames

    def _frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.log.client_code = self._wire.close_rcvd.code if self._wire.close_rcvd else None
            self._note("close", len(frame.data))
        elif frame.opcode in (Opcode.PING, Opcode.PONG):
            self._note("ping" if frame.opcode is Opcode.PING else "pong", len(frame.data))
        else:
            if frame.opcode is not Opcode.CONT:
                self._text = frame.opcode is Opcode.TEXT
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                message, self._fragments = b"".join(self._fragments), []
                if self._session is not None:
                    self._message(self._session, message)

    def _message(self, session: SonioxSession, message: bytes) -> None:
        if self._text:
            try:
                text = message.decode()
            except UnicodeDecodeError:
                self._wire.fail(1007, "text must be UTF-8")
                self._flush()
            else:
                self._receive_text(session, text)
        else:
            self._note("audio" if message else "empty", len(message))
            outputs, audio = session.receive_audio(message)
            self._perform(outputs)
            self._hear(session, audio)
        self._arm(session)

    def _receive_text(self, session: SonioxSession, text: str) -> None:
        kind = classify(text, waiting=session.state is State.WAIT_START)
        self._note(kind, len(text))
        if kind == "end":
            for fault in self._hub.faults.take(self.log.number, "end"):
                self.strike(fault)
        if not self._listening or f"ignore {kind}" in self._modes:
            return
        if kind == "start":
            self._log_start(text)
        outputs = session.receive_text(text)
        self.log.authenticated_by = session.authenticated_by
        self._perform(outputs)
        self._reach(session)

    def _log_start(self, text: str) -> None:
        config = json.loads(text)
        if "api_key" in config:
            self.log.remember([Credential("message", str(config["api_key"]))])
            config["api_key"] = HIDDEN
        self.log.config = config

    def _hear(self, session: SonioxSession, audio: bytes) -> None:
        """Hear audio up to the next fault, and on."""
        while audio and self._listening and session.state is State.RUN:
            at = self._hub.faults.next_position(self.log.number, self._elsewhere)
            room = len(audio) if at is None else session.bytes_until(at)
            piece, audio = audio[:room], audio[room:]
            if self._behaviour.record_audio:
                self.log.record(piece)
            self._perform(session.hear(piece))
            self._reach(session)

    @property
    def _listening(self) -> bool:
        return not self._dead and self._wire.state is WireState.OPEN

    @property
    def _elsewhere(self) -> float:
        return self._hub.seconds - self.log.seconds

    def _reach(self, session: SonioxSession) -> None:
        """Note how far the audio is, and let happen what is due there."""
        self._hub.seconds += session.seconds - self.log.seconds
        self.log.seconds = session.seconds
        if session.state is State.RUN and self._listening:
            position = session.seconds + 2 * EPSILON  # so that no room means that it is reached, however it is rounded
            for fault in self._hub.faults.reach(self.log.number, position, self._elsewhere):
                self.strike(fault)

    def _note(self, kind: FrameKind, size: int) -> None:
        self.log.frames.append(FrameLog(self._loop.time(), kind, size, self.log.seconds))

    # Time

    def _arm(self, session: SonioxSession) -> None:
        """See to it that the session's deadline is noticed. One that moved on is looked at when the old one is due."""
        deadline = session.deadline
        if deadline is None or self._dead or "ignore end" in self._modes:
            return
        if self._timer is not None and self._timer.when() > deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._tick, session)

    def _tick(self, session: SonioxSession) -> None:
        self._timer = None
        if self._listening and "ignore end" not in self._modes:
            self._perform(session.tick())
            self._arm(session)
            self._hub.changed()

    # Output

    def _perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self._send(output)
            elif not {"mute", "stall", "linger"} & self._modes:
                self._close(output.code)

    def _send(self, output: Send) -> None:
        message = output.message
        kind: SentKind = "error" if "error_code" in message else "finished" if "finished" in message else "response"
        if "mute" in self._modes or ("stall" in self._modes and kind == "finished"):
            return
        if kind == "response":
            if "stall" in self._modes:
                output = Send({**message, **self._last, "tokens": []})
            self._last = output.message
        for _ in range(2 if "duplicate" in self._modes and kind == "response" else 1):
            self._write(kind, output.text.encode())

    def _write(self, kind: SentKind, data: bytes, *, binary: bool = False) -> None:
        if not self._listening:
            return
        (self._wire.send_binary if binary else self._wire.send_text)(data)
        self.log.sent.append(SentLog(self._loop.time(), kind, self.log.seconds))
        self._flush()

    def _close(self, code: int) -> None:
        if self._wire.state is WireState.OPEN:
            self._wire.send_close(code)
            self.log.sent.append(SentLog(self._loop.time(), "close", self.log.seconds))
            self._flush()
            self._close_timer = self._loop.call_later(self._behaviour.close_timeout, self._transport.abort)

    def _flush(self) -> None:
        self._transmit(self._wire.data_to_send())

    def _transmit(self, output: Sequence[bytes]) -> None:
        for data in output if not self._dead else ():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    # Faults

    def strike(self, fault: Fault) -> None:
        """Let a fault happen now."""
        if self._dead:
            return
        self.log.faults.append((self._loop.time(), fault))
        match fault.kind:
            case "reset" | "refuse" | "eof" | "freeze":
                self._die(fault)
            case "http" | "handshake":
                self._spoil_handshake(fault)
            case "close":
                self._close(fault.code or 1000)
            case "malformed":
                self._write("broken", b'{"tokens": [')
            case "binary":
                self._write("broken", b"\x00\x01\x02\x03", binary=True)
            case "oversized":
                self._write("broken", b'{"tokens":[],"padding":"%b"}' % (b" " * fault.size))
            case "error" | "finish early":
                self._end_session(fault)
            case _:
                self._modes.add(fault.kind)
        self._hub.changed()

    def _die(self, fault: Fault) -> None:
        """From here on nothing is looked at, and nothing sent."""
        self._dead = True
        if fault.kind == "freeze":
            self._transport.pause_reading()
        elif fault.kind == "eof":
            self._transport.write_eof()
            self._close_timer = self._loop.call_later(self._behaviour.close_timeout, self._transport.abort)
        else:
            if fault.kind == "refuse":
                self._hub.refuse(fault.seconds)
            reset(self._transport)

    def _spoil_handshake(self, fault: Fault) -> None:
        def answer(request: Request) -> None:
            if fault.kind == "http":
                self._respond(self._wire.reject(fault.code or 503, "Planned fault.\n"))
            elif fault.seconds is not None:
                self._timer = self._loop.call_later(fault.seconds, self._accept_late, request)

        self._answer = answer

    def _end_session(self, fault: Fault) -> None:
        if self._session is not None and fault.reply is not None:
            self._perform(self._session.fail(fault.reply, tokens=fault.tokens, modern=fault.modern))
        elif self._session is not None:
            self._perform(self._session.finish_early())
