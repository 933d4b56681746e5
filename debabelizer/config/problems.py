"""From what pydantic found to problems with file, line and key, and without any value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ErrorDetails

from debabelizer.config.layers import Layer, dotted
from debabelizer.config.positions import KeyPath
from debabelizer.errors import ConfigProblem

__all__ = ["in_order", "validated"]

_MESSAGES: Final = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a table",
    "extra_forbidden": "there is no such key",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "missing": "is required",
    "model_attributes_type": "must be a table",
    "model_type": "must be a table",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
}
_SHORTEST_MASKED: Final = 4
_MOST_KEYS: Final = 20


def validated(
    model: type[BaseModel], data: Mapping[str, Any], layer: Layer, root: KeyPath = ()
) -> BaseModel | list[ConfigProblem]:
    """An instance of `model`, or what is wrong with `data`.

    Problems are returned and not raised, because pydantic's error holds the values, and would hang on to whatever
    is raised while it is handled.

    Args:
        model: The model.
        data: What to validate.
        layer: Knows where each key was written.
        root: Where in `layer` the data belongs.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    return _problems_of(details, data, model, layer, root)


def in_order(problems: Iterable[ConfigProblem]) -> tuple[ConfigProblem, ...]:
    """The problems in the order of their places; what is found twice is told once."""
    return tuple(sorted(dict.fromkeys(problems), key=_place))


def _place(problem: ConfigProblem) -> tuple[str, int, int]:
    return str(problem.source or ""), problem.line or 0, problem.column or 0


def _problems_of(
    details: Iterable[ErrorDetails], data: Mapping[str, Any], model: type[BaseModel], layer: Layer, root: KeyPath
) -> list[ConfigProblem]:
    """One problem for each key that is wrong, however many of the types it may have it fails to be."""
    found: dict[KeyPath, list[str]] = {}
    unknown: set[KeyPath] = set()
    for detail in details:
        path = _path(detail["loc"], data, is_missing=detail["type"] == "missing")
        if detail["type"] == "extra_forbidden":
            unknown.add(path)
        messages = found.setdefault(path, [])
        if (message := _message(detail)) not in messages:
            messages.append(message)
    schema = _Schema(model) if unknown else None
    return [
        layer.source_of((*root, *path)).problem(
            _sentence(messages),
            key=dotted((*root, *path)),
            hint=schema.hint(path) if schema and path in unknown else None,
        )
        for path, messages in found.items()
    ]


def _path(location: tuple[int | str, ...], data: Any, *, is_missing: bool) -> KeyPath:
    """The key an error is about. Pydantic mixes in which choice of a union, or what validator, it was in."""
    path: list[int | str] = []
    for part in location:
        if _holds(data, part):
            data = data[part]
            path.append(part)
    return (*path, location[-1]) if is_missing else tuple(path)


def _sentence(messages: list[str]) -> str:
    first, *others = messages
    return ", or ".join([first, *(other.removeprefix("must be ") for other in others)]) + "."


def _holds(data: Any, part: int | str) -> bool:
    if isinstance(data, (list, tuple)):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, Mapping) and part in data


def _message(detail: ErrorDetails) -> str:
    """What is wrong, in our words where pydantic's are about Python; a value that is quoted in it is masked."""
    message = _MESSAGES.get(detail["type"])
    if message is None:
        message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        for words in ("Input should", "String should", "Tuple should", "List should", "Data should"):
            message = message.replace(words, "must", 1) if message.startswith(words) else message
        message = message.removesuffix(" after validation, not 0").rstrip(".")
    for value in sorted(set(_texts(detail["input"])), key=len, reverse=True):
        message = message.replace(value, "…")
    return message


def _texts(value: object) -> Iterator[str]:
    """Every value within, as it could be quoted in a message."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= _SHORTEST_MASKED:
        yield str(value)


class _Schema:
    """The JSON schema of a model, asked which keys there are: it knows unions, nested models and aliases."""

    def __init__(self, model: type[BaseModel]) -> None:
        try:
            self._root: dict[str, Any] = model.model_json_schema()
        except PydanticUserError:  # a provider's model with a type that has no JSON schema
            keys = [field.alias or name for name, field in model.model_fields.items()]
            self._root = {"properties": {key: {} for key in keys}}

    def hint(self, path: KeyPath) -> str | None:
        """What to write instead of the unknown key at `path`."""
        key, known = str(path[-1]), self._keys(path[:-1])
        for table in known:
            if key in self._keys((*path[:-1], table)):
                return f"Did you mean {dotted((*path[:-1], table, key))!r}?"
        if nearest := get_close_matches(key, known, n=1):
            return f"Did you mean {nearest[0]!r}?"
        more = ", …" if len(known) > _MOST_KEYS else ""
        return f"There are: {', '.join(known[:_MOST_KEYS])}{more}." if known else None

    def _keys(self, path: KeyPath) -> list[str]:
        nodes = [self._root]
        for part in path:
            nodes = [child for node in nodes for child in self._children(node, part)]
        return list(dict.fromkeys(key for node in nodes for plain in self._plain(node) for key in plain["properties"]))

    def _children(self, node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
        for plain in self._plain(node):
            rest = "items" if isinstance(part, int) else "additionalProperties"
            child = plain["properties"].get(part, plain.get(rest))
            if isinstance(child, dict):
                yield child

    def _plain(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A node and its alternatives, with references followed; each has `properties`."""
        if "$ref" in node:
            yield from self._plain(self._root["$defs"][node["$ref"].rpartition("/")[2]])
        for alternative in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())):
            yield from self._plain(alternative)
        yield {"properties": {}, **node}
