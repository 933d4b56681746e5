"""Tables of the configuration that follow a dataclass of the core: ``[stream]`` and ``stt.require``.

The dataclasses stay free of pydantic. Models with the same fields are made of them here, which validate what was
written; what is kept is the dataclass's own type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, fields
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from debabelizer.config.provider import Table
from debabelizer.config.values import ByteSize, Duration
from debabelizer.spec import Capabilities
from debabelizer.streaming.policy import StreamPolicy

__all__ = ["Require", "RequireTable", "Stream", "StreamTable"]


class _ReadAs:
    """Annotation of a field: validated as `model`, then converted; `restore` makes input of it again."""

    def __init__(self, model: type[Table], convert: Callable[[Any], object], restore: Callable[[Any], object]) -> None:
        self.model = model
        self.convert = convert
        self.restore = restore

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        table = core_schema.no_info_after_validator_function(self.convert, handler.generate_schema(self.model))
        serialization = core_schema.plain_serializer_function_ser_schema(self.restore)
        return core_schema.no_info_before_validator_function(self.restore, table, serialization=serialization)


def _stream_fields() -> dict[str, Any]:
    """The fields of `StreamPolicy`, whose metadata are arguments of `Field`; the unit stands in the description."""
    hints = get_type_hints(StreamPolicy)
    types: dict[str, Any] = {}
    for field in fields(StreamPolicy):
        description = field.metadata["description"]
        kind = Duration if "in seconds" in description else ByteSize if "in bytes" in description else hints[field.name]
        types[field.name] = (kind, Field(field.default, **field.metadata))
    return types


def _wish(capability: Any) -> Any:
    """What may be required of a capability of this type."""
    if get_origin(capability) is tuple:
        one = get_args(capability)[0]
        return one | tuple.__class_getitem__((one, ...))
    if get_origin(capability) in {Union, UnionType}:
        return next(choice for choice in get_args(capability) if choice is not type(None))
    return capability


def _require_fields() -> dict[str, Any]:
    """The capabilities, described as in the docstring of their class; none is required by default."""
    descriptions = dict(re.findall(r"^ +(\w+): (.+)$", Capabilities.__doc__ or "", re.MULTILINE))
    return {
        name: (_wish(kind), Field(None, validate_default=False, description=descriptions.get(name)))
        for name, kind in get_type_hints(Capabilities).items()
    }


StreamTable: type[Table] = create_model("StreamTable", __base__=Table, **_stream_fields())
RequireTable: type[Table] = create_model("RequireTable", __base__=Table, **_require_fields())


def _policy(table: Table) -> StreamPolicy:
    return StreamPolicy(**dict(table))


def _policy_table(value: object) -> object:
    return asdict(value) if isinstance(value, StreamPolicy) else value


def _wishes(table: Table) -> dict[str, Any]:
    return {name: wish for name, wish in table if name in table.model_fields_set}


def _as_it_is(value: object) -> object:
    return value


Stream: TypeAlias = Annotated[StreamPolicy, _ReadAs(StreamTable, _policy, _policy_table)]
"""A `StreamPolicy`, written with durations and sizes."""

Require: TypeAlias = Annotated[dict[str, Any], _ReadAs(RequireTable, _wishes, _as_it_is)]
"""Capabilities by name, each with what is wished of it: see `Capabilities.unmet`."""
