"""The segmenter: makes a supervised stream of whatever can turn one utterance into text.

Voice activity cuts the audio into utterances. While one is spoken it is decoded again and again as it grows, for
interims; when the speaker pauses, what was said becomes final; an utterance that grows too long is cut at its best
pause, and goes on behind it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

from debabelizer.audio.utterances import (
    STREAM_CUTTING,
    CutterPolicy,
    CuttingDecoder,
    LoadableDecoder,
    UtteranceCutter,
    UtteranceDecoder,
)
from debabelizer.audio.vad import VoiceActivityDetector, open_vad
from debabelizer.provider import Request
from debabelizer.spec import Capabilities
from debabelizer.streaming.connection import Connection, Link
from debabelizer.streaming.segmenting.batch import BatchDecoder
from debabelizer.streaming.segmenting.preview import Preview
from debabelizer.streaming.segmenting.session import WIRE, Session

_LOADING: Final = 600.0  # seconds: models have up to some gigabytes, and may have to come over the network

__all__ = ["BatchDecoder", "SegmenterConnection", "lent_capabilities"]


def lent_capabilities(capabilities: Capabilities) -> Capabilities:
    """What a stream through the segmenter can do, made of an engine with these capabilities."""
    return replace(
        capabilities,
        streaming=True,
        interims=True,
        words="segment" if capabilities.words == "none" else capabilities.words,
        diarization=False,  # labels would begin anew with every utterance
        translation=False,
        endpointing=True,
        flush="confirmed",
        resume="segment",
        max_session=None,
        max_speed=None,
        keepalive=None,
        audio_formats=(WIRE.encoding,),
        sample_rates=(WIRE.sample_rate,),
        channels=WIRE.channels,
    )


class SegmenterConnection(Connection):
    """One attempt of a stream through the segmenter; its audio is 16 kHz mono ``pcm_s16le``.

    Args:
        decoder: Turns utterances into text.
        request: What the user asked for.
        policy: How to cut; by default as the decoder says, if it does.
        vad: A detector for this stream alone; by default one is opened.
    """

    def __init__(
        self,
        decoder: UtteranceDecoder,
        request: Request[Any],
        *,
        policy: CutterPolicy | None = None,
        vad: VoiceActivityDetector | None = None,
    ) -> None:
        self._decoder = decoder
        self._request = request
        self._policy = policy or (decoder.cutting if isinstance(decoder, CuttingDecoder) else STREAM_CUTTING)
        self._vad = vad

    async def run(self, link: Link) -> None:
        """See `Connection`."""
        # Loading the model takes 50 ms, for which the event loop must not stand still.
        vad = self._vad if self._vad is not None else await asyncio.to_thread(open_vad)
        cutter = UtteranceCutter(vad, self._policy)
        preview = Preview(cutter, self._policy, wanted=self._request.interim)
        if isinstance(self._decoder, LoadableDecoder):
            with link.working(_LOADING):
                await self._decoder.load()
        link.opened()
        await Session(link, self._decoder, cutter, preview=preview, endpointing=self._request.endpointing).run()
