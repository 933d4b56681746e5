"""`Items`: the utterances of a Realtime session, in the order in which they were said.

Items are transcribed at the same time, and completions come in any order (documentation): an item is told by its
id, and its place by the ``previous_item_id`` of its commit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from debabelizer.errors import ProtocolError

__all__ = ["Item", "Items"]

_MOST_OPEN: Final = 1000
_REMEMBERED: Final = 100  # items whose late news is passed over


@dataclass(slots=True, eq=False)
class Item:
    """One utterance.

    Attributes:
        id: Its identifier.
        start, end: Connection seconds, or None if not known.
        deltas: What was heard of it by now; text is only ever added.
        committed: Whether its audio is complete.
        transcript: What was said, once that is settled; it may differ from the deltas (inference).
        language: Two-letter code, or None.
        previous: The id of the item before it, if it was said.
    """

    id: str
    start: float | None = None
    end: float | None = None
    deltas: str = ""
    committed: bool = False
    transcript: str | None = None
    language: str | None = None
    previous: str | None = None


class Items:
    """The items that are not said as final yet, in order. An item that nobody announced comes last."""

    def __init__(self) -> None:
        self._open: list[Item] = []
        self._done: deque[str] = deque(maxlen=_REMEMBERED)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._open)

    def __bool__(self) -> bool:
        return bool(self._open)

    def get(self, identifier: str) -> Item | None:
        """The item of that id, made if it is new; None if it was said as final before.

        Raises:
            ProtocolError: If too many are open: a service that begins items for ever must not fill the memory.
        """
        if identifier in self._done:
            return None
        for item in self._open:
            if item.id == identifier:
                return item
        if len(self._open) >= _MOST_OPEN:
            raise ProtocolError(f"The service has {_MOST_OPEN} utterances open, and completes none.")
        item = Item(identifier)
        self._open.append(item)
        return item

    def commit(self, identifier: str, previous: str | None) -> Item | None:
        """The audio of an item is complete, and its place is behind `previous`. None if that is no news."""
        announced = any(item.id == identifier for item in self._open)
        item = self.get(identifier)
        if item is None or item.committed:
            return None
        item.committed, item.previous = True, previous
        if not announced:
            # Nobody knows where, if its predecessor is not known: behind those that are complete.
            self._open.remove(item)
            complete = [place + 1 for place, each in enumerate(self._open) if each.committed]
            self._open.insert(max(complete, default=0), item)
        self._follow()
        # The audio before it is committed as well: what was announced there and is not, will never be.
        place = self._open.index(item)
        self._open[:place] = [each for each in self._open[:place] if each.committed or each.deltas]
        return item

    def _follow(self) -> None:
        """Put every item behind its predecessor."""
        waiting = {item.id: item for item in self._open}
        followers = {item.previous: item for item in self._open if item.previous in waiting}
        heads = [item for item in self._open if item.previous not in waiting]
        self._open = []
        for head in (*heads, *tuple(waiting.values())):  # the latter for predecessors that make no sense
            item: Item | None = head
            while item is not None and waiting.pop(item.id, None) is not None:
                self._open.append(item)
                item = followers.get(item.id)

    @property
    def committed(self) -> frozenset[str]:
        """The ids of those whose audio is complete."""
        return frozenset(item.id for item in self._open if item.committed)

    def take_announced(self) -> Item | None:
        """Take out an item of which is known that somebody speaks, and nothing more."""
        for item in self._open:
            if not item.committed and not item.deltas:
                self._open.remove(item)
                return item
        return None

    def settled(self) -> Iterator[Item]:
        """The items that may be said as final now: complete, and nothing before them is not. Each comes once."""
        while self._open and self._open[0].committed and self._open[0].transcript is not None:
            item = self._open.pop(0)
            self._done.append(item.id)
            yield item
