"""`Interpreter`: what Soniox's messages mean, as events."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Final

from debabelizer.results import Word
from debabelizer.streaming.dialect import ConnectionEvent, Flushed, Hypothesis, Processed, UtteranceEnd
from debabelizer_soniox.messages import END, FIN, TRANSLATION, Message, Token
from debabelizer_soniox.words import WordAssembler, rounded

__all__ = ["Interpreter"]

# A word is whole when nothing was heard for so long after it. Longer than the longest endpoint delay (3 s): with
# endpoint detection on, <end> comes first, and with it the punctuation that is decided late.
_PAUSE: Final = 4.0

_WORDLESS: Final = frozenset({END, FIN, "", None})  # texts of guesses that say nothing

# Audio of which nothing was said, not even a guess, when Soniox had listened for so long past it, holds no word: a
# guess comes with the counter that covers its audio (inference), and this leaves far more room than that.
_SILENCE: Final = 10.0

_voice: Final = attrgetter("speaker", "language")

_NOTHING: Final[tuple[tuple[Word, ...], str | None]] = (), None


class Interpreter:
    """Turns the messages of one connection into events, and remembers what it must from one to the next."""

    def __init__(self) -> None:
        self._spoken = WordAssembler()
        self._translated = WordAssembler()
        self._interim = _NOTHING  # the words and the translation that were last said
        self._heard = 0.0
        self._settled = 0.0
        self._last_final = 0.0
        self._last_token: Token | None = None

    @property
    def heard(self) -> float:
        """How far Soniox said that it has listened, in connection seconds."""
        return self._heard

    def cut_short(self, message: Message) -> list[ConnectionEvent]:
        """What a message says that ends the session before it was worked off.

        Its final tokens are final, but that nothing follows them proves nothing: neither that the word held back is
        whole nor that what was interim was taken back.
        """
        events = self._added(token for token in message.tokens or () if token.is_final)
        events += self._said()
        return events

    def events(self, message: Message) -> list[ConnectionEvent]:
        """What a message says: finals first, then what is interim now, then how far it goes."""
        tokens = message.tokens or ()
        finals, guesses, translated = _sorted(tokens)
        events = self._added(finals) if finals else []
        if is_whole := self._is_whole(message, guessing=len(finals) < len(tokens)):
            self._finish()
        if finals or is_whole:
            events += self._said()
        words = self._spoken.preview(guesses)
        if message.finished and (lost := self._never_final(message)):
            # Not withdrawn: words that are still interim at the end tell the core that this end is no proof.
            words += lost
        else:
            self._note_interim(words, _spaced(self._translated.preview(translated)), events)
        self._note_progress(message, words, events)
        return events

    def _added(self, finals: Iterable[Token]) -> list[ConnectionEvent]:
        """Put the final tokens to those before; markers are no text, but say something themselves."""
        events: list[ConnectionEvent] = []
        for token in finals:
            if self._is_repeat(token):
                continue
            if token.text == END:
                self._spoken.end_utterance()
                self._translated.end_utterance()
                events += self._said(ends_utterance=True)
            elif token.text == FIN:
                self._finish()
                events += self._said()
                events.append(Flushed())
            else:
                (self._translated if token.translated else self._spoken).add(token)
        return events

    def _finish(self) -> None:
        """Nothing more belongs to the words held back."""
        self._spoken.finish()
        self._translated.finish()

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
        words, _ = self._interim
        if self._is_torn(message):
            return words
        settled = max(message.final or 0.0, self._last_final)
        return tuple(word for word in words if word.start is not None and word.start >= settled)

    def _is_torn(self, message: Message) -> bool:
        """Whether the word held back lacks a piece, in audio that Soniox's own counter says is not final."""
        held = self._spoken.held
        words, _ = self._interim
        if held is None or message.final is None or not words:
            return False
        guess = words[0]
        if guess.start != held.start or guess.end is None or not guess.text.startswith(held.text):
            return False
        return guess.text != held.text and guess.end > message.final

    def _is_whole(self, message: Message, *, guessing: bool) -> bool:
        """Whether the word held back must be whole: the session is complete, or nothing was heard for so long."""
        if message.finished and not self._is_torn(message):
            return True
        if guessing or (total := message.total) is None:
            return False
        held = self._spoken.held
        end = self._last_final if held is None else held.end
        return end is not None and total - end >= _PAUSE

    def _said(self, *, ends_utterance: bool = False) -> list[ConnectionEvent]:
        """The words completed by now, one final for each run of the same speaker and language.

        If all words of an utterance were final before it ended, that alone is said.
        """
        words, translation = self._spoken.take(), _spaced(self._translated.take())
        if not words and translation is None:
            return [UtteranceEnd()] if ends_utterance else []
        if words and words[-1].end is not None:
            self._last_final = max(self._last_final, words[-1].end)
        *runs, last = [tuple(run) for _, run in groupby(words, key=_voice)] or [()]
        # The translation comes in its own time, without a link to the words it belongs to.
        end = _hypothesis(last, final=True, translation=translation, ends_utterance=ends_utterance)
        return [*[_hypothesis(run, final=True) for run in runs], end]

    def _note_interim(self, words: tuple[Word, ...], translation: str | None, events: list[ConnectionEvent]) -> None:
        """Add to `events` what is not final, if it changed.

        Finals take the last interim's place, so after them it is said anew.
        """
        interim = words, translation
        if interim != self._interim or (events and interim != _NOTHING):
            events.append(_hypothesis(words, final=False, translation=translation))
            self._interim = interim

    def _note_progress(self, message: Message, pending: tuple[Word, ...], events: list[ConnectionEvent]) -> None:
        """Add to `events` how far Soniox has listened, and how far everything is final.

        Its own counter of final audio may stand inside a word that is held back or not final: such a word has to
        be heard again as a whole. It may also stand inside the last final word, which must not be heard again.
        And it may rest in silence, which it is not documented to cover: there is nothing to hear again in that.
        """
        settled, total = message.final, message.total  # of a `finished` too: the core knows whether all was heard
        heard = max(settled or 0.0, total or 0.0)
        if heard > self._heard:
            self._heard = heard
            events.append(Processed(heard))
        if total is not None and not pending and not message.tokens:
            settled = max(settled or 0.0, total - _SILENCE)
        if settled is None:
            return
        settled = max(settled, self._last_final)
        for word in pending:
            if (start := word.start) is None:
                return
            if start < settled:
                settled = start
        if settled > self._settled:
            self._settled = settled
            events.append(Processed(settled, final=True))


def _sorted(tokens: Iterable[Token]) -> tuple[list[Token], list[Token], list[Token]]:
    """Final tokens, guesses, and guesses of the translation; markers that are not final are none."""
    finals: list[Token] = []
    guesses: list[Token] = []
    translated: list[Token] = []
    for token in tokens:
        if token.is_final:
            finals.append(token)
        elif token.text in _WORDLESS:
            continue
        elif token.translation_status == TRANSLATION:
            translated.append(token)
        else:
            guesses.append(token)
    return finals, guesses, translated


def _hypothesis(
    words: tuple[Word, ...], *, final: bool, translation: str | None = None, ends_utterance: bool = False
) -> Hypothesis:
    """Words as one text; what they do not agree in is left to them."""
    text, separator = "", "" if final else " "
    speaker = language = None
    confidence, rated = 0.0, 0
    if words:
        first = words[0]
        separator, speaker, language = first.separator, first.speaker, first.language
    for word in words:
        text += word.separator + word.text
        if word.confidence is not None:
            confidence += word.confidence
            rated += 1
        if word.speaker != speaker:
            speaker = None
        if word.language != language:
            language = None
    return Hypothesis(
        text=text[len(separator) :],
        final=final,
        words=words,
        separator=separator,
        speaker=speaker,
        language=language,
        confidence=rounded(confidence / rated) if rated else None,
        translation=translation,
        ends_utterance=ends_utterance,
    )


def _spaced(words: tuple[Word, ...]) -> str | None:
    """Translated text with the space before it: the pieces of a translation are joined as they are."""
    return "".join(word.separator + word.text for word in words) or None
