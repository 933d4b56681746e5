"""Where models are found, and what is said when they are not. Nothing is downloaded: the network is a closed port."""

from __future__ import annotations

import shutil
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from debabelizer_whisper import models
from debabelizer_whisper.models import find_model
from debabelizer_whisper.packaged import EXTRAS
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

from debabelizer.errors import InvalidRequestError, ServiceUnavailableError


def find(model: str, tmp_path: Path, *, local_files_only: bool = True) -> Path:
    return find_model(model, download_root=str(tmp_path), local_files_only=local_files_only)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (made / name).touch()
    return made


@pytest.fixture
def _online_but_unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hugging Face is a port at which nobody listens."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield


def test_a_folder_is_a_model(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(str(folder), tmp_path) == folder
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find("~/model", tmp_path) == folder


def test_a_packaged_model_is_found_by_its_name(tmp_path: Path) -> None:
    assert (find("tiny.en", tmp_path) / "model.bin").stat().st_size > 70_000_000


def test_a_downloaded_model_is_found(tmp_path: Path, folder: Path) -> None:
    snapshot = tmp_path / "models--Systran--faster-whisper-small" / "snapshots" / "0123abc"
    shutil.copytree(folder, snapshot)
    refs = tmp_path / "models--Systran--faster-whisper-small" / "refs"
    refs.mkdir()
    (refs / "main").write_text("0123abc", encoding="utf-8")
    assert find("small", tmp_path) == find("Systran/faster-whisper-small", tmp_path) == snapshot


@pytest.mark.parametrize("model", ["/no/such/folder", "./none", "~/none"])
def test_a_folder_that_is_not_there(model: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="There is no folder"):
        find(model, tmp_path)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_folder_without_a_part_says_how_to_convert(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidRequestError, match=f"it has no {name}") as caught:
        find(str(folder), tmp_path)
    assert "--copy_files tokenizer.json" in str(caught.value.hint)


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="knows no model 'smal'") as caught:
        find("smal", tmp_path)
    assert "small.en" in str(caught.value.hint)


@pytest.mark.parametrize("model", ["small", "somebody/something"])
def test_a_model_that_is_not_here_says_how_to_get_it(model: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=f"'{model}' is not on this machine") as caught:
        find(model, tmp_path)
    hint = str(caught.value.hint)
    assert f"faster_whisper.download_model('{model}', cache_dir='{tmp_path}')" in hint
    assert "local_files_only = false" in hint
    assert "folder" in hint
    assert not caught.value.retryable


def test_a_model_that_there_is_as_a_package_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_packaged", lambda model: None)
    with pytest.raises(InvalidRequestError) as caught:
        find("tiny.en", tmp_path)
    assert 'pip install "debabelizer-whisper[tiny-en]", or: python -c' in str(caught.value.hint)


def test_the_extras_that_are_named_are_declared() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRAS.values()) == set(project["optional-dependencies"])


def test_the_command_in_the_hint_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import faster_whisper

    with pytest.raises(InvalidRequestError) as caught:
        find("small", tmp_path)
    code = str(caught.value.hint).split('"')[1]
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(faster_whisper, "download_model", lambda model, cache_dir: asked.append((model, cache_dir)))
    exec(code, {})
    assert asked == [("small", str(tmp_path))]


@pytest.mark.usefixtures("_online_but_unreachable")
def test_without_a_network_it_may_work_later(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnavailableError, match="'small' cannot be downloaded") as caught:
        find("small", tmp_path, local_files_only=False)
    assert caught.value.hint == "Check the network, or name the folder of a model."


def test_a_download_that_breaks_may_work_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*args: object, **named: object) -> str:
        raise HTTPError("The read operation timed out")

    monkeypatch.setattr(models, "download_model", download)
    with pytest.raises(ServiceUnavailableError, match="timed out"):
        find("small", tmp_path, local_files_only=False)


def test_a_repository_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="does not give model 'a//b'"):
        find("a//b", tmp_path, local_files_only=False)
