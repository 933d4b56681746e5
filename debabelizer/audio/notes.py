"""`Notes`: what is found out about a source while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Notes"]


@dataclass(slots=True)
class Notes:
    """Written by the thread that reads, shown by the source.

    Attributes:
        size: Bytes of the source as it is, or None.
        duration: Seconds of audio, as announced or estimated, or None.
        position: Seconds of audio delivered; counted by the event loop.
        warnings: What the user should know, as sentences.
    """

    size: int | None = None
    duration: float | None = None
    position: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def truncated(self, seconds: float, announced: float | None) -> None:
        """Note that the audio was cut off after `seconds`."""
        of = f" of {announced:.1f} s" if announced is not None and announced > seconds else ""
        self.warnings.append(f"The audio is truncated: it ends after {seconds:.1f} s{of}.")

    def has_gaps(self, seconds: float, first: float) -> None:
        """Note that `seconds` in all are missing within, the first of them after `first`."""
        self.warnings.append(f"The audio has gaps: {seconds:.1f} s of it are missing, the first after {first:.1f} s.")
