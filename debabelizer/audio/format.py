"""`AudioFormat`: how raw audio bytes are to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from debabelizer.errors import AudioFormatError

__all__ = ["AudioFormat", "Encoding"]

Encoding: TypeAlias = Literal["pcm_s16le", "pcm_f32le", "mulaw", "alaw"]

_SAMPLE_BYTES: Final[dict[str, int]] = {"pcm_s16le": 2, "pcm_f32le": 4, "mulaw": 1, "alaw": 1}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Raw audio: encoding, rate and channels (interleaved). The default is what speech engines like best.

    Attributes:
        encoding: ``pcm_s16le``, ``pcm_f32le`` (-1.0 to 1.0), ``mulaw`` or ``alaw`` (G.711).
        sample_rate: Samples per second and channel, in Hz.
        channels: 1 is mono.

    Raises:
        AudioFormatError: If a part cannot be.
    """

    encoding: Encoding = "pcm_s16le"
    sample_rate: int = 16000
    channels: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in _SAMPLE_BYTES:
            known = ", ".join(get_args(Encoding))
            raise AudioFormatError(f"Unknown audio encoding {self.encoding!r}.", hint=f"Use one of {known}.")
        if not 1000 <= self.sample_rate <= 384_000:
            raise AudioFormatError(f"A sample rate of {self.sample_rate} Hz cannot be.", hint="Use 8000 to 48000 Hz.")
        if not 1 <= self.channels <= 32:
            raise AudioFormatError(f"{self.channels} audio channels cannot be.", hint="Use 1 for mono, 2 for stereo.")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample in every channel."""
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second of audio."""
        return self.frame_bytes * self.sample_rate

    def seconds(self, size: int) -> float:
        """Duration of `size` bytes, in seconds."""
        return size / self.bytes_per_second

    def frames(self, seconds: float) -> int:
        """Number of whole frames within `seconds`, rounded down (a hair below a frame counts as that frame)."""
        return int(seconds * self.sample_rate + 1e-6)

    def __str__(self) -> str:
        return f"{self.encoding}/{self.sample_rate}/{self.channels}"

    @classmethod
    def of(cls, given: AudioFormat | str) -> AudioFormat:
        """A format, or the text of one, as a format.

        Raises:
            AudioFormatError: If it is neither.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls.parse(given)
        kind = type(given).__name__
        raise AudioFormatError(f"An audio format cannot be {kind}.", hint='Give an AudioFormat, or "mulaw/8000".')

    @classmethod
    def parse(cls, text: str) -> AudioFormat:
        """Read ``encoding/rate/channels``, the last two optional, e.g. ``mulaw/8000``.

        Raises:
            AudioFormatError: If it cannot be read.
        """
        encoding, *numbers = text.split("/")
        try:
            rate, channels = [int(number) for number in numbers] + [16000, 1][len(numbers) :]
        except ValueError:
            hint = "Write encoding/rate/channels, e.g. pcm_s16le/16000/1 or mulaw/8000."
            raise AudioFormatError(f"Cannot read the audio format {text!r}.", hint=hint) from None
        return cls(encoding, rate, channels)  # type: ignore[arg-type]  # __post_init__ checks it
