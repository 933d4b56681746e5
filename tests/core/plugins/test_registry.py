from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from debabelizer.errors import PluginLoadError, ProviderNotInstalledError, UnknownProviderError
from debabelizer.plugins import PluginRegistry
from debabelizer.provider import Provider
from debabelizer.results import Closed, StreamEvent
from debabelizer.spec import ProviderSpec

Install = Callable[..., None]
Imported = Callable[[], list[str]]
MakeSpec = Callable[..., ProviderSpec]


@pytest.fixture
def aviary(install: Install) -> PluginRegistry:
    """A registry with one row of each kind."""
    install("parrot")
    install("raven", "raise RuntimeError('nevermore')")
    install("dodo")
    return PluginRegistry.discover(disable=["dodo"])


def test_rows_are_sorted_by_name(aviary: PluginRegistry) -> None:
    assert [(row.name, row.status) for row in aviary.rows] == [
        ("dodo", "disabled"),
        ("parrot", "ready"),
        ("raven", "broken"),
    ]


def test_nothing_installed_is_no_rows(site: object) -> None:
    assert PluginRegistry.discover().rows == ()


def test_specs_are_those_that_can_be_had(aviary: PluginRegistry) -> None:
    assert [spec.name for spec in aviary.specs] == ["parrot"]
    assert aviary.spec("parrot") is aviary.specs[0]


def test_a_disabled_plugin_is_not_imported(install: Install) -> None:
    install("parrot", "raise RuntimeError('imported')")
    (row,) = PluginRegistry.discover(allow=[]).rows
    assert (row.status, row.error) == ("disabled", None)


@pytest.fixture
def imported(site: Path) -> Imported:
    """Which of the plugins that `install` made were imported."""

    def imported() -> list[str]:
        files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
        return sorted(name.rpartition("_")[2] for name, file in files.items() if file.startswith(str(site)))

    return imported


class TestProvidersOfThisProject:
    """They are imported when they are asked for, and nobody can tell by the answers."""

    def test_only_the_one_that_is_asked_for_is_imported(self, install: Install, imported: Imported) -> None:
        for name in ("openai", "soniox", "wyoming"):
            install(name)
        registry = PluginRegistry.discover()
        assert registry.hook.debabelizer_register_commands(cli=[]) == ()
        assert imported() == []
        assert registry.spec("soniox").name == "soniox"
        assert imported() == ["soniox"]
        assert [(row.name, row.status) for row in registry.rows] == [
            (name, "ready") for name in ("openai", "soniox", "wyoming")
        ]
        assert imported() == ["openai", "soniox", "wyoming"]

    def test_an_unknown_name_asks_them_all(self, install: Install) -> None:
        install("openai")
        with pytest.raises(UnknownProviderError) as caught:
            PluginRegistry.discover().spec("xyz")
        assert caught.value.hint == "Installed are: openai."

    def test_one_that_is_broken_says_why_when_asked_for(self, install: Install) -> None:
        install("soniox", "raise RuntimeError('boom')")
        install("openai")
        registry = PluginRegistry.discover()
        assert registry.spec("openai").name == "openai"
        for _ in range(2):
            with pytest.raises(PluginLoadError, match=r"Provider 'soniox' cannot be used\. .* RuntimeError: boom"):
                registry.spec("soniox")

    def test_one_that_is_disabled_is_never_imported(self, install: Install, imported: Imported) -> None:
        install("soniox")
        registry = PluginRegistry.discover(disable=["soniox"])
        with pytest.raises(PluginLoadError, match="It is disabled in the configuration"):
            registry.spec("soniox")
        assert [row.status for row in registry.rows] == ["disabled"]
        assert imported() == []

    def test_nobody_takes_its_name_before_it_is_imported(self, install: Install, imported: Imported) -> None:
        install("aviary", provider="soniox")
        install("soniox")
        registry = PluginRegistry.discover()
        assert "debabelizer_soniox" in registry.spec("soniox").factory
        assert [(row.plugin, row.status) for row in registry.rows] == [("soniox", "ready"), ("aviary", "broken")]

    @pytest.mark.parametrize(("source", "bearer"), [({}, "debabelizer-soniox"), ({"source": "1 / 0"}, "zoo")])
    def test_another_plugin_of_its_name_loads_only_when_it_cannot(
        self, install: Install, source: dict[str, str], bearer: str
    ) -> None:
        install("soniox", **source)
        install("soniox", distribution="zoo")
        registry = PluginRegistry.discover()
        assert registry.spec("soniox").factory.startswith(bearer.replace("-", "_"))
        assert [(row.distribution, row.status) for row in registry.rows if row.spec] == [(bearer, "ready")]
        assert len(registry.rows) == 2

    def test_threads_that_ask_at_once_get_the_same(self, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, go_on = threading.Event(), threading.Event()
        monkeypatch.setattr(sys, "begun", begun, raising=False)
        monkeypatch.setattr(sys, "go_on", go_on, raising=False)
        install("soniox", f"import sys\nsys.begun.set()\nassert sys.go_on.wait(5)\n{CODE.replace('crow', 'soniox')}")
        registry = PluginRegistry.discover()
        with ThreadPoolExecutor() as pool:
            first = pool.submit(registry.spec, "soniox")
            assert begun.wait(5)
            second = pool.submit(registry.spec, "soniox")
            wait([second], timeout=0.05)  # as long as the first one is at it
            go_on.set()
            assert first.result(5) is second.result(5)


def test_a_broken_provider_says_why_and_chains_the_cause(aviary: PluginRegistry) -> None:
    with pytest.raises(
        PluginLoadError, match=r"Provider 'raven' cannot be used\. .* RuntimeError: nevermore"
    ) as caught:
        aviary.spec("raven")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert caught.value.hint is not None
    assert "debabelizer-raven" in caught.value.hint


def test_a_disabled_provider_says_where(aviary: PluginRegistry) -> None:
    with pytest.raises(PluginLoadError, match=r"Provider 'dodo' cannot be used\. It is disabled in the configuration"):
        aviary.spec("dodo")


def test_an_unknown_provider_gets_the_nearest_name(aviary: PluginRegistry) -> None:
    with pytest.raises(UnknownProviderError, match=r"no provider 'Parot'\. Did you mean 'parrot'\?") as caught:
        aviary.spec("Parot")
    assert (caught.value.name, caught.value.suggestion) == ("Parot", "parrot")


def test_an_unknown_provider_unlike_any_other_gets_the_list(aviary: PluginRegistry) -> None:
    with pytest.raises(UnknownProviderError) as caught:
        aviary.spec("xyz")
    assert caught.value.suggestion is None
    assert caught.value.hint == "Installed are: parrot. Plugins that are not loaded: dodo (disabled), raven (broken)."


def test_without_any_provider_the_hint_is_the_line_to_type() -> None:
    with pytest.raises(UnknownProviderError, match=r'pip install "debabelizer\[moonshine\]>=0.3"'):
        PluginRegistry().spec("xyz")


@pytest.mark.parametrize("name", ["moonshine", "soniox"])
def test_a_provider_of_ours_that_is_not_installed_has_its_line_to_type(aviary: PluginRegistry, name: str) -> None:
    with pytest.raises(ProviderNotInstalledError) as caught:
        aviary.spec(name)
    assert caught.value.hint == (
        f'Type: pip install "debabelizer[{name}]>=0.3" (in a clone: pip install -e providers/{name})'
    )


def test_a_misspelt_provider_of_ours_is_suggested() -> None:
    with pytest.raises(UnknownProviderError) as caught:
        PluginRegistry().spec("sonioks")
    assert caught.value.suggestion == "soniox"


def test_the_bearer_of_a_name_is_found_before_a_pretender(install: Install) -> None:
    install("aviary", provider="parrot")
    install("zoo", provider="parrot")
    registry = PluginRegistry.discover()
    assert [(row.plugin, row.status) for row in registry.rows] == [("aviary", "ready"), ("zoo", "broken")]
    assert registry.spec("parrot") is registry.rows[0].spec


def test_a_spec_for_another_version_of_the_contract_is_not_given_out(make_spec: MakeSpec) -> None:
    registry = PluginRegistry.of(make_spec(api_version=2))
    assert registry.rows[0].status == "unusable"
    assert registry.specs == ()
    with pytest.raises(PluginLoadError, match=r"Provider 'parrot' cannot be used\. It was written for version 2"):
        registry.spec("parrot")


def test_a_spec_that_lacks_something_here_is_given_out(make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARROT_API_KEY", raising=False)
    spec = make_spec()
    registry = PluginRegistry.of(spec)
    assert registry.rows[0].status == "unusable"
    assert registry.assess(lambda _spec, _secret: True)[0].status == "ready"
    assert registry.spec("parrot") is spec


def test_a_registry_of_given_specs_refuses_a_bad_one(make_spec: MakeSpec) -> None:
    with pytest.raises(PluginLoadError, match="The spec of provider 'No' cannot be used: `name` is not"):
        PluginRegistry.of(make_spec(name="No"))


CODE = """
from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

@hookimpl
def debabelizer_register_providers(register):
    register(ProviderSpec(
        name="crow", summary="Caws.", api_version=1, capabilities=Capabilities(),
        settings=f"{__name__}:Settings", factory=f"{__name__}:Crow",
    ))

def __getattr__(name):
    if name == "Settings":
        import pydantic
        return pydantic.create_model("Settings", model=(str, "grey"))
    if name == "Crow":
        from debabelizer.provider import Provider as Crow
        return Crow
    raise AttributeError(name)

@hookimpl
def debabelizer_register_commands(cli):
    cli.append("caw")
    return "done"

@hookimpl
def debabelizer_stream_opened(stream):
    return stream.append
"""


def test_settings_and_factory_are_had_through_the_registry(install: Install) -> None:
    install("crow", CODE)
    registry = PluginRegistry.discover()
    spec = registry.spec("crow")
    assert registry.settings_model(spec)().model_dump() == {"model": "grey"}
    assert isinstance(registry.factory(spec)(spec), Provider)


def test_other_hooks_are_called_through_the_registry(install: Install) -> None:
    install("crow", CODE)
    install("mute", CODE.replace('cli.append("caw")', "raise RuntimeError").replace("crow", "mute"))
    commands: list[str] = []
    assert PluginRegistry.discover().hook.debabelizer_register_commands(cli=commands) == ("done",)
    assert commands == ["caw"]


def test_streams_are_watched_through_the_registry(install: Install) -> None:
    install("crow", CODE)
    install("mute", CODE.replace("return stream.append", "return 42").replace("crow", "mute"))
    told: list[StreamEvent] = []
    observe = PluginRegistry.discover().observe(told)  # type: ignore[arg-type]
    assert len(observe) == 1
    observe(Closed())
    assert told == [Closed()]
