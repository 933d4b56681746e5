"""`Fault`: what goes wrong, where and how often, as a value that can be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypedDict, Unpack

from debabelizer.testing.soniox.errors import ErrorReply, error_reply

__all__ = ["Connections", "Fault", "FaultPlan", "Kind", "Moment"]

Moment: TypeAlias = float | Literal["accept", "open", "end"]
"""Seconds of audio heard on the connection (0.0: the start request was accepted); or ``accept``, when the TCP
connection is made; ``open``, when the handshake is done; ``end``, when the client says that there is no more audio."""

Connections: TypeAlias = Literal["once", "always"] | Collection[int]
"""The first connection that gets so far; or every one; or these, counted from 0."""

Kind: TypeAlias = Literal[
    "reset",
    "eof",
    "close",
    "refuse",
    "http",
    "handshake",
    "freeze",
    "mute",
    "stall",
    "error",
    "malformed",
    "binary",
    "oversized",
    "duplicate",
    "finish early",
    "linger",
    "ignore end",
    "ignore finalize",
]


_BEFORE_HANDSHAKE: Final = ("reset", "eof", "refuse", "http", "handshake", "freeze")


class When(TypedDict, total=False):
    """What all faults with a position have in common; see `Fault`."""

    total: float | None
    connections: Connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. Make it with one of the methods named after what happens.

    Attributes:
        kind: What happens.
        at: When, on each connection; see `Moment`.
        total: When, in seconds of audio heard on all connections together; then `at` counts for nothing.
        connections: On which connections; see `Connections`.
        code: Close code, or HTTP status.
        seconds: How long it lasts, or None for ever.
        size: Bytes of an oversized message.
        reply: The error that is sent.
        tokens: Whether the error frame carries an empty list of tokens.
        modern: Whether the error frame has an ``error_type`` and what else came with it.
    """

    kind: Kind
    at: Moment = 0.0
    total: float | None = None
    connections: Connections = "once"
    code: int | None = None
    seconds: float | None = None
    size: int = 0
    reply: ErrorReply | None = None
    tokens: bool = True
    modern: bool = True

    def __post_init__(self) -> None:
        if self.at == "accept" and self.kind not in _BEFORE_HANDSHAKE:
            raise ValueError(f"{self.kind!r} cannot happen before the handshake")

    def __str__(self) -> str:
        details = [str(detail) for detail in (self.code, self.reply and self.reply.code) if detail]
        when = f"at {self.at:g} s" if isinstance(self.at, (int, float)) else f"at {self.at}"
        if self.total is not None:
            when = f"at {self.total:g} s in all"
        if self.seconds is not None:
            when += f" for {self.seconds:g} s"
        which = self.connections if isinstance(self.connections, str) else f"on {[*self.connections]}"
        return " ".join([self.kind, *details, when, f"({which})"])

    @classmethod
    def reset(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """The TCP connection is reset."""
        return cls(kind="reset", at=at, **when)

    @classmethod
    def eof(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """The TCP connection is shut down without a close frame."""
        return cls(kind="eof", at=at, **when)

    @classmethod
    def close(cls, code: int = 1000, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """A close frame comes without `finished` before it."""
        return cls(kind="close", code=code, at=at, **when)

    @classmethod
    def refuse(cls, seconds: float | None = None, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """The connection is reset, and new ones are refused for so long (None: until `start_listening`)."""
        return cls(kind="refuse", seconds=seconds, at=at, **when)

    @classmethod
    def http(cls, status: int = 503, *, connections: Connections = "once") -> Fault:
        """The handshake is answered with an HTTP status."""
        return cls(kind="http", code=status, at="accept", connections=connections)

    @classmethod
    def handshake(cls, seconds: float | None = None, *, connections: Connections = "once") -> Fault:
        """The handshake is answered so much later, or never."""
        return cls(kind="handshake", seconds=seconds, at="accept", connections=connections)

    @classmethod
    def freeze(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """The peer is gone, but the connection stays: nothing is read, nothing sent, no ping answered."""
        return cls(kind="freeze", at=at, **when)

    @classmethod
    def mute(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """Audio is read and pings are answered, but no message comes any more."""
        return cls(kind="mute", at=at, **when)

    @classmethod
    def stall(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """Responses come, but they are empty and their counters stand still; the end is not answered."""
        return cls(kind="stall", at=at, **when)

    @classmethod
    def error(
        cls,
        which: int | str,
        at: Moment = 0.0,
        *,
        message: str | None = None,
        tokens: bool = True,
        modern: bool = True,
        **when: Unpack[When],
    ) -> Fault:
        """An error frame comes, then a close frame. `which` is a code or an ``error_type`` of `ERRORS`."""
        return cls(kind="error", reply=error_reply(which, message), tokens=tokens, modern=modern, at=at, **when)

    @classmethod
    def malformed(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """A text message comes that is not JSON."""
        return cls(kind="malformed", at=at, **when)

    @classmethod
    def binary(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """A binary message comes."""
        return cls(kind="binary", at=at, **when)

    @classmethod
    def oversized(cls, size: int = 5 * 1024 * 1024, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """A message of so many bytes comes."""
        return cls(kind="oversized", size=size, at=at, **when)

    @classmethod
    def duplicate(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """From here on, every response comes twice."""
        return cls(kind="duplicate", at=at, **when)

    @classmethod
    def finish_early(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """`finished` comes, although words are pending."""
        return cls(kind="finish early", at=at, **when)

    @classmethod
    def linger(cls, *, connections: Connections = "once") -> Fault:
        """`finished` comes, but the connection is not closed."""
        return cls(kind="linger", at="end", connections=connections)

    @classmethod
    def ignore_end(cls, *, connections: Connections = "once") -> Fault:
        """The end of audio is never answered."""
        return cls(kind="ignore end", at="end", connections=connections)

    @classmethod
    def ignore_finalize(cls, at: Moment = 0.0, **when: Unpack[When]) -> Fault:
        """From here on, `finalize` is not answered."""
        return cls(kind="ignore finalize", at=at, **when)


class FaultPlan:
    """The faults that are still to come."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._done: set[tuple[int, int | None]] = set()

    def add(self, *faults: Fault) -> None:
        """Plan more."""
        self._faults.extend(faults)

    def take(self, connection: int, moment: Literal["accept", "open", "end"]) -> list[Fault]:
        """Faults due at a moment that has no position."""
        due = [
            index
            for index, fault in enumerate(self._faults)
            if fault.at == moment and fault.total is None and self._waits(index, connection)
        ]
        return [self._strike(index, connection) for index in due]

    def next_position(self, connection: int, elsewhere: float) -> float | None:
        """Where on this connection the next fault is due; `elsewhere` are the seconds heard on all others."""
        return min((at for _, at in self._positions(connection, elsewhere)), default=None)

    def reach(self, connection: int, position: float, elsewhere: float) -> list[Fault]:
        """Faults due now that the connection got to `position`."""
        due = [index for index, at in self._positions(connection, elsewhere) if at <= position]
        return [self._strike(index, connection) for index in due]

    def _positions(self, connection: int, elsewhere: float) -> list[tuple[int, float]]:
        positions = []
        for index, fault in enumerate(self._faults):
            at = fault.at if fault.total is None else fault.total - elsewhere
            if not isinstance(at, str) and self._waits(index, connection):
                positions.append((index, at))
        return positions

    def _waits(self, index: int, connection: int) -> bool:
        which = self._faults[index].connections
        if which == "once":
            return (index, None) not in self._done
        return (which == "always" or connection in which) and (index, connection) not in self._done

    def _strike(self, index: int, connection: int) -> Fault:
        fault = self._faults[index]
        self._done.add((index, None if fault.connections == "once" else connection))
        return fault
