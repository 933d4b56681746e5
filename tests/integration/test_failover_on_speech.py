"""Real speech, a vendor that dies in it, and the real embedded engine behind it: how many words are wrong then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import pytest

from debabelizer import AudioFormat, ProviderChanged, StreamingResult, Transcript, VoiceProcessor
from debabelizer.cli import main
from debabelizer.demo.failover import ENGINE, VENDOR, at_pace, doomed_vendor, processor
from debabelizer.demo.material import LONGEST, Material, load, packaged
from debabelizer.results import Word

AUDIO = Path(__file__).parents[1] / "audio"
SPOKEN = {row["file"]: row["text"] for row in json.loads((AUDIO / "manifest.json").read_text(encoding="utf-8"))}
NORMAL = jiwer.Compose([jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip()])


def wrong_words(reference: str, text: str) -> int:
    found = jiwer.process_words(NORMAL(reference), NORMAL(text) or "-")
    return int(found.substitutions + found.insertions + found.deletions)


async def alone(material: Material) -> str:
    async with VoiceProcessor({"stt": {"provider": ENGINE}}) as voice:
        stream = voice.transcribe_stream(at_pace(material, fast=True))
        async for _ in stream:
            pass
        return stream.transcript.text


async def deserted(material: Material, at: float) -> tuple[Transcript, list[Any]]:
    """What comes of it when the vendor is gone at that second."""
    async with doomed_vendor(material, dies_at=at) as vendor, processor(vendor, fast=True) as voice:
        stream = voice.transcribe_stream(at_pace(material, fast=True))
        events = [event async for event in stream.events()]
        assert stream.stats.gaps == ()
        assert stream.stats.confirmed == stream.stats.accepted
        return stream.transcript, events


def test_the_words_are_as_right_as_those_of_the_engine_alone_wherever_the_vendor_dies() -> None:
    async def case() -> None:
        material = await packaged()
        reference = SPOKEN["jfk.wav"]
        baseline = wrong_words(reference, await alone(material))
        for at in (1.8, 3.5, 5.4, 6.4, 8.3, 10.0):
            transcript, events = await deserted(material, at)
            (change,) = [event for event in events if isinstance(event, ProviderChanged)]
            assert (change.previous, change.provider) == (VENDOR, ENGINE)
            # The noise of the cut: a word that the cut goes through, and the one beside it.
            assert wrong_words(reference, transcript.text) <= baseline + 2, (at, transcript.text)
            finals = [event for event in events if isinstance(event, StreamingResult) and event.is_final and event.text]
            assert finals[-1].provider == ENGINE
            starts = [final.start for final in finals if final.start is not None]
            assert starts == sorted(starts)

    asyncio.run(case())


@pytest.mark.parametrize("file", ["jfk.wav", "austen-0920.wav"])
def test_a_vendor_that_dies_before_it_is_sure_of_a_word_leaves_the_very_words_of_the_engine_alone(file: str) -> None:
    async def case() -> None:
        async with VoiceProcessor({"stt": {"provider": ENGINE}}) as voice:
            material = await load(str(AUDIO / file), voice)
        expected = await alone(material)
        transcript, events = await deserted(material, 1.2)  # it is sure of a word after 1.5 seconds
        assert transcript.text == expected
        assert [event.provider for event in events if isinstance(event, ProviderChanged)] == [ENGINE]

    asyncio.run(case())


def test_the_packaged_recording_is_small_and_its_words_lie_in_it() -> None:
    async def case() -> None:
        material = await packaged()
        assert material.seconds == pytest.approx(11.0, abs=0.1)
        assert wrong_words(SPOKEN["jfk.wav"], " ".join(word.text for word in material.words)) == 0
        times = [time for word in material.words for time in (word.start or 0.0, word.end or 0.0)]
        assert times == sorted(times)
        assert 5.0 < material.mid_sentence < 7.0

    asyncio.run(case())


def test_a_recording_of_the_users_is_cut_and_has_words_with_times() -> None:
    async def case() -> None:
        async with VoiceProcessor({"stt": {"provider": ENGINE}}) as voice:
            material = await load(str(AUDIO / "two-channel.flac"), voice)
        assert material.seconds <= LONGEST + 0.5
        assert material.words
        assert all(isinstance(word, Word) and (word.end or 0.0) > (word.start or 0.0) for word in material.words)
        assert 0.0 < material.mid_sentence < material.seconds
        assert len(material.audio) % AudioFormat().frame_bytes == 0

    asyncio.run(case())


@pytest.mark.parametrize("at", [6.4, 9.0])
def test_in_a_race_the_engine_has_heard_it_all_when_the_vendor_dies(at: float) -> None:
    async def case() -> None:
        material = await packaged()
        reference = SPOKEN["jfk.wav"]
        baseline = wrong_words(reference, await alone(material))
        async with doomed_vendor(material, dies_at=at) as vendor, processor(vendor, fast=True) as voice:
            await voice.transcribe(AUDIO / "jfk.wav", provider=ENGINE)  # load it: the vendor is dead in no time
            stream = voice.transcribe_stream(at_pace(material, fast=True), race=2)
            async for _ in stream:
                pass
            assert wrong_words(reference, stream.transcript.text) <= baseline + 2, stream.transcript.text
            assert stream.stats.gaps == ()
            by_provider = {usage.provider: usage for usage in stream.stats.usage}
            assert by_provider[ENGINE].seconds >= material.seconds - at
            assert by_provider[ENGINE].raced > 0.0

    asyncio.run(case())


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return (ended.value.code or 0, *capfd.readouterr())

    return run


def test_the_demonstration(run: Callable[..., tuple[object, str, str]]) -> None:
    code, out, err = run("demo", "failover", "--fast")
    assert code == 0
    assert wrong_words(SPOKEN["jfk.wav"], out.replace("\n", " ")) <= 3
    assert "it is gone, and moonshine goes on." in err
    assert "moonshine does the work." in err
    assert "note: soniox was given" in err


def test_the_demonstration_with_a_recording_of_ones_own(run: Callable[..., tuple[object, str, str]]) -> None:
    code, out, err = run("demo", "failover", AUDIO / "austen-0920.wav", "--fast")
    assert code == 0
    assert "moonshine does the work." in err
    assert wrong_words(SPOKEN["austen-0920.wav"], out.replace("\n", " ")) <= 6


def test_a_recording_that_is_not_there(run: Callable[..., tuple[object, str, str]]) -> None:
    code, _, err = run("demo", "failover", "nowhere.wav")
    assert (code, "nowhere.wav" in err) == (1, True)
