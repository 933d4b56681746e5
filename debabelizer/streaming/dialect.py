"""`Dialect`: one vendor's protocol, without I/O; and the events every connection speaks.

A dialect only says what to send and what a received frame means. It opens no socket, starts no task, reads no
clock and catches nothing it does not handle: the same frames in give the same events out. One dialect serves
one connection, so it may keep what it must remember between frames.

All times in events are **connection seconds**: seconds of audio sent on this connection, from its first
sample. The core turns them into stream seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from debabelizer.errors import ProviderError
from debabelizer.results import Word
from debabelizer.status import status_error
from debabelizer.values import Struct, as_dataclass

__all__ = [
    "ConnectionEvent",
    "Dialect",
    "Finished",
    "Flushed",
    "Frame",
    "Hypothesis",
    "Notice",
    "Opening",
    "Processed",
    "Ready",
    "Refusal",
    "Reply",
    "SpeechStart",
    "UtteranceEnd",
    "status_error",
]

Frame: TypeAlias = str | bytes
"""A WebSocket message: text or binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How to open a connection.

    Attributes:
        url: ``wss://`` address. Secrets never belong in it.
        headers: Handshake headers; the place for the key. Hidden from `repr`.
        subprotocols: WebSocket sub-protocols to offer.
        frames: Sent as soon as the handshake is done.
        awaits_ready: Whether audio must wait for the `Ready` event.
        max_message: Longest message accepted from the peer, in bytes.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    subprotocols: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    awaits_ready: bool = False
    max_message: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A handshake that was refused.

    Attributes:
        status: HTTP status.
        body: The first bytes of the answer.
        retry_after: Seconds of its Retry-After header, if they are a number.
        headers: All of its headers; upper and lower case are the same.
    """

    status: int
    body: bytes
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ready:
    """The provider takes audio now; only needed with `Opening.awaits_ready`."""


@as_dataclass
class Hypothesis(Struct, frozen=True, kw_only=True, gc=False):
    """Text the provider heard.

    A final is said once, whole words only, in order of time. An interim replaces the previous interim and
    holds nothing that is final; an empty one withdraws it. After finals, say anew what is still interim.

    Attributes:
        text: What was said, without surrounding space.
        final: Whether it can still change.
        words: The words of `text`, if the vendor gives words.
        start, end: Connection seconds; taken from `words` if None.
        separator: What stands between the previous final and this text.
        language, speaker, confidence, channel: None if the vendor does not say.
        translation: Translated text that comes with this text, or None.
        ends_utterance: The vendor holds the utterance for finished here.
    """

    text: str
    final: bool
    words: tuple[Word, ...] = ()
    start: float | None = None
    end: float | None = None
    separator: str = " "
    language: str | None = None
    speaker: str | None = None
    confidence: float | None = None
    channel: int | None = None
    translation: str | None = None
    ends_utterance: bool = False


@as_dataclass
class Processed(Struct, frozen=True, gc=False):
    """The provider has worked through the audio before `through` connection seconds.

    With `final`, all words before it were said as final, and none straddles it: audio before it need never
    be sent again. Without, it was only heard: the provider is alive.
    """

    through: float
    final: bool = False


@dataclass(frozen=True, slots=True)
class SpeechStart:
    """Speech began at `at` connection seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class UtteranceEnd:
    """The utterance ended at `at` connection seconds, or where the last final ended."""

    at: float | None = None


@dataclass(frozen=True, slots=True)
class Flushed:
    """The answer to the oldest unanswered flush: all its words were said as final."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The provider's own proof that all audio sent was processed. Nothing follows.

    `through`: connection seconds that the provider says it processed in all, None if it does not say. When it
    is less than what was sent, the proof is none and the attempt has failed.
    """

    through: float | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know, e.g. that the engine is slower than speech; shown as `Progress.note`."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Frames to send in answer to what was received. A dialect's own: the core sends them, and says nothing of it."""

    frames: tuple[Frame, ...]


ConnectionEvent: TypeAlias = Notice | Ready | Hypothesis | Processed | SpeechStart | UtteranceEnd | Flushed | Finished


class Dialect(ABC):
    """The plugin of a WebSocket vendor.

    Attributes:
        keepalive_after: Seconds without audio sent after which `keepalive` frames are due, or None.
    """

    keepalive_after: ClassVar[float | None] = None

    @abstractmethod
    def open(self) -> Opening:
        """How to open the connection; called once, first."""

    @abstractmethod
    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        """What a received frame means. Events given before it raises count.

        Raises:
            ProviderError: The typed error that the frame reports, or `ProtocolError` if it cannot be understood.
        """

    @abstractmethod
    def end(self) -> Sequence[Frame]:
        """Frames that say "no more audio"; `Finished` must answer them."""

    def audio(self, chunk: bytes) -> Frame | Sequence[Frame]:
        """The frame that carries a chunk of audio (whole samples, never empty).

        Several, for a vendor that must be told more than the audio; none yet, for one that must be waited for.
        """
        return chunk

    def flush(self, trailing_silence: float) -> Sequence[Frame]:
        """Frames that ask to make pending words final. `trailing_silence`: seconds of silence already sent."""
        return ()

    def keepalive(self) -> Sequence[Frame]:
        """Frames that keep an idle session open.

        They may be audio, for a vendor whose clock stands still without any: silence. So may those of `flush` and
        `end`. The core does not know of it, so the dialect takes it out of all times it reports.
        """
        return ()

    def refusal(self, answer: Refusal) -> ProviderError:
        """The error behind a refused handshake, for a vendor that says it in headers; by default `refused`."""
        return self.refused(answer.status, answer.body, answer.retry_after)

    def refused(self, status: int, body: bytes, retry_after: float | None) -> ProviderError:
        """The error behind a refused handshake: HTTP `status`, the first bytes of its body, Retry-After seconds."""
        return status_error(status, body.decode("utf-8", "replace").strip()[:500], retry_after=retry_after)

    def hung_up(self, code: int | None) -> Iterable[ConnectionEvent]:
        """What it means that the vendor closed the connection, for one that proves the end by nothing else.

        Events that end with `Finished` make it the end; without `Finished` it is a failure, and `closed` may say which.
        `code` is that of the close, 1005 if it had none, and None if the connection was just gone: that may be
        anybody's doing, so the proof is in what was received before.
        """
        return ()

    def closed(self, code: int | None, reason: str) -> ProviderError | None:
        """The typed error behind a close before the agreed end, if the vendor's close codes tell one."""
        return None
