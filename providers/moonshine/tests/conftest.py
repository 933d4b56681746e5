from __future__ import annotations

import re
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

JFK = Path(__file__).parents[3] / "tests" / "audio" / "jfk.wav"


@pytest.fixture(scope="session")
def jfk() -> Path:
    """Eleven seconds of speech, 16 kHz."""
    return JFK


@pytest.fixture(scope="session")
def jfk_text() -> str:
    return "and so my fellow americans ask not what your country can do for you ask what you can do for your country"


@pytest.fixture(scope="session")
def speech(jfk: Path) -> NDArray[np.float32]:
    with wave.open(str(jfk)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


@pytest.fixture(scope="session")
def plain() -> Callable[[str], str]:
    """Makes texts comparable: words in lower case."""
    return lambda text: " ".join(re.findall(r"[a-z']+", text.lower()))
