"""OpenAI, and servers like it, on loopback: for tests of what is built on them, without a key.

::

    async with OpenAISimulator() as server:
        ...  # point your application at server.base_url; the key is "test-key"

It writes the words that are coded in the audio, see `debabelizer.testing.coded`. It is made from OpenAI's documentation
and SDK, and from the documentation and source of the other servers.
"""

from __future__ import annotations

from debabelizer_openai.simulator.behaviour import Behaviour, Refusal
from debabelizer_openai.simulator.server import OpenAISimulator

__all__ = ["Behaviour", "OpenAISimulator", "Refusal"]
