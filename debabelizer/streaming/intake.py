"""`Intake`: how audio gets into a stream, pushed by the user or pulled from a source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from debabelizer.errors import (
    AudioFormatError,
    DebabelizerError,
    StreamBusyError,
    StreamClosedError,
    StreamUsageError,
)
from debabelizer.streaming.tasks import spawn

if TYPE_CHECKING:
    from debabelizer.streaming.supervisor import Supervisor

__all__ = ["Intake", "Source"]

_CONTAINERS = {b"RIFF": "WAV", b"OggS": "Ogg", b"fLaC": "FLAC", b"ID3": "MP3", b"\x1a\x45\xdf\xa3": "WebM"}


_PIECES = 4  # as many of the largest piece accepted at once fit into the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a stream pulls audio from.

    Attributes:
        blocks: Opens it: gives an iterator of audio in the stream's format.
        total: Length of it in seconds, asked once it is being read; None if not known.
        warnings: What the user should know, asked after it was read.
    """

    blocks: Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]
    total: Callable[[], float | None] = lambda: None
    warnings: Callable[[], tuple[str, ...]] = tuple


class Intake:
    """Accepts audio: checks it, waits for room, keeps what does not make a whole frame yet."""

    def __init__(self, supervisor: Supervisor, source: Source | None) -> None:
        self.error: Exception | None = None  # why the source failed
        self._supervisor = supervisor
        self._source = source
        self._clock = supervisor.clock
        self._record = supervisor.record
        self._work = supervisor.work
        self._journal = journal = supervisor.journal
        self._frame = frame = journal.audio_format.frame_bytes
        # Small enough that there will be room beside the audio a provider may leave unheard; and one piece if it can
        # be, so that a cancelled call has taken all of its audio or none.
        self._piece = max(journal.capacity // frame // _PIECES, 1) * frame
        self._rest = b""
        self._busy = False
        self._task: asyncio.Task[None] | None = None

    def start(self, on_end: Callable[[], object]) -> asyncio.Task[None] | None:
        """Start to pull; the caller owns the task."""
        if self._source is None:
            return None

        def ended() -> None:
            self._note_end()
            on_end()

        self._task = spawn(self._pull(self._source), name="debabelizer source", on_end=ended)
        return self._task

    async def push(self, audio: Any) -> None:
        """Accept a chunk; waits for room. When cancelled, a chunk of no more than one piece was not taken."""
        data = _checked(audio)
        if self._busy or self._journal.ended or self._source is not None or self._supervisor.outcome is not None:
            raise self._refusal()
        if self._journal.accepted and self._fits(data):
            self._take(data)
            return
        self._busy = True
        try:
            await self._accept(data)
        finally:
            self._busy = False

    def _refusal(self) -> Exception:
        """Why no audio can be pushed now."""
        outcome = self._supervisor.outcome
        if self._source is not None:
            hint = "Open one without a source to push audio."
            return StreamUsageError("This stream reads from a source.", hint=hint)
        if outcome is not None and outcome.error is not None:
            return outcome.error
        if outcome is not None or self._journal.ended:
            hint = "Open a new stream, or call end_audio() later."
            return StreamClosedError("Audio was sent after the end of audio.", hint=hint)
        return StreamBusyError("Two tasks send audio at once.", hint="Send from one task, or take turns.")

    def end(self) -> None:
        """No more audio: what is left in a source is not read. Idempotent.

        Raises:
            AudioFormatError: If a part of a frame is left over; the stream has ended all the same.
        """
        supervisor = self._supervisor
        if supervisor.journal.ended:
            return
        rest, self._rest = self._rest, b""
        supervisor.end()
        if self._task is not None:
            self._task.cancel()
        if rest:
            audio_format = supervisor.journal.audio_format
            raise AudioFormatError(
                f"The audio ended with {len(rest)} byte{'s' * (len(rest) > 1)} that make no whole frame of "
                f"{audio_format.frame_bytes} bytes ({audio_format}).",
                hint="All whole frames are being processed. Is the audio format the right one?",
            )

    def _fits(self, data: bytes) -> bool:
        """Whether a chunk can be taken as it is."""
        size = len(data)
        return not self._rest and 0 < size <= self._piece and size <= self._journal.room and not size % self._frame

    async def _accept(self, data: bytes) -> None:
        supervisor = self._supervisor
        if not self._journal.accepted:
            _refuse_container(data)
        if self._fits(data):
            self._take(data)
            return
        data = self._rest + data
        odd = len(data) % self._frame
        whole = memoryview(data)[: len(data) - odd]
        for start in range(0, len(whole), self._piece):
            piece = whole[start : start + self._piece]
            while not supervisor.room_for(len(piece)):
                self._mind_reader()
                await supervisor.moved.wait()
                if supervisor.outcome is not None:
                    raise supervisor.outcome.error or StreamClosedError("The stream was closed.")
            self._take(piece)
            self._rest = b""
        self._rest = data[len(data) - odd :]

    def _take(self, piece: bytes | memoryview) -> None:
        now = self._clock.time()
        self._record.accepted(now)
        self._journal.append(piece, now)
        self._work.notify()

    def _mind_reader(self) -> None:
        supervisor = self._supervisor
        if supervisor.outbox.full and not supervisor.was_read and self._source is None:
            raise StreamUsageError(
                f"Nobody reads the results of this stream, and {len(supervisor.outbox)} wait already.",
                hint="Iterate over the stream in another task than the one that sends audio.",
            )

    async def _pull(self, source: Source) -> None:
        supervisor = self._supervisor
        async with source.blocks() as blocks:
            async for block in blocks:
                supervisor.record.total = source.total()  # known once the first of it was decoded
                await self._accept(_checked(block))
        supervisor.record.warnings.extend(source.warnings())

    def _note_end(self) -> None:
        """The source is over, in whatever way: what it gave is still worked off."""
        task = self._task
        if task is None or self._supervisor.outcome is not None:
            return
        failure: BaseException | None = None
        if task.cancelled() and self._supervisor.journal.ended:
            return  # the user wanted no more of it
        if task.cancelled():
            failure = StreamUsageError("The task that reads the audio source was cancelled from outside.")
        else:
            failure = task.exception()
        try:
            self.end()
        except DebabelizerError as error:
            failure = failure or error
        if isinstance(failure, Exception):
            self.error = failure


def _checked(audio: Any) -> bytes:
    if isinstance(audio, bytes):
        return audio
    if isinstance(audio, str):
        raise AudioFormatError("Audio must be bytes, and this is text.", hint="Send the raw samples.")
    try:
        return memoryview(audio).tobytes()
    except TypeError:
        kind = type(audio).__name__
        raise AudioFormatError(f"Audio must be bytes, and this is {kind}.", hint="Send the raw samples.") from None


def _refuse_container(data: bytes) -> None:
    """Samples do not begin like this, and read as samples a file would come out as noise and silence."""
    for start, name in _CONTAINERS.items():
        if data.startswith(start):
            raise AudioFormatError(
                f"This is a {name} file, and a stream takes raw samples.",
                hint="Give the file itself as the source, and no audio format.",
            )
