"""Plugins that are installed as far as discovery can tell: real metadata and modules in a temporary folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from textwrap import dedent

import pytest

from debabelizer.spec import API_VERSION, Capabilities, ProviderSpec, Secret

Install = Callable[..., None]
MakeSpec = Callable[..., ProviderSpec]

PARROT = """
    from debabelizer.plugins import hookimpl
    from debabelizer.spec import Capabilities, ProviderSpec

    SPEC = ProviderSpec(
        name={name!r}, summary="Repeats.", api_version=1, capabilities=Capabilities(batch=True),
        settings="{module}:Settings", factory="{module}:Parrot",
    )

    @hookimpl
    def debabelizer_register_providers(register):
        register(SPEC)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where `install` puts things: the only one that discovery looks into."""
    monkeypatch.setattr("debabelizer.plugins.discovery.distributions", lambda: distributions(path=[str(tmp_path)]))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("DEBABELIZER_PLUGINS", raising=False)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """Install a plugin: `install(name, source)`; without a source, one that registers a provider of its name."""

    def install(
        name: str, source: str = PARROT, *, distribution: str = "", version: str = "1.0", provider: str = ""
    ) -> None:
        distribution = distribution or f"debabelizer-{name}"
        module = f"{distribution.replace('-', '_')}_{name}"
        if source is PARROT:
            source = PARROT.format(name=provider or name, module=module)
        (site / f"{module}.py").write_text(dedent(source))
        metadata = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        entry_points = metadata / "entry_points.txt"
        known = entry_points.read_text() if entry_points.exists() else "[debabelizer]\n"
        entry_points.write_text(f"{known}{name} = {module}\n")
        importlib.invalidate_caches()

    return install


@pytest.fixture
def make_spec() -> MakeSpec:
    """A spec with some fields replaced."""

    def make(**fields: object) -> ProviderSpec:
        defaults = {
            "name": "parrot",
            "summary": "Repeats.",
            "api_version": API_VERSION,
            "capabilities": Capabilities(batch=True),
            "settings": "parrot.settings:Settings",
            "factory": "parrot.provider:Parrot",
            "secrets": (Secret(key="api_key", env="PARROT_API_KEY"),),
        }
        return ProviderSpec(**(defaults | fields))  # type: ignore[arg-type]

    return make
