"""`Pace`: how fast audio goes to the vendor, on the clock of the loop."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from debabelizer.testing.kit.tape import Moment, Tape

__all__ = ["Pace"]

_BURST: Final = 2.0  # seconds of audio that may be ahead: the core allows one, and cuts audio in pieces


class Pace:
    """Notes when audio was taken, and how much of it was on the wire by then."""

    def __init__(self) -> None:
        self._notes: list[tuple[float, float, int]] = []  # when, seconds taken, bytes on the wire

    def watch(self, _: Any, moment: Moment, tape: Tape) -> None:
        """See `Scene.watch`."""
        if moment in {"audio", "end"}:
            sent = sum(len(frame) for frames in tape.wire if frames.way in {"audio", "end"} for frame in frames.frames)
            self._notes.append((asyncio.get_running_loop().time(), tape.sent, sent))

    @property
    def speed(self) -> float:
        """Seconds of audio taken in a second."""
        (begun, first, _), (ended, last, _) = self._notes[0], self._notes[-1]
        return (last - first) / max(ended - begun, 1e-6)

    def lead(self, tape: Tape, speed: float) -> float | None:
        """How many seconds of audio more than `speed` allows went over the wire within any time; None if few did.

        A frame may hold audio in any form; so its share of all bytes says how much of the audio it is.
        """
        total = self._notes[-1][2]
        lead = before = lowest = 0.0
        for when, taken, sent in self._notes:
            share = tape.sent * sent / total if total else taken
            lowest = min(lowest, before - speed * (when - self._notes[0][0]))
            lead = max(lead, share - speed * (when - self._notes[0][0]) - lowest)
            before = share
        return lead if lead > _BURST else None
