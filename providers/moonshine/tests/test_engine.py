from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from debabelizer_moonshine import PLATFORMS, engine
from debabelizer_moonshine.engine import Engine
from numpy.typing import NDArray

from debabelizer.errors import PluginLoadError, ProviderError


@pytest.fixture(scope="module")
def moonshine() -> Iterator[Engine]:
    loaded = Engine()
    yield loaded
    loaded.close()


def test_speech_becomes_text(
    moonshine: Engine, speech: NDArray[np.float32], jfk_text: str, plain: Callable[[str], str]
) -> None:
    decoded = moonshine.decode(speech)
    assert plain(decoded.text) == jfk_text
    assert decoded.language == "en"


def test_any_array_will_do(moonshine: Engine, speech: NDArray[np.float32]) -> None:
    strided = np.repeat(speech, 2)[::2]
    strided.flags.writeable = False
    assert moonshine.decode(strided) == moonshine.decode(speech.astype(np.float64))


@pytest.mark.parametrize("length", [0, 1, 400, 1000, 1599])
def test_too_short_for_a_word_is_empty(moonshine: Engine, speech: NDArray[np.float32], length: int) -> None:
    assert moonshine.decode(speech[8000:][:length]).text == ""


def test_an_error_of_the_library_is_typed(
    moonshine: Engine, speech: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SHORTEST", 1)
    with pytest.raises(ProviderError, match=r"failed on 0\.06 s of audio: Unknown error") as caught:
        moonshine.decode(speech[8000:][:1000])
    assert caught.value.provider == "moonshine"
    assert caught.value.code == "-1"
    assert moonshine.decode(speech).text


def test_closing_twice_is_closing() -> None:
    loaded = Engine()
    loaded.close()
    loaded.close()


def test_where_the_package_is_missing_the_error_names_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moonshine_voice.errors", None)
    with pytest.raises(PluginLoadError, match="cannot be loaded on this machine") as caught:
        Engine()
    assert caught.value.name == "moonshine"
    assert caught.value.hint == PLATFORMS


def test_where_the_library_does_not_load_the_error_says_why_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from moonshine_voice import moonshine_api

    def too_old(path: str) -> None:
        raise OSError("version `GLIBC_2.34' not found")

    monkeypatch.setattr(moonshine_api._MoonshineLib, "_instance", None)
    monkeypatch.setattr(moonshine_api.ctypes, "CDLL", too_old)
    for _ in range(2):
        with pytest.raises(PluginLoadError, match=r"GLIBC_2\.34"):
            Engine()


def test_a_model_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from moonshine_voice import utils

    monkeypatch.setattr(utils, "get_model_path", lambda name: tmp_path / name)
    with pytest.raises(ProviderError, match="model cannot be loaded"):
        Engine()


def test_engines_can_be_loaded_at_the_same_time(monkeypatch: pytest.MonkeyPatch, speech: NDArray[np.float32]) -> None:
    from moonshine_voice import moonshine_api

    monkeypatch.setattr(moonshine_api._MoonshineLib, "_instance", None)
    with ThreadPoolExecutor(2) as executor:
        loaded = list(executor.map(lambda _: Engine(), range(2)))
    first, second = (one.decode(speech[:40_000]) for one in loaded)
    assert first == second
    for one in loaded:
        one.close()
