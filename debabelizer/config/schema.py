"""The JSON schema of the configuration, for editors; the reference and the template are made of it too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from debabelizer.config.models import Settings
from debabelizer.spec import ProviderSpec

__all__ = ["Known", "json_schema"]

Known: TypeAlias = Sequence[tuple[ProviderSpec, type[BaseModel]]]
"""The providers to be described, each with the model of its table."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KEPT_TITLES: Final = frozenset({"Duration", "Secret", "Size"})


def json_schema(providers: Known) -> dict[str, Any]:
    """The schema of a configuration file. Tables of providers that are not given may hold anything."""
    known: list[type[BaseModel]] = [Settings, *(model for _, model in providers)]
    references, schema = models_json_schema([(model, "validation") for model in known])
    definitions = schema["$defs"]
    tables = {spec.name: references[model, "validation"] for spec, model in providers}
    for table in (definitions["Settings"], definitions["Profile"]):
        table["properties"]["providers"]["properties"] = tables
    root = {**definitions.pop("Settings"), "description": "Configuration of Debabelizer."}
    plain: dict[str, Any] = {"$schema": _DIALECT, **_toml({**root, "$defs": definitions})}
    for spec, _ in providers:
        for secret in spec.secrets:
            if not secret.required:
                continue  # written out, it would have to be there
            _keep_default(plain, (*("providers", spec.name), *secret.key.split(".")), {"env": secret.env})
    return plain


def _keep_default(schema: dict[str, Any], path: tuple[str, ...], default: object) -> None:
    """Tell of a secret's default, which is the spec's and not the model's."""
    node = schema
    for key in path:
        node = followed(schema, node).get("properties", {}).get(key, {})
    if node:
        node["default"] = default


def followed(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node that a reference leads to, or the node itself."""
    if "$ref" not in node:
        return node
    definition: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return definition


def _toml(node: Any) -> Any:
    """The schema without what is Python's: null, which TOML does not have, and names of attributes as titles."""
    if isinstance(node, list):
        return [_toml(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain: dict[str, Any] = {}
    for key, value in node.items():
        if key in {"properties", "$defs"}:
            plain[key] = {name: _toml(inner) for name, inner in value.items()}
        elif key == "description":
            plain[key] = " ".join(value.split()).replace("``", "`")
        elif not _is_pythonic(key, value, node):
            plain[key] = _toml(value)
    choices = [choice for choice in plain.pop("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **plain}
    return {"anyOf": choices, **plain} if choices else plain


def _is_pythonic(key: str, value: object, node: dict[str, Any]) -> bool:
    if key == "title":
        return value not in _KEPT_TITLES
    if key == "default":
        return value is None or isinstance(value, dict)
    # Neither says anything here, and not every version of pydantic says it: the schema is to be the same for all.
    return (key == "additionalProperties" and value is True) or (key == "enum" and "const" in node)
