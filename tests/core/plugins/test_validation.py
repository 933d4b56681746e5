from __future__ import annotations

from collections.abc import Callable

import pytest

from debabelizer.plugins.validation import faults
from debabelizer.spec import ProviderSpec, Secret

MakeSpec = Callable[..., ProviderSpec]


def test_nothing_is_wrong_with_a_good_spec(make_spec: MakeSpec) -> None:
    assert faults(make_spec(name="google_cloud2", needs={"vendor.sdk": "Install it."})) == []


@pytest.mark.parametrize("thing", [None, "parrot", {"name": "parrot"}, ProviderSpec])
def test_only_a_spec_is_a_spec(thing: object) -> None:
    (fault,) = faults(thing)
    assert "where a ProviderSpec belongs" in fault


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Parrot"),
        ("name", "par-rot"),
        ("name", "2parrots"),
        ("name", ""),
        ("name", "parrot\n"),
        ("name", None),
        ("summary", ""),
        ("summary", "two\nlines"),
        ("summary", None),
        ("api_version", "1"),
        ("api_version", True),
        ("capabilities", {"batch": True}),
        ("settings", "parrot.settings"),
        ("settings", "parrot.settings:Settings:more"),
        ("settings", ":Settings"),
        ("settings", object),
        ("factory", "parrot provider:Parrot"),
        ("factory", None),
        ("secrets", ["api_key"]),
        ("secrets", ("api_key",)),
        ("secrets", (Secret(key="", env="KEY"),)),
        ("secrets", (Secret(key="api_key", env=""),)),
        ("secrets", None),
        ("homepage", None),
        ("needs", ("vendor",)),
        ("needs", {"vendor-sdk": "Install it."}),
        ("needs", {"vendor": None}),
    ],
)
def test_each_fault_is_named(make_spec: MakeSpec, field: str, value: object) -> None:
    (fault,) = faults(make_spec(**{field: value}))
    assert fault.startswith(f"`{field}` is not ")


def test_all_faults_are_reported_at_once(make_spec: MakeSpec) -> None:
    assert len(faults(make_spec(name="?", settings="?", secrets="?"))) == 3


def test_every_field_has_a_rule(make_spec: MakeSpec) -> None:
    fields = ProviderSpec.__dataclass_fields__
    assert len(faults(make_spec(**dict.fromkeys(fields)))) == len(fields)
