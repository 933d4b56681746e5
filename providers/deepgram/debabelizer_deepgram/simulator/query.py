"""`Query`: what a client asked for, checked as far as the documentation says that the service checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from debabelizer.testing.audio import RawAudio
from debabelizer_deepgram.simulator.behaviour import Refusal

__all__ = ["Query", "Refused"]

_ENCODINGS: Final[Mapping[str, str]] = {
    "linear16": "pcm_s16le",
    "linear32": "pcm_f32le",
    "mulaw": "mulaw",
    "alaw": "alaw",
}


class Refused(Exception):
    """The service refuses a request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Query:
    """The parameters of a request.

    Args:
        text: The query string.
    """

    def __init__(self, text: str) -> None:
        self.pairs = parse_qsl(text, keep_blank_values=True)
        self._last = dict(self.pairs)

    def __repr__(self) -> str:
        return f"Query({self.pairs})"

    def get(self, name: str) -> str | None:
        """The value of a parameter."""
        return self._last.get(name)

    def all(self, name: str) -> list[str]:
        """All values of a parameter."""
        return [value for key, value in self.pairs if key == name]

    def flag(self, name: str) -> bool:
        """Whether a parameter is ``true``."""
        return self.get(name) == "true"

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within limits."""
        value = self.get(name)
        if value is None or value == "false":
            return None
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise bad_request(f"{name} must be from {low:g} to {high:g}.")
        return number

    @property
    def model(self) -> str:
        """Which model is to listen."""
        return self.get("model") or ""

    @property
    def diarizes(self) -> bool:
        """Whether speakers are to be told apart."""
        return self.get("diarize_model") is not None or self.flag("diarize")

    @property
    def is_multilingual(self) -> bool:
        """Whether languages are to be told."""
        return self.get("language") == "multi" or self.model.endswith("-multi") or self.flag("detect_language")

    def raw(self) -> RawAudio:
        """The format of a stream. The simulator understands raw audio only."""
        encoding, rate = self.get("encoding"), self.get("sample_rate")
        if encoding is None or encoding not in _ENCODINGS:
            raise bad_request("encoding must be one that the simulator knows.")
        if rate is None or not rate.isdecimal() or not 1000 <= int(rate) <= 384_000:
            raise bad_request("sample_rate is required with raw audio.")
        return RawAudio(_ENCODINGS[encoding], int(rate), int(self.get("channels") or 1))

    def check_stream(self) -> None:
        """Refuse what the documentation says of a Nova stream."""
        self._check_terms()
        if not self.model or self.model.startswith("flux-"):
            raise bad_request("model must be one for v1/listen.")
        if self.get("diarize_model") not in {None, "latest", "v1"}:
            raise bad_request("diarize_model must be latest or v1 on a stream.")
        if self.get("utterance_end_ms") is not None and not self.flag("interim_results"):
            raise bad_request("utterance_end_ms needs interim_results.")
        if self.flag("detect_language"):
            raise bad_request("detect_language is for files.")
        self.number("utterance_end_ms", 1000, 5000)
        self.number("endpointing", 0, 60_000)

    def check_turns(self) -> None:
        """Refuse what the documentation says of a Flux stream."""
        if self.model not in {"flux-general-en", "flux-general-multi"}:
            raise bad_request("model must be one for v2/listen.")
        if self.all("language_hint") and not self.model.endswith("-multi"):
            raise bad_request("language_hint is for flux-general-multi.")
        for name in ("diarize", "diarize_model", "interim_results", "language", "endpointing", "channels"):
            if self.get(name) is not None:
                raise bad_request(f"{name} is unknown to v2/listen.")
        self.number("eot_threshold", 0.5, 1.0)
        self.number("eager_eot_threshold", 0.3, 0.9)
        self.number("eot_timeout_ms", 500, 60_000)

    def check_file(self) -> None:
        """Refuse what the documentation says of a file."""
        self._check_terms()
        if not self.model or self.model.startswith("flux-"):
            raise bad_request("model must be one for v1/listen.")

    def _check_terms(self) -> None:
        if self.all("keyterm") and not self.model.startswith("nova-3"):
            raise bad_request("keyterm is for Nova-3.")
        if self.all("language_hint") and self.get("language") != "multi":
            raise bad_request("language_hint needs language=multi.")


def bad_request(message: str) -> Refused:
    """What cannot be asked for."""
    return Refused(Refusal(400, "Bad Request", message))
