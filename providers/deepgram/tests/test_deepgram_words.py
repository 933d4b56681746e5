from __future__ import annotations

import pytest
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.words import joined, mean_confidence, primary, read_words

from debabelizer import Word


def nodes(*texts: str) -> list[Node]:
    return [Node({"word": text, "start": number, "end": number + 0.5}) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("transcript", "texts", "separators"),
    [
        ("one two", ["one", "two"], [" ", " "]),
        ("one  two", ["one", "two"], [" ", "  "]),
        ("今日は", ["今日", "は"], ["", ""]),
        ("今日 は", ["今日", "は"], ["", " "]),
        ("สวัสดี", ["สวัส", "ดี"], ["", ""]),
        ("안녕 하세요", ["안녕", "하세요"], [" ", " "]),
        ("one, two", ["one", "two"], [" ", " "]),
        ("one two", ["one", "zwei"], [" ", " "]),
        ("no no", ["no", "no"], [" ", " "]),
    ],
)
def test_what_stands_between_words_is_found_in_the_transcript(
    transcript: str, texts: list[str], separators: list[str]
) -> None:
    words = read_words(nodes(*texts), transcript)
    assert [word.separator for word in words] == separators


def test_the_punctuated_word_is_the_word() -> None:
    (word,) = read_words([Node({"word": "hello", "punctuated_word": "Hello,"})], "Hello,")
    assert word == Word("Hello,")


def test_a_word_without_text_is_none() -> None:
    assert read_words([Node({"word": " "}), Node({})], "") == ()


def test_joined_words_are_the_text() -> None:
    assert joined(read_words(nodes("one", "two"), "one two")) == "one two"
    assert joined(()) == ""


def test_confidence_of_several_words() -> None:
    assert mean_confidence([Word("a", confidence=0.5), Word("b", confidence=1.0), Word("c")]) == 0.75
    assert mean_confidence([Word("a")]) is None


@pytest.mark.parametrize(
    ("tag", "language"), [("en-US", "en"), ("zh-Hant", "zh"), ("ES", "es"), ("", None), (None, None)]
)
def test_the_language_of_a_tag(tag: str | None, language: str | None) -> None:
    assert primary(tag) == language
