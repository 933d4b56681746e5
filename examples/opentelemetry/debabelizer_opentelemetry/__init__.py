"""OpenTelemetry for Debabelizer: a span and metrics for every stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debabelizer.plugins import StreamObserver, hookimpl

if TYPE_CHECKING:
    from debabelizer.streaming.stream import TranscriptionStream

__all__ = ["debabelizer_stream_opened"]


@hookimpl
def debabelizer_stream_opened(stream: TranscriptionStream) -> StreamObserver:
    """Watch the stream. The API is imported here, with the first stream, and does nothing without an SDK."""
    from debabelizer_opentelemetry.observer import Observer

    return Observer(stream)
