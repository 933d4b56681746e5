from __future__ import annotations

import pytest

from debabelizer.cli.report import OutputError, UsageError, complain, exit_code, warn
from debabelizer.errors import (
    AudioDecodeError,
    AuthenticationError,
    CapabilityError,
    ConfigError,
    ConfigProblem,
    DebabelizerError,
    PluginLoadError,
    ProviderNotInstalledError,
    StreamError,
    UnknownProviderError,
)

BROKEN = StreamError("Broke off.", provider="parrot", attempts=(), accepted=2, sent=2, confirmed=1, hint="Go on.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DebabelizerError("x"), 1),
        (AudioDecodeError("x"), 1),
        (AuthenticationError("x"), 1),
        (OutputError("x"), 1),
        (ConfigError([ConfigProblem("x")]), 2),
        (UnknownProviderError("x", name="y"), 2),
        (ProviderNotInstalledError("x", name="y"), 2),
        (PluginLoadError("x", name="y"), 2),
        (CapabilityError("x", provider="y", capability="z"), 2),
        (UsageError("x"), 2),
        (BROKEN, 3),
    ],
)
def test_exit_codes(error: DebabelizerError, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DebabelizerError("It is bad.", hint="Do this."), "error: a.wav: It is bad.\nDo this.\n"),
        (DebabelizerError("a.wav is bad."), "error: a.wav is bad.\n"),
        (AuthenticationError("No.", provider="parrot"), "error: a.wav: parrot: No.\n"),
        (BROKEN, "error: a.wav: Broke off. Go on.\n  audio: 2.00 s accepted, 2.00 s sent, 1.00 s confirmed\n"),
        (ConfigError([ConfigProblem("is bad.", key="stt", hint="Do this.")]), "error: a.wav: stt: is bad. Do this.\n"),
        (
            ConfigError([ConfigProblem("is bad.", key="a"), ConfigProblem("is worse.", key="b")]),
            "error: a.wav: 2 problems in the configuration:\n  a: is bad.\n  b: is worse.\n",
        ),
    ],
)
def test_errors_are_told(error: DebabelizerError, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    complain(error, about="a.wav")
    assert capsys.readouterr().err == told


def test_warnings_name_the_file_once(capsys: pytest.CaptureFixture[str]) -> None:
    warn("It is cut off.", about="a.wav")
    warn("a.wav is cut off.", about="a.wav")
    assert capsys.readouterr().err == "warning: a.wav: It is cut off.\nwarning: a.wav is cut off.\n"
