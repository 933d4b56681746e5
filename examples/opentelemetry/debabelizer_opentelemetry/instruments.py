"""`Instruments`: what is measured. Names and units are those of the table in the README."""

from __future__ import annotations

from functools import cache
from typing import Final

from opentelemetry import metrics

__all__ = ["SCOPE", "Instruments", "instruments"]

SCOPE: Final = "debabelizer"

_SECONDS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_LENGTHS: Final = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 18000.0)


class Instruments:
    """One of each, for the whole process."""

    def __init__(self) -> None:
        meter = metrics.get_meter(SCOPE)
        self.active = meter.create_up_down_counter("debabelizer.stream.active", "{stream}", "Streams that are open.")
        self.duration = meter.create_histogram(
            "debabelizer.stream.duration",
            "s",
            "How long streams were open.",
            explicit_bucket_boundaries_advisory=_LENGTHS,
        )
        self.audio = meter.create_counter("debabelizer.stream.audio", "s", "Audio accepted.")
        self.lost = meter.create_counter("debabelizer.stream.audio.lost", "s", "Audio that no provider heard.")
        self.failures = meter.create_counter(
            "debabelizer.stream.attempt.failures", "{attempt}", "Attempts that failed, and were followed by another."
        )
        self.changes = meter.create_counter(
            "debabelizer.provider.changes", "{change}", "How often a provider went on with the stream of another."
        )
        self.sent = meter.create_counter(
            "debabelizer.provider.audio", "s", "Audio that a provider was given, replays included: what it would bill."
        )
        self.first_word = meter.create_histogram(
            "debabelizer.stream.first_word.latency",
            "s",
            "From the first audio to the first text.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.final = meter.create_histogram(
            "debabelizer.stream.final.latency",
            "s",
            "From the audio of a word to its final, mean of a stream.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )


@cache
def instruments() -> Instruments:
    """The instruments; those of the API find the SDK also when it is set up later."""
    return Instruments()
