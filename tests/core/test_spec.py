from __future__ import annotations

import ast
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from debabelizer import spec
from debabelizer.spec import Capabilities, ProviderSpec

CLOUD = Capabilities(
    batch=True,
    streaming=True,
    interims=True,
    words="segment",
    diarization=True,
    flush="fire",
    resume="segment",
    max_session=18_000.0,
    max_speed=2.0,
    audio_formats=("pcm_s16le", "mulaw"),
    sample_rates=(16000, 8000),
    channels=2,
    languages=("en", "es"),
    price_per_hour=0.12,
)
ANYTHING = Capabilities(languages=("*",), sample_rates=(), max_session=None, max_speed=None)


@pytest.mark.parametrize(
    ("capabilities", "name", "wish", "met"),
    [
        (CLOUD, "batch", True, True),
        (CLOUD, "batch", False, False),
        (CLOUD, "translation", True, False),
        (CLOUD, "translation", False, True),
        # Scales: finer meets coarser.
        (CLOUD, "words", "none", True),
        (CLOUD, "words", "segment", True),
        (CLOUD, "words", "word", False),
        (CLOUD, "words", "syllable", False),
        (CLOUD, "flush", "fire", True),
        (CLOUD, "flush", "confirmed", False),
        (CLOUD, "resume", "none", True),
        (CLOUD, "resume", "exact", False),
        # Sets: everything asked for must be there.
        (CLOUD, "languages", "en", True),
        (CLOUD, "languages", ["en", "es"], True),
        (CLOUD, "languages", ["en", "fi"], False),
        (CLOUD, "languages", "en-GB", True),
        (CLOUD, "languages", (), True),
        (ANYTHING, "languages", ["en", "fi"], True),
        (Capabilities(), "languages", "en", False),
        (CLOUD, "audio_formats", "mulaw", True),
        (CLOUD, "audio_formats", ["mulaw", "alaw"], False),
        (Capabilities(audio_formats=("pcm_s16le", "mulaw/8000")), "audio_formats", ["mulaw", "pcm_s16le"], True),
        (CLOUD, "sample_rates", 8000, True),
        (CLOUD, "sample_rates", [8000, 44100], False),
        (ANYTHING, "sample_rates", 44100, True),
        # Numbers: at least, or at most.
        (CLOUD, "max_session", 3600, True),
        (CLOUD, "max_session", 86_400, False),
        (CLOUD, "max_session", None, False),
        (ANYTHING, "max_session", 86_400, True),
        (CLOUD, "max_speed", 2, True),
        (CLOUD, "max_speed", 3, False),
        (ANYTHING, "max_speed", 100, True),
        (CLOUD, "channels", 2, True),
        (CLOUD, "channels", 3, False),
        (CLOUD, "price_per_hour", 0.12, True),
        (CLOUD, "price_per_hour", 0.1, False),
        (Capabilities(), "price_per_hour", 100, False),
        # Unknown names are unmet, whatever the wish; methods are no capabilities.
        (CLOUD, "telepathy", False, False),
        (CLOUD, "unmet", True, False),
    ],
)
def test_a_wish_is_met_or_not(capabilities: Capabilities, name: str, wish: Any, met: bool) -> None:
    assert capabilities.unmet({name: wish}) == (() if met else (name,))


@pytest.mark.parametrize("name", [field.name for field in fields(Capabilities)])
def test_what_a_provider_has_it_meets(name: str) -> None:
    assert CLOUD.unmet({name: getattr(CLOUD, name)}) == ()


def test_unmet_wishes_keep_their_order() -> None:
    require = {"words": "word", "batch": True, "telepathy": 1, "diarization": True, "confidence": True}
    assert CLOUD.unmet(require) == ("words", "telepathy", "confidence")


def test_without_wishes_nothing_is_unmet() -> None:
    assert Capabilities().unmet({}) == ()


def test_a_spec_cannot_be_changed() -> None:
    parrot = ProviderSpec(
        name="parrot", summary="Repeats.", api_version=1, capabilities=CLOUD, settings="p:S", factory="p:P"
    )
    with pytest.raises(FrozenInstanceError):
        parrot.name = "raven"  # type: ignore[misc]


def test_the_version_of_the_contract_must_be_said() -> None:
    with pytest.raises(TypeError, match="api_version"):
        ProviderSpec(name="p", summary="P.", capabilities=CLOUD, settings="p:S", factory="p:P")  # type: ignore[call-arg]


def test_imports_only_the_standard_library() -> None:
    source = Path(spec.__file__).read_text(encoding="utf-8")
    modules = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= sys.stdlib_module_names
