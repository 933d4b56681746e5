"""The tables of ``docs/configuration.md``, made of the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from debabelizer.config.describe import toml
from debabelizer.config.environment import variable
from debabelizer.config.schema import Known, followed, json_schema

__all__ = ["Section", "default_of", "reference", "sections"]

_NAMES: Final = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "table",
    "string": "text",
}
_LIMITS: Final = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the configuration.

    Attributes:
        path: Its keys; empty for the top level.
        description: What it is for.
        settings: The schema of each setting that has no section of its own.
    """

    path: tuple[str, ...]
    description: str
    settings: dict[str, dict[str, Any]]


def reference(providers: Known) -> str:
    """A table in Markdown for each table of the configuration."""
    schema = json_schema(providers)
    return "\n".join(line for section in sections(schema) for line in _lines(schema, section))


def sections(schema: dict[str, Any]) -> Iterator[Section]:
    """Every table that has settings; what providers nest in theirs is not taken apart."""
    return (section for section in _sections(schema, (), schema) if section.settings)


def _sections(schema: dict[str, Any], path: tuple[str, ...], node: dict[str, Any]) -> Iterator[Section]:
    properties: dict[str, dict[str, Any]] = followed(schema, node)["properties"]
    inner = {key for key, child in properties.items() if len(path) < 2 and "properties" in followed(schema, child)}
    description = node.get("description") or followed(schema, node).get("description", "")
    own = {key: child for key, child in properties.items() if key not in inner}
    if not path:
        description, own = "", {key: child for key, child in own.items() if not is_table(schema, child)}
    yield Section(path, description, own)
    for key in properties:
        if key in inner:
            yield from _sections(schema, (*path, key), properties[key])


def is_table(schema: dict[str, Any], node: dict[str, Any]) -> bool:
    """Whether a setting is itself a table."""
    return bool(followed(schema, node).get("type") == "object")


def _lines(schema: dict[str, Any], section: Section) -> Iterator[str]:
    yield f"### `[{'.'.join(section.path)}]`\n" if section.path else "### Top level\n"
    if section.description:
        yield f"{section.description}\n"
    yield "| Key | Type | Default | Meaning | Environment variable |"
    yield "|---|---|---|---|---|"
    for key, node in section.settings.items():
        name = variable((*section.path, key)) + ("__…" if is_table(schema, node) else "")
        default = default_of(node)
        cells = (f"`{key}`", _type(schema, node), default and f"`{default}`", node.get("description", ""), f"`{name}`")
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(schema: dict[str, Any], node: dict[str, Any]) -> str:
    node = followed(schema, node)
    if "title" in node:  # what `json_schema` keeps: types that are ours
        return str(node["title"]).lower()
    if "enum" in node:
        return ", ".join(f"`{toml(choice)}`" for choice in node["enum"])
    for choices in ("anyOf", "oneOf"):
        if choices in node:
            return " or ".join(dict.fromkeys(_type(schema, choice) for choice in node[choices]))
    if node.get("type") == "array":
        items = _type(schema, node.get("items", {}))
        return f"list of {items}s" if items in _NAMES.values() else f"list of {items}"
    limits = [f"{sign} {node[limit]}" for limit, sign in _LIMITS.items() if limit in node]
    return " ".join([_NAMES.get(node.get("type", ""), "any"), *([", ".join(limits)] if limits else [])])


def default_of(node: dict[str, Any]) -> str:
    """The default of a setting in TOML; empty if it has none."""
    value: Any = node.get("default")
    if value is None:
        return toml(value)
    if node.get("title") == "Duration":
        value = f"{value:g}s"
    elif node.get("title") == "Size" and value % 1024**2 == 0:
        value = f"{value // 1024**2}MiB"
    return toml(value)
