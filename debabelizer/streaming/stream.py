"""`TranscriptionStream`: what the user holds."""

from __future__ import annotations

import asyncio
import warnings
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable
from math import inf
from threading import get_ident
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from debabelizer.errors import DebabelizerError, StreamBusyError, StreamUsageError
from debabelizer.results import (
    Closed,
    FlushResult,
    StreamEvent,
    StreamingResult,
    StreamStats,
    Transcript,
    Utterance,
    UtteranceEnded,
    join,
)
from debabelizer.streaming.supervisor import Supervisor

__all__ = ["TranscriptionStream"]

ItemT = TypeVar("ItemT", covariant=True)


class TranscriptionStream:
    """A live transcription. Made by `VoiceProcessor.transcribe_stream`.

    Iterate over it for results; `events` and `utterances` are other views of the same stream. One iterator at
    a time. Iteration ends normally only when all audio was confirmed processed, or after `aclose`; every other
    end raises `StreamError`. That outcome is sticky: each later call gives it again.

    Best used as an async context manager. Without one, it opens at the first use and cleans up at the end of
    the iteration; left before that, it warns (`ResourceWarning`) when it is collected.

    All methods belong to the event loop on which the stream was opened.
    """

    def __init__(
        self,
        supervisor: Callable[[], Supervisor],
        *,
        name: str,
        observe: Callable[[TranscriptionStream], Callable[[StreamEvent], object] | None] | None = None,
    ) -> None:
        self.name = name
        self._observe = observe
        self._make = supervisor
        self._made: Supervisor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._reader: weakref.ref[_Iterator[Any]] | None = None
        self._gathered: list[StreamingResult] = []  # finals of an utterance that is not over
        self._unread: deque[StreamEvent] = deque()  # what a reader who stopped had gathered and not given

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self._state}>"

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[StreamingResult]:
        return self._iterate(_results)

    def events(self) -> AsyncIterator[StreamEvent]:
        """Everything that happens: results, reconnects, utterance ends; the last event is `Closed`."""
        return self._iterate(_everything)

    def utterances(self) -> AsyncIterator[Utterance]:
        """Whole utterances. One cut short by a failure is given with ``complete=False`` before the error."""
        return self._iterate(_Utterances(self))

    async def send_audio(self, audio: bytes) -> None:
        """Accept a chunk of audio of any length, in the stream's format; a frame may be split over two chunks.

        Waits while the provider cannot keep up and the buffer is full. When cancelled meanwhile, none of the chunk
        was accepted, if it is no longer than a quarter of the buffer (the policy's `replay`).

        Raises:
            AudioFormatError: If it is no audio.
            StreamClosedError: After `end_audio` or `aclose`.
            StreamError: If the stream failed.
            StreamUsageError: If the stream reads from a source, or nobody reads its results.
        """
        await self._open().intake.push(audio)

    async def flush(self, *, trailing_silence: float = 0.0) -> FlushResult:
        """Make what was said so far final, while the stream goes on.

        Args:
            trailing_silence: Seconds of silence at the end of the audio sent so far, if known.

        Returns:
            Whether the provider confirmed it in time; if not, why.

        Raises:
            StreamUsageError: If `trailing_silence` is no length of time.
        """
        if not 0.0 <= trailing_silence < inf:
            raise StreamUsageError(f"There cannot be {trailing_silence} s of silence.", hint="Give seconds, 0 or more.")
        return await self._open().flush(trailing_silence)

    async def end_audio(self) -> None:
        """No more audio. Returns at once; the iteration goes on until everything is proven processed.

        A source that the stream pulls from is not read any further.

        Raises:
            AudioFormatError: If the audio ended within a frame; the stream has ended all the same.
        """
        self._open().intake.end()

    async def aclose(self) -> None:
        """Abandon now what is not done; bounded by the policy's close deadline. Idempotent."""
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            return  # its loop is gone, and everything on it
        try:
            supervisor = self._made or self._open(start=False)
        except DebabelizerError:
            return  # its processor is closed, so it can no longer be opened: there is nothing to abandon
        await supervisor.close()

    @property
    def transcript(self) -> Transcript:
        """All that is final so far; readable at any time, also after a failure."""
        return Transcript(text="") if self._made is None else self._made.transcript

    @property
    def stats(self) -> StreamStats:
        """Figures as of now; readable at any time."""
        return StreamStats() if self._made is None else self._made.stats

    def __del__(self) -> None:
        supervisor, loop = self._made, self._loop
        if supervisor is None or loop is None or supervisor.outcome is not None:
            return
        if not loop.is_closed():
            loop.call_soon_threadsafe(supervisor.cancel)
        warnings.warn(f"{self!r} was left without being closed.", ResourceWarning, stacklevel=2, source=self)

    @property
    def _state(self) -> str:
        if self._made is None:
            return "not opened"
        outcome = self._made.outcome
        if outcome is None:
            return "open"
        if outcome.error is not None:
            return f"failed ({type(outcome.error).__name__})"
        return "closed" if outcome.closed else "complete"

    def _open(self, *, start: bool = True) -> Supervisor:
        made, home = self._made, self._loop
        if made is not None and home is not None and self._thread == get_ident() and home.is_running():
            return made  # as below, but up to Python 3.11 to ask which loop is running is a system call
        loop = asyncio.get_running_loop()
        if made is not None and home is loop:
            return made
        if made is None:
            self._loop, self._thread = loop, get_ident()
            self._made = made = self._make()
            if self._observe is not None:
                made.outbox.observer = self._observe(self)
            if start:
                made.start()
            return made
        hint = "Open a stream for each event loop."
        raise StreamUsageError(f"{self!r} belongs to another event loop.", hint=hint)

    def _iterate(self, view: Callable[[StreamEvent], list[ItemT]]) -> _Iterator[ItemT]:
        iterator = _Iterator(self, view)
        self._claim(iterator)
        # Whoever read utterances and stopped within one had words in hand: they go to the next reader.
        self._unread.extendleft(reversed(self._gathered))
        self._gathered.clear()
        return iterator

    def _claim(self, iterator: _Iterator[Any]) -> None:
        """Make `iterator` the one that reads; it stays so until it ends, fails, or is dropped."""
        # No variable for the one that reads: in the traceback of this error it would live on after its user let go.
        if self._reader is not None and self._reader() is iterator:
            return
        if self._reader is not None and self._reader() is not None:
            raise StreamBusyError(
                f"{self!r} is being iterated over already.", hint="One iterator at a time: share what it gives."
            )
        self._reader = weakref.ref(iterator)

    async def _next(self) -> StreamEvent | None:
        """The next event; None after the last one, once nothing is left behind."""
        supervisor = self._open()
        if supervisor.outcome is not None and supervisor.outcome.closed:
            self._unread.clear()  # as what the user had not read when closing
        if self._unread:
            return self._unread.popleft()
        event = await supervisor.next_event()
        if event is None:
            await supervisor.join()
        return event

    def _error(self) -> Exception | None:
        outcome = None if self._made is None else self._made.outcome
        return None if outcome is None else outcome.error


class _Iterator(Generic[ItemT]):
    """An iterator that keeps its stream alive, and lets go of it when it is dropped.

    `view` turns an event into the items to give for it; ``Closed`` is its last event.
    """

    def __init__(self, stream: TranscriptionStream, view: Callable[[StreamEvent], list[ItemT]]) -> None:
        self._stream = stream
        self._view = view
        self._items: list[ItemT] = []
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        self._stream._claim(self)
        try:
            while not self._items and not self._over:
                event = await self._stream._next()
                self._over = event is None
                self._items = self._view(Closed(self._stream._error(), self._stream.stats) if event is None else event)
        except BaseException:
            # A traceback may keep this iterator alive long after its reader was cancelled: let others read.
            self._stream._reader = None
            raise
        if self._items:
            return self._items.pop(0)
        self._stream._reader = None
        error = self._stream._error()
        if error is not None:
            raise error
        raise StopAsyncIteration


def _results(event: StreamEvent) -> list[StreamingResult]:
    return [event] if isinstance(event, StreamingResult) else []


def _everything(event: StreamEvent) -> list[StreamEvent]:
    return [event]


class _Utterances:
    """Puts finals together until the provider says that the utterance ended."""

    def __init__(self, stream: TranscriptionStream) -> None:
        self._stream = stream

    def __call__(self, event: StreamEvent) -> list[Utterance]:
        match event:
            case StreamingResult(is_final=True):
                self._stream._gathered.append(event)
                return []
            case UtteranceEnded():
                return self._close(complete=True)
            case Closed():
                return self._close(complete=self._stream._state == "complete")
            case _:
                return []

    def _close(self, *, complete: bool) -> list[Utterance]:
        gathered = self._stream._gathered
        finals = tuple(final for final in gathered if final.text)
        gathered.clear()
        if not finals:
            return []
        text = join((final.separator, final.text) for final in finals)
        return [Utterance(text=text, start=finals[0].start, end=finals[-1].end, results=finals, complete=complete)]
