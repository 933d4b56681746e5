"""The tables of ``docs/configuration.md``, made of the models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from debabelizer.config.describe import toml
from debabelizer.config.environment import variable
from debabelizer.config.schema import Known, followed, json_schema

__all__ = ["default_of", "reference", "sections"]

_NAMES: Final = {
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "table",
    "string": "text",
}
_LIMITS: Final = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def reference(providers: Known) -> str:
    """A table in Markdown for each table of the configuration."""
    schema = json_schema(providers)
    return "\n".join(line for path, table in sections(schema) for line in _section(schema, path, table))


def sections(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every table of the configuration with its path; what providers nest in theirs is not taken apart."""
    table = schema
    for key in path:
        table = followed(schema, table["properties"][key])
    yield path, table
    for key, node in table.get("properties", {}).items():
        if len(path) < 2 and "properties" in followed(schema, node):
            yield from sections(schema, (*path, key))


def _section(schema: dict[str, Any], path: tuple[str, ...], table: dict[str, Any]) -> Iterator[str]:
    settings = [(key, node) for key, node in table["properties"].items() if path or not is_table(schema, node)]
    if not settings:
        return
    yield f"### `[{'.'.join(path)}]`\n" if path else "### Top level\n"
    yield "| Key | Type | Default | Meaning | Environment variable |"
    yield "|---|---|---|---|---|"
    for key, node in settings:
        name = variable((*path, key)) + ("__…" if is_table(schema, node) else "")
        default = default_of(node)
        cells = (f"`{key}`", _type(schema, node), default and f"`{default}`", node.get("description", ""), f"`{name}`")
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
    yield ""


def is_table(schema: dict[str, Any], node: dict[str, Any]) -> bool:
    """Whether a setting is itself a table."""
    return bool(followed(schema, node).get("type") == "object")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _type(schema: dict[str, Any], node: dict[str, Any]) -> str:
    node = followed(schema, node)
    if "title" in node:  # what `json_schema` keeps: types that are ours
        return str(node["title"]).lower()
    if "enum" in node:
        return ", ".join(f"`{toml(choice)}`" for choice in node["enum"])
    if "const" in node:
        return f"`{toml(node['const'])}`"
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
    if node.get("title") == "Duration":
        value = f"{value:g}s"
    elif node.get("title") == "Size" and value % 1024**2 == 0:
        value = f"{value // 1024**2}MiB"
    return toml(value)
