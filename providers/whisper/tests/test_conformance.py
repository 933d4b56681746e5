"""The provider keeps every promise: the conformance kit, with an engine that hears coded words."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from unittest import mock

import numpy as np
from debabelizer_whisper import SPEC
from debabelizer_whisper.engine import Place, Task
from numpy.typing import NDArray

from debabelizer.results import Segment
from debabelizer.testing.kit import CodedWords, EngineDouble, ProviderSuite


class CodedEngine:
    """In place of the engine: as it, for several threads, and only until it is closed."""

    def __init__(self, place: Place) -> None:
        self._closed = threading.Event()

    def understand(self, samples: NDArray[np.float32], task: Task) -> tuple[Segment, ...]:
        assert not self._closed.is_set()
        language = task.languages[0] if task.languages else "en"
        words = tuple(replace(word, language=language) for word in CodedWords.of_samples(samples))
        if not words:
            return ()
        text = " ".join(word.text for word in words)
        return (Segment(text, words[0].start, words[-1].end, words, language, confidence=1.0),)

    def close(self) -> None:
        self._closed.set()


class Double(EngineDouble):
    def install(self, stack: ExitStack) -> None:
        stack.enter_context(mock.patch("debabelizer_whisper.provider.Engine", CodedEngine))


class TestWhisper(ProviderSuite):
    spec = SPEC
    simulator = Double
    bad_settings = (
        {"model": ""},
        {"workers": 0},
        {"threads": 257},
        {"beam_size": 0},
        {"device": "tpu"},
        {"compute_type": "int4"},
        {"task": "summarize"},
        {"silence": 0.0},
        {"max_utterance": 31.0},
        {"extra": {"audio": "x"}},
    )
