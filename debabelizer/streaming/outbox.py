"""`Outbox`: what waits for the user, bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from debabelizer.results import Progress, StreamEvent, StreamingResult
from debabelizer.streaming.clock import Clock, Signal

__all__ = ["Outbox"]


class Outbox:
    """Events on their way to the one reader, in order.

    An interim that nobody has read yet is replaced by the next one, and so is progress: the latest wins.
    Everything else is kept, and when more than `limit` events wait, `full` asks the connection to pause.

    Args:
        limit: Events that may wait.
        clock: For the waits.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self.changed = Signal(clock)  # something to read
        self.drained = Signal(clock)  # no longer full
        self.observer: Callable[[StreamEvent], object] | None = None  # told of every event as it happens
        self._limit = limit
        self._events: deque[StreamEvent] = deque()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def full(self) -> bool:
        """Whether the reader is too far behind."""
        return len(self._events) >= self._limit

    def put(self, event: StreamEvent) -> None:
        """Add an event. Never waits; who produces looks at `full` afterwards."""
        if self.observer is not None:
            self.observer(event)
        events = self._events
        if events and _passing(event) is not None and _passing(event) is _passing(events[-1]):
            events[-1] = event
        else:
            events.append(event)
        self.changed.notify()

    def take(self) -> StreamEvent | None:
        """The next event, or None if there is none now."""
        if not self._events:
            return None
        event = self._events.popleft()
        if len(self._events) == self._limit - 1:
            self.drained.notify()
        return event

    def clear(self) -> None:
        """Drop what was not read, for a reader who closed the stream."""
        self._events.clear()
        self.drained.notify()


def _passing(event: StreamEvent) -> type[StreamEvent] | None:
    """The kind of an event that a newer one of its kind makes worthless; None for one that must be kept."""
    match event:
        case StreamingResult(is_final=False) | Progress(note=None):
            return type(event)
        case _:
            return None
