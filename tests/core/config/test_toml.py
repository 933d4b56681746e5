from __future__ import annotations

from pathlib import Path

import pytest

from debabelizer.config.toml import Document, read
from debabelizer.errors import ConfigProblem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "debabelizer.toml"


def problem(path: Path) -> str:
    found = read(path)
    assert isinstance(found, ConfigProblem)
    assert found.source == path
    return str(found).removeprefix(str(path))


def test_values_and_positions(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf[a]\r\nb = "c"\r\n')
    document = read(path)
    assert isinstance(document, Document)
    assert document.data == {"a": {"b": "c"}}
    assert document.positions == {("a",): (1, 1), ("a", "b"): (2, 1)}
    assert repr(document) == f"Document(path={path!r})"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = canary\n", ":2:5: is not valid TOML: Invalid value"),
        ("canary\n", ":1:7: is not valid TOML: "),
        ("a = 1\n[b\n", ":2:3: is not valid TOML: "),
        ('a = 1\nb = """canary', ":2:14: is not valid TOML: "),
        ("a = [1,\n2", ":2:2: is not valid TOML: "),
        ("a = 1\na = 'canary'\n", ":2:13: is not valid TOML: Cannot overwrite a value"),
    ],
)
def test_malformed_document_is_told_with_line_and_column(path: Path, text: str, place: str) -> None:
    path.write_text(text)
    assert problem(path).startswith(place)
    assert "canary" not in problem(path)


def test_missing_file(path: Path) -> None:
    assert problem(path) == ": there is no such file."


def test_folder(path: Path) -> None:
    path.mkdir()
    assert problem(path) == ": is a folder, not a file."


def test_path_through_a_file(path: Path) -> None:
    path.write_text("")
    assert problem(path / "more.toml") == ": cannot be read: Not a directory."


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = 1\nb = '\xff'\n", ":2:6: is not UTF-8"),
        (b"\xef\xbb\xbfa = '\xc3\xa9\xff'\n", ":1:7: is not UTF-8"),  # columns are characters, and the mark is none
        ("a = 1".encode("utf-16"), ":1:1: is not UTF-8 text. It seems to be UTF-16"),
    ],
)
def test_other_encodings(path: Path, content: bytes, words: str) -> None:
    path.write_bytes(content)
    assert words in problem(path)


def test_a_recording_taken_for_a_configuration(path: Path) -> None:
    path.write_bytes(bytes(4 * 1024 * 1024 + 1))
    assert problem(path) == ": is larger than 4 MiB: that is no configuration."


def test_endless_nesting(path: Path) -> None:
    path.write_text("a = " + "[" * 100_000)
    assert problem(path).startswith((": is nested too deeply", ":1:"))
