"""What the demonstrations play: a recording, and the words that a simulated vendor hears in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.results import Segment, Word

if TYPE_CHECKING:
    from debabelizer.processor import VoiceProcessor

__all__ = ["LONGEST", "Material", "load", "packaged"]

LONGEST: Final = 15.0
"""Seconds of a recording that are played at most."""

_FORMAT: Final = AudioFormat()
# As the larger models of Whisper hear the recording that comes along, which has pauses after 2.1, 4.4 and 7.4 s.
_SPEECH: Final = (
    ("And", 0.25, 0.53), ("so,", 0.53, 0.85), ("my", 1.07, 1.19), ("fellow", 1.19, 1.55), ("Americans,", 1.55, 2.09),
    ("ask", 3.33, 3.73), ("not", 3.73, 4.23), ("what", 5.30, 5.51), ("your", 5.51, 5.77), ("country", 5.77, 6.23),
    ("can", 6.23, 6.61), ("do", 6.61, 6.83), ("for", 6.83, 7.07), ("you,", 7.07, 7.35), ("ask", 8.10, 8.49),
    ("what", 8.49, 8.75), ("you", 8.75, 9.03), ("can", 9.03, 9.33), ("do", 9.33, 9.55), ("for", 9.55, 9.77),
    ("your", 9.77, 9.95), ("country.", 9.95, 10.37),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Material:
    """A recording, decoded, with its words.

    Attributes:
        audio: 16 kHz mono ``pcm_s16le``.
        words: With their times.
    """

    audio: bytes
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """Its length."""
        return _FORMAT.seconds(len(self.audio))

    @property
    def mid_sentence(self) -> float:
        """The middle of a word past the middle of the recording: no pause, and enough before and behind it."""
        later = [word for word in self.words if (word.start or 0.0) >= self.seconds * 0.55]
        if not later:
            return self.seconds * 0.55
        return ((later[0].start or 0.0) + (later[0].end or 0.0)) / 2


async def packaged() -> Material:
    """The recording that comes along."""
    recording = (files("debabelizer.demo") / "jfk.ogg").read_bytes()
    words = tuple(Word(text, start, end) for text, start, end in _SPEECH)
    return Material(await _decoded(recording), words)


async def load(file: str, engine: VoiceProcessor) -> Material:
    """The beginning of a recording of the user's; `engine` finds out what its words are.

    Raises:
        DebabelizerError: If it cannot be read or transcribed.
    """
    audio = await _decoded(file)
    transcript = await engine.transcribe(audio, audio_format=_FORMAT)
    words = transcript.words or tuple(word for segment in transcript.segments for word in _spread(segment))
    return Material(audio, words)


async def _decoded(source: Any) -> bytes:
    audio = bytearray()
    async with AudioSource.of(source).blocks(_FORMAT, seconds=0.5) as blocks:
        async for block in _until(LONGEST, blocks):
            audio += block
    return bytes(audio)


async def _until(seconds: float, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    heard = 0.0
    async for block in blocks:
        yield block
        heard += _FORMAT.seconds(len(block))
        if heard >= seconds:
            return


def _spread(segment: Segment) -> list[Word]:
    """Words for an engine that gives none: as if each letter took as long as any other."""
    texts = segment.text.split()
    start, end = segment.start or 0.0, segment.end or 0.0
    letter = (end - start) / max(sum(map(len, texts)), 1)
    words: list[Word] = []
    for text in texts:
        words.append(Word(text, start, start + letter * len(text)))
        start += letter * len(text)
    return words
