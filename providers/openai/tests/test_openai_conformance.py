"""The providers keep every promise: the conformance kit, against the simulated servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import debabelizer_openai
from debabelizer_openai.servers import compatible, groq, localai, speaches, vllm, vllm_realtime, whisper_cpp
from debabelizer_openai.simulator import OpenAISimulator

from debabelizer.testing.kit import ProviderSuite, Recording


class Service(OpenAISimulator):
    """A simulated server."""

    flavour: ClassVar[str] = "openai"

    def __init__(self, key: str) -> None:
        super().__init__(self.flavour, keys=(key,))

    def settings(self, host: str, port: int) -> Mapping[str, Any]:
        return {"base_url": f"http://{host}:{port}{self.prefix}"}


class Generic(Service):
    flavour = "generic"


class Groq(Service):
    flavour = "groq"


class Speaches(Service):
    flavour = "speaches"


class WhisperCpp(Service):
    flavour = "whisper_cpp"

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._keys = None  # it asks for none


class Vllm(Service):
    flavour = "vllm"


class LocalAI(Service):
    flavour = "localai"


BAD = ({"model": ""}, {"temperature": 1.5}, {"longest_piece": 1}, {"parallel": 0}, {"file_extra": {"model": "x"}})


LIVE = Recording(
    Path(__file__).parents[3] / "tests" / "audio" / "jfk.wav",
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.",
)

# Where sessions last two seconds, the kit pauses for 0.2 s at most: as long as an utterance is open, nothing is final.
SHORT = {"silence_duration_ms": 140}


class Suite(ProviderSuite):
    """Files are cut in pauses, and so are streams of some."""

    listeners = ("debabelizer_openai.pauses", "debabelizer_openai.pieces")


class TestOpenAI(Suite):
    spec = debabelizer_openai.SPEC
    simulator = Service
    live = LIVE
    settings: ClassVar[Mapping[str, Any]] = SHORT
    bad_settings = (
        *BAD,
        {"model": "gpt-live-transcribe", "turn_detection": "server_vad"},
        {"vad_threshold": 2},
        {"eagerness": "very"},
        {"known_speakers": {"Ana": "https://example.com/ana.wav"}},
        {"extra": {"model": "x"}},
    )


class TestLive(Suite):
    """Utterances that are ended from here, with a model that writes while one speaks, and says no language."""

    spec = replace(
        debabelizer_openai.SPEC,
        capabilities=replace(debabelizer_openai.SPEC.capabilities, language_identification=False),
    )
    simulator = Service
    golden = Path(__file__).parent / "golden-live"
    settings: ClassVar[Mapping[str, Any]] = {"turn_detection": "pauses", "pause": 0.14, "model": "gpt-live-transcribe"}


class TestCompatible(Suite):
    spec = compatible.SPEC
    simulator = Generic
    bad_settings = (*BAD, {"flavour": "unknown"}, {"base_url": "http://example.com"})


class TestGroq(Suite):
    spec = groq.SPEC
    simulator = Groq
    live = LIVE
    bad_settings = BAD


class TestSpeaches(Suite):
    spec = speaches.SPEC
    simulator = Speaches
    bad_settings = BAD


class TestWhisperCpp(Suite):
    spec = whisper_cpp.SPEC
    simulator = WhisperCpp
    bad_settings = BAD


class TestVllm(Suite):
    spec = vllm.SPEC
    simulator = Vllm
    bad_settings = BAD


class TestVllmRealtime(Suite):
    spec = vllm_realtime.SPEC
    simulator = Vllm
    settings: ClassVar[Mapping[str, Any]] = {"pause": 0.14}
    bad_settings = ({"model": ""}, {"pause": 0})


class TestLocalAI(Suite):
    spec = localai.SPEC
    simulator = LocalAI
    bad_settings = BAD
