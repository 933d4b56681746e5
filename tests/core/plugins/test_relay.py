from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from debabelizer.plugins import hookimpl
from debabelizer.plugins.discovery import Plugin, register
from debabelizer.plugins.relay import HookRelay, Observers
from debabelizer.results import Closed, SpeechStarted, StreamEvent


def plugin(name: str, **hooks: object) -> Plugin:
    return register(name, SimpleNamespace(**{key: hookimpl(hook) for key, hook in hooks.items()}))


def boom(*_: object) -> None:
    raise RuntimeError("boom")


def boom_command(cli: object) -> None:
    raise RuntimeError("boom")


def test_calls_the_hook_of_every_plugin_in_order() -> None:
    relay = HookRelay(
        [
            plugin("a", debabelizer_register_commands=lambda cli: f"a{cli}"),
            plugin("b", debabelizer_register_exporters=lambda register: "other"),
            plugin("c", debabelizer_register_commands=lambda: None),
            plugin("d", debabelizer_register_commands=lambda cli: f"d{cli}"),
        ]
    )
    assert relay.debabelizer_register_commands(cli=1) == ("a1", "d1")


def test_a_plugin_that_raises_is_logged_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    relay = HookRelay(
        [
            plugin("bad", debabelizer_register_commands=boom_command),
            plugin("good", debabelizer_register_commands=lambda cli: cli),
        ]
    )
    with caplog.at_level(logging.WARNING, "debabelizer.plugins"):
        assert relay.debabelizer_register_commands(cli=1) == (1,)
    (record,) = caplog.records
    assert record.getMessage() == "Plugin 'bad' failed in debabelizer_register_commands: RuntimeError: boom"
    assert record.exc_info is not None


def test_there_is_no_other_hook() -> None:
    with pytest.raises(AttributeError, match="no hook 'debabelizer_explode'"):
        HookRelay([]).debabelizer_explode()


def test_observers_are_told_every_event() -> None:
    told: list[StreamEvent] = []
    observers = Observers([("a", told.append), ("b", told.append)])
    observers(SpeechStarted(1.0))
    observers(Closed())
    assert told == [SpeechStarted(1.0)] * 2 + [Closed()] * 2


def test_an_observer_that_raises_is_logged_and_not_called_again(caplog: pytest.LogCaptureFixture) -> None:
    told: list[StreamEvent] = []
    observers = Observers([("bad", boom), ("good", told.append)])
    with caplog.at_level(logging.WARNING, "debabelizer.plugins"):
        observers(SpeechStarted(1.0))
        observers(Closed())
    assert told == [SpeechStarted(1.0), Closed()]
    assert len(observers) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "Plugin 'bad' failed while watching a stream: RuntimeError: boom"
    ]


def test_an_observer_that_cannot_be_called_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "debabelizer.plugins"):
        observers = Observers([("bad", 42)])
    assert len(observers) == 0
    assert caplog.messages == ["Plugin 'bad' watches a stream with a int where a function belongs."]
