"""One model for all tests of a process: tiny.en, which comes in a package. Nothing is ever downloaded."""

from __future__ import annotations

import os
import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from debabelizer_whisper.engine import Engine, Place
from debabelizer_whisper.settings import WhisperSettings
from numpy.typing import NDArray

AUDIO = Path(__file__).parents[3] / "tests" / "audio"

os.environ["HF_HUB_OFFLINE"] = "1"


def place_of(**table: Any) -> Place:
    return Place.of(WhisperSettings(**{"model": "tiny.en", "threads": 1, **table}))


@pytest.fixture(scope="session")
def place() -> Callable[..., Place]:
    """Where an engine runs; the packaged model if nothing else is said."""
    return place_of


class Lent:
    """The one engine, lent to a test that closes it."""

    def __init__(self, engine: Engine) -> None:
        self.understand = engine.understand

    def close(self) -> None: ...


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    loaded = Engine(place_of())
    yield loaded
    loaded.close()


@pytest.fixture
def lent(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider finds the model loaded."""
    monkeypatch.setattr("debabelizer_whisper.provider.Engine", lambda place: Lent(engine))


@pytest.fixture(scope="session")
def audio() -> Path:
    return AUDIO


@pytest.fixture(scope="session")
def speech() -> NDArray[np.float32]:
    """Eleven seconds of speech."""
    with wave.open(str(AUDIO / "jfk.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


@pytest.fixture(scope="session")
def speech_text() -> str:
    return "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


@pytest.fixture(scope="session")
def plain() -> Callable[[str], str]:
    """Makes texts comparable: words in lower case."""
    return lambda text: " ".join(re.findall(r"[a-z']+", text.lower()))
