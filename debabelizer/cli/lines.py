"""`Lines`: finals, cut into lines for people to read."""

from __future__ import annotations

import re
from typing import Final

from debabelizer.results import StreamingResult

__all__ = ["Lines", "printable"]

_LONG: Final = 200
"""Characters after which a line ends with the sentence; after twice as many it ends anyway."""

_SENTENCE_END: Final = tuple(".?!…。\uff1f\uff01؟।")

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Lines:
    """One line for each utterance and speaker. A speaker who makes no pause is cut at the end of a sentence.

    Attributes:
        rest: The line that is not over yet.
    """

    def __init__(self) -> None:
        self.rest = ""
        self._speaker: str | None = None

    def add(self, final: StreamingResult) -> list[str]:
        """Take a final; returns the lines that are over with it."""
        over: list[str] = []
        text = printable(final.text)
        if text and self.rest and final.speaker != self._speaker:
            over.append(self.take())
        if text and not self.rest:
            self._speaker = final.speaker
            self.rest = text if final.speaker is None else f"[{printable(final.speaker)}] {text}"
        elif text:
            self.rest += printable(final.separator) + text
        if self.rest and (final.ends_utterance or self._is_long):
            over.append(self.take())
        return over

    def take(self) -> str:
        """End the line."""
        line, self.rest = self.rest, ""
        return line

    @property
    def _is_long(self) -> bool:
        return len(self.rest) > _LONG and (self.rest.endswith(_SENTENCE_END) or len(self.rest) > 2 * _LONG)


def printable(text: str) -> str:
    """The text without what would end a line or move a terminal's cursor."""
    return _CONTROL.sub(" ", text)
