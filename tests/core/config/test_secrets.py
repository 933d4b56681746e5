from __future__ import annotations

import copy
import json
import pickle
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from debabelizer.config import ProviderSettings, Secret, Source
from debabelizer.errors import ConfigError

KEY = "canary-text-to-hide"


class Table(ProviderSettings):
    api_key: Secret | None = None


def a_secret(value: object, **where: object) -> Secret:
    return Secret.parse(value, **where)  # type: ignore[arg-type]


def reason(secret: Secret) -> str:
    """The one problem that revealing it meets; nothing of what was read hangs on to the exception."""
    with pytest.raises(ConfigError) as caught:
        secret.reveal()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    [problem] = caught.value.problems
    return str(problem)


def test_text_is_hidden_and_revealed() -> None:
    secret = Secret(KEY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", ascii(secret)]
    assert not [text for text in shown if "canary" in text]
    assert secret.reveal() == KEY
    assert secret.reference == '"**********"'
    assert secret.missing() is None


def test_models_hide_it_too() -> None:
    table = Table.model_validate({"api_key": KEY})
    shown = [str(table), repr(table), table.model_dump_json(), json.dumps(table.model_dump(mode="json"))]
    assert not [text for text in shown if "canary" in text]
    assert table.api_key is not None
    assert table.model_dump()["api_key"].reveal() == KEY


def test_is_not_pickled_but_copied() -> None:
    secret = Secret(KEY)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    assert copy.deepcopy(secret) is copy.copy(secret) is secret
    assert Table(api_key=secret).model_copy(deep=True).api_key is secret


def test_equality_is_of_text_or_place() -> None:
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret("another")
    assert Secret(KEY) != KEY
    assert a_secret({"env": "A"}) == a_secret({"env": "A"})
    assert a_secret({"env": "A"}) != a_secret({"env": "B"})
    assert len({Secret(KEY), Secret(KEY), a_secret({"env": "A"}), a_secret({"env": "A"})}) == 2


def test_environment_variable_is_read_when_revealed() -> None:
    environ: dict[str, str] = {}
    secret = a_secret({"env": "DEMO_KEY"}, environ=environ)
    assert secret.reference == '{ env = "DEMO_KEY" }'
    assert "environment variable DEMO_KEY is not set." in str(secret.missing())
    environ["DEMO_KEY"] = f" {KEY}\n"
    assert secret.missing() is None
    assert secret.reveal() == KEY
    environ.clear()
    assert secret.reveal() == KEY


def test_process_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_KEY", KEY)
    assert a_secret({"env": "DEMO_KEY"}).reveal() == KEY


@pytest.mark.parametrize(("environ", "words"), [({}, "is not set"), ({"DEMO_KEY": "  "}, "is empty")])
def test_missing_variable_is_named(environ: dict[str, str], words: str) -> None:
    source = Source(Path("/etc/demo.toml"), line=3, column=1)
    secret = a_secret({"env": "DEMO_KEY"}, key="providers.demo.api_key", source=source, environ=environ)
    text = reason(secret)
    assert text.startswith("/etc/demo.toml:3:1: providers.demo.api_key: environment variable DEMO_KEY " + words)
    assert "{ command = " in text


def test_file_is_relative_to_the_configuration_and_stripped(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_bytes(b"\xef\xbb\xbf" + KEY.encode() + b"\r\n")
    secret = a_secret({"file": "key.txt"}, source=Source(tmp_path / "debabelizer.toml"))
    assert secret.reference == '{ file = "key.txt" }'
    assert secret.missing() is None
    assert secret.reveal() == KEY


def test_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.txt").write_text(KEY)
    assert a_secret({"file": "~/key.txt"}).reveal() == KEY


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 70_000, "64 KiB"),
    ],
)
def test_unusable_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "key.txt"
    if content is not None:
        path.write_bytes(content)
    text = reason(a_secret({"file": str(path)}))
    assert str(path) in text
    assert words in text


def test_folder_is_no_file(tmp_path: Path) -> None:
    secret = a_secret({"file": str(tmp_path)})
    assert "Is a directory" in str(secret.missing())
    assert "Is a directory" in reason(secret)


def test_command_runs_when_revealed_and_once(tmp_path: Path) -> None:
    script = "import pathlib; p = pathlib.Path('runs'); p.open('a').write('x'); print(' canary-' + p.read_text())"
    secret = a_secret({"command": [sys.executable, "-c", script]}, source=Source(tmp_path / "debabelizer.toml"))
    assert secret.missing() is None
    assert not (tmp_path / "runs").exists()
    assert [secret.reveal(), secret.reveal()] == ["canary-x", "canary-x"]


def test_command_as_text_is_split_and_sees_no_shell() -> None:
    secret = a_secret({"command": f"{sys.executable} -c 'import sys; print(sys.argv[1:])' $HOME '|' cat"})
    assert secret.reveal() == "['$HOME', '|', 'cat']"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("print('canary'); raise SystemExit(3)", "failed with status 3"),
        ("import sys; sys.stdout.buffer.write(b'canary\\xff')", "not UTF-8"),
        ("", "is empty"),
    ],
)
def test_failing_command_is_named_and_its_output_is_not_shown(script: str, words: str) -> None:
    text = reason(a_secret({"command": [sys.executable, "-c", script]}))
    assert words in text
    assert sys.executable in text
    assert "canary" not in text


def test_command_that_does_not_exist() -> None:
    secret = a_secret({"command": ["no-such-program-here"]})
    assert "program 'no-such-program-here' is not found." in str(secret.missing())
    assert "cannot be started: No such file" in reason(secret)


def test_command_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.config.places._COMMAND_SECONDS", 0.1)
    secret = a_secret({"command": [sys.executable, "-c", "import signal; signal.pause()"]})
    assert "gave no answer in" in reason(secret)


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *arguments: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    secret = a_secret({"file": str(tmp_path / "key.txt")})
    assert "key.txt cannot be read: Permission denied." in str(secret.missing())
    assert "key.txt cannot be read: Permission denied." in reason(secret)


@pytest.mark.parametrize(
    "value",
    [
        *("", 12345678, None, [KEY], {}, {"enb": KEY}, {"env": ""}, {"env": KEY, "file": KEY}, {"env": 12345678}),
        *({"command": []}, {"command": [KEY, 1]}, {"file": [KEY]}, {"command": f"run '{KEY}"}),
    ],
)
def test_anything_else_is_refused_without_being_shown(value: object) -> None:
    with pytest.raises(ValueError) as caught:
        a_secret(value)
    assert "canary" not in str(caught.value)
    if value is not None:
        with pytest.raises(ValidationError) as invalid:
            Table.model_validate({"api_key": value})
        assert "canary" not in str(invalid.value)
        assert "12345678" not in str(invalid.value)
