"""`Interpreter`: what Soniox's messages mean, as events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

from debabelizer.results import Word, join
from debabelizer.streaming.dialect import ConnectionEvent, Flushed, Hypothesis, Processed, UtteranceEnd
from debabelizer_soniox.messages import END, FIN, TRANSLATION, Message, Token
from debabelizer_soniox.words import WordAssembler, rounded

__all__ = ["Interpreter"]

# A word is whole when nothing was heard for so long after it. Longer than the longest endpoint delay (3 s): with
# endpoint detection on, <end> comes first, and with it the punctuation that is decided late.
_PAUSE: Final = 4.0

_MARKERS: Final = frozenset({END, FIN})

# Audio of which nothing was said, not even a guess, when Soniox had listened for so long past it, holds no word: a
# guess comes with the counter that covers its audio (inference), and this leaves far more room than that.
_SILENCE: Final = 10.0


class Interpreter:
    """Turns the messages of one connection into events, and remembers what it must from one to the next."""

    def __init__(self) -> None:
        self._spoken = WordAssembler()
        self._translated = WordAssembler()
        self._interim: Hypothesis | None = None  # the last one said, None if it was withdrawn
        self._heard = 0.0
        self._settled = 0.0
        self._last_final = 0.0
        self._last_token: Token | None = None

    @property
    def heard(self) -> float:
        """How far Soniox said that it has listened, in connection seconds."""
        return self._heard

    def cut_short(self, message: Message) -> Iterator[ConnectionEvent]:
        """What a message says that ends the session before it was worked off.

        Its final tokens are final, but that nothing follows them proves nothing: neither that the word held back is
        whole nor that what was interim was taken back.
        """
        yield from self._added(message)
        yield from self._said()

    def events(self, message: Message) -> Iterator[ConnectionEvent]:
        """What a message says: finals first, then what is interim now, then how far it goes."""
        finals = list(self._finals(message))
        yield from finals
        pending = [token for token in message.tokens if not token.is_final and token.text not in _MARKERS]
        translated = [token for token in pending if token.translation_status == TRANSLATION]
        words = self._spoken.preview([token for token in pending if token not in translated] if translated else pending)
        if message.finished and (lost := self._never_final(message)):
            # Not withdrawn: words that are still interim at the end tell the core that this end is no proof.
            yield from self._progress(message, (*words, *lost))
            return
        translation = _spaced(self._translated.preview(translated))
        yield from self._interims(words, translation, after_finals=bool(finals))
        yield from self._progress(message, words)

    def _finals(self, message: Message) -> Iterator[ConnectionEvent]:
        """What the final tokens say, and the word held back if it is whole."""
        yield from self._added(message)
        if self._is_pause(message) or (message.finished and not self._is_torn(message)):
            self._spoken.finish()
            self._translated.finish()
        yield from self._said()

    def _added(self, message: Message) -> Iterator[ConnectionEvent]:
        """Put the final tokens to those before; markers are no text, but say something themselves."""
        for token in [token for token in message.tokens if token.is_final]:
            if self._is_repeat(token):
                continue
            if token.text == END:
                self._spoken.end_utterance()
                self._translated.end_utterance()
                yield from _ending(self._said())
            elif token.text == FIN:
                self._spoken.finish()
                self._translated.finish()
                yield from self._said()
                yield Flushed()
            else:
                (self._translated if token.translated else self._spoken).add(token)

    def _is_repeat(self, token: Token) -> bool:
        """Whether a final token was said before, by its time: final tokens come once and in order."""
        if token.start_ms is None or token.translated:
            return False
        last, self._last_token = self._last_token, token
        if last is None or last.start_ms is None:
            return False
        again = token == last and token.end_ms is not None and token.end_ms > token.start_ms
        if again or token.start_ms < last.start_ms:
            self._last_token = last
            return True
        return False

    def _never_final(self, message: Message) -> tuple[Word, ...]:
        """Interim words that Soniox dropped at the end, in audio that its own counter says is not final."""
        words = self._interim.words if self._interim is not None else ()
        if self._is_torn(message):
            return words
        settled = max(message.final or 0.0, self._last_final)
        return tuple(word for word in words if word.start is not None and word.start >= settled)

    def _is_torn(self, message: Message) -> bool:
        """Whether the word held back lacks a piece, in audio that Soniox's own counter says is not final."""
        held = self._spoken.held
        if held is None or message.final is None or self._interim is None or not self._interim.words:
            return False
        guess = self._interim.words[0]
        if guess.start != held.start or guess.end is None or not guess.text.startswith(held.text):
            return False
        return guess.text != held.text and guess.end > message.final

    def _is_pause(self, message: Message) -> bool:
        """Whether nothing was heard for so long that what is held back must be whole."""
        if message.total is None or not all(token.is_final for token in message.tokens):
            return False
        held = self._spoken.held
        end = self._last_final if held is None else held.end
        return end is not None and message.total - end >= _PAUSE

    def _said(self) -> list[Hypothesis]:
        """The words completed by now, one final for each run of the same speaker and language."""
        words = self._spoken.take()
        said = [_hypothesis(tuple(run), final=True) for _, run in groupby(words, key=_voice)] if words else []
        if said and said[-1].words[-1].end is not None:
            self._last_final = max(self._last_final, said[-1].words[-1].end)
        if translation := _spaced(self._translated.take()):
            # The translation comes in its own time, without a link to the words it belongs to.
            last = said.pop() if said else Hypothesis(text="", final=True, separator="")
            said.append(replace(last, translation=translation))
        return said

    def _interims(
        self, words: tuple[Word, ...], translation: str | None, *, after_finals: bool
    ) -> Iterator[Hypothesis]:
        """What is not final, if it changed; finals take the last interim's place, so after them it is said anew."""
        interim = _hypothesis(words, final=False, translation=translation) if words or translation else None
        if interim != self._interim or (interim is not None and after_finals):
            yield interim or Hypothesis(text="", final=False)
        self._interim = interim

    def _progress(self, message: Message, pending: tuple[Word, ...]) -> Iterator[Processed]:
        """How far Soniox has listened, and how far everything is final.

        Its own counter of final audio may stand inside a word that is held back or not final: such a word has to
        be heard again as a whole. It may also stand inside the last final word, which must not be heard again.
        And it may rest in silence, which it is not documented to cover: there is nothing to hear again in that.
        """
        heard = message.reached
        if heard is not None and heard > self._heard:
            self._heard = heard
            yield Processed(heard)
        settled = message.final  # of a `finished` too: only the core knows whether all audio was heard
        if not message.tokens and not pending and message.total is not None:
            settled = max(settled or 0.0, message.total - _SILENCE)
        starts = [word.start for word in pending]
        if settled is None or None in starts:
            return
        settled = min([max(settled, self._last_final), *(start for start in starts if start is not None)])
        if settled > self._settled:
            self._settled = settled
            yield Processed(settled, final=True)


def _voice(word: Word) -> tuple[str | None, str | None]:
    return word.speaker, word.language


def _hypothesis(words: tuple[Word, ...], *, final: bool, translation: str | None = None) -> Hypothesis:
    if not words:
        return Hypothesis(text="", final=final, translation=translation)
    confidences = [word.confidence for word in words if word.confidence is not None]
    speakers, languages = {word.speaker for word in words}, {word.language for word in words}
    return Hypothesis(
        text=join([(word.separator, word.text) for word in words]),
        final=final,
        words=words,
        separator=words[0].separator,
        speaker=speakers.pop() if len(speakers) == 1 else None,
        language=languages.pop() if len(languages) == 1 else None,
        confidence=rounded(sum(confidences) / len(confidences)) if confidences else None,
        translation=translation,
    )


def _spaced(words: tuple[Word, ...]) -> str | None:
    """Translated text with the space before it: the pieces of a translation are joined as they are."""
    return "".join(word.separator + word.text for word in words) or None


def _ending(said: list[Hypothesis]) -> list[ConnectionEvent]:
    """Finals that end an utterance; if its words were all final before, that alone is said."""
    return [*said[:-1], replace(said[-1], ends_utterance=True)] if said else [UtteranceEnd()]
