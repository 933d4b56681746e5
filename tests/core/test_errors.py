from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import debabelizer
from debabelizer import errors
from debabelizer.errors import Attempt, ConfigError, ConfigProblem, DebabelizerError, ProviderError, StreamError

CAUSE = errors.ConnectionLostError("Gone.", provider="soniox", code="1006")

# One of each class, with every field set.
EXAMPLES: dict[type[DebabelizerError], DebabelizerError] = {
    type(example): example
    for example in (
        DebabelizerError("Broken.", hint="Mend it."),
        ConfigError(
            [ConfigProblem("Unknown key.", key="stt.provder", source=Path("d.toml"), line=3, hint="See below.")]
        ),
        errors.ProviderLookupError("Nowhere.", name="parrot", hint="Look again."),
        errors.UnknownProviderError("Unknown.", name="parot", suggestion="parrot", hint="Did you mean 'parrot'?"),
        errors.ProviderNotInstalledError("Absent.", name="parrot", hint="Install it."),
        errors.PluginLoadError("Unfit.", name="parrot", hint="Update it."),
        errors.CapabilityError("It cannot.", provider="parrot", capability="diarization", hint="Ask another."),
        *(
            cls("Noise.", source="a.wav", hint="Listen.")
            for cls in (
                errors.AudioError,
                errors.AudioSourceError,
                errors.AudioDecodeError,
                errors.NoAudioTrackError,
                errors.AudioFormatError,
            )
        ),
        *(
            cls("Refused.", provider="soniox", code="401", retry_after=2.5, request_id="r1", hint="Ask nicely.")
            for cls in (
                ProviderError,
                errors.AuthenticationError,
                errors.InvalidRequestError,
                errors.QuotaExceededError,
                errors.RateLimitedError,
                errors.ServiceUnavailableError,
                errors.SessionExpiredError,
                errors.ProtocolError,
                errors.TransportError,
                errors.ConnectError,
                errors.CertificateError,
                errors.ConnectionLostError,
            )
        ),
        *(
            cls("Too slow.", seconds=2.5, provider="soniox", hint="Wait longer.")
            for cls in (
                errors.DeadlineError,
                errors.ConnectTimeout,
                errors.ReadyTimeout,
                errors.SendTimeout,
                errors.ProgressTimeout,
                errors.DrainTimeout,
                errors.CloseTimeout,
            )
        ),
        StreamError(
            "It ended.",
            provider="soniox",
            attempts=[Attempt(1, "soniox", 0.0, 1.5, 0.5, CAUSE)],
            accepted=3.0,
            sent=2.0,
            confirmed=0.5,
            hint="Try again.",
        ),
        errors.StreamUsageError("Not so.", hint="Like this."),
        errors.StreamClosedError("Closed.", hint="Open another."),
        errors.StreamBusyError("Busy.", hint="Wait."),
    )
}


def classes() -> set[type[DebabelizerError]]:
    found = {value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, DebabelizerError)}
    assert len(found) > 30
    return found


def drawn() -> Iterator[tuple[str, str | None]]:
    """The names in the drawing of the module's docstring, each with the name it hangs from."""
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").split("::\n\n")[1].splitlines():
        entry = re.match(r"(?P<indent>[ │├└─]*)(?P<names>[A-Z]\w+(?:  [A-Z]\w+)*)(?:  |$)", line)
        assert entry, f"cannot read {line!r}"
        depth = len(entry["indent"])
        above = [(level, name) for level, name in above if level < depth]
        names = entry["names"].split()
        yield from ((name, above[-1][1] if above else None) for name in names)
        above.append((depth, names[0]))


def parent(cls: type[DebabelizerError]) -> str | None:
    return cls.__bases__[0].__name__ if cls is not DebabelizerError else None


def test_the_drawing_is_the_tree() -> None:
    assert dict(drawn()) == {cls.__name__: parent(cls) for cls in classes()}


def test_nothing_is_drawn_twice() -> None:
    names = [name for name, _ in drawn()]
    assert len(names) == len(set(names))


def test_all_is_complete_and_sorted() -> None:
    assert errors.__all__ == sorted({cls.__name__ for cls in classes()} | {"Attempt", "ConfigProblem"})


@pytest.mark.parametrize("name", errors.__all__)
def test_everything_is_public(name: str) -> None:
    assert getattr(debabelizer, name) is getattr(errors, name)
    assert name in debabelizer.__all__


def test_there_is_an_example_of_each() -> None:
    assert set(EXAMPLES) == classes()


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=lambda error: type(error).__name__)
def test_what_is_shown_has_the_message_and_the_hint(error: DebabelizerError) -> None:
    assert error.message in str(error)
    assert error.message.strip()
    if not isinstance(error, ConfigError):
        assert error.hint
        assert error.hint in str(error)


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("remake", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_errors_cross_the_border_of_a_process(error: DebabelizerError, remake: object) -> None:
    again = remake(error)  # type: ignore[operator]
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    # Errors and attempts compare by identity, so their words are compared.
    assert {name: str(value) for name, value in vars(again).items()} == {
        name: str(value) for name, value in vars(error).items()
    }


def test_notes_cross_the_border_too() -> None:
    error = errors.ConnectTimeout("Too slow.", seconds=1.0)
    error.add_note("by the way")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["by the way"]


def test_deadlines_are_timeouts() -> None:
    with pytest.raises(TimeoutError):
        raise EXAMPLES[errors.SendTimeout]


@pytest.mark.parametrize("cls", [cls for cls in EXAMPLES if issubclass(cls, ProviderError)])
def test_retrying_what_cannot_help_is_ruled_out_by_the_class(cls: type[ProviderError]) -> None:
    hopeless = {errors.AuthenticationError, errors.InvalidRequestError, errors.QuotaExceededError}
    assert cls.retryable is (cls not in hopeless)


def test_a_provider_error_begins_with_the_provider() -> None:
    assert str(errors.RateLimitedError("Too many.", provider="soniox")) == "soniox: Too many."
    assert str(errors.RateLimitedError("Too many.")) == "Too many."


def test_a_stream_error_tells_the_seconds_and_every_attempt() -> None:
    assert str(EXAMPLES[StreamError]).splitlines() == [
        "It ended. Try again.",
        "  audio: 3.00 s accepted, 2.00 s sent, 0.50 s confirmed",
        "  attempt 1 (soniox) at 0.0 s, lived 1.5 s: ConnectionLostError: soniox: Gone.",
    ]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (ConfigProblem("Not TOML."), "Not TOML."),
        (ConfigProblem("Not TOML.", source=Path("d.toml"), line=3, column=7), "d.toml:3:7: Not TOML."),
        (ConfigProblem("Unknown key.", key="stt.x", source="--set"), "--set: stt.x: Unknown key."),
        (ConfigProblem("Unknown key.", key="a", source="f", line=1, hint="Try b."), "f:1: a: Unknown key. Try b."),
    ],
)
def test_a_problem_names_its_place(problem: ConfigProblem, text: str) -> None:
    assert str(problem) == text


def test_all_problems_are_told_at_once() -> None:
    error = ConfigError(ConfigProblem(f"Fault {number}.") for number in range(3))  # type: ignore[arg-type]
    assert str(error).splitlines() == ["Fault 0.", "Fault 1.", "Fault 2."]
    assert len(error.problems) == 3


def test_a_problem_has_no_place_for_a_value() -> None:
    """A mistyped key may hold a secret, so a problem must not be able to carry what stands behind the key."""
    assert set(ConfigProblem.__slots__) == {"message", "key", "source", "line", "column", "hint"}
    plain = vars(ConfigError([ConfigProblem("Fault.")]))
    assert plain.keys() == {"problems", "settings", "message", "hint"}
    assert plain["settings"] is None
