"""The table ``[providers.moonshine]``."""

from __future__ import annotations

from pydantic import Field

from debabelizer.config import ProviderSettings

__all__ = ["MoonshineSettings"]


class MoonshineSettings(ProviderSettings):
    """Settings of the embedded engine."""

    engines: int = Field(default=2, ge=1, le=64)
    """How many utterances are recognised at the same time. Each engine takes about 100 MB and keeps one processor
    core busy; it is loaded when it is first needed. The first transcription of a processor decides."""

    silence: float = Field(default=1.2, ge=0.1, le=5.0)
    """Pause, in seconds, that ends an utterance of a recording. A shorter one gives shorter segments and more errors,
    because the model misses what came before."""

    max_utterance: float = Field(default=12.0, ge=2.0, le=30.0)
    """Longest utterance of a recording, in seconds; a longer one is cut at the best pause in its second half. Longer
    ones are no more accurate and take memory, 200 MB more at 30 seconds; below about 12 accuracy suffers."""

    stream_silence: float = Field(default=0.8, ge=0.2, le=5.0)
    """Pause, in seconds, that ends an utterance of a stream. Finals come that much after the last word, so people wait
    for it; a shorter one costs accuracy."""

    stream_max_utterance: float = Field(default=15.0, ge=2.0, le=30.0)
    """Longest utterance of a stream, in seconds; a longer one is cut at the best pause in its second half."""
