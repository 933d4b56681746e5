"""What the pages of providers have in common: the table of settings, between two comments; and that they are found."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from debabelizer.config import ProviderSettings, load_settings, validate_provider
from debabelizer.config.reference import reference
from debabelizer.plugins import PluginRegistry
from debabelizer.provider import Provider
from debabelizer.spec import ProviderSpec

ROOT = Path(__file__).parents[2]


def page_of(spec: ProviderSpec) -> Path:
    """Where the page lies."""
    return ROOT / "docs" / "providers" / f"{spec.name}.md"


def with_settings(page: str, spec: ProviderSpec, model: type[ProviderSettings], *, name: str = "settings") -> str:
    """The page with the table of settings as the configuration reference has it, between the comments of that name."""
    section = reference([(spec, model)]).split(f"### `[providers.{spec.name}]`")[1]
    head, *rows = [" | ".join(line.split(" | ")[:4]) + " |" for line in section.splitlines() if line.startswith("| ")]
    return filled(page, name, "\n\n" + "\n".join([head, "|---|---|---|---|", *rows]) + "\n\n")


def filled(page: str, name: str, text: str) -> str:
    """The page with `text` between the comments of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.partition(begin)
    return f"{before}{begin}{text}{end}{rest.partition(end)[2]}"


def check_page(path: Path, expected: str) -> None:
    """Compare; with UPDATE_DOCS=1 what is generated is written first."""
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(expected, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == expected, "Type: UPDATE_DOCS=1 pytest, and the path of this test"


def configurations(path: Path, spec: ProviderSpec, model: type[ProviderSettings]) -> list[Any]:
    """The provider's table in each TOML block of a page, validated."""
    blocks = re.findall(r"^```toml\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [validate_provider(load_settings(tomllib.loads(block), environ={}), spec, model) for block in blocks]


def check_plugin(spec: ProviderSpec, model: type[ProviderSettings], provider: type[Provider[Any]]) -> None:
    """The provider is found when it is installed, with all that its spec names."""
    registry = PluginRegistry.discover()
    assert registry.spec(spec.name) == spec
    assert registry.settings_model(spec) is model
    assert isinstance(registry.factory(spec)(spec), provider)
