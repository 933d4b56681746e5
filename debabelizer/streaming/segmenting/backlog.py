"""`Backlog`: what waits for the decoder, in order; and the judgement whether the engine keeps up."""

from __future__ import annotations

from collections import deque
from typing import Final, TypeAlias

from debabelizer.audio.utterances import UtteranceAudio
from debabelizer.audio.vad import SAMPLE_RATE
from debabelizer.streaming.connection import End, Flush

__all__ = ["Backlog", "Item"]

Item: TypeAlias = UtteranceAudio | Flush | End

_LIMIT: Final = 2  # one in work, one that waits: more would only be more to lose, and to hold in memory


class Backlog:
    """Utterances that are to become final, and the marks between them. The first one is the one in work.

    A backlog begins with the first utterance that has to wait and is over when all of them are said. The engine
    is slower than speech if, within one, so much audio came that there was no room, and decoding it took longer
    than it had lasted. So neither a file, which comes faster than speech, makes an engine slow, nor a replay.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._begin = 0  # position at which the backlog begins
        self._work = 0.0  # seconds spent on decoding it
        self._was_full = False
        self._told = False

    @property
    def head(self) -> Item | None:
        """What is to be said next."""
        return self._items[0] if self._items else None

    @property
    def is_full(self) -> bool:
        """Whether no more audio is to be taken."""
        return len(self._items) >= _LIMIT

    @property
    def start(self) -> int | None:
        """Position of the first audio that waits."""
        return next((item.start for item in self._items if isinstance(item, UtteranceAudio)), None)

    def put(self, item: Item) -> None:
        """Add what was decided."""
        if isinstance(item, UtteranceAudio) and self.start is None:
            self._begin = item.start
            self._work = 0.0
            self._was_full = self._told = False
        self._items.append(item)
        self._was_full = self._was_full or self.is_full

    def pop(self) -> None:
        """Remove the head, which is said."""
        self._items.popleft()

    def is_slow(self, utterance: UtteranceAudio, work: float) -> bool:
        """Whether the engine proved slower than speech with this utterance, in `work` seconds; once per backlog."""
        self._work += work
        slow = self._was_full and self._work > (utterance.end - self._begin) / SAMPLE_RATE
        news = slow and not self._told
        self._told = self._told or slow
        return news
