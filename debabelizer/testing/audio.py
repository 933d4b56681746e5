"""What a simulated service makes of audio bytes: raw audio, with a clock."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from debabelizer.testing._samples import RAW_ENCODINGS, sample_codec

__all__ = ["CONTAINERS", "AudioInput", "NotAudioError", "RawAudio"]

CONTAINERS: Final = ("aac", "aiff", "amr", "asf", "flac", "mp3", "ogg", "wav", "webm")

_MAGIC: Final = {
    b"RIFF": "wav",
    b"ID3": "mp3",
    b"\xff\xfb": "mp3",
    b"\xff\xf3": "mp3",
    b"\xff\xf1": "aac",
    b"\xff\xf9": "aac",
    b"fLaC": "flac",
    b"OggS": "ogg",
    b"FORM": "aiff",
    b"#!AM": "amr",
    b"\x1a\x45\xdf\xa3": "webm",
    b"\x30\x26\xb2\x75": "asf",
}
_WAV_CODES: Final = {1: "pcm", 3: "float", 6: "alaw", 7: "mulaw"}
_LONGEST_HEADER: Final = 65536


class NotAudioError(ValueError):
    """The bytes are not what they were said to be.

    Attributes:
        container: What they were taken for; None if they begin like nothing that is known.
    """

    def __init__(self, container: str | None) -> None:
        super().__init__(f"This is no {container}." if container else "It begins like no container of audio.")
        self.container = container


@dataclass(frozen=True, slots=True)
class RawAudio:
    """Headerless audio; encodings have names like ``pcm_s16le`` and ``mulaw``."""

    encoding: str
    sample_rate: int
    channels: int = 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample in every channel."""
        return sample_codec(self.encoding).width * self.channels

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second."""
        return self.frame_bytes * self.sample_rate


NOMINAL: Final = RawAudio("pcm_u8", 16000)
"""The clock of compressed audio, which is not decoded here: 128 kbit/s."""


class AudioInput:
    """Finds the raw audio in a stream.

    WAV is understood. Other containers are not decoded: their clock runs at 128 kbit/s, and only a script can
    put words into them.

    Args:
        audio_format: A raw encoding, a container, or ``auto``.
        raw: The raw format, if the audio has no header.

    Attributes:
        raw: None until the header came.
        audible: Whether words can be read from the bytes.
    """

    def __init__(self, audio_format: str, raw: RawAudio | None = None) -> None:
        self.raw = raw
        self.audible = True
        self._container = None if audio_format == "auto" else audio_format
        self._header = b""
        if raw is None and audio_format not in ("auto", "wav"):
            self._accept_container()

    def feed(self, data: bytes) -> bytes:
        """The raw audio in `data`.

        Raises:
            NotAudioError: If the stream is not what it was said to be.
        """
        if self.raw is not None:
            return data
        self._header += data
        if self._container is None and not self._sniff():
            return b""
        data, self._header = self._header, b""
        if self._container != "wav":
            self._accept_container()
            return data
        at = self._parse_wav(data)
        if at is None:
            if len(data) > _LONGEST_HEADER:
                raise NotAudioError("wav")
            self._header = data
            return b""
        return data[at:]

    def _accept_container(self) -> None:
        self.raw, self.audible = NOMINAL, False

    def _sniff(self) -> bool:
        if len(self._header) < 4:
            return False
        self._container = next((name for magic, name in _MAGIC.items() if self._header.startswith(magic)), None)
        if self._container is None:
            raise NotAudioError(None)
        return True

    def _parse_wav(self, data: bytes) -> int | None:
        """Where the samples start, or None if the header is not complete."""
        if not b"RIFF".startswith(data[:4]):
            raise NotAudioError("wav")
        at = 12
        while len(data) >= at + 8:
            name, size = struct.unpack_from("<4sI", data, at)
            at += 8
            if name == b"data" and self.raw is not None:
                return at
            if name == b"fmt " and len(data) >= at + max(size, 16):
                self.raw = _wav_format(data[at : at + size])
            at += size + size % 2
        self.raw = None
        return None


def _wav_format(chunk: bytes) -> RawAudio:
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == 0xFFFE and len(chunk) >= 26:
        (code,) = struct.unpack_from("<H", chunk, 24)
    kind = _WAV_CODES.get(code)
    end = "" if bits == 8 else "le"
    encoding = {"pcm": f"pcm_{'u' if bits == 8 else 's'}{bits}{end}", "float": f"pcm_f{bits}le"}.get(kind or "", kind)
    if encoding not in RAW_ENCODINGS or not rate or not channels:
        raise NotAudioError("wav")
    return RawAudio(encoding, rate, channels)
