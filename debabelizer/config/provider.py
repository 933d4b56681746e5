"""`Table`: the base of all models of the configuration; `ProviderSettings`: that of a provider's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["ProviderSettings", "Table"]


class Table(BaseModel):
    """A table of the configuration: unknown keys are errors, errors hide what was written, instances are frozen.

    Where a list is expected, text will do: ``a, b`` or JSON, since an environment variable holds nothing else.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        protected_namespaces=(),  # `model` and `model_path` are what providers call theirs
        use_attribute_docstrings=True,
        validate_default=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _read_lists(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        lists = {field.alias or name for name, field in cls.model_fields.items() if _is_list(field.annotation)}
        texts = {key: _listed(value) for key, value in data.items() if key in lists and isinstance(value, str)}
        return {**data, **texts}


class ProviderSettings(Table):
    """Base of the model that validates a provider's table, ``[providers.<name>]``.

    Unknown keys are errors, instances do not change, and errors never show what was written. Give each field
    a default and a docstring of its own: the reference and the JSON schema are generated from them. A secret
    is a field ``api_key: Secret | None = None``, named in the `ProviderSpec`.
    """


def _is_list(annotation: Any) -> bool:
    """Whether a field takes a list, and not text as well."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        choices = get_args(annotation)
        return str not in choices and any(_is_list(choice) for choice in choices)
    return (origin or annotation) in {list, tuple, set, frozenset}


def _listed(text: str) -> Any:
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text  # validation tells that this is no list
    return [part.strip() for part in text.split(",") if part.strip()]
