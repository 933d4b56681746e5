"""The live service: when it is played to, and how what it wrote is compared with what was said."""

from __future__ import annotations

import os
import re
from difflib import SequenceMatcher
from typing import Final

import pytest

from debabelizer.spec import ProviderSpec

__all__ = ["is_live", "likeness"]

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def is_live(config: pytest.Config, spec: ProviderSpec) -> bool:
    """Whether ``--live`` was given; skips the test when a key that it needs is not there."""
    if not config.getoption("--live", default=False):
        return False
    for secret in spec.secrets:
        if secret.required and not os.environ.get(secret.env):
            pytest.skip(f"--live needs a key: set the environment variable {secret.env}")
    return True


def likeness(written: str, said: str) -> float:
    """How much of what was said was written, 0.0 to 1.0, by words without case and punctuation."""
    ours, theirs = (_WORD.findall(text.lower()) for text in (written, said))
    return SequenceMatcher(None, ours, theirs, autojunk=False).ratio()
