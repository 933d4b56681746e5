from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import BaseModel

from debabelizer.errors import PluginLoadError
from debabelizer.plugins.references import load_factory, load_settings_model
from debabelizer.provider import Provider
from debabelizer.spec import ProviderSpec

MakeSpec = Callable[..., ProviderSpec]
Write = Callable[[str], str]


@pytest.fixture
def module(site: Path) -> Write:
    """Write the code of a provider; answers with the name of its module."""

    def write(source: str) -> str:
        (site / "parrot_code.py").write_text(dedent(source))
        return "parrot_code"

    return write


PROVIDER = """
from debabelizer.provider import Provider

class Parrot(Provider): ...

def make(spec):
    return Parrot(spec)

def make_nothing(spec): ...

def explode(spec):
    raise OSError("no wings")

nothing = None
"""


@pytest.mark.parametrize("name", ["Parrot", "make"])
def test_a_factory_makes_a_provider(module: Write, make_spec: MakeSpec, name: str) -> None:
    spec = make_spec(factory=f"{module(PROVIDER)}:{name}")
    provider = load_factory(spec)(spec)
    assert isinstance(provider, Provider)
    assert provider.spec is spec


@pytest.mark.parametrize("name", ["nothing", "Provider.__name__"])
def test_a_factory_must_be_callable(module: Write, make_spec: MakeSpec, name: str) -> None:
    with pytest.raises(PluginLoadError, match=f"parrot_code:{name} is not a subclass of debabelizer.provider.Provider"):
        load_factory(make_spec(factory=f"{module(PROVIDER)}:{name}"))


def test_a_class_must_be_a_provider(make_spec: MakeSpec) -> None:
    with pytest.raises(PluginLoadError, match="builtins:dict is not a subclass") as caught:
        load_factory(make_spec(factory="builtins:dict", homepage="https://parrot.example"))
    assert caught.value.hint is not None
    assert "https://parrot.example" in caught.value.hint


def test_what_a_factory_returns_must_be_a_provider(module: Write, make_spec: MakeSpec) -> None:
    spec = make_spec(factory=f"{module(PROVIDER)}:make_nothing")
    factory = load_factory(spec)
    with pytest.raises(PluginLoadError, match="returned a NoneType where a Provider belongs"):
        factory(spec)


def test_a_factory_that_raises_is_a_typed_error(module: Write, make_spec: MakeSpec) -> None:
    spec = make_spec(factory=f"{module(PROVIDER)}:explode")
    factory = load_factory(spec)
    with pytest.raises(PluginLoadError, match="Plugin 'parrot' cannot be opened: OSError: no wings") as caught:
        factory(spec)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_missing_module_is_told_before_the_code_is_imported(module: Write, make_spec: MakeSpec) -> None:
    name = module("raise AssertionError('imported')")
    spec = make_spec(factory=f"{name}:Parrot", needs={"no_such_vendor": "Type: pip install vendor"})
    with pytest.raises(PluginLoadError, match="The module 'no_such_vendor' is not installed") as caught:
        load_factory(spec)
    assert caught.value.hint == "Type: pip install vendor"
    assert name not in sys.modules


def test_a_module_missing_inside_a_package_it_needs_has_the_hint_of_that_package(
    module: Write, make_spec: MakeSpec
) -> None:
    spec = make_spec(factory=f"{module('import json.no_such_part')}:Parrot", needs={"json": "Update json."})
    with pytest.raises(PluginLoadError, match=r"cannot import its factory, 'parrot_code:Parrot': Mod") as e:
        load_factory(spec)
    assert e.value.hint == "Update json."


@pytest.mark.parametrize(
    ("reference", "cause"),
    [
        ("parrot_code:NoSuchThing", AttributeError),
        ("no_such_module:Parrot", ModuleNotFoundError),
        ("parrot_code.part:Parrot", ModuleNotFoundError),
    ],
)
def test_a_reference_to_nothing_is_a_typed_error(
    module: Write, make_spec: MakeSpec, reference: str, cause: type[Exception]
) -> None:
    module(PROVIDER)
    with pytest.raises(PluginLoadError, match=reference) as caught:
        load_factory(make_spec(factory=reference))
    assert isinstance(caught.value.__cause__, cause)
    assert caught.value.name == "parrot"


def test_code_that_raises_is_a_typed_error(module: Write, make_spec: MakeSpec) -> None:
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        load_factory(make_spec(factory=f"{module('1 / 0')}:Parrot"))


def test_the_settings_model(module: Write, make_spec: MakeSpec) -> None:
    name = module("import pydantic\nclass Settings(pydantic.BaseModel):\n    model: str = 'grey'")
    model = load_settings_model(make_spec(settings=f"{name}:Settings"))
    assert issubclass(model, BaseModel)
    assert "model" in model.model_fields


def test_the_settings_do_not_need_what_the_provider_needs(make_spec: MakeSpec) -> None:
    spec = make_spec(settings="pydantic:BaseModel", needs={"no_such_vendor": "Install it."})
    assert load_settings_model(spec) is BaseModel


@pytest.mark.parametrize("reference", ["builtins:dict", "builtins:len"])
def test_settings_must_be_a_pydantic_model(make_spec: MakeSpec, reference: str) -> None:
    with pytest.raises(PluginLoadError, match=f"Provider 'parrot': {reference} is not a pydantic model"):
        load_settings_model(make_spec(settings=reference))


def test_settings_that_cannot_be_imported_are_a_typed_error(make_spec: MakeSpec) -> None:
    with pytest.raises(PluginLoadError, match="cannot import its settings"):
        load_settings_model(make_spec(settings="no_such_module:Settings"))
