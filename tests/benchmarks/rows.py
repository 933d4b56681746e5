"""The rows of the tables, by the name of the distribution that does the work; `harness` does none."""

from __future__ import annotations

from collections.abc import Callable

from frameworks import DebabelizerRow, LivekitRow, PipecatRow, SdkRow
from raw import AiohttpRow, NoRow, PicowsRow, WebsocketsRow
from row import Row

__all__ = ["ROWS"]

ROWS: dict[str, Callable[[str], Row]] = {
    "harness": NoRow,
    "websockets": WebsocketsRow,
    "aiohttp": AiohttpRow,
    "picows": PicowsRow,
    "debabelizer": DebabelizerRow,
    "soniox": SdkRow,
    "livekit": LivekitRow,
    "pipecat": PipecatRow,
}
