"""What stands in for the vendor, or for the engine, while a case runs."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self, cast

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from debabelizer.testing._websocket import WebSocketServer

__all__ = ["Door", "EngineDouble", "FileSimulator", "Simulator", "WebSocketService", "doors"]


class Simulator(Protocol):
    """The contract. The kit calls the class with the key that is to be accepted, and enters it for one case.

    It writes what it hears in the audio: ``word7`` for the coded word of number 7, see `CodedWords`. It does what
    the spec claims, when it is asked to: a speaker for each word, a language, a translation (of any text), and so on.
    A service accepts no key but the one it was given.
    """

    def __init__(self, key: str) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leaves no task and no socket behind."""

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port on which it listens while it is entered; None for an engine in this process."""

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        """The provider's table that leads it to this simulator by way of `host` and `port`.

        That is the simulator's own address, or the fault proxy that stands before it. The kit adds the secrets that
        the spec names. A vendor that takes files at another address than streams: see `FileSimulator`.
        """


class FileSimulator(Simulator, Protocol):
    """A simulator of a vendor that takes files elsewhere than streams: at another address, with other settings."""

    @property
    def file_address(self) -> tuple[str, int]:
        """As `address`, of what takes files."""

    def file_settings(self, host: str, port: int) -> Mapping[str, Any]:
        """As `settings`, for what takes files."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a simulator is reached, with the settings that lead there, by streams, files or both."""

    address: tuple[str, int]
    settings: Callable[[str, int], Mapping[str, Any]]
    serves: tuple[str, ...]


def doors(simulator: Simulator) -> Iterator[Door]:
    """Where a simulator is reached."""
    address = simulator.address or ("", 0)
    if not hasattr(simulator, "file_address"):
        yield Door(address, simulator.settings, ("streams", "files"))
        return
    two = cast("FileSimulator", simulator)
    yield Door(address, two.settings, ("streams",))
    yield Door(two.file_address, two.file_settings, ("files",))


class EngineDouble:
    """Stands in for an engine in this process. As it is, nothing is replaced: for engines that hear coded words.

    Others are replaced, for as long as a case runs, by overriding `install`.
    """

    address: ClassVar[tuple[str, int] | None] = None

    def __init__(self, key: str = "") -> None:
        self.key = key
        self._installed = ExitStack()

    async def __aenter__(self) -> Self:
        self.install(self._installed)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._installed.close()

    def settings(self, host: str = "", port: int = 0) -> Mapping[str, Any]:
        """See `Simulator`; nothing by default."""
        del host, port
        return {}

    def install(self, stack: ExitStack) -> None:
        """Put doubles where the provider finds its engine.

        ``stack.enter_context(mock.patch("debabelizer_acme.provider.Engine", CodedEngine))``
        """


class WebSocketService(ABC):
    """A WebSocket service on loopback: write `serve`, and `settings`; say in `refuse` what a wrong key gets.

    Attributes:
        max_session: Seconds after which a session is over by the vendor's own rule; `expire` says how. Set by the kit.
        failure: What `serve` raised, if it did: the kit tells of it.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.max_session: float | None = None
        self.failure: BaseException | None = None
        self._server = WebSocketServer(self._serve, self._admit)

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._server.stop()

    @property
    def address(self) -> tuple[str, int]:
        """See `Simulator`."""
        return self._server.address

    @abstractmethod
    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        """See `Simulator`."""

    @abstractmethod
    async def serve(self, socket: ServerConnection) -> None:
        """Serve one connection; it is closed on return. That it may be gone at any time is taken care of."""

    def refuse(self, request: Request) -> int | None:
        """The HTTP status with which a handshake is refused, or None to accept it.

        By default the key is looked for in the header ``Authorization``, as ``Bearer`` or ``Token``.
        """
        given = request.headers.get("Authorization", "")
        return None if given in {f"Bearer {self.key}", f"Token {self.key}", self.key} else HTTPStatus.UNAUTHORIZED

    async def expire(self, socket: ServerConnection) -> None:
        """End a session that has lasted for too long, as the vendor does; by default with a close frame."""
        await socket.close(CloseCode.POLICY_VIOLATION, "session limit")

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            async with asyncio.timeout(self.max_session) as limit:
                await self.serve(socket)
        except ConnectionClosed:
            pass
        except TimeoutError:
            if not limit.expired():
                raise
            await self.expire(socket)
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.failure = error
            raise

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        status = self.refuse(request)
        return None if status is None else connection.respond(HTTPStatus(status), "Refused.\n")
