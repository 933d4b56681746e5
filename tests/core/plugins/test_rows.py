from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from debabelizer.plugins import ProviderRow
from debabelizer.plugins.rows import assess, in_environment
from debabelizer.spec import API_VERSION, ProviderSpec, Secret

MakeSpec = Callable[..., ProviderSpec]


def row_of(spec: ProviderSpec | None) -> ProviderRow:
    return ProviderRow(name="parrot", status="ready", plugin="parrot", spec=spec)


def have(_spec: ProviderSpec, _secret: Secret) -> bool:
    return True


def test_ready_when_nothing_is_missing(make_spec: MakeSpec) -> None:
    row = assess(row_of(make_spec(needs={"json": "", "json.decoder": ""})), have)
    assert (row.status, row.reason, row.hint, row.error) == ("ready", None, None, None)


def test_a_missing_module_makes_it_unusable_and_the_spec_says_what_to_do(make_spec: MakeSpec) -> None:
    row = assess(row_of(make_spec(needs={"json": "", "no_such_vendor.sdk": "Type: pip install vendor"})), have)
    assert row.status == "unusable"
    assert row.reason == "The module 'no_such_vendor.sdk' is not installed."
    assert row.hint == "Type: pip install vendor"
    assert row.error is None


def test_looking_for_a_module_does_not_import_it(
    make_spec: MakeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "shy_vendor"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    row = assess(row_of(make_spec(needs={"shy_vendor.sdk": "Install it."})), have)
    assert row.status == "ready"
    assert "shy_vendor" not in sys.modules


def test_a_module_without_a_spec_counts_as_there(make_spec: MakeSpec) -> None:
    assert assess(row_of(make_spec(needs={"__main__": "Impossible."})), have).status == "ready"


def test_a_missing_secret_makes_it_unusable_and_its_variable_is_named(make_spec: MakeSpec) -> None:
    row = assess(row_of(make_spec()), lambda _spec, _secret: False)
    assert row.status == "unusable"
    assert row.reason == "It has no api_key."
    assert row.hint is not None
    assert "PARROT_API_KEY" in row.hint
    assert "[providers.parrot] api_key" in row.hint


def test_the_caller_decides_for_each_secret(make_spec: MakeSpec) -> None:
    asked: list[str] = []

    def ask(spec: ProviderSpec, secret: Secret) -> bool:
        asked.append(f"{spec.name}.{secret.key}")
        return True

    secrets = (Secret(key="api_key", env="A"), Secret(key="token", env="B"), Secret(key="org", env="C", required=False))
    assert assess(row_of(make_spec(secrets=secrets)), ask).status == "ready"
    assert asked == ["parrot.api_key", "parrot.token"]


@pytest.mark.parametrize(("value", "available"), [("test-key", True), ("", False), (None, False)])
def test_by_default_the_environment_decides(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch, value: str | None, available: bool
) -> None:
    monkeypatch.delenv("PARROT_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("PARROT_API_KEY", value)
    spec = make_spec()
    assert in_environment(spec, spec.secrets[0]) is available
    assert assess(row_of(spec)).status == ("ready" if available else "unusable")


@pytest.mark.parametrize(
    ("version", "hint"), [(API_VERSION + 1, "Update debabelizer."), (API_VERSION - 1, "Update the plugin.")]
)
def test_another_version_of_the_contract_makes_it_unusable(make_spec: MakeSpec, version: int, hint: str) -> None:
    row = assess(row_of(make_spec(api_version=version)), have)
    assert row.status == "unusable"
    assert row.reason is not None
    assert f"version {version} " in row.reason
    assert row.hint == hint


def test_a_row_without_a_spec_stays_as_it_is() -> None:
    row = ProviderRow(name="parrot", status="disabled", plugin="parrot", reason="It is disabled.")
    assert assess(row, have) is row


KEYS = [
    "name",
    "status",
    "reason",
    "hint",
    "error",
    "plugin",
    "distribution",
    "version",
    "summary",
    "homepage",
    "api_version",
    "capabilities",
    "secrets",
    "needs",
]


def test_the_keys_of_the_json_form_are_stable(make_spec: MakeSpec) -> None:
    described = json.loads(json.dumps(row_of(make_spec(needs={"json": "Install it."})).to_dict()))
    assert list(described) == KEYS
    assert described["capabilities"]["batch"] is True
    assert described["secrets"] == [{"key": "api_key", "env": "PARROT_API_KEY", "required": True}]
    assert described["needs"] == {"json": "Install it."}


def test_the_json_form_without_a_spec_has_the_same_keys() -> None:
    row = ProviderRow(name="parrot", status="broken", plugin="parrot", reason="Boom.", cause=ValueError("boom"))
    described = json.loads(json.dumps(row.to_dict()))
    assert list(described) == KEYS
    assert described["error"] == "ValueError: boom"
    assert described["capabilities"] is None


def test_a_broken_row_has_an_error_even_if_nothing_was_raised() -> None:
    row = ProviderRow(name="parrot", status="broken", plugin="parrot", reason="It is no good.")
    assert row.error == "It is no good."
