"""Bodies of calls: `Json`, `Form` and `Raw`."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp import MultipartWriter
from aiohttp.payload import BytesPayload, Payload, StringPayload

if TYPE_CHECKING:
    from debabelizer.rest.upload import Upload
    from debabelizer.rest.watch import Watch

__all__ = ["Body", "Fields", "Form", "Json", "Raw", "texts"]

Fields: TypeAlias = Iterable[tuple[str, str | int | float | bool]]
"""Names and values, in order; a name may come again. Booleans are written ``true`` and ``false``."""


class Body(ABC):
    """What a call sends."""

    __slots__ = ()
    upload: Upload | None = None
    """The recording within, if there is one. It is used up by the call."""

    @abstractmethod
    def payload(self, watch: Watch) -> Payload:
        """What aiohttp is to send; `watch` is told how it goes on."""


@dataclass(frozen=True, slots=True)
class Json(Body):
    """JSON text."""

    value: Any

    def payload(self, watch: Watch) -> Payload:  # noqa: ARG002
        """See `Body`."""
        return BytesPayload(json.dumps(self.value).encode(), content_type="application/json")


@dataclass(frozen=True, slots=True)
class Form(Body):
    """A multipart form: text fields, then the recording.

    Attributes:
        fields: The text fields.
        upload: The recording, or None.
        name: The field of the recording.
    """

    fields: Fields = ()
    upload: Upload | None = None
    name: str = "file"

    def payload(self, watch: Watch) -> Payload:
        """See `Body`."""
        form = MultipartWriter("form-data")
        for name, text in texts(self.fields):
            form.append_payload(StringPayload(text)).set_content_disposition("form-data", name=name)
        if self.upload is not None:
            file = form.append_payload(self.upload.payload(watch))
            file.set_content_disposition("form-data", name=self.name, filename=self.upload.filename)
        return form


@dataclass(frozen=True, slots=True)
class Raw(Body):
    """The recording and nothing else, with its own content type."""

    upload: Upload

    def payload(self, watch: Watch) -> Payload:
        """See `Body`."""
        return self.upload.payload(watch)


def texts(fields: Fields) -> list[tuple[str, str]]:
    """The fields as they are written."""
    return [(name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in fields]
