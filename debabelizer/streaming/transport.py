"""`Socket`: a WebSocket as `websockets` makes it, with short ways for what happens many times a second.

Nothing else in the core knows that package, or which one it is.
"""

from __future__ import annotations

from collections.abc import Callable
from os import urandom
from ssl import SSLCertVerificationError
from struct import Struct
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

try:
    from websockets.speedups import apply_mask
except ImportError:  # where it was installed without a compiler
    from websockets.utils import apply_mask

__all__ = ["ConnectionClosed", "Socket", "open_socket"]

_PING = 10.0  # seconds between protocol pings, and to wait for a pong: an idle socket that died is found by these
_UNREAD = 1000  # messages kept for a user who is behind; as long as there is room, pings are answered and pongs seen

_SHORT: Final = Struct("!BBH")
_LONG: Final = Struct("!BBQ")
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class Socket(ClientConnection):
    """Sends and hears whole messages on the short way; whatever is not as usual takes that of the library.

    Its `send` also knows fragmented messages, several senders at once, and every way to fail, and its `recv` wakes a
    task for each message: that costs several times what the frames themselves do.
    """

    _at_once: Callable[[Frame], bool] | None = None
    _is_told = False  # whether the message that `recv` gives was told already

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
        self.transport.write(masked(message))

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

    def process_event(self, event: Any) -> None:
        """As it is; but whoever waits for a message is told at once; what follows one that `recv` gives, waits."""
        if self._at_once is not None and isinstance(event, WireFrame) and event.opcode in _DATA:
            message = _whole(event)
            if message is not None:
                if self._at_once(message):
                    return
                self._is_told = True
            self._at_once = None
        super().process_event(event)


def _whole(frame: WireFrame) -> Frame | None:
    """The message of a frame, if it is one of its own, and sound."""
    if not frame.fin or frame.opcode is Opcode.CONT:
        return None
    if frame.opcode is Opcode.BINARY:
        return bytes(frame.data)
    try:
        return str(frame.data, "utf-8")
    except UnicodeDecodeError:
        return None


def masked(message: Frame) -> bytes:
    """A message as a frame of a client, by RFC 6455, section 5.2: whole, masked, without extensions."""
    first, payload = (0x82, message) if isinstance(message, bytes) else (0x81, message.encode())
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = _SHORT.pack(first, 0x80 | 126, size)
    else:
        head = _LONG.pack(first, 0x80 | 127, size)
    mask = urandom(4)
    return b"".join((head, mask, apply_mask(payload, mask)))


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
            create_connection=Socket,
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
