"""What a simulator saw and did, for tests to look at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from debabelizer.testing.soniox.faults import Fault
from debabelizer.testing.soniox.protocol import Credential, Way

__all__ = ["ConnectionLog", "FrameKind", "FrameLog", "SentKind", "SentLog", "classify"]

FrameKind: TypeAlias = Literal[
    "start", "audio", "empty", "finalize", "keepalive", "end", "text", "ping", "pong", "close"
]
SentKind: TypeAlias = Literal["response", "finished", "error", "close", "broken"]

_AUDIO_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FrameLog:
    """A frame that came.

    Attributes:
        time: On the event loop's clock.
        kind: What it was: ``empty`` is an empty binary message, ``end`` an empty text message, ``text`` any text
            that the service does not know.
        size: Bytes.
        position: Seconds of audio heard before it.
    """

    time: float
    kind: FrameKind
    size: int
    position: float


@dataclass(frozen=True, slots=True)
class SentLog:
    """A frame that was sent: its time, kind, and the seconds of audio heard before it."""

    time: float
    kind: SentKind
    position: float


@dataclass(slots=True, eq=False)
class ConnectionLog:
    """One connection, from first to last. It never holds a key.

    Attributes:
        number: Counted from 0.
        opened, closed: When, on the event loop's clock; `closed` is None while the connection lives.
        path: Of the handshake request.
        headers: Of the handshake request, keys hidden.
        authenticated_by: How the key came that was accepted, or None.
        config: The start request, its key hidden.
        frames: What came, in order.
        sent: What was sent, in order.
        faults: What went wrong on purpose, with when.
        seconds: Seconds of audio heard.
        audio: The raw audio heard, up to 64 MiB, if `Behaviour.record_audio`.
        client_reset: Whether the connection was reset by the client.
        client_code: Code of the client's close frame (1005: without one), or None if none came.
    """

    number: int
    opened: float
    closed: float | None = None
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    authenticated_by: Way | None = None
    config: Mapping[str, Any] | None = None
    frames: list[FrameLog] = field(default_factory=list, repr=False)
    sent: list[SentLog] = field(default_factory=list, repr=False)
    faults: list[tuple[float, Fault]] = field(default_factory=list)
    seconds: float = 0.0
    audio: bytearray = field(default_factory=bytearray, repr=False)
    client_reset: bool = False
    client_code: int | None = None
    _digests: set[str] = field(default_factory=set, repr=False)

    @property
    def finished(self) -> bool:
        """Whether `finished` was sent."""
        return any(frame.kind == "finished" for frame in self.sent)

    @property
    def gaps(self) -> list[float]:
        """Seconds between one frame of audio or keepalive and the next: the service hangs up after 20."""
        times = [frame.time for frame in self.frames if frame.kind in ("start", "audio", "keepalive")]
        return [later - earlier for earlier, later in pairwise(times)]

    @property
    def burst(self) -> float:
        """How far the audio ran ahead of real time, at most, in seconds."""
        audio = [frame for frame in self.frames if frame.kind == "audio"]
        return max((frame.position - (frame.time - audio[0].time) for frame in audio), default=0.0)

    def count(self, kind: FrameKind) -> int:
        """How many frames of a kind came."""
        return sum(frame.kind == kind for frame in self.frames)

    def used_key(self, key: str) -> bool:
        """Whether the client sent that key."""
        return _digest(key) in self._digests

    def remember(self, credentials: Iterable[Credential]) -> None:
        """Note keys, for `used_key`."""
        self._digests.update(_digest(credential.key) for credential in credentials)

    def record(self, audio: bytes) -> None:
        """Note audio, as long as there is room for it."""
        self.audio += audio[: _AUDIO_LIMIT - len(self.audio)]


def classify(text: str, *, waiting: bool) -> FrameKind:
    """What a text message is; `waiting`: whether the start request is still to come."""
    if not text and not waiting:
        return "end"
    try:
        payload = json.loads(text)
    except ValueError:
        return "text"
    if not isinstance(payload, dict):
        return "text"
    kind = payload.get("type")
    if kind == "keepalive":
        return "keepalive"
    if waiting:
        return "start"
    return "finalize" if kind == "finalize" else "text"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
