from __future__ import annotations

from collections.abc import Callable

import pytest

from debabelizer.errors import PluginLoadError, ProviderNotInstalledError, UnknownProviderError
from debabelizer.plugins import PluginRegistry
from debabelizer.provider import Provider
from debabelizer.results import Closed, StreamEvent
from debabelizer.spec import ProviderSpec

Install = Callable[..., None]
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
