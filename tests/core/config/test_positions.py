from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from debabelizer.config.positions import KeyPath, scan

LINES = [
    '# comment with [brackets] and "quotes"',
    "top = 1",
    'dotted.key . inner = "# no comment"   # [no.header]',
    "",
    "[table]  # [not.this]",
    "\"quoted.key\" = 'a = 1'",
    '\'literal key\' = """',
    "[not.a.table]",
    'not = \\" a key """""',
    "\"escaped \\u00e9\\\"\" = '''",
    'it\'s " "" [x]',
    "''''",
    "after = [",
    "  1, # one",
    "  [2, 3],",
    '  { inline = true, "b.c" = { d = 4 } },',
    "  \"]\", '''multi",
    "line''',",
    "]",
    "when = 1979-05-27 07:32:00",
    "[table.nested.deep]",
    "k = { }",
    '[ other . "x y" ]',
    "v = +inf",
    "[[list]]",
    'name = "first"',
    "[list.sub]",
    'a = ""',
    "[[list]]",
    "name = ''",
    "[[list.inner]]",
    "b = 2",
    "[[list.inner]]",
    "b = 3",
]
DOCUMENT = "\n".join(LINES)

POSITIONS: dict[KeyPath, tuple[int, int]] = {
    ("top",): (2, 1),
    ("dotted",): (3, 1),
    ("dotted", "key"): (3, 1),
    ("dotted", "key", "inner"): (3, 1),
    ("table",): (5, 1),
    ("table", "quoted.key"): (6, 1),
    ("table", "literal key"): (7, 1),
    ("table", 'escaped é"'): (10, 1),
    ("table", "after"): (13, 1),
    ("table", "after", 0): (14, 3),
    ("table", "after", 1): (15, 3),
    ("table", "after", 1, 0): (15, 4),
    ("table", "after", 1, 1): (15, 7),
    ("table", "after", 2): (16, 3),
    ("table", "after", 2, "inline"): (16, 5),
    ("table", "after", 2, "b.c"): (16, 20),
    ("table", "after", 2, "b.c", "d"): (16, 30),
    ("table", "after", 3): (17, 3),
    ("table", "after", 4): (17, 8),
    ("table", "when"): (20, 1),
    ("table", "nested"): (21, 1),
    ("table", "nested", "deep"): (21, 1),
    ("table", "nested", "deep", "k"): (22, 1),
    ("other",): (23, 1),
    ("other", "x y"): (23, 1),
    ("other", "x y", "v"): (24, 1),
    ("list",): (25, 1),
    ("list", 0): (25, 1),
    ("list", 0, "name"): (26, 1),
    ("list", 0, "sub"): (27, 1),
    ("list", 0, "sub", "a"): (28, 1),
    ("list", 1): (29, 1),
    ("list", 1, "name"): (30, 1),
    ("list", 1, "inner"): (31, 1),
    ("list", 1, "inner", 0): (31, 1),
    ("list", 1, "inner", 0, "b"): (32, 1),
    ("list", 1, "inner", 1): (33, 1),
    ("list", 1, "inner", 1, "b"): (34, 1),
}


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from paths(child, (*path, key))


def test_every_kind_of_key_is_found_where_it_stands() -> None:
    tomllib.loads(DOCUMENT)
    assert scan(DOCUMENT) == POSITIONS


def test_nothing_in_an_empty_document() -> None:
    assert scan("") == scan("# nothing\n") == {}


Values = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.floats(), st.text(max_size=8), st.just("'''"), st.dates()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=12,
)


class Writer:
    """Writes a table in a style chosen by `choose`, and notes the line that each key starts on."""

    def __init__(self, choose: Callable[[list[str]], str]) -> None:
        self.choose = choose
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def table(self, table: dict[str, Any], path: KeyPath = ()) -> None:
        headed = []
        for key, value in table.items():
            if isinstance(value, dict) and value and self.choose(["header", "inline"]) == "header":
                headed.append(key)
            else:
                self.pair((*path, key), value)
                self.text += self.choose(["\n", " # [comment]\n\n", "\t\n"])
        for key in headed:
            self.lines[(*path, key)] = self.line
            self.text += f"[{'.'.join(map(self.key, (*path, key)))}]\n"
            self.table(table[key], (*path, key))

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def key(self, key: str | int) -> str:
        return json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")

    def pair(self, path: KeyPath, value: Any) -> None:
        self.lines[path] = self.line
        self.text += f"{self.key(path[-1])} = "
        self.value(path, value)

    def value(self, path: KeyPath, value: Any) -> None:
        if isinstance(value, dict):
            self.text += "{"
            for number, (key, item) in enumerate(value.items()):
                self.text += ", " if number else " "
                self.pair((*path, key), item)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for index, item in enumerate(value):
                self.text += self.choose(["", "\n", " # ] comment\n  "])
                self.lines[(*path, index)] = self.line
                self.value((*path, index), item)
                self.text += self.choose([",", "\n,", " ,"])
            self.text += "]"
        elif isinstance(value, str):
            self.text += self.string(value)
        else:
            self.text += str(value).lower()

    def string(self, value: str) -> str:
        plain = value.isprintable() and value.isascii()
        styles = ["basic", *(["literal", "lines"] if plain and "'" not in value else [])]
        style = self.choose(styles)
        if style == "basic":
            return self.key(value)
        return f"'{value}'" if style == "literal" else f"'''\n{value}\n'''"


@given(st.dictionaries(st.text(max_size=4), Values, max_size=4), st.data())
def test_any_document_gives_the_line_of_every_key(table: dict[str, Any], data: st.DataObject) -> None:
    writer = Writer(lambda choices: data.draw(st.sampled_from(choices)))
    writer.table(table)
    found = scan(writer.text)
    assert set(found) == set(paths(tomllib.loads(writer.text)))
    assert {path: line for path, (line, _) in found.items()} == writer.lines
