from __future__ import annotations

import logging
from collections.abc import Callable
from textwrap import dedent

import pytest

from debabelizer.plugins import ProviderRow
from debabelizer.plugins.discovery import find
from debabelizer.plugins.loading import Gate, Loader, any_foreign

Install = Callable[..., None]

# A spec from a hook whose body is to be filled in.
HOOK = """
from debabelizer.plugins import hookimpl
from debabelizer.spec import Capabilities, ProviderSpec

def make(name):
    return ProviderSpec(
        name=name, summary="Repeats.", api_version=1, capabilities=Capabilities(),
        settings="parrot:Settings", factory="parrot:Parrot",
    )

@hookimpl
def debabelizer_register_providers(register):
"""


def hook(body: str) -> str:
    return HOOK + "\n".join(f"    {line}" for line in dedent(body).strip().splitlines())


@pytest.fixture
def rows() -> Callable[[], list[ProviderRow]]:
    def rows() -> list[ProviderRow]:
        loader = Loader()
        for candidate in find():
            loader.add(candidate)
        loader.fetch_all()
        return loader.rows

    return rows


Rows = Callable[[], list[ProviderRow]]


def test_a_good_plugin_is_a_row(install: Install, rows: Rows) -> None:
    install("parrot", version="1.2")
    (row,) = rows()
    assert (row.name, row.status, row.plugin) == ("parrot", "ready", "parrot")
    assert (row.distribution, row.version) == ("debabelizer-parrot", "1.2")
    assert row.spec is not None


def test_one_plugin_may_have_several_providers(install: Install, rows: Rows) -> None:
    install("birds", hook("register(make('parrot'))\nregister(make('raven'))"))
    assert [(row.name, row.plugin) for row in rows()] == [("parrot", "birds"), ("raven", "birds")]


def test_a_plugin_without_a_provider_is_no_row(install: Install, rows: Rows) -> None:
    install("shell", "from debabelizer.plugins import hookimpl\n@hookimpl\ndef debabelizer_register_commands(cli): ...")
    assert rows() == []


BROKEN = {
    "import": ("raise RuntimeError('boom')", "cannot be imported: RuntimeError: boom"),
    "hook": (hook("raise RuntimeError('boom')"), "failed in debabelizer_register_providers: RuntimeError: boom"),
    "half-way": (hook("register(make('half'))\nraise RuntimeError('boom')"), "RuntimeError: boom"),
    "rubbish": (hook("register('parrot')"), "a str where a ProviderSpec belongs"),
    "bad name": (hook("register(make('No Name!'))"), "`name` is not made of"),
    "bad call": (hook("register()"), "TypeError"),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_one_row_and_costs_nobody_else_anything(
    install: Install, rows: Rows, source: str, reason: str
) -> None:
    install("aardvark")
    install("broken", source)
    install("zebra")
    first, row, last = sorted(rows(), key=lambda row: row.plugin)
    assert (first.status, last.status) == ("ready", "ready")
    assert (row.status, row.spec) == ("broken", None)
    assert row.reason is not None
    assert row.reason.startswith("Plugin 'broken' ")
    assert reason in row.reason
    assert row.error
    assert row.hint is not None
    assert "debabelizer-broken" in row.hint
    assert 'disable = ["broken"]' in row.hint


def test_what_the_plugin_raised_is_kept_and_logged(
    install: Install, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken", "raise RuntimeError('boom')")
    with caplog.at_level(logging.DEBUG, "debabelizer.plugins"):
        (row,) = rows()
    assert isinstance(row.cause, RuntimeError)
    assert row.error == "RuntimeError: boom"
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.exc_info is not None
    assert record.exc_info[1] is row.cause


def test_a_bad_spec_does_not_spoil_the_good_one_beside_it(install: Install, rows: Rows) -> None:
    install("birds", hook("register(make('raven'))\nregister(make('PARROT'))\nregister(None)"))
    assert [(row.name, row.status) for row in rows()] == [("raven", "ready"), ("PARROT", "broken"), ("birds", "broken")]


def test_a_name_belongs_to_whoever_came_first(install: Install, rows: Rows) -> None:
    install("aviary", provider="parrot")
    install("zoo", provider="parrot")
    first, second = rows()
    assert (first.plugin, first.status) == ("aviary", "ready")
    assert (second.name, second.plugin, second.status, second.spec) == ("parrot", "zoo", "broken", None)
    assert second.reason == "Plugin 'zoo' registered a provider whose name plugin 'aviary' had taken."


def test_nobody_takes_a_name_from_a_provider_of_this_project(install: Install, rows: Rows) -> None:
    install("aviary", provider="soniox")
    install("soniox")
    assert {row.plugin: row.status for row in rows()} == {"soniox": "ready", "aviary": "broken"}


def test_of_two_plugins_with_one_name_the_first_loads(install: Install, rows: Rows) -> None:
    install("parrot", distribution="aviary", provider="parrot")
    install("parrot", distribution="zoo", provider="raven")
    first, second = rows()
    assert (first.distribution, first.status) == ("aviary", "ready")
    assert (second.distribution, second.status) == ("zoo", "broken")
    assert second.reason == "Another distribution has a plugin 'parrot' too, which came first."


def test_a_plugin_that_does_not_load_keeps_no_name(install: Install, rows: Rows) -> None:
    install("parrot", "raise RuntimeError('boom')", distribution="aviary")
    install("parrot", distribution="zoo")
    assert {row.distribution: row.status for row in rows()} == {"aviary": "broken", "zoo": "ready"}


@pytest.mark.parametrize(
    ("allow", "disable", "variable", "loads"),
    [
        (None, (), None, "ab"),
        (None, (), "", ""),
        (None, (), " , ", ""),
        (None, (), " a ,debabelizer-b", "ab"),
        (None, (), "b", "b"),
        (("a",), (), "b", "a"),
        ((), (), "a", ""),
        (None, ("a",), None, "b"),
        (None, ("debabelizer-a",), "a,b", "b"),
        (("a",), ("a",), None, ""),
        (None, ("no-such-plugin",), None, "ab"),
    ],
)
def test_who_may_load(
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    allow: tuple[str, ...] | None,
    disable: tuple[str, ...],
    variable: str | None,
    loads: str,
) -> None:
    install("a")
    install("b")
    if variable is not None:
        monkeypatch.setenv("DEBABELIZER_PLUGINS", variable)
    gate = Gate.of(allow, disable)
    assert "".join(candidate.name for candidate in find() if gate.closed_to(candidate) is None) == loads


@pytest.mark.parametrize(
    ("allow", "disable", "reason", "hint"),
    [
        (None, (), "It is not in DEBABELIZER_PLUGINS.", "Add parrot to DEBABELIZER_PLUGINS."),
        ((), (), "It is not in the list of allowed plugins.", "Add parrot to the list of allowed plugins."),
        (None, ("parrot",), "It is disabled in the configuration.", "Take it out of `disable` in [plugins]."),
    ],
)
def test_who_may_not_load_is_told_why(
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    allow: tuple[str, ...] | None,
    disable: tuple[str, ...],
    reason: str,
    hint: str,
) -> None:
    install("parrot")
    monkeypatch.setenv("DEBABELIZER_PLUGINS", "")
    assert Gate.of(allow, disable).closed_to(find()[0]) == (reason, hint)


@pytest.mark.parametrize(
    ("names", "variable", "expected"),
    [
        ((), None, False),
        (("soniox", "openai"), None, False),
        (("soniox", "parrot"), None, True),
        (("soniox", "parrot"), "soniox", False),
        (("soniox", "parrot"), "parrot", True),
    ],
)
def test_whether_any_other_plugin_may_load_is_known_without_importing_one(
    install: Install, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], variable: str | None, expected: bool
) -> None:
    for name in names:
        install(name, "raise SystemExit('imported')")
    if variable is not None:
        monkeypatch.setenv("DEBABELIZER_PLUGINS", variable)
    assert any_foreign() is expected


def test_another_distribution_s_plugin_with_a_name_of_ours_is_foreign(install: Install) -> None:
    install("soniox", distribution="zoo")
    assert any_foreign()
