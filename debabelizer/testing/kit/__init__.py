"""The conformance kit: one class, and a provider is known to keep every promise. Needs the extra ``testing``.

A provider's whole test of what the kit covers, ``tests/test_conformance.py``::

    from debabelizer.testing.kit import ProviderSuite, WebSocketService
    from debabelizer_acme import SPEC


    class AcmeSimulator(WebSocketService):
        ...  # speaks Acme's protocol on loopback


    class TestAcme(ProviderSuite):
        spec = SPEC
        simulator = AcmeSimulator
        bad_settings = ({"model": ""},)

For an engine in this process, or one that only takes whole files, the simulator is an `EngineDouble`.

Words come from the audio: the kit speaks coded words (`debabelizer.testing.coded`), and what stands in for the
vendor or the engine writes down what it hears, with `CodedWords`. So every word that is lost, repeated, split or
misplaced can be counted. What is checked, and how to read a failure, is in ``docs/conformance.md``.
"""

from __future__ import annotations

from debabelizer.testing.kit.doubles import EngineDouble, FileSimulator, Simulator, WebSocketService
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.speech import CodedVad, CodedWords, Recording, text_of
from debabelizer.testing.kit.suite import ProviderSuite

__all__ = [
    "CodedVad",
    "CodedWords",
    "EngineDouble",
    "FileSimulator",
    "PromiseBrokenError",
    "ProviderSuite",
    "Recording",
    "Simulator",
    "WebSocketService",
    "text_of",
]
