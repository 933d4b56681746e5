from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from debabelizer.config import ProviderSettings, Secret, Settings, load_settings
from debabelizer.config.values import Duration
from debabelizer.errors import ConfigError, ProviderNotInstalledError
from debabelizer.spec import Capabilities, ProviderSpec
from debabelizer.spec import Secret as SecretSpec


class Voice(ProviderSettings):
    """A nested table."""

    pitch: int = Field(default=3, ge=1)
    """How high."""
    words: tuple[str, ...] = ()
    """What to say."""


class ParrotSettings(ProviderSettings):
    """Settings of a provider that is made up."""

    api_key: Secret | None = None
    """The key."""
    model: str = "grey"
    """Which parrot."""
    insecure: bool = False
    """Whether plain connections are allowed."""
    patience: Duration = 1.0
    """How long it waits."""
    voice: Voice = Voice()
    """How it sounds."""
    hints: tuple[str, ...] = ()
    """What it may hear."""


PARROT = ProviderSpec(
    name="parrot",
    summary="Repeats what it hears.",
    api_version=1,
    capabilities=Capabilities(batch=True),
    settings="parrot.settings:ParrotSettings",
    factory="parrot.provider:Parrot",
    secrets=(SecretSpec(key="api_key", env="PARROT_API_KEY"),),
)


class Installed:
    """One provider is installed."""

    def spec(self, name: str) -> ProviderSpec:
        if name != PARROT.name:
            raise ProviderNotInstalledError(f"Provider {name!r} is not installed.", name=name, hint="Install it.")
        return PARROT

    def settings_model(self, spec: ProviderSpec) -> type[BaseModel]:
        assert spec is PARROT
        return ParrotSettings


class Place:
    """A home and, below it, a project; nothing outside of them is read."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.project = folder / "project"
        self.inner = self.project / "src" / "inner"
        self.inner.mkdir(parents=True)
        self.environ = {"HOME": str(folder)}

    def write(self, path: str, text: str) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def user(self, text: str) -> Path:
        return self.write(".config/debabelizer/debabelizer.toml", text)

    def config(self, text: str) -> Path:
        return self.write("project/debabelizer.toml", text)

    def pyproject(self, text: str) -> Path:
        return self.write("project/pyproject.toml", text)

    def load(self, config: Any = None, environ: Mapping[str, str] | None = None, **options: Any) -> Settings:
        return load_settings(config, environ={**self.environ, **(environ or {})}, cwd=self.project, **options)

    def problems(self, config: Any = None, **options: Any) -> list[str]:
        """What is wrong, without the folder; nothing else hangs on to the exception."""
        return self.told(lambda: self.load(config, **options))

    def told(self, act: Callable[[], object]) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            act()
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return [str(problem).replace(f"{self.home}/", "") for problem in caught.value.problems]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def parrot() -> tuple[ProviderSpec, type[ParrotSettings]]:
    return PARROT, ParrotSettings


@pytest.fixture
def installed() -> Installed:
    return Installed()
