"""`Answer`: what a provider says, while it says it; line by line, or event by event."""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, Self, TypeVar

import aiohttp

from debabelizer.errors import ProtocolError
from debabelizer.rest.watch import Watch

__all__ = ["Answer", "Event", "EventReader", "LineReader"]

ItemT = TypeVar("ItemT")
ItemT_co = TypeVar("ItemT_co", covariant=True)

_BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Event:
    """A Server-Sent Event.

    Attributes:
        data: Its text; several lines of it are joined.
        event: What kind it is.
        id: Its identifier, or that of the latest event that had one; empty if there was none.
    """

    data: str
    event: str = "message"
    id: str = ""


class _Reader(Protocol[ItemT_co]):
    def feed(self, data: bytes) -> Sequence[ItemT_co]: ...

    def finish(self) -> Sequence[ItemT_co]: ...


class LineReader:
    """Cuts what arrives into lines, which end with LF, CR LF or CR. What is no UTF-8 is replaced."""

    def __init__(self) -> None:
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        self._rest = io.StringIO()  # a long line may come in many pieces

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        return self._lines(self._decoder.decode(data))

    def finish(self) -> list[str]:
        """What comes at the end: the last line, if nothing ended it."""
        lines = self._lines(self._decoder.decode(b"", final=True))
        rest = self._rest.getvalue()
        return [*lines, rest] if rest else lines

    def _lines(self, text: str) -> list[str]:
        first, *others = text.split("\n")
        self._rest.write(first)
        if not others:
            return []
        lines = [self._rest.getvalue(), *others[:-1]]
        self._rest = io.StringIO()
        self._rest.write(others[-1])
        return lines


class EventReader:
    """Makes Server-Sent Events of lines, as the HTML standard says. An event without its blank line is none."""

    def __init__(self) -> None:
        self._lines = LineReader()
        self._is_first = True
        self._data: list[str] = []
        self._kind = ""
        self._id = ""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        return [event for line in self._lines.feed(data) if (event := self._event(line)) is not None]

    def finish(self) -> list[Event]:
        """What comes at the end: nothing, for an event that was cut off is not said."""
        return []

    def _event(self, line: str) -> Event | None:
        if self._is_first:
            line, self._is_first = line.removeprefix(_BYTE_ORDER_MARK), False
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._kind = value
            case "id" if "\0" not in value:
                self._id = value
            case _:
                pass  # a comment, a time for reconnecting, or something newer
        return None

    def _dispatch(self) -> Event | None:
        data, self._data = self._data, []
        kind, self._kind = self._kind, ""
        return Event("\n".join(data), kind or "message", self._id) if data else None


class Answer:
    """An answer of success whose body is still coming. It is read once, by the task that made the call.

    Attributes:
        status: The HTTP status.
        content_type: The media type, without parameters.
    """

    def __init__(self, response: aiohttp.ClientResponse, watch: Watch, what: str, largest: int) -> None:
        self.status = response.status
        self.content_type = response.content_type
        self._chunks = response.content.iter_any()
        self._watch = watch
        self._what = what
        self._largest = largest
        self._count = 0

    async def read(self, most: int | None = None) -> bytes:
        """All of it; or with `most` only its beginning, of about that many bytes.

        Raises:
            ProtocolError: If it is too long.
        """
        answer = bytearray()
        while (most is None or len(answer) < most) and (data := await self.some()):
            answer += data
        return bytes(answer)

    def lines(self) -> AsyncIterator[str]:
        """Its lines, as they come."""
        return _Parsed(self, LineReader())

    def events(self) -> AsyncIterator[Event]:
        """Its Server-Sent Events, as they come. Its end proves nothing: the vendor's last event does."""
        return _Parsed(self, EventReader())

    async def some(self) -> bytes:
        """What has arrived; empty at the end. Only while this waits, the provider is waited for."""
        if self._count:
            self._watch.touch()
        else:
            self._watch.think()
        data = await anext(self._chunks, b"")
        self._watch.pause()
        self._count += len(data)
        if self._count > self._largest:
            raise ProtocolError(f"The answer to {self._what} has more than {self._largest} bytes.")
        return data


class _Parsed(Generic[ItemT]):
    def __init__(self, answer: Answer, reader: _Reader[ItemT]) -> None:
        self._answer = answer
        self._reader = reader
        self._items: deque[ItemT] = deque()
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        while not self._items and not self._is_over:
            data = await self._answer.some()
            self._is_over = not data
            self._items += self._reader.feed(data) if data else self._reader.finish()
        if not self._items:
            raise StopAsyncIteration
        return self._items.popleft()
