"""`ProviderSettings`: the base of every provider's own settings model."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["ProviderSettings"]


class ProviderSettings(BaseModel):
    """Base of the model that validates a provider's table, ``[providers.<name>]``.

    Unknown keys are errors, instances do not change, and errors never show what was written. Give each field
    a default and a docstring of its own: the reference and the JSON schema are generated from them. A secret
    is a field ``api_key: Secret | None = None``, named in the `ProviderSpec`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        protected_namespaces=(),  # `model` and `model_path` are what providers call theirs
        use_attribute_docstrings=True,
        validate_default=True,
    )
