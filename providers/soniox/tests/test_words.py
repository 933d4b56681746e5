from __future__ import annotations

from collections.abc import Callable

import pytest
from debabelizer_soniox.messages import Token
from debabelizer_soniox.words import WordAssembler
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from debabelizer.results import Word, join


def assembled(*texts: str) -> list[str]:
    """Each word, with its separator unless that is one space."""
    words = WordAssembler()
    for text in texts:
        words.add(Token(text))
    words.finish()
    return [word.text if word.separator == " " else f"{word.separator}|{word.text}" for word in words.take()]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["Hel", "lo", " wor", "ld", "."], ["Hello", "world."]),
        ([" Hello", " world"], ["Hello", "world"]),
        (["Hello", " ", "world"], ["Hello", "world"]),
        (["Hello ", "world"], ["Hello", "world"]),
        (["Hello", "  ", " ", "\nworld"], ["Hello", "   \n|world"]),
        (["Hello", "", " world"], ["Hello", "world"]),
        (["", " ", ""], []),
        ([" New York", " is"], ["New York", "is"]),
        (["don", "'", "t", " e", "-", "mail"], ["don't", "e-mail"]),
        # Scripts without spaces.
        (["你好", "世界", "。", "今天"], ["|你好", "|世界。", "|今天"]),
        (["他", "说", "「", "好", "」", "。"], ["|他", "|说", "|「好」。"]),
        (["我", "用", "i", "Phone", "手机"], ["|我", "|用", "|iPhone", "|手机"]),
        (["コン", "ピュータ", "ー", "です"], ["|コン", "|ピューター", "|です"]),
        (["き", "ょう", "は"], ["|きょう", "|は"]),
        (["สวัส", "ดี", "ครั", "บ"], ["|สวัส", "|ดี", "|ครั", "|บ"]),
        (["น", "้ำ", " เย็น"], ["|น้ำ", "เย็น"]),
        (["안녕", "하세요", " 세계"], ["안녕하세요", "세계"]),
        (["Say", " 你好", " now"], ["Say", "你好", "now"]),
    ],
)
def test_tokens_become_words(tokens: list[str], expected: list[str]) -> None:
    assert assembled(*tokens) == expected


def test_a_word_is_complete_when_the_next_one_begins() -> None:
    words = WordAssembler()
    words.add(Token(" morn"))
    assert words.take() == ()
    words.add(Token("ing"))
    assert words.take() == ()
    words.add(Token(" all"))
    assert words.take() == (Word("morning"),)
    assert words.take() == ()
    assert words.held == Word("all")


def test_white_space_behind_a_word_completes_it() -> None:
    words = WordAssembler()
    words.add(Token("morning "))
    assert words.take() == (Word("morning"),)
    assert words.held is None


def test_a_word_has_the_times_of_its_tokens_and_their_mean_confidence() -> None:
    words = WordAssembler()
    words.add(Token(" mor", start_ms=1000, end_ms=1200, confidence=0.9, speaker="1", language="en"))
    words.add(Token("ning", start_ms=1200, end_ms=1500, confidence=0.8, speaker="2", language="de"))
    words.add(Token("."))
    words.finish()
    assert words.take() == (Word("morning.", start=1.0, end=1.5, confidence=0.85, speaker="1", language="en"),)


def test_a_word_takes_what_its_first_token_does_not_say_from_a_later_one() -> None:
    words = WordAssembler()
    words.add(Token(" «"))
    words.add(Token("hola", start_ms=0, end_ms=400, speaker="1", language="es"))
    words.finish()
    assert words.take() == (Word("«hola", start=0.0, end=0.4, speaker="1", language="es"),)


def test_a_new_utterance_stands_apart_even_without_its_space() -> None:
    words = WordAssembler()
    for text in ("One", ".", "Two"):
        words.add(Token(text))
        if text == ".":
            words.end_utterance()
    words.finish()
    assert join((word.separator, word.text) for word in words.take()) == "One. Two"


def test_after_a_finish_in_the_middle_of_a_word_the_text_is_still_exact() -> None:
    words = WordAssembler()
    words.add(Token(" morn"))
    words.finish()
    words.add(Token("ing"))
    words.finish()
    assert [(word.separator, word.text) for word in words.take()] == [(" ", "morn"), ("", "ing")]


def test_a_preview_changes_nothing() -> None:
    words = WordAssembler()
    words.add(Token(" morn", start_ms=0, end_ms=500))
    before = words.held
    assert [word.text for word in words.preview((Token("ing"), Token(" all")))] == ["morning", "all"]
    assert [word.text for word in words.preview((Token(" e"),))] == ["morn", "e"]
    assert words.held == before
    assert words.take() == ()


def test_text_without_any_boundary_is_not_held_for_ever() -> None:
    words = WordAssembler()
    for _ in range(300):
        words.add(Token("ab"))
    assert sum(len(word.text) for word in words.take()) >= 400


texts = st.lists(
    st.one_of(
        st.sampled_from(
            [" a", "b", " ", "c ", ".", ",", "", "你", "。", "「", "ก", "้", "1", " 2", "が", "ー", "é", "\n"]
        ),
        st.text(max_size=4),
    ),
    max_size=40,
)


@given(texts)
def test_joined_words_are_the_text_of_the_tokens(tokens: list[str]) -> None:
    words = WordAssembler()
    for text in tokens:
        words.add(Token(text))
    words.finish()
    assert join((word.separator, word.text) for word in words.take()) == "".join(tokens).strip()


@given(texts, st.data())
def test_when_words_are_taken_does_not_change_them(tokens: list[str], data: st.DataObject) -> None:
    at_once, bit_by_bit = WordAssembler(), WordAssembler()
    taken: list[Word] = []
    for index, text in enumerate(tokens):
        token = Token(text, start_ms=index * 1000.0, end_ms=index * 1000.0 + 1000.0)
        at_once.add(token)
        bit_by_bit.add(token)
        if data.draw(st.booleans()):
            bit_by_bit.preview((structs.replace(token, text=data.draw(st.sampled_from([" x", "x", ""]))),))
            taken += bit_by_bit.take()
    at_once.finish()
    bit_by_bit.finish()
    assert (*taken, *bit_by_bit.take()) == at_once.take()


def test_a_line_break_within_a_token_is_a_part_of_its_text() -> None:
    words = WordAssembler().preview([Token(text="foo\nbar", start_ms=0), Token(text=" baz", start_ms=500)])
    assert [(word.text, word.start) for word in words] == [("foo\nbar", 0.0), ("baz", 0.5)]


PIECES = [" a", "b", "c ", " ", "", " d", "é", "你", " 好", ".", " «", "\n", "e\nf", "g\n h", "\tz", "x y", "w" * 120]
PLAIN = [" a", "b", " d", "é", "."]
milliseconds = st.none() | st.integers(0, 9).map(lambda tenths: tenths * 100.0)


def token_lists(*pieces: str, most: int) -> st.SearchStrategy[list[Token]]:
    """Tokens of some pieces, with members that are there, or not."""
    names = st.sampled_from([None, "1", "2"])
    texts = st.sampled_from(pieces)
    one = st.builds(
        Token, texts, st.none(), milliseconds, milliseconds, st.sampled_from([None, 0.5, 1.0]), names, names
    )
    return st.lists(one, max_size=most)


@given(
    token_lists(*PIECES, most=6),
    st.sampled_from([WordAssembler.take, WordAssembler.finish, WordAssembler.end_utterance]),
    token_lists(*PIECES, most=6) | token_lists(*PLAIN, most=10),
)
def test_a_preview_is_what_would_come_of_its_tokens(
    said: list[Token], then: Callable[[WordAssembler], object], guess: list[Token]
) -> None:
    words, afresh = WordAssembler(), WordAssembler()
    for assembler in (words, afresh):
        for token in said:
            assembler.add(token)
        then(assembler)
        assembler.take()
    for token in guess:
        afresh.add(token)
    afresh.finish()
    assert words.preview(guess) == words.preview(guess) == afresh.take()
