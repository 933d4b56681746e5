from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from debabelizer.errors import PluginLoadError
from debabelizer.plugins import hookimpl
from debabelizer.plugins.discovery import FIRST_PARTY, find, load, register
from debabelizer.spec import ProviderSpec

Install = Callable[..., None]

ROOT = Path(__file__).parents[3]


def test_finds_entry_points_of_the_group_with_their_distribution(install: Install, site: Path) -> None:
    install("parrot", distribution="Debabelizer_Parrot", version="1.2")
    other = site / "other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[console_scripts]\nother = other:main\n")
    (candidate,) = find()
    assert (candidate.name, candidate.distribution, candidate.version) == ("parrot", "debabelizer-parrot", "1.2")


def test_finding_imports_nothing(install: Install) -> None:
    install("parrot", "raise SystemExit('imported')")
    assert [candidate.name for candidate in find()] == ["parrot"]


def test_plugins_of_this_project_have_the_provider_of_their_name_and_no_other_hook() -> None:
    ours = [candidate for candidate in find() if candidate.is_ours]
    assert [candidate.name for candidate in ours] == sorted(FIRST_PARTY)
    for candidate in ours:
        plugin = load(candidate)
        offered: list[ProviderSpec] = []
        plugin.call("debabelizer_register_providers", register=offered.append)
        assert [spec.name for spec in offered] == [candidate.name]
        callers = plugin.manager.get_hookcallers(plugin.manager.get_plugin(candidate.name)) or []
        assert [caller.name for caller in callers] == ["debabelizer_register_providers"]


def test_plugins_of_this_project_come_first_then_by_name(install: Install) -> None:
    for name in ("zebra", "moonshine", "aardvark"):
        install(name)
    install("soniox", distribution="aaa-impostor")
    assert [candidate.name for candidate in find()] == ["moonshine", "aardvark", "soniox", "zebra"]


def test_of_two_copies_of_a_distribution_the_first_on_the_path_counts(
    install: Install, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import distributions

    install("parrot", version="1.0")
    install("parrot", version="2.0")
    newer, older = (str(d._path) for d in distributions(path=[str(site)]))  # type: ignore[attr-defined]
    assert newer != older
    (candidate,) = find()
    assert candidate.version in newer


def test_a_distribution_with_a_malformed_file_is_passed_over(
    install: Install, site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("parrot")
    metadata = site / "rubbish-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rubbish\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[debabelizer]\nno equals sign\n")
    with caplog.at_level(logging.WARNING, "debabelizer.plugins"):
        assert [candidate.name for candidate in find()] == ["parrot"]
    assert "passed over" in caplog.text


@pytest.mark.parametrize("names", [["parrot"], ["PARROT "], ["debabelizer-parrot"], ["Debabelizer_Parrot"]])
def test_a_plugin_is_named_by_itself_or_its_distribution(install: Install, names: list[str]) -> None:
    install("parrot")
    (candidate,) = find()
    assert candidate.is_named_in(names)
    assert not candidate.is_named_in(["par"])
    assert not candidate.is_named_in([])


def test_loads_a_plugin_and_calls_its_hooks(install: Install) -> None:
    install("parrot")
    offered: list[object] = []
    plugin = load(find()[0])
    assert plugin.call("debabelizer_register_providers", register=offered.append) == []
    assert [spec.name for spec in offered] == ["parrot"]  # type: ignore[attr-defined]
    assert plugin.call("debabelizer_register_commands", cli=None) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('boom')", "Plugin 'parrot' cannot be imported: RuntimeError: boom"),
        ("import no_such_module", "Plugin 'parrot' cannot be imported: ModuleNotFoundError: "),
        ("def (", "Plugin 'parrot' cannot be imported: SyntaxError: "),
        ("import sys; sys.exit('usage')", "Plugin 'parrot' cannot be imported: SystemExit: usage"),
        ("", "Plugin 'parrot' has no hook."),
    ],
)
def test_a_module_that_cannot_be_used_is_a_typed_error(install: Install, source: str, message: str) -> None:
    install("parrot", source)
    with pytest.raises(PluginLoadError) as caught:
        load(find()[0])
    assert caught.value.message.startswith(message)


def test_an_entry_point_to_nothing_is_a_typed_error(install: Install, site: Path) -> None:
    install("parrot")
    (module,) = site.glob("*.py")
    module.unlink()
    with pytest.raises(PluginLoadError, match="cannot be imported: ModuleNotFoundError"):
        load(find()[0])


def test_a_misspelt_hook_is_told_with_the_nearest_name() -> None:
    plugin = SimpleNamespace(debabelizer_register_provider=hookimpl(lambda register: None))
    with pytest.raises(PluginLoadError, match="unknown hook, debabelizer_register_provider") as caught:
        register("parrot", plugin)
    assert caught.value.hint == "Did you mean debabelizer_register_providers?"


def test_a_hook_must_not_be_async() -> None:
    class Parrot:
        @hookimpl
        async def debabelizer_register_providers(self) -> None: ...

    with pytest.raises(PluginLoadError, match="has an async hook, debabelizer_register_providers"):
        register("parrot", Parrot())


def test_an_unknown_argument_of_a_hook_is_told() -> None:
    class Parrot:
        @hookimpl
        def debabelizer_register_providers(self, registry: object) -> None: ...

    with pytest.raises(PluginLoadError, match=r"Plugin 'parrot' is not a plugin: .*PluginValidationError"):
        register("parrot", Parrot())


def test_a_hook_that_raises_is_a_typed_error() -> None:
    class Parrot:
        @hookimpl
        def debabelizer_register_commands(self) -> None:
            raise KeyError("boom")

    plugin = register("parrot", Parrot())
    with pytest.raises(PluginLoadError, match="failed in debabelizer_register_commands: KeyError: 'boom'"):
        plugin.call("debabelizer_register_commands", cli=None)


def test_the_providers_of_this_project_are_all_known() -> None:
    import tomllib

    declared = {
        name: project["project"]["name"]
        for path in ROOT.glob("providers/*/pyproject.toml")
        for project in [tomllib.loads(path.read_text())]
        for name in project["project"]["entry-points"]["debabelizer"]
    }
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert dict(FIRST_PARTY) == declared
    assert all(extras[name] == [distribution] for name, distribution in FIRST_PARTY.items())
