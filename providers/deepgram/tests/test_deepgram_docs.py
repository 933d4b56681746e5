"""The pages about Deepgram say what the code does. Set UPDATE_DOCS=1 to write what is generated."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from debabelizer_deepgram import SPEC
from debabelizer_deepgram.faults import close_error, http_error, stream_error
from debabelizer_deepgram.flux_spec import SPEC as FLUX_SPEC
from debabelizer_deepgram.settings import DeepgramSettings, FluxSettings
from support.provider_pages import check_page, configurations, filled, page_of, with_settings

BOTH = pytest.mark.parametrize(("spec", "model"), [(SPEC, DeepgramSettings), (FLUX_SPEC, FluxSettings)])
README = Path(__file__).parents[1] / "README.md"


def text_of(spec: Any) -> str:
    return page_of(spec).read_text(encoding="utf-8")


@BOTH
def test_what_is_generated_on_the_page_is_current(spec: Any, model: Any) -> None:
    languages = ", ".join(f"`{code}`" for code in spec.capabilities.languages)
    check_page(page_of(spec), filled(with_settings(text_of(spec), spec, model), "languages", languages))


def test_the_configurations_are_valid() -> None:
    (nova,) = configurations(page_of(SPEC), SPEC, DeepgramSettings)
    assert (nova.region, nova.endpointing_ms) == ("eu", 500)
    (flux,) = configurations(page_of(FLUX_SPEC), FLUX_SPEC, FluxSettings)
    assert (flux.eot_threshold, flux.eot_timeout_ms) == (0.8, 3000)
    (nova,) = configurations(README, SPEC, DeepgramSettings)
    (flux,) = configurations(README, FLUX_SPEC, FluxSettings)
    assert (nova.endpointing_ms, flux.eot_threshold) == (500, 0.8)


def test_the_simulator_does_as_its_page_says() -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```", text_of(SPEC), re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(snippet, namespace)
    assert asyncio.run(namespace["hear_ten_words"]()) == " ".join(f"word{number}" for number in range(10))


def test_the_errors_on_the_page_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (.*?) \| `(\w+Error)` \| (.*?) \|$", text_of(SPEC), re.MULTILINE)
    assert len(rows) == 8
    for what, kind, again in rows:
        names = re.findall(r"`([\w-]+)`", what)
        if what.startswith("close"):
            errors = [close_error(int(what.split()[1]), name) for name in names]
        else:
            errors = [http_error(int(status), b"") for status in re.findall(r"\b\d{3}\b", what)]
            errors += [stream_error(name, "", None) for name in names]
        assert errors
        for error in errors:
            assert error is not None
            assert (type(error).__name__, error.retryable) == (kind, again != "no"), what


@BOTH
def test_the_numbers_on_the_page_are_those_of_the_spec(spec: Any, model: Any) -> None:
    text, can = text_of(spec), spec.capabilities
    assert f"${can.price_per_hour} an hour" in text
    assert f"| pace | {can.max_speed:g} times real time" in text
    assert f"in {len(can.languages)} languages" in text
    assert all(f"`{encoding}`" in text for encoding in can.audio_formats)
