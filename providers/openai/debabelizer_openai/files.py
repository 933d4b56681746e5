"""Whole recordings: cut at pauses, sent in pieces, put together again."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from debabelizer.results import Progress, Segment, Transcript, Word, join
from debabelizer_openai.answers import Heard
from debabelizer_openai.pieces import FORMAT, Piece, PieceCutter

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["Ear", "transcribe_file"]


class Ear(Protocol):
    """What turns a piece into text."""

    async def hear(self, audio: bytes) -> Heard:
        """What was heard in samples of `FORMAT`."""


async def transcribe_file(
    ear: Ear, audio: AudioSource, report: Callable[[Progress], None], *, longest: float, parallel: int
) -> Transcript:
    """Transcribe a recording, in memory that does not grow with its length.

    Args:
        ear: Turns a piece into text.
        audio: The recording.
        report: Told how far it is.
        longest: Most seconds of a piece.
        parallel: Most pieces under way at once.

    Raises:
        AudioError: If it cannot be read.
        ProviderError: If the server fails; what is under way is cancelled.
    """
    # Loading the detector takes 50 ms, for which the event loop must not stand still.
    cutter = await asyncio.to_thread(PieceCutter, longest)
    work = _Work(ear, parallel)
    try:
        async with audio.blocks(FORMAT) as blocks:
            async for block in blocks:
                await work.take(await asyncio.to_thread(cutter.feed, block))
                report(Progress(done=work.done, total=audio.duration))
        await work.take(await asyncio.to_thread(cutter.finish))
        while work.pending:
            await work.collect()
            report(Progress(done=work.done, total=cutter.seconds))
    finally:
        await work.abandon()
    report(Progress(done=cutter.seconds, total=cutter.seconds))
    return _put_together(work, cutter.seconds)


class _Work:
    """The pieces of one recording: a few of them under way, their texts in order."""

    def __init__(self, ear: Ear, parallel: int) -> None:
        self.segments: list[Segment] = []
        self.pending: deque[tuple[Piece, asyncio.Task[Heard]]] = deque()
        self.done = 0.0
        self.sent = 0.0
        self._ear = ear
        self._parallel = parallel
        self._count = 0

    async def take(self, pieces: Iterable[Piece]) -> None:
        """Send pieces; waits while too many are under way."""
        for piece in pieces:
            while len(self.pending) >= self._parallel:
                await self.collect()
            self.sent += piece.end - piece.start
            self.pending.append((piece, asyncio.create_task(self._ear.hear(piece.audio))))
        while self.pending and self.pending[0][1].done():
            await self.collect()

    async def collect(self) -> None:
        """Wait for the text of the oldest piece under way."""
        piece, task = self.pending[0]
        heard = await task
        self.pending.popleft()
        self._count += 1
        self.segments += (_placed(segment, piece, self._count) for segment in heard.segments)
        self.done = piece.end

    async def abandon(self) -> None:
        """Cancel what is under way, and wait until it is gone."""
        tasks = [task for _, task in self.pending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # why one failed was told, or nobody waits for it


def _placed(segment: Segment, piece: Piece, number: int) -> Segment:
    """A segment of a piece as one of the recording."""

    def place(seconds: float | None, otherwise: float | None = None) -> float | None:
        # Models say ends behind that of the audio.
        return otherwise if seconds is None else min(round(piece.start + seconds, 6), piece.end)

    def place_word(word: Word) -> Word:
        return replace(word, start=place(word.start), end=place(word.end))

    speaker = segment.speaker
    if speaker is not None and number > 1:
        speaker = f"{number}/{speaker}"  # labels begin anew with each piece
    return replace(
        segment,
        start=place(segment.start, piece.start),
        end=place(segment.end, piece.end),
        words=tuple(place_word(word) for word in segment.words),
        speaker=speaker,
    )


def _put_together(work: _Work, seconds: float) -> Transcript:
    languages = Counter(segment.language for segment in work.segments if segment.language)
    return Transcript(
        text=join((segment.separator, segment.text) for segment in work.segments),
        segments=tuple(work.segments),
        language=languages.most_common(1)[0][0] if languages else None,
        duration=seconds,
        audio_seconds=work.sent,
    )
