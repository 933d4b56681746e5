"""Words to tokens: the pieces that the service speaks in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from debabelizer.testing.script import SpokenWord
from debabelizer.testing.soniox.behaviour import Behaviour
from debabelizer.testing.soniox.config import StartRequest

__all__ = ["END", "FIN", "Token", "Tokenizer"]

END: dict[str, Any] = {"text": "<end>", "is_final": True}
FIN: dict[str, Any] = {"text": "<fin>", "is_final": True}


@dataclass(frozen=True, slots=True)
class Token:
    """A spoken token.

    Attributes:
        start, end: Seconds.
        interim, final: How it is written while it may change (None: not at all), and once it cannot.
        translation: Translated tokens that follow it once it is final.
    """

    start: float
    end: float
    interim: dict[str, Any] | None
    final: dict[str, Any]
    translation: tuple[dict[str, Any], ...] = ()


def _split(text: str, size: int) -> Iterator[str]:
    """Runs of letters in pieces of at most `size`, runs of punctuation whole."""
    for run in re.findall(r"\w+|[^\w\s]+", text):
        if run[0].isalnum():
            yield from (run[at : at + size] for at in range(0, len(run), size))
        else:
            yield run


class Tokenizer:
    """Splits words into tokens as the start request and the service's behaviour want them."""

    def __init__(self, request: StartRequest, behaviour: Behaviour) -> None:
        self._request = request
        self._behaviour = behaviour
        self._speakers: dict[str, str] = {}
        self._first = not behaviour.leading_space

    def tokens(self, word: SpokenWord) -> list[Token]:
        """The tokens of a word that was heard whole; words must come in order."""
        bare, self._first = self._first, False
        translation = self._translation(word)
        pieces = self._pieces(word, word.text, bare=bare)
        guesses = pieces if word.interim is None else self._pieces(word, word.interim, bare=bare)
        members = self._members(word, translated=translation is not None)
        tokens = []
        for index, (text, start, end) in enumerate(pieces):
            last = index == len(pieces) - 1
            guess = "".join(text for text, _, _ in guesses[index : None if last else index + 1])
            times = {"start_ms": round(start * 1000), "end_ms": round(end * 1000)}
            interim = {"text": guess, **times, "is_final": False, **members} if guess else None
            final = {"text": text, **times, "is_final": True, **members}
            tokens.append(Token(start, end, interim, final, (translation,) if translation and last else ()))
        return tokens

    def guess(self, word: SpokenWord) -> list[dict[str, Any]]:
        """The tokens of a word that is still being heard: what was said of it so far, none of it final."""
        text = word.text if word.interim is None else word.interim
        pieces = self._pieces(word, text, bare=self._first)[:1]
        members = self._members(word, translated=self._translation(word) is not None)
        times = {"start_ms": round(word.start * 1000), "end_ms": round(word.end * 1000)}
        return [{"text": text, **times, "is_final": False, **members} for text, _, _ in pieces]

    def _pieces(self, word: SpokenWord, text: str, *, bare: bool) -> list[tuple[str, float, float]]:
        """Texts with their times. Letters share the time of the word; punctuation has none of its own."""
        texts = list(_split(text, self._behaviour.subword or len(text)))
        only_signs = not any(piece[0].isalnum() for piece in texts)
        sounds = [len(piece) if only_signs or piece[0].isalnum() else 0 for piece in texts]
        pieces: list[tuple[str, float, float]] = []
        spoken, end = 0, word.start
        for piece, sound in zip(texts, sounds, strict=True):
            spoken += sound
            part = spoken / sum(sounds)
            start, end = end, word.end if part == 1 else word.start + (word.end - word.start) * part
            pieces.append((piece, start, end))
        if bare or not word.separator or not pieces:
            return pieces
        if self._behaviour.space_tokens:
            return [(word.separator, word.start, word.start), *pieces]
        first, start, end = pieces[0]
        return [(word.separator + first, start, end), *pieces[1:]]

    def _members(self, word: SpokenWord, *, translated: bool) -> dict[str, Any]:
        members: dict[str, Any] = {"confidence": word.confidence}
        if self._request.diarization:
            label = word.speaker or ""
            members["speaker"] = self._speakers.setdefault(label, str(len(self._speakers) + 1))
        if self._request.language_identification:
            members["language"] = self._language(word)
        if self._request.translation:
            members["translation_status"] = "original" if translated else "none"
        return members

    def _language(self, word: SpokenWord) -> str:
        return word.language or next(iter(self._request.language_hints), "en")

    def _translation(self, word: SpokenWord) -> dict[str, Any] | None:
        if not self._request.translation:
            return None
        language = self._language(word)
        target = self._request.translation.target_of(language)
        if target is None or not word.translation:
            return None
        return {
            "text": word.separator + word.translation,
            "is_final": True,
            "translation_status": "translation",
            "language": target,
            "source_language": language,
        }
