"""The same recording through several providers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from debabelizer.compare.alignment import Alignment, align, split
from debabelizer.errors import AudioError, DebabelizerError
from debabelizer.results import Progress, Transcript

if TYPE_CHECKING:
    from debabelizer.audio.format import AudioFormat
    from debabelizer.processor import VoiceProcessor

__all__ = ["REFERENCE", "Candidate", "Comparison", "compare"]

REFERENCE: Final = "reference"
"""The name of the baseline when it is not a provider's transcript."""

_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What came of one provider.

    Attributes:
        provider: Its name.
        transcript: What it heard; None if it failed.
        error: Why it failed; None if it did not.
        seconds: How long it took, from the file to the transcript: with loading of models, with uploading.
        price: US dollars, by the price in its spec; None if that is not known.
        alignment: How its words differ from the baseline; None if it failed.
    """

    provider: str
    transcript: Transcript | None = None
    error: DebabelizerError | None = None
    seconds: float = 0.0
    price: float | None = None
    alignment: Alignment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several providers side by side.

    Attributes:
        baseline: What the words are compared with: ``reference``, or the name of a provider.
        words: The words of the baseline.
        duration: Length of the recording in seconds, as the providers say; 0.0 if all failed.
        candidates: One for each provider, in the order asked for.
    """

    baseline: str
    words: tuple[str, ...]
    duration: float
    candidates: tuple[Candidate, ...]

    @property
    def has_reference(self) -> bool:
        """Whether differences are errors: the baseline is what was really said."""
        return self.baseline == REFERENCE


async def compare(
    processor: VoiceProcessor,
    source: Any,
    providers: Sequence[str],
    *,
    reference: str | None = None,
    audio_format: AudioFormat | str | None = None,
    language_hints: Collection[str] | None = None,
    on_progress: Callable[[str, Progress], None] | None = None,
) -> Comparison:
    """Transcribe a recording with each provider in turn, so that their times are their own, and compare the words.

    Without a reference, the words are compared with those of the first provider that does not fail: a difference
    is then no error yet, only a place to listen to.

    Args:
        processor: Does the work; its configuration counts, but for the choice of the provider.
        source: A path or bytes: it is read several times.
        providers: Names, each once.
        reference: What was really said.
        audio_format, language_hints: As for `VoiceProcessor.transcribe`.
        on_progress: Called with the provider at work and how much it has done; first when it begins.

    Raises:
        AudioError: If the recording cannot be read.
        DebabelizerError: If the extra ``compare`` is not installed.
        ProviderLookupError: If a provider is unknown, not installed or broken. What else fails is a result.
        ValueError: If no provider is named, or one twice.
    """
    if not providers or len({*providers}) < len(providers):
        raise ValueError("name at least one provider, and each once")
    align((), ())  # what is not installed should be known before an hour of work
    prices = {name: processor.registry.spec(name).capabilities.price_per_hour for name in providers}
    heard: list[Candidate] = []
    for name in providers:
        report = None if on_progress is None else partial(on_progress, name)
        if report is not None:
            report(Progress(done=0.0))
        began = perf_counter()
        try:
            transcript = await processor.transcribe(
                source,
                provider=name,
                audio_format=audio_format,
                language_hints=language_hints,
                on_progress=report,
            )
        except AudioError:
            raise  # no other provider could read it either
        except DebabelizerError as error:
            heard.append(Candidate(provider=name, error=error, seconds=perf_counter() - began))
            continue
        price, seconds = prices[name], perf_counter() - began
        cost = None if price is None else price * transcript.duration / _HOUR
        heard.append(Candidate(provider=name, transcript=transcript, seconds=seconds, price=cost))
    return _aligned(heard, reference)


def _aligned(heard: Sequence[Candidate], reference: str | None) -> Comparison:
    succeeded = [(it.provider, it.transcript) for it in heard if it.transcript is not None]
    texts = {name: split(transcript.text) for name, transcript in succeeded}
    baseline, words = next(iter(texts.items()), ("", ()))
    if reference is not None:
        baseline, words = REFERENCE, split(reference)
    return Comparison(
        baseline=baseline,
        words=words,
        duration=max((transcript.duration for _, transcript in succeeded), default=0.0),
        candidates=tuple(
            Candidate(
                provider=it.provider,
                transcript=it.transcript,
                error=it.error,
                seconds=it.seconds,
                price=it.price,
                alignment=align(words, texts[it.provider]) if it.provider in texts else None,
            )
            for it in heard
        ),
    )
