"""What a row of the tables is: a way to get from audio to words, behind the same four calls.

A row whose package is not installed raises `ImportError` when it is made or started.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["HEADERS", "START", "Heard", "Row", "Stream"]

Heard: TypeAlias = Callable[[str, bool], float]
"""Told of every text and whether it is final; answers how long the reader is busy with it."""

START = json.dumps(
    {
        "model": "stt-rt-v5",
        "audio_format": "pcm_s16le",
        "sample_rate": 16000,
        "num_channels": 1,
        "enable_endpoint_detection": True,
        "enable_language_identification": True,
    }
)
HEADERS = {"Authorization": "Bearer test-key"}


class Stream(ABC):
    """One stream of a row."""

    @abstractmethod
    async def open(self) -> None:
        """Connect."""

    @abstractmethod
    async def send(self, chunk: bytes) -> None:
        """Hand over a chunk of audio."""

    @abstractmethod
    async def end(self) -> None:
        """Say that there is no more."""

    @abstractmethod
    async def read(self, heard: Heard) -> None:
        """Hand on all results, until the end."""

    async def close(self) -> None:  # noqa: B027 - most have nothing to do
        """Let go of everything."""


class Row(ABC):
    """What the streams of a row share."""

    def __init__(self, url: str) -> None:
        self.url = url

    @abstractmethod
    def stream(self) -> Stream:
        """A new stream."""

    async def start(self) -> None:  # noqa: B027
        """Make what is shared."""

    async def stop(self) -> None:  # noqa: B027
        """Let go of it."""
