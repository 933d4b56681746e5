"""`Socket`: a WebSocket as `websockets` makes it, with short ways for what happens many times a second.

Nothing else in the core knows that package, or which one it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ssl import SSLCertVerificationError
from typing import Any, Final, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import State

from debabelizer.errors import CertificateError, ConnectError, InvalidRequestError, ProviderError
from debabelizer.status import retry_seconds
from debabelizer.streaming.dialect import Frame, Opening, Refusal
from debabelizer.streaming.frames import FOREIGN, end_of, masked, masks, message_of

__all__ = ["ConnectionClosed", "Socket", "open_socket"]

_PING = 10.0  # seconds between protocol pings, and to wait for a pong: an idle socket that died is found by these
_UNREAD = 1000  # messages kept for a user who is behind; as long as there is room, pings are answered and pongs seen

_BLANK: Final = b"\r\n\r\n"  # ends the answer to a handshake
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Socket(ClientConnection):
    """Sends and hears whole messages on the short way; whatever is not as usual takes that of the library.

    Its `send` also knows fragmented messages, several senders at once, and every way to fail, and its `recv` wakes a
    task for each message: that costs several times what the frames themselves do.
    """

    def __init__(self, *args: Any, max_message: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limit = max_message
        self._masks = masks()
        self._at_once: Callable[[Frame], bool] | None = None
        self._is_told = False  # whether the message that `recv` gives was told already
        self._is_amid = False  # whether a message has begun and is not over
        self._is_cut = False  # whether what comes is cut into frames here
        self._part = b""  # of a frame

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
        self.transport.write(masked(message, next(self._masks)))

    async def put(self, message: Frame) -> None:
        """As `send`, from one task and for whole messages."""
        if not self.is_free:
            await self.send(message)  # waits, or raises what is to be raised
            return
        self.post(message)
        if self.paused:
            await self.drain()

    async def hear(self, at_once: Callable[[Frame], bool]) -> None:
        """Call `at_once` with each message, in the call that brings it, until it says False; it must not raise.

        Raises:
            ConnectionClosed: After the last message.
        """
        while True:
            self._at_once, self._is_told = at_once, False
            try:
                message = await self.recv()
            finally:
                self._at_once = None
            if self._is_told or not at_once(message):
                return

    def data_received(self, data: bytes) -> None:
        """As it is; but a message that somebody waits for is told at once, without the parser of the library.

        That is given all other frames, each as a whole, so that it is always known where the next one begins.
        """
        if not self._is_cut:
            is_answer = self.response is None
            super().data_received(data)
            # Unless the answer is a packet, whole and alone, a frame may have begun with it: then nothing is ever cut.
            is_alone = data.startswith(b"HTTP/") and data.partition(_BLANK)[1:] == (_BLANK, b"")
            self._is_cut = is_answer and is_alone and self.response is not None
            return
        data = self._part + data if self._part else data
        begin = 0
        while (end := end_of(data, begin, self._limit)) > 0:
            frame = data[begin:end]
            begin = end
            if self._at_once is None or self._is_amid or not self._tell(frame):
                super().data_received(frame)
        self._part = data[begin:]
        if end == FOREIGN:  # which ends the connection, and the library knows how
            self._is_cut, rest, self._part = False, self._part, b""
            super().data_received(rest)

    def _tell(self, frame: bytes) -> bool:
        """Whether a frame is a message that is done with now."""
        message = message_of(frame)
        if message is None or self._at_once is None or self.protocol.state is not State.OPEN:
            return False
        self._is_told = not self._at_once(message)
        return not self._is_told

    def process_event(self, event: Any) -> None:
        """As it is; what follows a message that `recv` gives, waits."""
        if isinstance(event, WireFrame) and event.opcode in _DATA:
            self._at_once, self._is_amid = None, not event.fin
        super().process_event(event)


class _Connect(connect):
    """Follows no redirect: key and audio are for the address that was configured, and for no other."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def open_socket(opening: Opening, refusal: Callable[[Refusal], ProviderError], *, close_timeout: float) -> Socket:
    """Connect; `refusal` tells what an answer means that refuses the handshake. `close_timeout`: seconds.

    Raises:
        ProviderError: Why there is no connection.
    """
    try:
        socket = await _Connect(
            opening.url,
            create_connection=partial(Socket, max_message=opening.max_message),  # type: ignore[arg-type]  # any callable
            additional_headers=dict(opening.headers),
            subprotocols=list(opening.subprotocols) or None,  # type: ignore[arg-type]  # NewType of str
            compression=None,  # audio does not compress
            max_size=opening.max_message,
            max_queue=_UNREAD,
            open_timeout=None,  # the supervisor's deadline counts
            close_timeout=close_timeout,
            ping_interval=_PING,
            ping_timeout=_PING,
        )
        return cast("Socket", socket)
    except InvalidStatus as error:
        response = error.response
        raise refusal(
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
