"""`StreamPolicy`: every number that decides how long a stream waits, keeps and tries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["StreamPolicy"]


def _seconds(default: float, description: str) -> Any:
    return field(default=default, metadata={"description": description, "ge": 0.0})


def _positive(default: float, description: str) -> Any:
    return field(default=default, metadata={"description": description, "gt": 0.0})


def _count(default: int, description: str) -> Any:
    return field(default=default, metadata={"description": description, "ge": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPolicy:
    """Deadlines in seconds, bounds, and the retry budget of a stream: the ``[stream]`` table of the configuration.

    The description of each field stands in its metadata, from which the configuration reference is generated.
    """

    replay: float = _positive(60.0, "Audio kept for replay after a failure, at most, in seconds.")
    replay_bytes: int = _count(32 * 1024 * 1024, "Audio kept for replay, at most, in bytes.")
    results: int = _count(1000, "Finals held for a reader that is slow, at most; then the connection is paused.")
    connect_timeout: float = _positive(10.0, "Longest wait for a connection, in seconds.")
    ready_timeout: float = _positive(10.0, "Longest wait for a provider that must say it is ready, in seconds.")
    send_timeout: float = _positive(10.0, "Longest wait for a peer that does not read, in seconds.")
    stall_timeout: float = _positive(10.0, "Longest wait for progress after audio was sent, in seconds.")
    flush_timeout: float = _seconds(5.0, "Longest wait for the answer to a flush, in seconds.")
    drain_timeout: float = _positive(15.0, "Longest wait for the proof that all audio was processed, in seconds.")
    close_timeout: float = _positive(2.0, "Longest wait while closing a connection, in seconds.")
    max_attempts: int = _count(20, "Attempts in a row without progress before the stream fails.")
    give_up_after: float = _seconds(60.0, "Time without progress before the stream fails, in seconds.")
    backoff_base: float = _seconds(0.25, "First delay between attempts, doubled each time, in seconds.")
    backoff_max: float = _seconds(8.0, "Longest delay between attempts, in seconds.")
    cool_down: float = _positive(30.0, "How long a provider that failed is left alone, doubled each time, in seconds.")
    cool_down_max: float = _positive(600.0, "Longest time for which a provider is left alone, in seconds.")
    return_to_preferred: bool = field(
        default=True,
        metadata={
            "description": "Whether a stream goes back to a provider earlier in the order once it is well again."
        },
    )
    max_speed: float | None = field(
        default=None,
        metadata={
            "description": "Fastest sending of files and replays, as a multiple of real time; at 1 a live stream "
            "does not catch up after an outage; by default what the provider says.",
            "ge": 1.0,
        },
    )
