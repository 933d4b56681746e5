"""`WebSocketConnection`: drives any `Dialect` over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain

from debabelizer.errors import ConnectionLostError, ProviderError
from debabelizer.streaming.connection import Connection, End, Flush, Link
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Finished, Frame, Ready, Reply
from debabelizer.streaming.tasks import spawn, stop
from debabelizer.streaming.transport import ConnectionClosed, Socket, open_socket

__all__ = ["WebSocketConnection"]


class WebSocketConnection(Connection):
    """One WebSocket, one reader and one writer, no decisions: what frames mean is the dialect's affair.

    Most frames need neither: audio goes out within the call that brings it, and what a message means is told within
    the call that brings that. The two tasks do what would have to wait, and are told what failed in their name.

    Args:
        dialect: A fresh one.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._turn = asyncio.Lock()  # to send: what a dialect said first goes out first, and in one piece
        self._senders = 0  # who have that turn, or wait for it

    async def run(self, link: Link) -> None:
        """See `Connection`."""
        opening = self._dialect.open()
        socket = await open_socket(opening, self._dialect.refusal, close_timeout=link.policy.close_timeout)
        graceful = False
        try:
            link.opened()
            await self._send(socket, opening.frames)
            if opening.awaits_ready:
                await self._receive(socket, link, until=Ready)
            await self._converse(socket, link)
            graceful = True
        finally:
            try:
                if graceful:
                    await socket.close()
            finally:
                # No closing handshake with a peer that failed us; and none without end, should it stop reading.
                socket.transport.abort()
                await socket.wait_closed()

    async def _converse(self, socket: Socket, link: Link) -> None:
        """Read until `Finished`, while a task of ours writes; its failure ends the reading."""

        def abort_if_failed() -> None:
            if not writer.cancelled() and writer.exception() is not None:
                socket.transport.abort()

        writer = spawn(self._write(socket, link), name="debabelizer writer", on_end=abort_if_failed)
        try:
            await self._receive(socket, link, until=Finished)
        except ConnectionLostError as error:
            if writer.done() and not writer.cancelled() and (failure := writer.exception()) is not None:
                raise failure from error
            raise
        finally:
            await stop(writer, link.clock, link.policy.close_timeout)

    async def _receive(self, socket: Socket, link: Link, until: type[Ready | Finished]) -> None:
        events: Iterator[ConnectionEvent | Reply] = iter(())  # what the last message means and was not told yet
        failure: Exception | None = None
        slow = (Reply, until)

        def at_once(frame: Frame) -> bool:
            nonlocal events, failure
            try:
                events = iter(self._dialect.receive(frame))
                for event in events:
                    if isinstance(event, slow):
                        events = chain((event,), events)
                        return False
                    if not link.post(event):
                        return False
            except Exception as error:  # noqa: BLE001 - it is the reader's failure, not that of whoever called
                failure = error
                return False
            return True

        while True:
            # One by one: an error frame may carry final words, and they count before the error does.
            for event in events:
                if isinstance(event, Reply):
                    await self._send(socket, event.frames)
                    continue
                await link.emit(event)
                if isinstance(event, until):
                    return
            await link.emit()  # a user who is behind holds up the peer, not us
            try:
                await socket.hear(at_once)
            except ConnectionClosed as error:
                for last in self._dialect.hung_up(None if error.rcvd is None else error.rcvd.code):
                    await link.emit(last)
                    if isinstance(last, until):
                        return
                raise self._lost(error) from error
            if failure is not None:
                raise failure

    async def _write(self, socket: Socket, link: Link) -> None:
        dialect = self._dialect
        failure: Exception | None = None

        def direct(audio: bytes) -> bool:
            nonlocal failure
            if self._senders or failure is not None or not socket.is_free:
                return False
            try:
                frames = dialect.audio(audio)
            except Exception as error:  # noqa: BLE001 - it is the writer's failure, not that of whoever called
                failure = error
                return False
            if isinstance(frames, bytes):  # the rule
                socket.post(frames)
            else:
                for frame in (frames,) if isinstance(frames, str) else frames:
                    socket.post(frame)
            return True

        while True:
            match await link.take(dialect.keepalive_after, direct):
                case bytes() as audio:
                    if failure is not None:
                        raise failure
                    sound = dialect.audio(audio)
                    frames: Iterable[Frame] = (sound,) if isinstance(sound, str | bytes) else sound
                case None:
                    frames = dialect.keepalive()
                case Flush(trailing_silence=silence):
                    frames = dialect.flush(silence)
                case End():
                    await self._send(socket, dialect.end())
                    return  # nothing may follow it, not even a sign of life
            if not await self._send(socket, frames):
                return

    async def _send(self, socket: Socket, frames: Iterable[Frame]) -> bool:
        """Send; False if the connection is closed.

        The reader sees that too, behind whatever the peer said before it closed, and that is the better reason.
        """
        self._senders += 1
        try:
            async with self._turn:
                for frame in frames:
                    await socket.put(frame)
        except ConnectionClosed:
            return False
        finally:
            self._senders -= 1
        return True

    def _lost(self, error: ConnectionClosed) -> ProviderError:
        close = error.rcvd
        code, reason = (close.code, close.reason) if close is not None else (None, "")
        typed = self._dialect.closed(code, reason)
        if typed is not None:
            return typed
        how = f"with close code {code}{f' ({reason})' if reason else ''}" if code is not None else "without a close"
        if error.sent is not None and close is None:
            how = f"by us: {error.sent.reason or error.sent.code}"
        return ConnectionLostError(
            f"The connection ended {how} before the end of audio was confirmed.",
            code=None if code is None else str(code),
        )
