"""`Observer`: turns the events of one stream into a span and metrics."""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from debabelizer import Closed, ProviderChanged, Reconnected, Reconnecting, StreamEvent, StreamStats
from debabelizer.config import redact
from debabelizer_opentelemetry.instruments import SCOPE, instruments

if TYPE_CHECKING:
    from debabelizer.streaming.stream import TranscriptionStream

__all__ = ["Observer"]

_PROVIDER: Final = "debabelizer.provider"
_PREVIOUS: Final = "debabelizer.provider.previous"


class Observer:
    """Watches one stream, from its opening to `Closed`.

    The span is a child of the one that was current when the stream was opened. It is not made current itself:
    results are handled in the user's own code, which is no part of the stream. The stream is held weakly: one that
    its user dropped without closing it must be noticed, and ended.
    """

    def __init__(self, stream: TranscriptionStream) -> None:
        self._stream = weakref.ref(stream)
        self._provider = stream.name
        self._began = time.perf_counter()
        self._instruments = instruments()
        self._instruments.active.add(1, self._labels())
        self._span = trace.get_tracer(SCOPE).start_span(f"transcribe {stream.name}", attributes=self._labels())

    def __call__(self, event: StreamEvent) -> None:
        """Take note of an event. Results come often and are passed over: `stream.stats` has their figures."""
        match event:
            case Reconnecting(provider=provider, cause=cause):
                error = {"error.type": _kind(cause)}
                self._instruments.failures.add(1, {_PROVIDER: provider, **error})
                self._span.add_event("attempt failed", {**error, "exception.message": redact(str(cause))})
            case Reconnected(replayed=replayed, gap=gap):
                self._span.add_event("reconnected", {"debabelizer.replayed": replayed, "debabelizer.lost": gap})
            case ProviderChanged():
                self._change(event)
            case Closed(error=error):
                self._close(error)

    def _change(self, event: ProviderChanged) -> None:
        self._instruments.active.add(-1, self._labels())
        self._provider = event.provider
        self._instruments.active.add(1, self._labels())
        change = {_PREVIOUS: event.previous, **self._labels()}
        if event.cause is not None:
            change["error.type"] = _kind(event.cause)
        self._instruments.changes.add(1, change)
        self._span.add_event("provider changed", {**change, "debabelizer.at": event.at})
        self._span.set_attributes(self._labels())

    def _close(self, error: Exception | None) -> None:
        stream, labels = self._stream(), self._labels()
        self._instruments.active.add(-1, labels)
        outcome = labels if error is None else {**labels, "error.type": _kind(error)}
        self._instruments.duration.record(time.perf_counter() - self._began, outcome)
        if stream is not None:
            self._measure(stream.stats, labels)
            self._span.set_attributes(_figures(stream.stats))
        if error is not None:
            self._span.set_attributes(outcome)
            # Not `record_exception`: its message and traceback would pass no redactor.
            message = redact(str(error))
            self._span.add_event("exception", {"exception.type": _kind(error), "exception.message": message})
            self._span.set_status(StatusCode.ERROR, message)
        self._span.end()

    def _measure(self, stats: StreamStats, labels: dict[str, str]) -> None:
        self._instruments.audio.add(stats.accepted, labels)
        self._instruments.lost.add(_lost(stats), labels)
        for usage in stats.usage:
            self._instruments.sent.add(usage.seconds, {_PROVIDER: usage.provider})
        if stats.first_word_latency is not None:
            self._instruments.first_word.record(stats.first_word_latency, labels)
        if stats.final_latency is not None:
            self._instruments.final.record(stats.final_latency, labels)

    def _labels(self) -> dict[str, str]:
        return {_PROVIDER: self._provider}


def _figures(stats: StreamStats) -> dict[str, float]:
    figures = {
        "debabelizer.audio.accepted": stats.accepted,
        "debabelizer.audio.confirmed": stats.confirmed,
        "debabelizer.audio.replayed": stats.replayed,
        "debabelizer.audio.lost": _lost(stats),
        "debabelizer.attempts": stats.attempts,
        "debabelizer.provider.changes": stats.provider_changes,
        "debabelizer.first_word.latency": stats.first_word_latency,
        "debabelizer.final.latency": stats.final_latency,
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def _lost(stats: StreamStats) -> float:
    return sum(gap.end - gap.start for gap in stats.gaps)


def _kind(error: Exception) -> str:
    """The value of ``error.type``: the class, with its module unless it is a built-in one."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
