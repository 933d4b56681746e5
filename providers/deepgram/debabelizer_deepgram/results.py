"""`Results`: the message in which a Nova stream says what it heard."""

from __future__ import annotations

from dataclasses import dataclass

from debabelizer.results import Word
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.words import primary, read_words

__all__ = ["Results", "parse_results"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was heard in a window of the audio.

    Attributes:
        start, end: The window, in seconds of the connection.
        words: The words in it.
        text: The same as text.
        language: The language most of it is in, if several were possible.
        final: Whether it can still change.
        speech_final: Whether the speaker paused here.
        from_finalize: Whether a flush brought it about.
    """

    start: float
    end: float
    words: tuple[Word, ...] = ()
    text: str = ""
    language: str | None = None
    final: bool = False
    speech_final: bool = False
    from_finalize: bool = False


def parse_results(node: Node) -> Results:
    """Read a ``Results`` message.

    Raises:
        ProtocolError: If it is none.
    """
    speech_final = node.flag("speech_final")
    # One page of the documentation shows `speech_final` without `is_final`, another says that it cannot be.
    final = node.flag("is_final") or speech_final
    best = next(iter(node.node("channel").nodes("alternatives")), Node({}))
    text = (best.text("transcript") or "").strip()
    start = node.seconds("start") or 0.0
    return Results(
        start=start,
        end=start + (node.seconds("duration") or 0.0),
        words=read_words(best.nodes("words"), text, speakers=final),  # of interims they are mere guesses (third party)
        text=text,
        language=primary(next(iter(best.texts("languages")), None)),
        final=final,
        speech_final=speech_final,
        from_finalize=node.flag("from_finalize"),
    )
