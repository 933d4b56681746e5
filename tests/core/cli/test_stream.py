from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.testing.coded import encode_words, plan_words, wav
from debabelizer.testing.soniox import Behaviour, CodedWords, Fault, SonioxSimulator, SpokenWord

Run = Callable[..., Any]
Soniox = Callable[..., SonioxSimulator]

PLAN = plan_words(30, length=0.2, gap=0.05, phrase=10, pause=1.0)  # three utterances
AUDIO = encode_words(PLAN)
LINES = [" ".join(f"word{number}" for number in range(first, first + 10)) for first in (0, 10, 20)]


@pytest.fixture
def speech(home: Path) -> str:
    """A recording with three utterances."""
    (home / "speech.wav").write_bytes(wav(AUDIO))
    return "speech.wav"


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put bytes into standard input."""

    def piped(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))

    return piped


def events(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.out.splitlines()]


def finals(result: Any) -> str:
    return " ".join(event["text"] for event in events(result) if event.get("is_final") and event["text"])


class TestText:
    def test_a_line_for_each_utterance(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox()
        result = run("stream", speech)
        assert (result.code, result.err) == (0, "")
        assert result.out.splitlines() == LINES

    def test_standard_input_with_a_header(self, run: Run, soniox: Soniox, piped: Callable[[bytes], None]) -> None:
        soniox()
        piped(wav(AUDIO))
        result = run("stream", "-")
        assert (result.code, result.out.splitlines(), result.err) == (0, LINES, "")

    def test_standard_input_without_one(self, run: Run, soniox: Soniox, piped: Callable[[bytes], None]) -> None:
        soniox()
        piped(AUDIO)
        result = run("stream", "-", "--audio-format", "pcm_s16le/16000/1")
        assert (result.code, result.out.splitlines(), result.err) == (0, LINES, "")

    def test_silence_is_complete(self, run: Run, soniox: Soniox, home: Path) -> None:
        soniox()
        (home / "silence.wav").write_bytes(wav(bytes(32000)))
        result = run("stream", "silence.wav")
        assert (result.code, result.out, result.err) == (0, "", "")

    def test_reconnects_are_told_and_cost_nothing(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox(faults=[Fault.reset(at=4.0)])
        result = run("stream", speech)
        assert (result.code, result.out.splitlines()) == (0, LINES)
        first, second = result.err.splitlines()
        assert re.fullmatch(r"note: soniox: The connection .* The next attempt is in 0\.0 s\.", first)
        assert re.fullmatch(r"note: Connected again; \d\.\d s of audio are sent once more\.", second)

    def test_languages_and_the_provider_are_passed_on(self, run: Run, soniox: Soniox, speech: str) -> None:
        simulator = soniox()
        run("stream", speech, "-l", "en", "-l", "de", "--set", "stt.provider=moonshine", "-p", "soniox")
        assert simulator.connections[0].config["language_hints"] == ["en", "de"]

    def test_a_cut_recording_is_told(self, run: Run, soniox: Soniox, home: Path) -> None:
        soniox()
        (home / "cut.wav").write_bytes(wav(AUDIO)[: len(AUDIO) // 2])
        result = run("stream", "cut.wav")
        assert result.code == 0
        assert result.out.startswith(LINES[0])
        assert result.err.startswith("warning: The audio is truncated")

    def test_speakers(self, run: Run, soniox: Soniox, speech: str) -> None:
        words = [SpokenWord(f"word{number}", speaker="A" if number < 5 else "B") for number in range(30)]
        soniox(CodedWords(words))
        result = run("stream", speech, "--set", "stt.diarization=true")
        lines = [f"[1] {LINES[0][:29]}", f"[2] {LINES[0][30:]}", f"[2] {LINES[1]}", f"[2] {LINES[2]}"]
        assert (result.code, result.out.splitlines()) == (0, lines)


class TestJson:
    def test_every_event_is_a_line(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox(faults=[Fault.reset(at=4.0)])
        result = run("stream", speech, "--json")
        assert (result.code, result.err) == (0, "")
        kinds = [event["type"] for event in events(result)]
        assert kinds[-1] == "closed"
        assert {"result", "utterance_ended", "reconnecting", "reconnected", "progress"} <= set(kinds)
        closed = events(result)[-1]
        assert (closed["type"], closed["error"], closed["stats"]["attempts"]) == ("closed", None, 2)
        assert finals(result) == " ".join(LINES)
        assert any(event.get("is_final") is False for event in events(result))

    def test_only_what_is_final(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox()
        result = run("stream", speech, "--json", "--no-interim")
        assert finals(result) == " ".join(LINES)
        assert not any(event.get("is_final") is False for event in events(result))

    def test_a_failure_is_an_event_too(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox(faults=[Fault.error(400, at=3.0, message="The key test-key is odd.")])
        result = run("stream", speech, "--json")
        closed = events(result)[-1]
        assert (result.code, closed["type"], closed["error"]["type"]) == (3, "closed", "StreamError")
        assert "The key ********** is odd." in closed["error"]["message"]
        assert "test-key" not in result.out + result.err
        assert finals(result).startswith("word0 word1")
        assert closed["error"]["hint"].endswith("s was written.")
        assert "stream.transcript" not in result.out + result.err
        assert result.err.startswith("error: The stream failed after 1 attempt: ")


class TestFailures:
    def test_incomplete_with_the_transcript_so_far(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox(faults=[Fault.error(400, at=6.0)])
        result = run("stream", speech)
        assert result.code == 3
        first, second = result.out.splitlines()
        assert first == LINES[0]
        assert LINES[1].startswith(second)
        assert "s confirmed" in result.err
        assert re.search(r"All that was said up to \d\.\d\d s was written\.$", result.err, re.MULTILINE)
        assert "stream.transcript" not in result.err

    def test_a_service_that_does_not_come_back(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox(faults=[Fault.refuse(at=6.0)], stream={"max_attempts": 3})
        result = run("stream", speech)
        assert (result.code, result.out.splitlines()[0]) == (3, LINES[0])
        assert result.err.count("The next attempt is in") == 2
        assert "after 3 attempts" in result.err

    def test_nothing_was_transcribed(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox(keys=["another"])
        result = run("stream", speech)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("error: The stream failed after 1 attempt: ")
        assert "transcript" not in result.err
        assert "test-key" not in result.err

    def test_lost_audio_is_incomplete(self, run: Run, soniox: Soniox, speech: str) -> None:
        words = Behaviour(final_delay=1000.0, endpoint_silence=1000.0)  # nothing is confirmed
        soniox(behaviour=words, faults=[Fault.reset(at=5.0)], stream={"replay": 1.0})
        result = run("stream", speech)
        assert result.code == 3
        assert re.search(r"^warning: \d\.\d s of audio are lost\.$", result.err, re.MULTILINE)

    def test_a_missing_file(self, run: Run, soniox: Soniox) -> None:
        soniox()
        result = run("stream", "missing.wav")
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("error: There is no file missing.wav.")

    def test_a_file_called_raw_audio(self, run: Run, soniox: Soniox, speech: str) -> None:
        soniox()
        result = run("stream", speech, "--audio-format", "pcm_s16le/16000")
        assert (result.code, result.out) == (1, "")
        assert result.err.splitlines() == [
            "error: This is a WAV file, and a stream takes raw samples.",
            "Give the file itself as the source, and no audio format.",
        ]

    def test_what_is_no_audio(self, run: Run, soniox: Soniox, home: Path) -> None:
        soniox()
        (home / "fake.mp3").write_text("This is no audio, but it is called so. " * 100)
        result = run("stream", "fake.mp3")
        assert (result.code, result.out) == (1, "")
        assert re.match(r"error: .*fake\.mp3", result.err)


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "error: There is nothing to listen to."),
            (["a.wav", "--mic"], "error: There are two things to listen to."),
            (["-", "--device", "1"], "error: There are two things to listen to."),
            (["--mic", "--audio-format", "mulaw/8000"], "error: The microphone has its own audio format."),
            (["a.wav", "--audio-format", "mp3"], "error: Unknown audio encoding 'mp3'."),
            (["a.wav", "-p", "nobody"], "error: There is no provider 'nobody'."),
            (["a.wav", "--set", "stream.replya=1s"], "error: --set: stream.replya: there is no such key."),
        ],
    )
    def test_slips(self, run: Run, soniox: Soniox, arguments: list[str], message: str) -> None:
        soniox()
        result = run("stream", *arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith(message)

    def test_the_keyboard(self, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
        assert run("stream", "-").err.startswith("error: Standard input is the keyboard.")

    @pytest.mark.parametrize("key", ["", "api_key = { env = 'NO_SUCH_KEY' }\n", "api_key = 7\n"])
    def test_a_key_that_is_missing_or_cannot_be(
        self, run: Run, soniox: Soniox, home: Path, speech: str, key: str
    ) -> None:
        simulator = soniox()
        config = home / "debabelizer.toml"
        config.write_text(config.read_text().replace('api_key = "test-key"\n', key))
        result = run("stream", speech)
        assert (result.code, result.out) == (2, "")
        assert "api_key" in result.err
        assert simulator.connections == []


class FakeMicrophone:
    """Hears the coded words."""

    audio_format = AudioFormat()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._blocks()

    async def _blocks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(AUDIO), 1600):
            yield AUDIO[start : start + 1600]


class TestMicrophone:
    @pytest.mark.parametrize(
        ("arguments", "device"), [(["--mic"], None), (["--device", "2"], 2), (["--mic", "--device", "USB"], "USB")]
    )
    def test_it_is_heard(
        self, run: Run, soniox: Soniox, monkeypatch: pytest.MonkeyPatch, arguments: list[str], device: int | str | None
    ) -> None:
        opened: list[Any] = []

        def microphone(**options: Any) -> FakeMicrophone:
            opened.append(options)
            return FakeMicrophone()

        monkeypatch.setattr("debabelizer.audio.microphone.microphone", microphone)
        soniox()
        result = run("stream", *arguments)
        assert (result.code, result.out.splitlines(), result.err) == (0, LINES, "")
        assert opened == [{"device": device}]

    def test_on_a_terminal_it_says_that_it_listens(
        self, run: Run, soniox: Soniox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("debabelizer.audio.microphone.microphone", lambda **_: FakeMicrophone())
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        soniox()
        assert run("stream", "--mic").err == "note: Listening. Ctrl-C ends it.\n"
        result = run("stream", "--mic", "-p", "nobody")
        assert (result.code, "Listening" in result.err) == (2, False)

    def test_without_the_extra(self, run: Run, soniox: Soniox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "sounddevice", None)
        soniox()
        result = run("stream", "--mic")
        assert (result.code, result.out) == (1, "")
        assert result.err.splitlines() == [
            "error: The microphone needs the package 'sounddevice', which is not installed.",
            'Install it: pip install "debabelizer[microphone]>=0.3"',
        ]
