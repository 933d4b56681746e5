"""Golden recordings, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import ProtocolError
from debabelizer.streaming.dialect import (
    ConnectionEvent,
    Dialect,
    Finished,
    Frame,
    Hypothesis,
    Opening,
    Reply,
)
from debabelizer.testing.kit import golden
from debabelizer.testing.kit.tape import Frames, Noted, Tape

FORMAT = AudioFormat()
TEXT = Hypothesis(text="yes", final=True)


class Counting(Dialect):
    """Counts what it is given, answers, and takes a close for the end."""

    size = 0

    def open(self) -> Opening:
        return Opening(url="wss://stt.example")

    def audio(self, chunk: bytes) -> Sequence[Frame]:
        self.size += len(chunk)
        return ()

    def receive(self, frame: Frame) -> Iterable[ConnectionEvent | Reply]:
        yield Reply(frames=("what the key is",))
        if frame == b"\xff":
            raise ProtocolError("no")
        yield TEXT

    def hung_up(self, code: int | None) -> Iterable[ConnectionEvent]:
        return (Finished(FORMAT.seconds(self.size)),) if code == 1000 else ()

    def end(self) -> Sequence[Frame]:
        return ()


def tape() -> Tape:
    told = Tape(1, FORMAT)
    told.wire += [
        Frames("open", ()),
        Frames("audio", (), 3200),
        Frames("audio", (), 3200),
        Frames("received", ("text",)),
        Frames("audio", (), 1600),
        Frames("end", ()),
        Frames("hung up", (), code=1000),
    ]
    told.events += [Noted(TEXT, 0.2, False, 3), Noted(Finished(0.25), 0.25, True, 6)]
    return told


LINES = [
    {"golden": 1, "source": "a test", "suite": "TestIt", "audio_format": "pcm_s16le/16000/1", "wishes": {}},
    {"sent": "open"},
    {"sent": "audio", "bytes": 3200, "times": 2},
    {"received": "text", "events": [{"event": "Hypothesis", "text": "yes", "final": True}]},
    {"sent": "audio", "bytes": 1600},
    {"sent": "end"},
    {"hung_up": 1000, "events": [{"event": "Finished", "through": 0.25}]},
]


def test_a_connection_as_lines_and_back(tmp_path: Path) -> None:
    file = tmp_path / "file.jsonl"
    golden.write(file, golden.lines_of(tape(), {}, "a test", "TestIt"))
    head, lines = golden.read(file)
    assert [head, *lines] == LINES
    assert [events for *_, events in golden.replay(Counting(), lines)] == [LINES[3]["events"], LINES[6]["events"]]


def test_a_dialect_that_listens_is_given_what_was_said_and_silence_behind_it() -> None:
    class Listening(Counting):
        heard = b""

        def audio(self, chunk: bytes) -> Sequence[Frame]:
            self.heard += chunk
            return ()

    dialect = Listening()
    assert list(golden.replay(dialect, [{"sent": "audio", "bytes": 2, "times": 3}], b"abc")) == []
    assert dialect.heard == b"abc\0\0\0"


def test_an_error_is_told_by_its_name_behind_what_was_said_before(tmp_path: Path) -> None:
    lines = [{"received": {"base64": "/w=="}, "events": []}]
    ((number, _, events),) = golden.replay(Counting(), lines)
    assert (number, events) == (1, [{"error": "ProtocolError"}])
