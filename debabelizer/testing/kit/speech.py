"""Coded words for services and engines that hear them, and real speech for the live service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from debabelizer.audio.format import AudioFormat
from debabelizer.results import Word
from debabelizer.testing.coded import DAMAGED, CodedWord, HeardWord, WordReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CodedVad", "CodedWords", "Recording", "prompt", "text_of"]

_texts: ContextVar[Mapping[int, str]] = ContextVar("_texts", default=MappingProxyType({}))


def prompt(words: Iterable[CodedWord]) -> None:
    """Say which text each coded word has, to all that is started from here."""
    _texts.set({word.number: word.text for word in words})


def text_of(number: int) -> str:
    """What a simulator writes for the coded word of a number: ``word7`` for 7, unless the scene has other words."""
    return _texts.get().get(number, f"word{number}")


@dataclass(frozen=True, slots=True)
class Recording:
    """Real speech for the live service.

    Attributes:
        path: Any audio file; a few seconds are enough.
        text: What is said in it. It is compared by words, without case and punctuation, one error in five allowed.
    """

    path: Path
    text: str


class CodedWords:
    """Hears coded words in the audio of one connection, or of one utterance.

    ::

        ear = CodedWords()
        for word in ear.hear(chunk):
            ...  # Word("word7", start=2.51, end=2.76)

    Args:
        audio_format: What the audio is; 16 kHz mono 16-bit by default.
    """

    def __init__(self, audio_format: AudioFormat | None = None) -> None:
        audio_format = audio_format or AudioFormat()
        self._reader = WordReader(audio_format.encoding, audio_format.channels)
        self._rate = audio_format.sample_rate
        self._format = audio_format
        self._size = 0

    @property
    def seconds(self) -> float:
        """Seconds of audio heard."""
        return self._format.seconds(self._size)

    @property
    def partial(self) -> Word | None:
        """The word that is being spoken, as far as it was heard."""
        heard = self._reader.partial
        return None if heard is None else self._word(heard)

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks at the end of what was heard."""
        return self._reader.speaking_since is not None

    def hear(self, audio: bytes) -> list[Word]:
        """Listen on; the words that ended, in seconds of all audio heard."""
        self._size += len(audio)
        return [self._word(word) for word in self._reader.feed(audio)]

    def finish(self) -> list[Word]:
        """The audio is over: a word that is not comes out as damaged, ``#``."""
        return [self._word(word) for word in self._reader.flush()]

    @classmethod
    def of(cls, audio: bytes, audio_format: AudioFormat | None = None) -> list[Word]:
        """All words of a piece of audio."""
        ear = cls(audio_format)
        return [*ear.hear(audio), *ear.finish()]

    @classmethod
    def of_samples(cls, samples: NDArray[np.float32]) -> list[Word]:
        """All words of an utterance as decoders are given it: mono, 16 kHz."""
        return cls.of(samples.astype("<f4").tobytes(), AudioFormat("pcm_f32le"))

    def _word(self, heard: HeardWord) -> Word:
        text = DAMAGED if heard.number is None else text_of(heard.number)
        return Word(text, start=heard.start / self._rate, end=heard.end / self._rate, confidence=1.0)


class CodedVad:
    """Voice activity in coded speech, which no real detector takes for a voice; see `debabelizer.audio.vad`."""

    def probability(self, frame: NDArray[Any]) -> float:
        """1.0 if the frame is not silent."""
        return 1.0 if bool(abs(frame).max() > 1e-4) else 0.0

    def reset(self) -> None:
        """It remembers nothing."""
