"""Which container a recording is in, told by its first bytes."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = ["Container", "content_type", "recognised", "with_suffix"]

Container: TypeAlias = Literal[
    "aac", "aiff", "amr", "asf", "au", "flac", "matroska", "mp3", "mp4", "ogg", "wav", "webm"
]


class _Names(NamedTuple):
    content_type: str
    suffixes: tuple[str, ...]


_NAMES: Final[dict[Container, _Names]] = {
    "aac": _Names("audio/aac", (".aac",)),
    "aiff": _Names("audio/aiff", (".aiff", ".aif", ".aifc")),
    "amr": _Names("audio/amr", (".amr", ".awb")),
    "asf": _Names("audio/x-ms-wma", (".wma", ".asf", ".wmv")),
    "au": _Names("audio/basic", (".au", ".snd")),
    "flac": _Names("audio/flac", (".flac",)),
    "matroska": _Names("audio/x-matroska", (".mka", ".mkv")),
    "mp3": _Names("audio/mpeg", (".mp3", ".mpga", ".mpeg")),
    "mp4": _Names("audio/mp4", (".m4a", ".mp4", ".m4b", ".m4v", ".mov", ".3gp")),
    "ogg": _Names("audio/ogg", (".ogg", ".oga", ".opus")),
    "wav": _Names("audio/wav", (".wav", ".wave")),
    "webm": _Names("audio/webm", (".webm", ".weba")),
}


def recognised(head: bytes) -> Container | None:
    """The container of a file that begins with `head`, a hundred bytes or more; None if it is none of these."""
    match head[:4]:
        case b"fLaC":
            return "flac"
        case b"OggS":
            return "ogg"
        case b".snd":
            return "au"
        case b"RIFF" | b"RF64" if head[8:12] == b"WAVE":
            return "wav"
        case b"FORM" if head[8:12] in {b"AIFF", b"AIFC"}:
            return "aiff"
        case b"\x1a\x45\xdf\xa3":
            return "webm" if b"webm" in head[:64] else "matroska"
        case b"ADIF":
            return "aac"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith(b"#!AMR"):
        return "amr"
    if head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"):
        return "asf"
    if head.startswith(b"ID3"):
        return "mp3"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # the sync word of MP3 and AAC frames
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    return None


def content_type(container: Container | None) -> str:
    """The media type to declare."""
    return "application/octet-stream" if container is None else _NAMES[container].content_type


def with_suffix(filename: str, container: Container | None) -> str:
    """The name with a suffix that fits: vendors go by it."""
    if container is None:
        return filename
    path = PurePath(filename)
    suffixes = _NAMES[container].suffixes
    return filename if path.suffix.lower() in suffixes else path.stem + suffixes[0]
