"""The provider keeps every promise: the conformance kit, with an engine that hears coded words."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from unittest import mock

import numpy as np
from debabelizer_moonshine import SPEC
from numpy.typing import NDArray

from debabelizer.audio.utterances import Decoded
from debabelizer.testing.kit import CodedWords, EngineDouble, ProviderSuite


class CodedEngine:
    """In place of the engine: as it, one at a time, and only until it is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False

    def decode(self, samples: NDArray[np.float32]) -> Decoded:
        with self._lock:
            assert not self._closed
            return Decoded(" ".join(word.text for word in CodedWords.of_samples(samples)), language="en")

    def close(self) -> None:
        with self._lock:
            self._closed = True


class Double(EngineDouble):
    def install(self, stack: ExitStack) -> None:
        stack.enter_context(mock.patch("debabelizer_moonshine.provider.Engine", CodedEngine))


class TestMoonshine(ProviderSuite):
    spec = SPEC
    simulator = Double
    bad_settings = ({"engines": 0}, {"engines": 65}, {"silence": 0.0}, {"max_utterance": 31.0}, {"model": "base"})
