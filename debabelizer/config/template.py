"""``config/debabelizer.toml``: a configuration that has every setting with its default, commented out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from debabelizer.config.reference import Section, default_of, sections
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
    return _HEAD + "".join(f"{line}\n" for section in sections(json_schema(providers)) for line in _lines(section))


def _lines(section: Section) -> Iterator[str]:
    if section.path:
        yield ""
        yield from _comment(section.description)
        yield f"[{'.'.join(section.path)}]"
    for key, node in section.settings.items():
        yield ""
        yield from _comment(node.get("description", ""))
        yield f"#{key} = {default_of(node) or '…'}"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 118, initial_indent="# ", subsequent_indent="# ")
