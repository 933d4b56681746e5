"""`WebSocketConnection`: drives any `Dialect` over a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from ssl import SSLCertVerificationError
from typing import cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.protocol import State

from debabelizer.errors import (
    CertificateError,
    ConnectError,
    ConnectionLostError,
    InvalidRequestError,
    ProviderError,
)
from debabelizer.status import retry_seconds
from debabelizer.streaming.connection import Connection, End, Flush, Link
from debabelizer.streaming.dialect import Dialect, Finished, Frame, Opening, Ready, Refusal, Reply
from debabelizer.streaming.tasks import spawn, stop

__all__ = ["WebSocketConnection"]

_PING = 10.0  # seconds between protocol pings, and to wait for a pong: an idle socket that died is found by these
_UNREAD = 1000  # messages kept for a user who is behind; as long as there is room, pings are answered and pongs seen


class _Connect(connect):
    """Follows no redirect: key and audio are for the address that was configured, and for no other."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class _Socket(ClientConnection):
    """Sends whole messages on the short way.

    `send` of the library also knows fragmented messages, several senders at once, and every way to fail; that costs
    more than the frame itself. Whatever is not as usual takes its way.
    """

    def start_keepalive(self) -> None:
        """As it is; but no pings for a connection that was lost with its handshake, since nobody would end them."""
        if not self.connection_lost_waiter.done():
            super().start_keepalive()

    @property
    def is_free(self) -> bool:
        """Whether a message can be sent now."""
        return self.protocol.state is State.OPEN and not self.paused

    def post(self, message: Frame) -> None:
        """Send, when that is so."""
        if isinstance(message, bytes):
            self.protocol.send_binary(message)
        else:
            self.protocol.send_text(message.encode())
        for data in self.protocol.data_to_send():
            self.transport.write(data)

    async def put(self, message: Frame) -> None:
        """As `send`, from one task and for whole messages."""
        if not self.is_free:
            await self.send(message)  # waits, or raises what is to be raised
            return
        self.post(message)
        if self.paused:
            await self.drain()


class WebSocketConnection(Connection):
    """One WebSocket, one reader and one writer, no decisions: what frames mean is the dialect's affair.

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
        socket = await self._connect(opening, link)
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

    async def _connect(self, opening: Opening, link: Link) -> _Socket:
        try:
            socket = await _Connect(
                opening.url,
                create_connection=_Socket,
                additional_headers=dict(opening.headers),
                subprotocols=list(opening.subprotocols) or None,  # type: ignore[arg-type]  # NewType of str
                compression=None,  # audio does not compress
                max_size=opening.max_message,
                max_queue=_UNREAD,
                open_timeout=None,  # the supervisor's deadline counts
                close_timeout=link.policy.close_timeout,
                ping_interval=_PING,
                ping_timeout=_PING,
            )
            return cast("_Socket", socket)
        except InvalidStatus as error:
            response = error.response
            raise self._dialect.refusal(
                Refusal(
                    status=response.status_code,
                    body=bytes(response.body or b""),
                    retry_after=retry_seconds(response.headers.get("Retry-After")),
                    headers=response.headers,
                )
            ) from error
        except InvalidURI as error:
            raise InvalidRequestError("The address of the service is not a WebSocket URL.") from error
        except InvalidHandshake as error:
            raise ConnectError(f"The WebSocket handshake failed: {error}") from error
        except (WebSocketException, ImportError):
            # Not chained: the address of a proxy may hold a password.
            raise InvalidRequestError(
                "The proxy that the environment names cannot be used.",
                hint="Look at HTTPS_PROXY and ALL_PROXY. SOCKS needs the package python-socks.",
            ) from None
        except SSLCertVerificationError as error:
            raise CertificateError(
                f"The certificate of the service cannot be trusted: {error.verify_message}.",
                hint="Is a proxy in between, or the clock wrong? SSL_CERT_FILE names authorities to trust.",
            ) from error
        except (OSError, EOFError) as error:
            raise ConnectError(f"No connection could be made: {str(error) or type(error).__name__}") from error

    async def _converse(self, socket: _Socket, link: Link) -> None:
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

    async def _receive(self, socket: _Socket, link: Link, until: type[Ready | Finished]) -> None:
        while True:
            try:
                frame = await socket.recv()
            except ConnectionClosed as error:
                for last in self._dialect.hung_up(None if error.rcvd is None else error.rcvd.code):
                    await link.emit(last)
                    if isinstance(last, until):
                        return
                raise self._lost(error) from error
            # One by one: an error frame may carry final words, and they count before the error does.
            for event in self._dialect.receive(frame):
                if isinstance(event, Reply):
                    await self._send(socket, event.frames)
                    continue
                await link.emit(event)
                if isinstance(event, until):
                    return

    async def _write(self, socket: _Socket, link: Link) -> None:
        dialect = self._dialect
        failures: list[Exception] = []

        def direct(audio: bytes) -> bool:
            if self._senders or not socket.is_free or failures:
                return False
            try:
                frames = dialect.audio(audio)
            except Exception as error:  # noqa: BLE001 - the user's own call is no place for a dialect to fail
                failures.append(error)
                return False
            for frame in (frames,) if isinstance(frames, str | bytes) else frames:
                socket.post(frame)
            return True

        while True:
            match await link.take(dialect.keepalive_after, direct):
                case bytes() as audio:
                    if failures:
                        raise failures[0]
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

    async def _send(self, socket: _Socket, frames: Iterable[Frame]) -> bool:
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
