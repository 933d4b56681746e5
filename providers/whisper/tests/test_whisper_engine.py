"""The engine on real speech, with the real model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from debabelizer_whisper.engine import Engine, Place, Task
from debabelizer_whisper.texts import text_of
from numpy.typing import NDArray

from debabelizer.errors import InvalidRequestError, PluginLoadError, ProviderError
from debabelizer.results import Segment, Word

GREEDY = Task(arguments={"beam_size": 1})


@pytest.fixture(scope="module")
def heard(engine: Engine, speech: NDArray[np.float32]) -> tuple[Segment, ...]:
    return engine.understand(speech, GREEDY)


def words_of(segments: tuple[Segment, ...]) -> list[Word]:
    return [word for segment in segments for word in segment.words]


def test_speech_becomes_segments_with_words(
    heard: tuple[Segment, ...], speech_text: str, plain: Callable[[str], str]
) -> None:
    assert plain(text_of(heard)) == speech_text
    words = words_of(heard)
    assert [plain(word.text) for word in words] == speech_text.split()
    assert all(type(number) is float for word in words for number in (word.start, word.end, word.confidence))
    assert all(before.end <= after.start for before, after in pairwise(words))  # type: ignore[operator]
    assert {word.language for word in words} == {segment.language for segment in heard} == {"en"}
    assert all(0.0 < (segment.confidence or 0.0) <= 1.0 for segment in heard)
    assert (heard[0].start, heard[-1].end) == (words[0].start, words[-1].end)


def test_words_are_where_they_are_said(heard: tuple[Segment, ...]) -> None:
    """Their ends are; a start may take in the pause before the word."""
    ends = [word.end for word in words_of(heard) if word.text.lower().startswith("ask")]
    assert ends == [pytest.approx(3.8, abs=0.5), pytest.approx(8.6, abs=0.5)]


def test_threads_share_it(engine: Engine, speech: NDArray[np.float32]) -> None:
    alone = engine.understand(speech[:40_000], GREEDY)
    with ThreadPoolExecutor(2) as executor:
        together = list(executor.map(lambda _: engine.understand(speech[:40_000], GREEDY), range(2)))
    assert together == [alone] * 2


def test_words_to_expect_are_written_as_they_are_given(engine: Engine, speech: NDArray[np.float32]) -> None:
    part = speech[: round(2.4 * 16000)]  # "And so, my fellow Americans"
    assert "Phellow" not in text_of(engine.understand(part, GREEDY))
    task = Task(arguments={"beam_size": 1, "hotwords": "my Phellow Americans"})
    assert "Phellow" in text_of(engine.understand(part, task))


@pytest.mark.parametrize("length", [0, 1, 400, 1599])
def test_next_to_nothing_is_no_word(engine: Engine, length: int) -> None:
    assert engine.understand(np.zeros(length, np.float32), GREEDY) == ()


def test_any_array_will_do(engine: Engine, speech: NDArray[np.float32]) -> None:
    strided = np.repeat(speech[:32_000], 2)[::2]
    strided.flags.writeable = False
    assert engine.understand(strided, GREEDY) == engine.understand(speech[:32_000].astype(np.float64), GREEDY)


def test_a_language_that_the_model_does_not_know_is_refused(engine: Engine, speech: NDArray[np.float32]) -> None:
    assert engine.understand(speech[:16_000], Task(languages=("en-US",))) is not None
    with pytest.raises(InvalidRequestError, match=r"'tiny\.en' does not know any language but English: de"):
        engine.understand(speech, Task(languages=("de", "en")))


def test_a_model_for_english_does_not_translate(engine: Engine, speech: NDArray[np.float32]) -> None:
    with pytest.raises(InvalidRequestError, match="cannot translate"):
        engine.understand(speech, Task(english=True))


def test_an_argument_that_there_is_not_is_refused(engine: Engine, speech: NDArray[np.float32]) -> None:
    with pytest.raises(InvalidRequestError, match="knows no argument ngram_size") as caught:
        engine.understand(speech, Task(arguments={"ngram_size": 3}))
    assert caught.value.hint == "Look at `extra` under [providers.whisper]."


def test_an_error_of_the_library_is_typed(engine: Engine, speech: NDArray[np.float32]) -> None:
    with pytest.raises(ProviderError, match=r"failed on 1\.00 s of audio: .*arguments.*:$") as caught:
        engine.understand(speech[:16_000], Task(arguments={"beam_size": -1}))
    assert caught.value.provider == "whisper"


@pytest.mark.parametrize("table", [{"device": "cuda"}, {"device": "cpu", "compute_type": "float16"}])
def test_what_this_machine_cannot_do_is_told(place: Callable[..., Place], table: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError, match=r"'tiny\.en' cannot be loaded") as caught:
        Engine(place(**table))
    assert "compute_type" in str(caught.value.hint)


def test_a_broken_model_is_told(place: Callable[..., Place], tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "model.bin").write_bytes(b"nonsense" * 100)
    with pytest.raises(InvalidRequestError, match="cannot be loaded: Unsupported model"):
        Engine(place(model=str(tmp_path)))


def test_closing_twice_is_closing(place: Callable[..., Place]) -> None:
    loaded = Engine(place())
    loaded.close()
    loaded.close()


def test_where_the_package_is_missing_the_error_says_what_to_do(
    place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(PluginLoadError, match="cannot be loaded on this machine") as caught:
        Engine(place())
    assert (caught.value.name, caught.value.hint) == ("whisper", 'Type: pip install "debabelizer[whisper]>=0.3"')
