"""``config/debabelizer.toml``: a configuration that has every setting with its default, commented out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from debabelizer.config.reference import default_of, is_table, sections
from debabelizer.config.schema import Known, json_schema

__all__ = ["template"]

_HEAD: Final = """\
#:schema ./debabelizer.schema.json
#
# Every setting of Debabelizer, with its default. Copy what you want to change into a debabelizer.toml of your own, in
# your project's folder or in ~/.config/debabelizer/, and take away the # before it. Where "…" stands, there is no
# default. What the words mean and how files, profiles and variables are laid over each other: docs/configuration.md.
"""


def template(providers: Known) -> str:
    """The file, with a table for each of the providers."""
    schema = json_schema(providers)
    return _HEAD + "".join(f"{line}\n" for path, table in sections(schema) for line in _section(schema, path, table))


def _section(schema: dict[str, Any], path: tuple[str, ...], table: dict[str, Any]) -> Iterator[str]:
    below = {inner for inner, _ in sections(schema)}
    settings = [(key, node) for key, node in table["properties"].items() if (*path, key) not in below]
    settings = [(key, node) for key, node in settings if path or not is_table(schema, node)]
    if settings and path:
        yield f"\n[{'.'.join(path)}]"
    for key, node in settings:
        yield ""
        yield from textwrap.wrap(node.get("description", ""), 118, initial_indent="# ", subsequent_indent="# ")
        yield f"#{key} = {default_of(node) or '…'}"
