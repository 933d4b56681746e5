from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import get_args

import pytest
from debabelizer_openai.flavours import FLAVOURS
from debabelizer_openai.settings import CompatibleSettings, FlavourName

from debabelizer.plugins import PluginRegistry
from debabelizer.provider import Provider
from debabelizer.spec import ProviderSpec

NAMES = ("openai", "groq", "localai", "openai_compatible", "speaches", "vllm", "vllm_realtime", "whisper_cpp")


def module(name: str) -> str:
    return "debabelizer_openai" if name == "openai" else f"debabelizer_openai.servers.{name.removeprefix('openai_')}"


@pytest.mark.parametrize("name", NAMES)
def test_each_is_found_when_installed(name: str) -> None:
    plugin = import_module(module(name))
    specs: list[ProviderSpec] = []
    plugin.debabelizer_register_providers(specs.append)
    assert specs == [plugin.SPEC]
    registry = PluginRegistry.discover(allow=[name])
    assert registry.specs == (plugin.SPEC,)
    assert isinstance(registry.factory(plugin.SPEC)(plugin.SPEC), Provider)
    model = registry.settings_model(plugin.SPEC)
    assert model.model_validate({}) == model()
    if name != "vllm_realtime":
        assert model.provider == name  # type: ignore[attr-defined]
        assert (name in FLAVOURS) is (name != "openai_compatible")


def test_a_server_of_any_flavour_can_be_named() -> None:
    assert set(get_args(FlavourName)) == set(FLAVOURS)
    for flavour, known in FLAVOURS.items():
        assert CompatibleSettings(base_url="https://example.com/v1", flavour=flavour).server is known  # type: ignore[arg-type]


def test_a_server_of_your_own_needs_no_key() -> None:
    specs = {name: import_module(module(name)).SPEC for name in NAMES}
    required = {name for name, spec in specs.items() if any(secret.required for secret in spec.secrets)}
    assert required == {"openai", "groq"}


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        ("gpt-transcribe", "language", "languages[]"),
        ("gpt-transcribe-2027-01-01", "language", "languages[]"),
        ("gpt-4o-mini-transcribe-2025-12-15", "language", "language"),
        ("gpt-4o-transcribe-diarize", "format", "diarized_json"),
        ("openai/whisper-1", "format", "verbose_json"),
        ("gpt-live-transcribe", "turns", "client"),
        ("newer-than-this", "vocabulary", "keywords[]"),
    ],
)
def test_models_are_known_by_the_beginning_of_their_names(model: str, field: str, value: str) -> None:
    assert getattr(FLAVOURS["openai"].model(model), field) == value


def test_streaming_loads_neither_aiohttp_nor_numpy() -> None:
    code = (
        "import sys, debabelizer_openai.provider, debabelizer_openai.dialect; "
        "print(len({'aiohttp', 'numpy'} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert result.stdout.strip() == "0"
