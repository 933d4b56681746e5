"""`Connection`: one attempt to carry a stream, replaceable; and `Link`, what it is lent by the supervisor.

The contract stands here, once, for WebSocket vendors (driven by the core) and for engines of any other kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from debabelizer.streaming.clock import Clock
from debabelizer.streaming.dialect import ConnectionEvent
from debabelizer.streaming.policy import StreamPolicy

__all__ = ["Connection", "End", "Feed", "Flush", "Link"]


@dataclass(frozen=True, slots=True)
class Flush:
    """Make everything sent so far final. `trailing_silence`: seconds of silence at the end of it, as far as known."""

    trailing_silence: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """No more audio on this connection: work off what was sent, prove it with `Finished`."""


Feed: TypeAlias = bytes | Flush | End


class Link(Protocol):
    """What the supervisor lends to one attempt: audio in, events out, both with back pressure."""

    clock: Clock
    policy: StreamPolicy

    def opened(self) -> None:
        """Say that the connection is made, so that the wait for it is over."""

    async def take(self, timeout: float | None = None, direct: Callable[[bytes], bool] | None = None) -> Feed | None:
        """The next piece of work: audio (whole samples in the connection's format), a flush, or the end.

        Waits for it; returns None after `timeout` seconds without any. Asking for more says that the last
        piece was handed on to the provider: a connection that does not come back is found by a watchdog.

        While it waits, audio may be handed to `direct` instead, at once and within the call that brings it, which
        spares a task its waking. It hands the audio on without waiting, and says False if it cannot: then the same
        audio is the next piece. It must not raise.
        """

    def post(self, event: ConnectionEvent) -> bool:
        """Hand an event on; False if the user is behind: then `emit`, with more events or none, before the next.

        Raises:
            ProtocolError: If it breaks the contract, e.g. `Finished` before the end was asked for.
        """

    async def emit(self, *events: ConnectionEvent) -> None:
        """`post` events, in order. Waits while the user does not read, so do not read from the peer meanwhile.

        Raises:
            ProtocolError: As `post`.
        """

    def working(self, seconds: float) -> AbstractContextManager[None]:
        """Say that an engine of the connection's own is at work, for `seconds` at most.

        While it is, it counts neither as a stall nor as a peer that does not read, that the connection takes no
        audio and reports nothing: an engine may be slow. One that takes longer has failed, with `ProgressTimeout`.
        """


class Connection(ABC):
    """One attempt to carry a stream."""

    @abstractmethod
    async def run(self, link: Link) -> None:
        """Carry the stream: `take` work, hand it to the provider, `emit` what comes back.

        Returns after `Finished` was emitted, and not before: to return early is a failure of the attempt.
        When cancelled it lets go of everything it holds, without waiting for the peer.

        Raises:
            ProviderError: Why the attempt failed. Any other exception is a failure too, reported as it is.
        """
