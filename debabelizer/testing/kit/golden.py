"""Golden recordings: what a vendor, or its simulator, sent, and what the dialect made of it.

A recording is a file of JSON lines: how it was asked for, then everything that went over the wire in order, with the
events that each received frame meant. Replayed, the same frames must give the same events.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from debabelizer.config.redaction import redact
from debabelizer.errors import ProviderError
from debabelizer.streaming.dialect import ConnectionEvent, Dialect, Frame, Reply
from debabelizer.testing.kit.brief import members
from debabelizer.testing.kit.tape import Tape

__all__ = ["lines_of", "read", "replay", "write"]

Line = dict[str, Any]

VERSION: Final = 1


def lines_of(tape: Tape, wishes: Mapping[str, Any], source: str, suite: str = "") -> Iterator[Line]:
    """A connection as lines. What was sent is noted by its kind alone: it may hold a key, and a voice.

    Args:
        tape: The connection.
        wishes: How it was asked for.
        source: Where the frames come from, for people who read the file.
        suite: Whose recording it is.
    """
    head = {"golden": VERSION, "source": source, "suite": suite}
    yield {**head, "audio_format": str(tape.audio_format), "wishes": dict(wishes)}
    for at, frames in enumerate(tape.wire):
        events = [to_json(noted.event) for noted in tape.events if noted.frame == at]
        if frames.way == "received":
            yield {"received": _plain(frames.frames[0]), "events": events}
        elif frames.way == "hung up":
            yield {"hung_up": frames.code, "events": events}
        elif frames.way == "audio":
            yield {"sent": "audio", "bytes": frames.size}
        else:
            yield {"sent": frames.way}


def write(path: Path, lines: Iterable[Line]) -> None:
    """Write a recording, without any secret that is known."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _compact(lines))
    path.write_text(redact(text), encoding="utf-8")


def read(path: Path) -> tuple[Line, list[Line]]:
    """The head of a recording, and its lines."""
    head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return head, lines


def replay(dialect: Dialect, lines: Sequence[Line], audio: bytes = b"") -> Iterator[tuple[int, Line, list[Any]]]:
    """Let a dialect live through a recording: for each frame received its number, the line, and the events.

    Args:
        dialect: A fresh one.
        lines: Of the recording, behind its head.
        audio: What was said, for a dialect that listens; behind it is silence.
    """
    number = 0
    for line in lines:
        match line.get("sent"):
            case "open":
                dialect.open()
            case "audio":
                for _ in range(line.get("times", 1)):
                    chunk, audio = audio[: line["bytes"]], audio[line["bytes"] :]
                    dialect.audio(chunk.ljust(line["bytes"], b"\0"))
            case "flush":
                dialect.flush(0.0)
            case "keepalive":
                dialect.keepalive()
            case "end":
                dialect.end()
            case _:
                number += 1
                said = dialect.hung_up(line["hung_up"]) if "hung_up" in line else _heard(dialect, line["received"])
                yield number, line, list(_told(said))


def to_json(event: ConnectionEvent) -> Line:
    """An event as JSON: its name, and what differs from the default."""
    return {"event": type(event).__name__, **members(event)}


def _heard(dialect: Dialect, plain: Any) -> Iterator[ConnectionEvent | Reply]:
    """What a frame means; to read it may fail at once, or later."""
    yield from dialect.receive(_frame(plain))


def _told(said: Iterable[ConnectionEvent | Reply]) -> Iterator[Line]:
    try:
        for event in said:
            if not isinstance(event, Reply):  # which is sent, and may hold what nobody is to read
                yield to_json(event)
    except ProviderError as error:
        yield {"error": type(error).__name__}


def _plain(frame: Frame) -> Any:
    return frame if isinstance(frame, str) else {"base64": base64.b64encode(frame).decode()}


def _frame(plain: Any) -> Frame:
    return plain if isinstance(plain, str) else base64.b64decode(plain["base64"])


def _compact(lines: Iterable[Line]) -> Iterator[Line]:
    """Audio frames of the same size in a row as one line."""
    for line, alike in groupby(lines):
        times = sum(1 for _ in alike)
        yield from [line] * times if line.get("sent") != "audio" else [line | ({"times": times} if times > 1 else {})]
