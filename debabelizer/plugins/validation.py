"""What is wrong with a spec that a plugin registers: it comes from foreign code, so nothing is taken for granted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from debabelizer.spec import Capabilities, ProviderSpec, Secret

__all__ = ["faults"]


def faults(spec: object) -> list[str]:
    """Everything that makes `spec` unfit to be used, as phrases; empty if nothing does."""
    if not isinstance(spec, ProviderSpec):
        return [f"a {type(spec).__name__} where a ProviderSpec belongs"]
    return [f"`{name}` is not {what}" for name, (is_right, what) in _RULES.items() if not is_right(getattr(spec, name))]


def _is_name(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None


def _is_line(text: object) -> bool:
    return isinstance(text, str) and len(text.splitlines()) == 1


def _is_text(text: object) -> bool:
    return isinstance(text, str)


def _is_version(version: object) -> bool:
    return type(version) is int


def _is_capabilities(capabilities: object) -> bool:
    return isinstance(capabilities, Capabilities)


def _is_module(path: object) -> bool:
    return isinstance(path, str) and all(part.isidentifier() for part in path.split("."))


def _is_reference(reference: object) -> bool:
    return isinstance(reference, str) and reference.count(":") == 1 and all(map(_is_module, reference.split(":")))


def _are_secrets(secrets: object) -> bool:
    return isinstance(secrets, tuple) and all(
        isinstance(secret, Secret) and _is_module(secret.key) and _is_line(secret.env) for secret in secrets
    )


def _are_needs(needs: object) -> bool:
    return isinstance(needs, Mapping) and all(
        _is_module(module) and _is_line(remedy) for module, remedy in needs.items()
    )


_RULES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "name": (_is_name, "made of lower case letters, digits and _"),
    "summary": (_is_line, "one line of text"),
    "api_version": (_is_version, "a whole number"),
    "capabilities": (_is_capabilities, "a Capabilities"),
    "settings": (_is_reference, 'of the form "package.module:Model"'),
    "factory": (_is_reference, 'of the form "package.module:Class"'),
    "secrets": (_are_secrets, "a tuple of Secret, each with `key` and `env`"),
    "homepage": (_is_text, "text"),
    "needs": (_are_needs, "a mapping from modules to what to do without them"),
}
