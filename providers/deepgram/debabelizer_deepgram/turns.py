"""`TurnInfo`: the message in which a Flux stream says what it heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from debabelizer.errors import ProtocolError
from debabelizer.results import Word
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.words import primary, read_words

__all__ = ["TurnInfo", "parse_turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnInfo:
    """The turn as it stands, always from its beginning.

    Attributes:
        event: ``Update``, ``StartOfTurn``, ``EagerEndOfTurn``, ``TurnResumed`` or ``EndOfTurn``.
        start, end: The audio it was heard in, as the vendor counts.
        words: The words of the turn, in seconds of the user's audio; their times may be missing.
        text: The same as text.
        language: The language most of it is in, if several were possible.
        trigger: What ended it: ``model``, ``manual``, ``timeout``, or what is newer.
    """

    event: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    text: str = ""
    language: str | None = None
    trigger: str | None = None


def parse_turn(node: Node, own: Callable[[float], float]) -> TurnInfo:
    """Read a ``TurnInfo`` message.

    Args:
        node: The message.
        own: Turns a time of the vendor's into one of the user's audio.

    Raises:
        ProtocolError: If it is none.
    """
    event, end = node.text("event"), node.seconds("audio_window_end")
    if event is None or end is None:
        raise ProtocolError("Deepgram sent a TurnInfo without 'event' or 'audio_window_end'.")
    text = (node.text("transcript") or "").strip()
    words = (
        replace(
            word,
            start=None if word.start is None else own(word.start),
            end=None if word.end is None else own(word.end),
        )
        for word in read_words(node.nodes("words"), text)
    )
    return TurnInfo(
        event=event,
        start=node.seconds("audio_window_start") or 0.0,
        end=end,
        words=tuple(words),
        text=text,
        language=primary(next(iter(node.texts("languages")), None)),
        trigger=node.text("trigger"),
    )
