"""A simulated Deepgram on loopback, for tests without a key: Nova streams and files, Flux streams.

It hears coded words (`debabelizer.testing.coded`), or says what a `debabelizer.testing.script.Script` tells it to.
Of the messages that clients may send it does not know ``Configure``.
"""

from __future__ import annotations

from debabelizer_deepgram.simulator.behaviour import Behaviour, Disconnect, Refusal
from debabelizer_deepgram.simulator.server import DeepgramSimulator
from debabelizer_deepgram.simulator.session import StreamLog

__all__ = ["Behaviour", "DeepgramSimulator", "Disconnect", "Refusal", "StreamLog"]
