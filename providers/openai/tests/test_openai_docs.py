"""The page about OpenAI says what the code does. Set UPDATE_DOCS=1 to write what is generated."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from debabelizer_openai import SPEC
from debabelizer_openai.faults import Reported, http_error, provider_error
from debabelizer_openai.flavours import FLAVOURS
from debabelizer_openai.settings import CompatibleSettings, OpenAISettings
from support.provider_pages import ROOT, check_page, configurations, page_of, with_settings

from debabelizer.plugins.references import load_settings_model

PAGE = page_of(SPEC)
SPECS = [SPEC, *(import_module(f"debabelizer_openai.servers.{name}").SPEC for name in
         ("groq", "speaches", "whisper_cpp", "vllm", "vllm_realtime", "localai", "compatible"))]  # fmt: skip


def test_the_settings_on_the_page_are_those_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for spec in SPECS:
        page = with_settings(page, spec, load_settings_model(spec), name=f"settings {spec.name}")  # type: ignore[arg-type]
    check_page(PAGE, page)


@pytest.mark.parametrize("path", [PAGE, ROOT / "providers" / "openai" / "README.md"], ids=lambda path: path.name)
def test_the_configurations_are_valid(path: Path) -> None:
    settings, *_ = configurations(path, SPEC, OpenAISettings)
    assert settings.model == "gpt-live-transcribe"


def test_the_configuration_of_any_other_server_is_valid() -> None:
    *_, settings = configurations(PAGE, SPECS[-1], CompatibleSettings)
    assert (settings.server, settings.model) == (FLAVOURS["groq"], "whisper-large-v3")


def test_the_table_of_providers_is_that_of_the_specs() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (✓?) ?\| (.*) \| (words|segments) \| (said)? ?\| (.*) \|$",
                      PAGE.read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip
    assert [row[0] for row in rows] == [spec.name for spec in SPECS]
    for spec, (_, files, streams, words, language, key) in zip(SPECS, rows, strict=True):
        claims = spec.capabilities
        assert (bool(files), f"{claims.words}s") == (claims.batch, words)
        assert streams.startswith("its own") is claims.streaming
        assert bool(language) is claims.language_identification
        assert all(secret.env in key for secret in spec.secrets)
        assert key.startswith("if it asks") is any(not secret.required for secret in spec.secrets)


def test_the_models_on_the_page_are_those_of_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{model}`" in text for model in FLAVOURS["openai"].models if model)


def test_the_errors_on_the_page_are_those_of_the_code() -> None:
    rows = re.findall(
        r"^\| (`\w+`.*) \| `(\w+)` \| (no|at once|with backoff) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(rows) == 6
    for names, kind, again in rows:
        errors = [provider_error(Reported("m", None, code), "OpenAI") for code in re.findall(r"`(\w+)`", names)]
        errors += [http_error(int(status), b"", None, "OpenAI") for status in re.findall(r"\b\d{3}\b", names)]
        for error in errors:
            how = "at once" if error.retry_after == 0.0 else "with backoff" if error.retryable else "no"
            assert (type(error).__name__, how) == (kind, again), error


def test_the_numbers_on_the_page_are_those_of_the_spec() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"${SPEC.capabilities.price_per_hour} an hour" in text
    assert SPEC.capabilities.max_session == 60 * 60
    assert SPEC.capabilities.max_speed == 2.0


@pytest.mark.usefixtures("coded_voice")
def test_the_simulator_can_be_used_as_it_is_shown() -> None:
    (snippet,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(snippet, namespace)
    assert asyncio.run(namespace["transcribed"]()) == "word0 word1 word2"
