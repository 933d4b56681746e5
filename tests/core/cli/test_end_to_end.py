"""From real recordings to text, through the real embedded engine."""

from __future__ import annotations

import io
import json
import re
import sys
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

av = pytest.importorskip("av")
pytest.importorskip("moonshine_voice")

Run = Callable[..., Any]

SPEECH = Path(__file__).parents[2] / "audio" / "jfk.wav"
LAST_WORDS = "ask what you can do for your country."


@pytest.fixture(autouse=True)
def embedded_engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBABELIZER_PLUGINS", "moonshine")
    monkeypatch.delenv("DEBABELIZER_STT__PROVIDER")


def encode(path: Path, codec: str) -> None:
    """Write the speech in another codec; the index of an MP4 file first, without which nothing can be read."""
    options = {"movflags": "faststart"} if path.suffix == ".m4a" else {}
    with av.open(str(SPEECH)) as source, av.open(str(path), "w", options=options) as target:
        stream = target.add_stream(codec, rate=16000)
        stream.time_base = Fraction(1, 16000)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def video(path: Path) -> None:
    """Write a film without sound."""
    with av.open(str(path), "w") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(10):
            target.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        target.mux(stream.encode(None))


def silence(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16000))


def test_text(run: Run) -> None:
    result = run("transcribe", SPEECH)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"{LAST_WORDS}\n")


def test_json(run: Run) -> None:
    result = run("transcribe", SPEECH, "--format", "json")
    record = json.loads(result.out)
    assert (record["file"], record["language"], record["provider"]) == (str(SPEECH), "en", "moonshine")
    assert record["text"].endswith(LAST_WORDS)
    assert record["duration"] == 11.0
    assert 0 < record["segments"][0]["start"] < record["segments"][-1]["end"] <= 11.0


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles(run: Run, form: str) -> None:
    result = run("transcribe", SPEECH, "--format", form)
    assert (result.code, result.err) == (0, "")
    text = re.sub(r"\d\d:.*|^\d+$|WEBVTT", "", result.out, flags=re.MULTILINE)
    assert " ".join(text.split()) == run("transcribe", SPEECH).out.strip()


def test_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(SPEECH.read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    result = run("transcribe", "-")
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"{LAST_WORDS}\n")


def test_several_of_which_one_is_bad(run: Run, home: Path) -> None:
    (home / "fake.mp3").write_text("This is no audio, but it is called so. " * 100)
    silence(home / "silence.wav")
    result = run("transcribe", SPEECH, "fake.mp3", "silence.wav", "-f", "json")
    first, second = map(json.loads, result.out.splitlines())
    assert first["text"].endswith(LAST_WORDS)
    assert (second["file"], second["text"], second["segments"]) == ("silence.wav", "", [])
    assert result.code == 1
    assert re.match(r"error: .*fake\.mp3", result.err)


@pytest.mark.parametrize(("name", "codec"), [("cut.mp3", "libmp3lame"), ("cut.m4a", "aac")])
def test_what_is_cut_off_is_transcribed_as_far_as_it_goes(run: Run, home: Path, name: str, codec: str) -> None:
    encode(home / name, codec)
    data = (home / name).read_bytes()
    (home / name).write_bytes(data[: len(data) * 2 // 3])
    result = run("transcribe", name)
    assert (result.code, LAST_WORDS in result.out) == (0, False)
    assert "my fellow American" in result.out
    assert re.match(rf"warning: .*{re.escape(name)}", result.err)


def test_a_film_without_sound(run: Run, home: Path) -> None:
    video(home / "mute.mp4")
    result = run("transcribe", "mute.mp4")
    assert (result.code, result.out) == (1, "")
    assert "mute.mp4" in result.err
    assert "Traceback" not in result.err


def test_the_doctor_is_content_with_the_engine(run: Run) -> None:
    result = run("doctor")
    assert result.code == 0
    assert "ready, configured" in result.out


def test_a_stream(run: Run) -> None:
    result = run("stream", SPEECH)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"{LAST_WORDS}\n")


def test_a_stream_of_events(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(SPEECH.read_bytes()), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    result = run("stream", "-", "--json")
    events = [json.loads(line) for line in result.out.splitlines()]
    closed = events[-1]
    assert (result.code, closed["type"], closed["error"], closed["stats"]["confirmed"]) == (0, "closed", None, 11.0)
    finals = [event for event in events if event.get("is_final")]
    assert " ".join(final["text"] for final in finals if final["text"]).endswith(LAST_WORDS)
    assert {"speech_started", "utterance_ended"} <= {event["type"] for event in events}
