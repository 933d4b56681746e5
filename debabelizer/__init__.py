"""Debabelizer: one streaming API for every speech engine, cloud or local.

Everything users need is here. Importing it loads nothing but the standard library; what needs more is
imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import *  # noqa: F403 - the whole tree is public, its __all__ is tested
from debabelizer.errors import __all__ as _errors
from debabelizer.options import Options
from debabelizer.processor import VoiceProcessor

if TYPE_CHECKING:
    from debabelizer.audio.microphone import microphone
    from debabelizer.audio.source import AudioSource
    from debabelizer.config import Secret, Settings
    from debabelizer.results import *  # noqa: F403 - likewise

__version__ = "0.3.0"

_RESULTS = (
    "Choice",
    "Closed",
    "FlushResult",
    "Gap",
    "Progress",
    "ProviderChanged",
    "Reconnected",
    "Reconnecting",
    "Segment",
    "SpeechStarted",
    "StreamEvent",
    "StreamStats",
    "StreamingResult",
    "Transcript",
    "Usage",
    "Utterance",
    "UtteranceEnded",
    "Word",
)
_LAZY = {
    **dict.fromkeys(_RESULTS, "debabelizer.results"),
    "AudioSource": "debabelizer.audio.source",
    "Secret": "debabelizer.config",
    "Settings": "debabelizer.config",
    "microphone": "debabelizer.audio.microphone",
}

__all__ = [
    *_errors,
    *_RESULTS,
    "AudioFormat",
    "AudioSource",
    "Options",
    "Secret",
    "Settings",
    "VoiceProcessor",
    "__version__",
    "microphone",
]


def __getattr__(name: str) -> Any:
    """Import what is public but not light on first use (PEP 562)."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
