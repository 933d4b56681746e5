"""`Accounts`: what the work of a processor was, provider by provider, and how quick they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from debabelizer.results import Transcript, Usage
from debabelizer.spec import ProviderSpec

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["Accounts"]

_WEIGHT = 0.3  # of the latest measurement: what is long past counts ever less


class Accounts:
    """Adds up usage, of streams and recordings together, also of what failed."""

    def __init__(self) -> None:
        self._usage: dict[str, Usage] = {}
        self._latency: dict[tuple[str, bool], float] = {}

    def add(self, usages: Iterable[Usage]) -> None:
        """Work is over."""
        self._usage = _sum((*self._usage.values(), *usages))

    @contextmanager
    def recording(self, spec: ProviderSpec, audio: AudioSource) -> Iterator[Callable[[Transcript], Transcript]]:
        """A recording is transcribed within; to be told of the transcript.

        Of one that failed, the audio that was read until then counts, as far as the provider read it decoded.
        """
        begun, readings, seconds = perf_counter(), audio.readings, None

        def done(transcript: Transcript) -> Transcript:
            nonlocal seconds
            seconds = transcript.audio_seconds or transcript.duration
            if transcript.duration:
                self.measured(spec.name, (perf_counter() - begun) / transcript.duration, of_recording=True)
            return transcript

        try:
            yield done
        finally:
            if seconds is None:
                seconds = audio.position if audio.readings > readings else 0.0
            price = spec.capabilities.price_per_hour
            self.add((Usage(provider=spec.name, attempts=1, sent=seconds, price_per_hour=price),))

    def usage(self, running: Iterable[Usage] = ()) -> tuple[Usage, ...]:
        """All work so far, with that of what still runs, in the order in which providers were first asked."""
        return tuple(_sum((*self._usage.values(), *running)).values())

    def measured(self, provider: str, seconds: float, *, of_recording: bool) -> None:
        """A stream had that mean latency; or a recording took that long for each second of it."""
        before = self._latency.get((provider, of_recording), seconds)
        self._latency[provider, of_recording] = before + _WEIGHT * (seconds - before)

    def latency(self, provider: str, *, of_recording: bool) -> float | None:
        """What was measured lately, or None if nothing was."""
        return self._latency.get((provider, of_recording))


def _sum(usages: Iterable[Usage]) -> dict[str, Usage]:
    total: dict[str, Usage] = {}
    for usage in usages:
        so_far = total.get(usage.provider, Usage(provider=usage.provider))
        total[usage.provider] = replace(
            usage,
            attempts=so_far.attempts + usage.attempts,
            sent=so_far.sent + usage.sent,
            replayed=so_far.replayed + usage.replayed,
            raced=so_far.raced + usage.raced,
        )
    return total
