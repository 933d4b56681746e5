"""Coded speech: audio whose bytes say which word they belong to, so that loss and repetition can be counted.

Every word is a row of short frames, and every frame carries the number of the word, its own place in the word,
and the length of the word. Whoever listens from any sample on finds the next word by itself, and knows a word
as heard only if every single sample of it came, in order. A word that was cut comes out as `DAMAGED`.

    audio = encode_words(90)                      # 30 seconds of numbered words, 16 kHz
    ...                                           # through your application, into a simulator
    report = compare(90, transcript)              # lost, repeated, out of order, damaged, time error
    assert report.perfect, report
"""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from debabelizer.audio.format import AudioFormat
from debabelizer.testing._samples import SILENCE, sample_codec
from debabelizer.testing.report import Report, compare_words

__all__ = ["DAMAGED", "CodedWord", "HeardWord", "Report", "WordReader", "compare", "encode_words", "plan_words", "wav"]

DAMAGED: Final = "#"
"""What a simulator writes for a word of which it heard only a part."""

_FRAME: Final = 40
"""Symbols, and so samples, of one frame. Less than that is too little to be taken for speech."""

_PATTERN: Final = re.compile(rb"<(\d{6})(\d{6})(\d{6})0{20}>")
_RECOVERY: Final = re.compile(rb" |<\d{6}000000\d{6}0{20}>")
_LIMIT: Final = 10**6


@dataclass(frozen=True, slots=True)
class CodedWord:
    """A word to be encoded.

    Attributes:
        number: What the audio says: 0 to 999,999.
        text: What a simulator writes for it.
        start, end: Seconds.
    """

    number: int
    text: str
    start: float
    end: float


def plan_words(
    words: int | Sequence[str],
    *,
    length: float = 0.25,
    gap: float = 0.08,
    phrase: int = 9,
    pause: float = 0.4,
    lead: float = 0.2,
) -> tuple[CodedWord, ...]:
    """Say when numbered words are spoken: in phrases, with a gap between words and a pause between phrases.

    Args:
        words: How many (their texts are then ``word0``, ``word1``, ...), or their texts.
        length, gap, pause, lead: Seconds of a word, between words, between phrases, and before the first word.
        phrase: Words in a phrase.
    """
    texts = [f"word{number}" for number in range(words)] if isinstance(words, int) else words
    plan: list[CodedWord] = []
    start = lead
    for number, text in enumerate(texts):
        plan.append(CodedWord(number, text, round(start, 6), round(start + length, 6)))
        start += length + (gap if (number + 1) % phrase else pause)
    return tuple(plan)


def encode_words(
    words: int | Sequence[CodedWord], audio_format: AudioFormat | None = None, *, tail: float = 0.5
) -> bytes:
    """Encode words as raw audio, the same in every channel.

    Args:
        words: A plan in order of time, or how many words to `plan_words` for.
        audio_format: 16 kHz mono 16-bit by default.
        tail: Seconds of silence after the last word.

    Raises:
        ValueError: If words overlap, or a word is too short or too long to be encoded.
    """
    audio_format = audio_format or AudioFormat()
    rate = audio_format.sample_rate
    symbols = bytearray()
    for word in plan_words(words) if isinstance(words, int) else words:
        start, end = round(word.start * rate), round(word.end * rate)
        if start < len(symbols):
            raise ValueError(f"word {word.number} starts at {word.start} s, before the end of the word before it")
        if not (0 <= word.number < _LIMIT and _FRAME <= end - start < _LIMIT):
            raise ValueError(f"word {word.number} of {word.end - word.start} s cannot be encoded at {rate} Hz")
        symbols += SILENCE * (start - len(symbols)) + _word_symbols(word.number, end - start)
    symbols += SILENCE * round(tail * rate)
    codec = sample_codec(audio_format.encoding)
    mono = codec.write(bytes(symbols))
    if audio_format.channels == 1:
        return mono
    return b"".join(mono[at : at + codec.width] * audio_format.channels for at in range(0, len(mono), codec.width))


def wav(audio: bytes, audio_format: AudioFormat | None = None) -> bytes:
    """Put 16-bit raw audio into a WAV file, for upload to a file API."""
    audio_format = audio_format or AudioFormat()
    if audio_format.encoding != "pcm_s16le":
        raise ValueError(f"only pcm_s16le can be put into a WAV file here, not {audio_format.encoding}")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(audio_format.channels)
        writer.setsampwidth(2)
        writer.setframerate(audio_format.sample_rate)
        writer.writeframes(audio)
    return file.getvalue()


def compare(expected: int | Sequence[CodedWord], results: object) -> Report:
    """Compare what was said with what was written; see `Report`.

    Args:
        expected: The plan that was encoded, or how many words of the default plan.
        results: A `Transcript`, or any iterable of `StreamingResult` (interims are passed over), `Word` or text.
    """
    plan = plan_words(expected) if isinstance(expected, int) else expected
    return compare_words([(word.text, word.start, word.end) for word in plan], results, damaged=DAMAGED)


def _word_symbols(number: int, length: int) -> bytes:
    """The symbols of a whole word; its last frame may be cut short."""
    return _frames(length).replace(b"......", b"%06d" % number)[:length]


@lru_cache(maxsize=64)
def _frames(length: int) -> bytes:
    """The frames of any word of that length, with dots for its number."""
    return "".join(f"<......{offset:06}{length:06}{0:020}>" for offset in range(0, length, _FRAME)).encode()


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word that was heard, or a part of one.

    Attributes:
        number: Its number, or None for a damaged word.
        start, end: Samples since the reader began to listen.
    """

    number: int | None
    start: int
    end: int


class WordReader:
    """Hears the words in raw audio that may start, stop and be cut anywhere.

    Args:
        encoding: One of the raw encodings, as a vendor would name them (``pcm_s16le``, ``mulaw``, ...).
        channels: Interleaved channels; the first is listened to.
    """

    def __init__(self, encoding: str = "pcm_s16le", channels: int = 1) -> None:
        self._codec = sample_codec(encoding)
        self._channels = channels
        self._rest = b""  # less than one sample
        self._symbols = b""  # heard, but not yet understood
        self._position = 0  # of the first of these symbols, in samples
        self._word: HeardWord | None = None  # being heard
        self._expected = b""  # all symbols of that word
        self._matched = 0  # how many of them came
        self._noise: int | None = None  # where damaged speech began

    @property
    def speaking_since(self) -> int | None:
        """Where the speech began that is not over yet, in samples; None in silence."""
        if self._word is not None:
            return self._word.start
        if self._noise is not None:
            return self._noise
        return self._position if self._symbols else None

    @property
    def partial(self) -> HeardWord | None:
        """The word that is being heard, as far as it came."""
        if self._word is None:
            return None
        return HeardWord(self._word.number, self._word.start, self._word.start + self._matched)

    def feed(self, audio: bytes) -> list[HeardWord]:
        """Listen on; returns the words that ended."""
        if self._rest:
            audio = self._rest + audio
        step = self._codec.width * self._channels
        whole = len(audio) - len(audio) % step
        self._rest = audio[whole:]
        self._symbols += self._codec.read(audio[:whole], self._channels)
        words: list[HeardWord] = []
        while self._symbols and self._advance(words):
            pass
        return words

    def flush(self) -> list[HeardWord]:
        """Stop listening: what is not over yet comes out damaged, unless it is too short to be speech."""
        since, end = self.speaking_since, self._position + len(self._symbols)
        self._word, self._noise, self._symbols, self._position = None, None, b"", end
        return [HeardWord(None, since, end)] if since is not None and end - since >= _FRAME else []

    def _advance(self, words: list[HeardWord]) -> bool:
        """Understand a stretch; False if that takes more audio."""
        if self._word is not None:
            return self._match(self._word, words)
        if self._noise is not None:
            return self._recover(self._noise, words)
        self._skip(len(self._symbols) - len(self._symbols.lstrip(SILENCE)))
        if len(self._symbols) < _FRAME and SILENCE not in self._symbols:
            return False
        frame = _PATTERN.match(self._symbols)
        if frame and int(frame[2]) == 0:
            number, length = int(frame[1]), int(frame[3])
            self._word, self._matched = HeardWord(number, self._position, self._position + length), 0
            self._expected = _word_symbols(number, length)
        else:
            self._noise = self._position
        return True

    def _match(self, word: HeardWord, words: list[HeardWord]) -> bool:
        came = self._symbols[: len(self._expected) - self._matched]
        if not self._expected.startswith(came, self._matched):
            self._word, self._noise = None, word.start
            self._skip(1)  # so that this very frame is not taken for the start of a word again
            return True
        self._skip(len(came))
        self._matched += len(came)
        if self._matched == len(self._expected):
            self._word = None
            words.append(word)
        return True

    def _recover(self, since: int, words: list[HeardWord]) -> bool:
        """Skip damaged speech up to silence or the start of a word."""
        found = _RECOVERY.search(self._symbols)
        self._skip(found.start() if found else max(len(self._symbols) - _FRAME + 1, 0))
        if found is None:
            return False
        self._noise = None
        if self._position - since >= _FRAME:
            words.append(HeardWord(None, since, self._position))
        return True

    def _skip(self, count: int) -> None:
        self._symbols = self._symbols[count:]
        self._position += count
