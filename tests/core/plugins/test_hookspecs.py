from __future__ import annotations

import re
from pathlib import Path

import pytest
from pluggy import PluginManager

from debabelizer.plugins import hookspecs

ROOT = Path(__file__).parents[3]


def test_every_hook_of_the_module_is_listed() -> None:
    manager = PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    assert {name for name in vars(manager.hook) if name.startswith("debabelizer_")} == set(hookspecs.HOOKS)


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_every_hook_is_documented(hook: str) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text()
    assert re.search(rf"^### `{hook}\(", page, re.MULTILINE), f"docs/plugins.md has no heading for {hook}"


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_every_hook_shows_an_example(hook: str) -> None:
    assert f"def {hook}(" in (getattr(hookspecs, hook).__doc__ or "")
