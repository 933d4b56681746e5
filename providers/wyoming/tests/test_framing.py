from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from debabelizer_wyoming.framing import LONGEST_LINE, Event, encode, read_event

from debabelizer.errors import ProtocolError

EVENTS = [
    Event("describe"),
    Event("transcript", {"text": "Grüße, 世界", "language": None}),
    Event("audio-chunk", {"rate": 16000}, bytes(range(256))),
]


def read(*pieces: bytes, end: bool = True) -> list[Event]:
    """All events of a connection."""

    async def main() -> list[Event]:
        reader = asyncio.StreamReader(limit=LONGEST_LINE)
        for piece in pieces:
            reader.feed_data(piece)
        if end:
            reader.feed_eof()
        events = []
        async with asyncio.timeout(10):
            while (event := await read_event(reader)) is not None:
                events.append(event)
        return events

    return asyncio.run(main())


def test_what_is_written_is_read() -> None:
    assert read(*map(encode, EVENTS)) == EVENTS


def test_frames_may_come_in_any_pieces() -> None:
    whole = b"".join(map(encode, EVENTS))
    assert read(*(whole[at : at + 1] for at in range(len(whole)))) == EVENTS


def test_the_wyoming_package_reads_what_we_write_and_the_other_way_round() -> None:
    """The official library is an independent witness of the frames."""
    import io

    from wyoming.event import Event as TheirEvent
    from wyoming.event import read_event as their_read
    from wyoming.event import write_event as their_write

    for event in EVENTS:
        theirs = their_read(io.BytesIO(encode(event)))  # type: ignore[arg-type]
        assert theirs is not None
        assert (theirs.type, theirs.data, theirs.payload or b"") == (event.type, event.data, event.payload)
        written = io.BytesIO()
        their_write(TheirEvent(event.type, dict(event.data), event.payload), written)  # type: ignore[arg-type]
        assert read(written.getvalue()) == [event]


@pytest.mark.parametrize(
    ("line", "block"),
    [
        ({"data": {"text": "a", "language": "en"}}, None),
        ({}, {"text": "a", "language": "en"}),
        ({"data": {"text": "old", "language": "en"}}, {"text": "a"}),
        ({"data": None}, {"text": "a", "language": "en"}),
    ],
    ids=["inline", "block", "both", "null"],
)
def test_data_may_stand_inline_and_in_a_block(line: dict[str, Any], block: dict[str, Any] | None) -> None:
    data = json.dumps(block).encode() if block else b""
    head = {"type": "transcript", "version": "1.0.0", **line, **({"data_length": len(data)} if data else {})}
    assert read(json.dumps(head).encode() + b"\n" + data) == [Event("transcript", {"text": "a", "language": "en"})]


@pytest.mark.parametrize(
    "frame",
    [
        b"nonsense\n",
        b'"text"\n',
        b"[]\n",
        b"\xff\xfe\n",
        b"{}\n",
        b'{"type": 7}\n',
        b'{"type": "a", "data": []}\n',
        b"[" * 50_000 + b"\n",
        b'{"type": "a", "data_length": -1}\n',
        b'{"type": "a", "data_length": "7"}\n',
        b'{"type": "a", "data_length": 99999999}\n',
        b'{"type": "a", "payload_length": 99999999}\n',
        b'{"type": "a", "data_length": 2}\n[]',
        b'{"type": "a", "data_length": 2}\n\xff\xff',
        b'{"type": "' + b"a" * LONGEST_LINE + b'"}\n',
    ],
)
def test_what_is_no_frame_is_an_error(frame: bytes) -> None:
    with pytest.raises(ProtocolError, match="A frame of the Wyoming server"):
        read(frame)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_end_within_a_frame_is_told_from_one_between_two(event: Event) -> None:
    frame = encode(event)
    assert read(b"") == []
    for length in (1, len(frame) // 2, len(frame) - 1):
        with pytest.raises(asyncio.IncompleteReadError):
            read(frame[:length])
