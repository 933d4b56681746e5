"""One live run: from a stream to a view, and what Ctrl-C means meanwhile."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from debabelizer.cli.report import COMPLETE, FAILED, INCOMPLETE, USAGE, complain, exit_code, note, warn
from debabelizer.cli.usage import tell_choice, tell_usage
from debabelizer.cli.views import View
from debabelizer.errors import DebabelizerError, StreamError
from debabelizer.results import Closed

if TYPE_CHECKING:
    from debabelizer.processor import VoiceProcessor
    from debabelizer.streaming.stream import TranscriptionStream

__all__ = ["listen"]


async def listen(
    processor: VoiceProcessor,
    source: Any,
    view: View,
    *,
    greeting: str | None = None,
    explain: bool = False,
    account: bool = False,
    **options: Any,
) -> int:
    """Stream `source` into `view`; returns the exit code.

    The first Ctrl-C ends the audio, and what was said so far is still transcribed; the second abandons that.

    Args:
        processor: Does the work; it is closed afterwards.
        source: Whatever `VoiceProcessor.transcribe_stream` takes.
        view: Where the events go.
        greeting: What to tell as soon as the stream is open.
        explain: Whether to tell why the providers are asked in their order.
        account: Whether to tell at the end what they were given.
        options: See `VoiceProcessor.transcribe_stream`.

    Raises:
        DebabelizerError: What is no failure of the provider: of the configuration, the audio, the output.
        BrokenPipeError: If nobody reads standard output any more.
    """
    async with processor, processor.transcribe_stream(source, **options) as stream:
        try:
            with view, _interruptible(stream):
                if greeting:
                    note(greeting)
                if explain:
                    tell_choice(stream.stats.choice)
                async for event in stream.events():
                    if isinstance(event, Closed) and isinstance(event.error, StreamError):
                        event.error.hint = _hint(event.error, stream)
                    view.show(event)
        except StreamError as error:
            complain(error)
            return _code(error, stream)
        finally:
            for warning in stream.transcript.warnings:
                warn(warning)
            if account:
                tell_usage(stream.stats.usage)
        return INCOMPLETE if stream.stats.gaps else COMPLETE


def _code(error: StreamError, stream: TranscriptionStream) -> int:
    if stream.transcript.text:
        return INCOMPLETE
    cause = error.__cause__
    return USAGE if isinstance(cause, DebabelizerError) and exit_code(cause) == USAGE else FAILED


def _hint(error: StreamError, stream: TranscriptionStream) -> str | None:
    """What to do about it, in the words of the command line: the error's own speaks to those who write Python."""
    cause = error.__cause__
    hints = [cause.hint] if isinstance(cause, DebabelizerError) else []
    if stream.transcript.text:
        hints.append(f"All that was said up to {error.confirmed:.2f} s was written.")
    return " ".join(filter(None, hints)) or None


@contextmanager
def _interruptible(stream: TranscriptionStream) -> Iterator[None]:
    """Let the first Ctrl-C end the audio; from then on it means again what asyncio makes of it, a cancellation."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)
    endings: list[asyncio.Task[None]] = []  # a loop forgets tasks that nobody holds

    def end() -> None:
        note("No more audio. Press Ctrl-C again to abandon what is not transcribed yet.")
        endings.append(loop.create_task(stream.end_audio()))

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        loop.call_soon_threadsafe(end)

    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
