"""Each law, on messages. Events are written down in short; `short` shows how."""

from __future__ import annotations

from typing import Any

import pytest
from debabelizer_soniox.interpreter import Interpreter
from debabelizer_soniox.messages import END, FIN, Message, Token
from hypothesis import given
from hypothesis import strategies as st

from debabelizer.results import Word
from debabelizer.streaming.dialect import ConnectionEvent, Flushed, Hypothesis, Processed, UtteranceEnd


def short(event: ConnectionEvent) -> str:
    match event:
        case Hypothesis(final=True):
            return f"final {event.text!r}" + (" end" if event.ends_utterance else "")
        case Hypothesis():
            return f"interim {event.text!r}"
        case Processed():
            return f"{'settled' if event.final else 'heard'} {event.through:g}"
        case _:
            return type(event).__name__


def message(
    tokens: tuple[Token, ...] = (), final: float | None = None, total: float | None = None, *, finished: bool = False
) -> Message:
    """A message with its counters in seconds, as events have them."""
    return Message(tokens, None if final is None else final * 1000, None if total is None else total * 1000, finished)


def tokens(*texts: str, final: bool = True, at: float | None = None, each: float = 0.25) -> tuple[Token, ...]:
    """Tokens of the same length, one after the other."""
    if at is None:
        return tuple(Token(text, final) for text in texts)
    starts = (1000 * (at + i * each) for i in range(len(texts)))
    return tuple(Token(text, final, start, start + 1000 * each) for text, start in zip(texts, starts, strict=True))


def finals(*texts: str, at: float | None = None) -> tuple[Token, ...]:
    return tokens(*texts, at=at)


def guesses(*texts: str, at: float | None = None) -> tuple[Token, ...]:
    return tokens(*texts, final=False, at=at)


def translations(*texts: str, final: bool = True) -> tuple[Token, ...]:
    return tuple(Token(text, final, translation_status="translation") for text in texts)


CONVERSATIONS: dict[str, list[tuple[Message, list[str]]]] = {
    "the last final word is held until a final token begins another": [
        (message(finals(" How", " are")), ["final 'How'", "interim 'are'"]),
        (message(finals(" you")), ["final 'are'", "interim 'you'"]),
        (message(finished=True), ["final 'you'", "interim ''"]),
    ],
    "a guess does not complete a word, for it may change": [
        (message(finals(" morn") + guesses(" all")), ["interim 'morn all'"]),
        (message(finals("ing") + guesses(" all")), ["interim 'morning all'"]),
        (message(finals(" all")), ["final 'morning'", "interim 'all'"]),
    ],
    "a guess that continues a held word is shown joined to it": [
        (message(finals(" morn") + guesses("ing")), ["interim 'morning'"]),
    ],
    "several words are one final": [
        (message(finals(" How", " are", " you", "?", " I")), ["final 'How are you?'", "interim 'I'"]),
    ],
    "white space behind a word completes it at once": [
        (message(finals("Yes ")), ["final 'Yes'"]),
        (message(finals("No", " ")), ["final 'No'"]),
    ],
    "words of scripts without spaces are held for one token only": [
        (message(finals("你好")), ["interim '你好'"]),
        (message(finals("世界")), ["final '你好'", "interim '世界'"]),
        (message(finals("。", "今")), ["final '世界。'", "interim '今'"]),
    ],
    "an interim is said when it changed, and withdrawn when it vanished": [
        (message(guesses(" Hel")), ["interim 'Hel'"]),
        (message(guesses(" Hel")), []),
        (message(guesses(" Hello")), ["interim 'Hello'"]),
        (message(), ["interim ''"]),
        (message(), []),
    ],
    "after a final the interim is said anew": [
        (message(finals("a ") + guesses("b")), ["final 'a'", "interim 'b'"]),
        (message(finals("c ") + guesses("b")), ["final 'c'", "interim 'b'"]),
    ],
    "the same word twice is said twice": [
        (message(finals(" yes", " yes", " yes")), ["final 'yes yes'", "interim 'yes'"]),
        (message(finals(" yes", END)), ["final 'yes yes' end", "interim ''"]),
    ],
    "<end> in the same message marks the last final": [
        (message(finals(" Hi", " you", ".", END)), ["final 'Hi you.' end"]),
    ],
    "<end> completes the word held, and marks it": [
        (message(finals(" Hi")), ["interim 'Hi'"]),
        (message(finals(END)), ["final 'Hi' end", "interim ''"]),
    ],
    "<end> after everything was final stands alone": [
        (message(finals("Hi ")), ["final 'Hi'"]),
        (message(finals(END)), ["UtteranceEnd"]),
    ],
    "<end> between two utterances of one message": [
        (message(finals("One", ".", END, "Two", " x")), ["final 'One.' end", "final 'Two'", "interim 'x'"]),
    ],
    "<fin> comes behind the words it confirms": [
        (message(finals(" Hi", " you", FIN)), ["final 'Hi you'", "Flushed"]),
        (message(finals(FIN)), ["Flushed"]),
    ],
    "<fin> and <end> in one message": [
        (message(finals(" Hi", END, FIN)), ["final 'Hi' end", "Flushed"]),
    ],
    "markers are no text, also when they are not final": [
        (message(guesses(" Hi", END, FIN)), ["interim 'Hi'"]),
    ],
    "a long pause completes the word held": [
        (message(finals(" stop", at=1.0), 1.25, 1.5), ["interim 'stop'", "heard 1.5", "settled 1"]),
        (message((), 1.25, 5.2), ["heard 5.2"]),
        (message((), 1.25, 5.3), ["final 'stop'", "interim ''", "heard 5.3", "settled 1.25"]),
    ],
    "silence is settled although the counter rests": [
        (message(finals(" stop", END, at=1.0), 1.25, 1.5), ["final 'stop' end", "heard 1.5", "settled 1.25"]),
        (message((), 1.25, 11.0), ["heard 11"]),
        (message((), 1.25, 12.0), ["heard 12", "settled 2"]),
        (message(guesses(" go", at=17.0), 1.25, 60.0), ["interim 'go'", "heard 60"]),
        (message(guesses(" go", at=17.0), 17.0, 61.0), ["heard 61", "settled 17"]),
    ],
    "silence before anything was said, and after a word that is held": [
        (message((), 0.0, 30.0), ["heard 30", "settled 20"]),
        (message(finals(" a", at=30.0), 30.25, 30.5), ["interim 'a'", "heard 30.5", "settled 30"]),
        (message((), None, 45.0), ["final 'a'", "interim ''", "heard 45", "settled 35"]),
    ],
    "a pause with a guess after it is none": [
        (message(finals(" sto", at=1.0), 1.25, 1.5), ["interim 'sto'", "heard 1.5", "settled 1"]),
        (message(guesses("p", at=5.0), 1.25, 6.0), ["interim 'stop'", "heard 6"]),
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(name: str) -> None:
    interpreter = Interpreter()
    for heard, expected in CONVERSATIONS[name]:
        assert [short(event) for event in interpreter.events(heard)] == expected


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (message(finals(" a", at=0.0) + finals(" b", at=2.0), 2.5, 3.0), ["heard 3", "settled 2"]),  # " b" is held
        (message(finals(" a", END, at=0.0), 0.25, 3.0), ["heard 3", "settled 0.25"]),
        (message(finals(" a", END, at=0.0), 2.0, 3.0), ["heard 3", "settled 2"]),  # through silence
        (message(guesses(" a", at=1.0), 2.0, 3.0), ["heard 3", "settled 1"]),  # not into a guess
        (message(guesses(" a"), 2.0, 3.0), ["heard 3"]),  # a guess without time may be anywhere
        (message(finals(" a", at=1.0) + finals(END), 1.1, 3.0), ["heard 3", "settled 1.25"]),  # not into a final word
        (message(finals(" a", END, at=1.0), None, None), []),
        (message(finals(" a", END, at=1.0), 2.0, None), ["heard 2", "settled 2"]),
        (message((), 0.0, 0.0), []),
    ],
)
def test_how_far_everything_is_final_never_cuts_a_word(heard: Message, expected: list[str]) -> None:
    said = [short(event) for event in Interpreter().events(heard)]
    assert [text for text in said if text.startswith(("heard", "settled"))] == expected


def test_positions_are_said_once_and_never_go_back() -> None:
    interpreter = Interpreter()
    said = [
        [short(event) for event in interpreter.events(message((), *position))]
        for position in ((1.0, 2.0), (1.0, 2.0), (0.5, 1.5), (1.5, 2.0))
    ]
    assert said == [["heard 2", "settled 1"], [], [], ["settled 1.5"]]


def test_a_finished_that_may_be_too_early_settles_no_more_than_its_counter_says() -> None:
    last = list(Interpreter().events(message((), 1.0, 3.0, finished=True)))
    assert last == [Processed(3.0), Processed(1.0, final=True)]


def test_finals_are_cut_where_speaker_or_language_change() -> None:
    said = [
        Token(" Hello", True, 0, 500, 0.9, "1", "en"),
        Token(" there", True, 500, 1000, 0.7, "1", "en"),
        Token(" hola", True, 1000, 1500, 1.0, "2", "es"),
        Token(" hi", True, 1500, 2000, 0.5, "2", "en"),
        Token(END, True),
    ]
    first, second, third = [e for e in Interpreter().events(message(tuple(said))) if isinstance(e, Hypothesis)]
    assert (first.text, first.speaker, first.language, first.confidence) == ("Hello there", "1", "en", 0.8)
    assert (second.text, second.speaker, second.language, second.ends_utterance) == ("hola", "2", "es", False)
    assert (third.text, third.speaker, third.language, third.ends_utterance) == ("hi", "2", "en", True)
    assert first.words == (
        Word("Hello", 0.0, 0.5, 0.9, "1", "en"),
        Word("there", 0.5, 1.0, 0.7, "1", "en"),
    )


def test_an_interim_of_several_speakers_leaves_that_to_its_words() -> None:
    said = (Token(" Hi", False, 0, 500, None, "1", "en"), Token(" oh", False, 500, 1000, None, "2", "en"))
    (interim,) = [e for e in Interpreter().events(message(said)) if isinstance(e, Hypothesis)]
    assert (interim.text, interim.speaker, interim.language) == ("Hi oh", None, "en")
    assert [word.speaker for word in interim.words] == ["1", "2"]


def test_separators_say_what_stood_between() -> None:
    interpreter = Interpreter()
    said: list[Hypothesis] = []
    for heard in (message(finals("Hi", "  you", "你", "好", "\nx", END)), message(finals("Next", END))):
        said += [event for event in interpreter.events(heard) if isinstance(event, Hypothesis) and event.final]
    assert [(final.separator, final.text) for final in said] == [(" ", "Hi  you你好\nx"), (" ", "Next")]


def test_final_tokens_that_come_again_are_said_once() -> None:
    interpreter = Interpreter()
    twice = message(finals(" ha", "ha", " ha", " ha", at=1.0))
    assert [short(event) for event in interpreter.events(twice)] == ["final 'haha ha'", "interim 'ha'"]
    assert interpreter.events(twice) == []
    assert [short(event) for event in interpreter.events(message(finished=True))] == ["final 'ha'", "interim ''"]


def test_words_that_never_became_final_are_not_withdrawn_at_the_end() -> None:
    interpreter = Interpreter()
    list(interpreter.events(message(guesses(" Hi", at=1.0), 0.5, 2.0)))
    assert [short(event) for event in interpreter.events(message((), 0.5, 2.0, finished=True))] == []
    interpreter = Interpreter()
    list(interpreter.events(message(guesses(" Hi", at=1.0), 0.5, 2.0)))
    said = [short(event) for event in interpreter.events(message((), 1.9, 2.0, finished=True))]
    assert said == ["interim ''", "settled 1.9"]


def test_a_word_torn_by_an_early_end_is_not_said_and_is_heard_again() -> None:
    interpreter = Interpreter()
    list(interpreter.events(message(finals(" Good", " morn", at=1.0) + guesses("ing", at=1.5), 1.5, 2.0)))
    assert [short(event) for event in interpreter.events(message((), 1.5, 2.0, finished=True))] == []


def test_a_guess_that_the_end_took_back_does_not_tear_the_word_before_it() -> None:
    interpreter = Interpreter()
    list(interpreter.events(message(finals(" Good", " morn", at=1.0) + guesses("ing", at=1.5), 1.5, 2.0)))
    said = [short(event) for event in interpreter.events(message((), 2.0, 2.0, finished=True))]
    assert said == ["final 'morn'", "interim ''", "settled 2"]


TRANSLATIONS: dict[str, list[tuple[Message, list[tuple[Any, ...]]]]] = {
    "a translation comes with the words of its message": [
        (
            message(finals(" Good", " day", END) + translations(" Guten", " Tag ")),
            [("Good day", True, None), ("", True, " Guten Tag")],
        ),
        (
            message(translations("Gu", "ten", " Tag") + finals(" Good", " day", END)),
            [("Good day", True, " Guten Tag")],
        ),
    ],
    "a translation alone, in whole words": [
        (message(translations(" Gu")), [("", False, " Gu")]),
        (message(translations("ten", " Ta")), [("", True, " Guten"), ("", False, " Ta")]),
        (message(translations("g") + finals(END)), [("", True, " Tag"), ("", False, None)]),
    ],
    "a translation that is not final": [
        (
            message(guesses(" Good") + translations(" Gut", final=False)),
            [("Good", False, " Gut")],
        ),
        (message(translations(" Gut", final=False)), [("", False, " Gut")]),
        (message(), [("", False, None)]),
    ],
    "a translation that is late is not held for ever": [
        (message(finals("Hi ", at=0.0), 0.25, 0.25), [("Hi", True, None)]),
        (message(translations(" Hallo"), 0.25, 1.0), [("", False, " Hallo")]),
        (message((), 0.25, 4.5), [("", True, " Hallo"), ("", False, None)]),
    ],
}


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_translation(name: str) -> None:
    interpreter = Interpreter()
    for heard, expected in TRANSLATIONS[name]:
        said = [event for event in interpreter.events(heard) if isinstance(event, Hypothesis)]
        assert [(event.text, event.final, event.translation) for event in said] == expected


def test_a_lone_translation_adds_nothing_to_the_text() -> None:
    (final, *_) = Interpreter().events(message(translations("Hallo ")))
    assert final == Hypothesis(text="", final=True, separator="", translation=" Hallo")


def test_an_end_of_nothing_is_an_end() -> None:
    assert list(Interpreter().events(message(finals(END)))) == [UtteranceEnd()]
    assert list(Interpreter().events(message(finals(FIN)))) == [Flushed()]


@given(
    texts=st.lists(
        st.sampled_from([" a", "b", " c", ".", " ", "d ", "你", "。", "é", " yes", " yes", END, FIN]), max_size=30
    ),
    data=st.data(),
)
def test_any_split_into_messages_gives_the_same_words(texts: list[str], data: st.DataObject) -> None:
    """Whatever the messages and however wrong the guesses: each word becomes final once, whole, in order."""

    def play(cuts: list[int]) -> list[Word]:
        interpreter = Interpreter()
        words: list[Word] = []
        settled = 0.0
        for start, end in zip([0, *cuts], [*cuts, len(sequence)], strict=True):
            ahead = data.draw(st.sampled_from([(), sequence[end : end + 3], guesses("x", at=90.0)]))
            guess = tuple(Token(token.text, False, token.start_ms, token.end_ms) for token in ahead)
            reached = sequence[end - 1].end_ms / 1000 if end else 0.0
            for event in interpreter.events(message(sequence[start:end] + guess, reached, reached)):
                if isinstance(event, Hypothesis) and event.final:
                    assert all(word.start >= settled for word in event.words), "it was said to need no replay"
                    words += event.words
                elif isinstance(event, Processed) and event.final:
                    settled = event.through
        for event in interpreter.events(message(finished=True)):
            if isinstance(event, Hypothesis) and event.final:
                words += event.words
        return words

    sequence = tuple(Token(text, True, i * 250, i * 250 + 250) for i, text in enumerate(texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=10)))
    words = play(cuts)
    assert words == play([])
    assert "".join(word.text for word in words) == "".join(text.strip() for text in texts if text not in {END, FIN})
