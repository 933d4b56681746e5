"""Whole recordings: one call, ``POST v1/listen``. Nothing is kept at Deepgram: the answer is the only copy."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from debabelizer.provider import Request
from debabelizer.rest import Container, Raw, RestClient, Sleep, prepared, retrying
from debabelizer.results import Progress, Segment, Transcript, Word
from debabelizer_deepgram.faults import http_error
from debabelizer_deepgram.reading import Node
from debabelizer_deepgram.requests import authorization, file_query
from debabelizer_deepgram.settings import DeepgramSettings
from debabelizer_deepgram.words import joined, mean_confidence, primary, read_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from debabelizer.audio.source import AudioSource

__all__ = ["CONTAINERS", "LARGEST_FILE", "read_transcript", "transcribe_file"]

LARGEST_FILE: Final = 2 * 1000**3
"""Most bytes that Deepgram takes in one file: 2 GB (documentation)."""

CONTAINERS: Final[frozenset[Container]] = frozenset(
    {"aac", "aiff", "amr", "flac", "matroska", "mp3", "mp4", "ogg", "wav", "webm"}
)
"""Containers that Deepgram reads: more than a hundred formats, these among them (documentation)."""


async def transcribe_file(
    session: ClientSession,
    audio: AudioSource,
    request: Request[DeepgramSettings],
    report: Callable[[Progress], None],
    *,
    sleep: Sleep = asyncio.sleep,
) -> Transcript:
    """Transcribe a recording. A call costs money: it is repeated only if Deepgram refused it or was not reached.

    Raises:
        AudioError: If the recording cannot be read.
        ProviderError: If Deepgram fails.
    """
    settings = request.settings
    query = file_query(request)
    api = RestClient(
        session,
        settings.rest_endpoint,
        headers=authorization(settings),
        fault=lambda status, body, retry_after: http_error(status, body, retry_after=retry_after),
        request_id="dg-request-id",
        thinking=settings.file_timeout,
    )

    async def call() -> Mapping[str, Any]:
        async with prepared(audio, accepts=CONTAINERS, largest=LARGEST_FILE) as upload:
            return await api.call("POST", "/v1/listen", Raw(upload), query=query)

    answer = await retrying(call, tries=1 if audio.comes_once else 4, sleep=sleep)
    transcript = read_transcript(Node(answer))
    report(Progress(done=transcript.duration, total=transcript.duration))
    return transcript


def read_transcript(answer: Node) -> Transcript:
    """Read the answer to a file.

    Raises:
        ProtocolError: If it is none.
    """
    results = answer.node("results")
    channels = results.nodes("channels")
    several = len(channels) > 1
    segments = [_segment(node, several=several) for node in results.nodes("utterances")]
    segments.sort(key=lambda segment: segment.start or 0.0)  # those of several channels come one channel after another
    best = [next(iter(channel.nodes("alternatives")), Node({})) for channel in channels]
    duration = answer.node("metadata").seconds("duration") or 0.0
    return Transcript(
        text="\n".join(filter(None, ((node.text("transcript") or "").strip() for node in best))),
        segments=tuple(segments),
        language=_language(channels, best, segments),
        duration=duration,
        audio_seconds=duration * max(len(channels), 1),
    )


def _segment(node: Node, *, several: bool) -> Segment:
    text = (node.text("transcript") or "").strip()
    words = read_words(node.nodes("words"), text)
    return Segment(
        text=joined(words) or text,
        start=node.seconds("start"),
        end=node.seconds("end"),
        words=words,
        language=_most([word.language for word in words]),
        speaker=_most([word.speaker for word in words]),
        confidence=node.number("confidence") if node.number("confidence") is not None else mean_confidence(words),
        channel=node.count("channel") if several else None,
        separator=words[0].separator if words else " ",
    )


def _language(channels: Sequence[Node], best: Sequence[Node], segments: Sequence[Segment]) -> str | None:
    """As it was detected, or as most words say."""
    words: list[Word] = [word for segment in segments for word in segment.words]
    return (
        next((primary(channel.text("detected_language")) for channel in channels), None)
        or _most([word.language for word in words])
        or next((primary(tag) for node in best for tag in node.texts("languages")[:1]), None)
    )


def _most(values: Sequence[str | None]) -> str | None:
    known = Counter(value for value in values if value is not None)
    return known.most_common(1)[0][0] if known else None
