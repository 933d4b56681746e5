"""What a provider says of itself, as literals: read without importing the provider's code.

This module imports only the standard library, and a provider's spec module imports only this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

__all__ = ["API_VERSION", "Capabilities", "ProviderSpec", "Secret"]

API_VERSION: Final = 1
"""Version of the contract between core and plugins. A plugin built for another one is shown as unusable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do. Each is a claim that the conformance kit tests.

    Attributes:
        batch: Transcribes a whole file (`Provider.transcribe`).
        streaming: Has a stream of its own. A batch-only provider still streams, through the core's segmenter.
        local: Audio stays on this machine.
        interims: Sends results that may still change.
        words: The finest unit that comes with times: ``none``, ``segment`` or ``word``.
        confidence: Words carry a confidence.
        diarization: Tells speakers apart.
        language_identification: Says which language was spoken.
        translation: Translates while transcribing.
        endpointing: Says where an utterance ends.
        vocabulary: Takes words to expect.
        flush: Whether pending words can be made final at will: ``none``, ``fire`` (no answer) or ``confirmed``.
        resume: How exact a new connection can continue: ``exact`` (at a word), ``segment``, or ``none``.
        max_session: Longest session in seconds, or None.
        max_speed: Fastest audio accepted, as a multiple of real time; None is as fast as it goes.
        keepalive: Seconds without audio after which the vendor hangs up unless a keepalive is sent, or None.
        audio_formats: Encodings accepted on a stream, preferred one first; ``mulaw/8000`` for one with its own rate.
        sample_rates: Rates in Hz accepted on a stream, preferred one first; empty means any.
        channels: Most channels accepted on a stream.
        languages: Two-letter codes; ``("*",)`` means many, see the provider's page.
        price_per_hour: US dollars for an hour of streamed audio, or None when not known; 0.0 for local engines.
    """

    batch: bool = False
    streaming: bool = False
    local: bool = False
    interims: bool = False
    words: Literal["none", "segment", "word"] = "none"
    confidence: bool = False
    diarization: bool = False
    language_identification: bool = False
    translation: bool = False
    endpointing: bool = False
    vocabulary: bool = False
    flush: Literal["none", "fire", "confirmed"] = "none"
    resume: Literal["exact", "segment", "none"] = "none"
    max_session: float | None = None
    max_speed: float | None = 1.0
    keepalive: float | None = None
    audio_formats: tuple[str, ...] = ("pcm_s16le",)
    sample_rates: tuple[int, ...] = (16000,)
    channels: int = 1
    languages: tuple[str, ...] = ()
    price_per_hour: float | None = None

    @property
    def rates_of_encodings(self) -> dict[str, tuple[int, ...]]:
        """For each encoding accepted on a stream, preferred one first, the rates it may have; empty means any."""
        rates: dict[str, tuple[int, ...]] = {}
        for name in self.audio_formats:
            encoding, _, rate = name.partition("/")
            rates[encoding] = (*rates.get(encoding, ()), int(rate)) if rate else self.sample_rates
        return rates

    def unmet(self, require: Mapping[str, Any]) -> tuple[str, ...]:
        """Names in `require` whose wish these capabilities do not meet, in the order given.

        A wish is met when it equals the capability; on the scales `words`, `flush` and `resume` a finer
        capability meets a coarser wish; for `languages` every code asked for must be covered; a number asked of
        `max_session` must be reachable. An unknown name is unmet.
        """
        return tuple(name for name, wish in require.items() if not self._meets(name, wish))

    def _meets(self, name: str, wish: Any) -> bool:
        if name not in CAPABILITY_NAMES:
            return False
        have = getattr(self, name)
        if name in _SCALES:
            scale = _SCALES[name]
            return wish in scale and scale.index(have) >= scale.index(wish)
        if name == "languages":
            codes = (wish,) if isinstance(wish, str) else tuple(wish)
            return "*" in have or all(code.split("-")[0] in have for code in codes)
        if name in {"audio_formats", "sample_rates"}:
            values = wish if isinstance(wish, (list, tuple)) else (wish,)
            accepted = have if name == "sample_rates" else (*have, *self.rates_of_encodings)
            return (name == "sample_rates" and not have) or all(value in accepted for value in values)
        if name in {"max_session", "max_speed"}:
            return have is None or (wish is not None and have >= wish)
        if name == "channels":
            return bool(have >= wish)
        if name == "price_per_hour":
            return have is not None and have <= wish
        return bool(have == wish)


_SCALES: Final[Mapping[str, tuple[str, ...]]] = {
    "words": ("none", "segment", "word"),
    "flush": ("none", "fire", "confirmed"),
    "resume": ("none", "segment", "exact"),
}

CAPABILITY_NAMES: Final = tuple(f.name for f in fields(Capabilities))


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret that the provider's settings need.

    Attributes:
        key: Name of the settings field, e.g. ``api_key``.
        env: Environment variable read when the configuration does not name another source.
        required: Whether the provider is unusable without it.
    """

    key: str
    env: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A provider's visiting card: a literal, cheap to import, true without the provider's own dependencies.

    Attributes:
        name: What users write in their configuration: lower case letters, digits and ``_``.
        summary: One line.
        api_version: The contract the plugin was written for; write ``api_version=1``.
        capabilities: See `Capabilities`.
        settings: ``"package.module:Model"``, a pydantic model of the provider's table, imported on first use.
        factory: ``"package.module:Class"``, called with the spec; see `debabelizer.provider.Provider`.
        secrets: Which settings are secrets, and where they are looked for by default.
        homepage: Where to read more.
        needs: Modules that must be importable, each with what to do when it is not.
    """

    name: str
    summary: str
    api_version: int
    capabilities: Capabilities
    settings: str
    factory: str
    secrets: tuple[Secret, ...] = ()
    homepage: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
