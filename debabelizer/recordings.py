"""A whole recording, by the first provider that can transcribe it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from debabelizer.candidates import Candidate
from debabelizer.errors import AudioError, DebabelizerError, ProviderError
from debabelizer.results import Transcript
from debabelizer.streaming.health import Health
from debabelizer.streaming.verdict import is_of_provider

if TYPE_CHECKING:
    from debabelizer.audio.source import AudioSource

__all__ = ["transcribe"]


async def transcribe(
    chosen: Sequence[Candidate],
    audio: AudioSource,
    ask: Callable[[Candidate], Awaitable[Transcript]],
    health: Health,
) -> Transcript:
    """Ask one after another for the transcript, those that failed a moment ago last.

    What it costs to have asked somebody in vain stands in the transcript's warnings.

    Args:
        chosen: In order of preference; at least one.
        audio: The recording.
        ask: Asks one.
        health: What is known of the providers, and learns from this.

    Raises:
        AudioError: If the recording cannot be used: nobody else would understand it either.
        DebabelizerError: Why the last one failed, with the others in its hint.
    """
    time = asyncio.get_running_loop().time
    failures: list[tuple[str, DebabelizerError]] = []
    in_order = sorted(chosen, key=lambda each: not health.of(each.spec.name).admits(time()))
    for candidate in in_order:
        name = candidate.spec.name
        circuit = health.of(name)
        begun = time()
        circuit.claim(begun)
        try:
            transcript = await ask(candidate)
        except AudioError:
            raise
        except DebabelizerError as error:
            if isinstance(error, ProviderError):
                error.provider = error.provider or name
            failures.append((name, error))
            if is_of_provider(error):
                circuit.failed(error, time())
            if audio.is_spent and candidate is not in_order[-1]:
                _add_hint(error, "The recording could be read only once, so no other provider was asked.")
                break
        else:
            circuit.succeeded(time(), begun)
            told = [f"{_told(failure)} {name} did it instead." for failure in failures]
            return replace(transcript, provider=name, warnings=(*told, *audio.warnings, *transcript.warnings))
    *before, (_, last) = failures
    for failure in before:
        _add_hint(last, f"Before that, {_told(failure)}")
    raise last


def _told(failure: tuple[str, DebabelizerError]) -> str:
    name, error = failure
    return f"{name} failed ({type(error).__name__}: {error.message.rstrip('.')})."


def _add_hint(error: DebabelizerError, hint: str) -> None:
    error.hint = f"{error.hint} {hint}" if error.hint else hint
