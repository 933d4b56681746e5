"""Recordings: what each flavour answers."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from debabelizer.audio.format import AudioFormat
from debabelizer.results import Word
from debabelizer.testing.kit.speech import CodedWords
from debabelizer_openai.simulator.behaviour import Behaviour

__all__ = ["Upload", "answer"]


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent with a recording.

    Attributes:
        file: Its bytes.
        filename: Its name.
        fields: The other fields of the form, each with all its values.
    """

    file: bytes = field(repr=False)
    filename: str
    fields: Mapping[str, tuple[str, ...]]

    @classmethod
    async def of(cls, request: web.Request) -> Upload:
        """Read a form."""
        file, filename = None, ""
        fields: dict[str, tuple[str, ...]] = {}
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.name == "file":
                file, filename = bytes(await part.read()), part.filename or ""
            else:
                fields[part.name] = (*fields.get(part.name, ()), await part.text())
        if file is None:
            raise web.HTTPBadRequest(text=json.dumps({"error": {"message": "file is required"}}))
        return cls(file, filename, fields)

    def one(self, name: str, otherwise: str = "") -> str:
        """The value of a field."""
        return self.fields.get(name, (otherwise,))[0]


async def answer(request: web.Request, upload: Upload, flavour: str, behaviour: Behaviour) -> web.StreamResponse:
    """The answer to a recording."""
    try:
        with wave.open(io.BytesIO(upload.file)) as file:
            audio_format = AudioFormat("pcm_s16le", file.getframerate(), file.getnchannels())
            audio = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return web.json_response({"error": {"message": "Unsupported file", "code": None}}, status=400)
    words = CodedWords.of(audio, audio_format)
    body = _body(upload, flavour, behaviour, words, audio_format.seconds(len(audio)))
    if upload.one("stream") == "true" and upload.one("model") != "whisper-1":
        return await _events(request, behaviour, body, words)
    kind = "text/html" if flavour == "whisper_cpp" else "application/json"
    return web.Response(text=json.dumps(body), content_type=kind)


def _body(upload: Upload, flavour: str, behaviour: Behaviour, words: Sequence[Word], seconds: float) -> dict[str, Any]:
    text = " ".join(word.text for word in words)
    code, name = behaviour.language
    match upload.one("response_format", "json"):
        case "diarized_json":
            return {"task": "transcribe", "duration": seconds, "text": text, "segments": _speakers(words)}
        case "verbose_json":
            pass
        case _:
            return {"text": text, "languages": [{"code": code}] if upload.one("model") == "gpt-transcribe" else None}
    body: dict[str, Any] = {"task": "transcribe", "duration": seconds, "text": f" {text}"}
    granularities = upload.fields.get("timestamp_granularities[]", ("segment",))
    segment: dict[str, Any] = (
        {"id": 0, "start": words[0].start, "end": words[-1].end, "text": f" {text}"} if words else {}
    )
    match flavour:
        case "whisper_cpp":
            if segment:
                segment["words"] = [piece for word in words for piece in _pieces(word)]
            return {**body, "language": name, "segments": [segment] if segment else []}
        case "localai":
            for key in ("start", "end") if segment else ():
                segment[key] = round(float(segment[key] or 0.0) * 1e9)
            return {"segments": [segment] if segment else [], "text": text}
        case "speaches":
            body |= {"language": code, "text": text}
            spoken = [{**_record(word, f" {word.text}"), "probability": 0.9} for word in words]
        case "vllm":
            return {**body, "language": code, "segments": [segment] if segment else [], "words": None}
        case _:
            body |= {"language": name.capitalize() if flavour == "groq" else name, "text": text}
            spoken = [_record(word, word.text) for word in words]
    return {
        **body,
        "segments": [segment] if segment and "segment" in granularities else [],
        "words": spoken if "word" in granularities else None,
    }


def _record(word: Word, text: str) -> dict[str, Any]:
    return {"word": text, "start": word.start, "end": word.end}


def _pieces(word: Word) -> Iterable[dict[str, Any]]:
    """whisper.cpp's words are pieces of words."""
    start, end = word.start or 0.0, word.end or 0.0
    middle = (start + end) / 2
    yield {"word": f" {word.text[:3]}", "start": start, "end": middle, "t_dtw": -1, "probability": 0.9}
    if word.text[3:]:
        yield {"word": word.text[3:], "start": middle, "end": end, "t_dtw": -1, "probability": 0.8}


def _speakers(words: Sequence[Word]) -> list[dict[str, Any]]:
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": word.start,
            "end": word.end,
            "speaker": "AB"[number % 2],
            "text": word.text,
        }
        for number, word in enumerate(words)
    ]


async def _events(
    request: web.Request, behaviour: Behaviour, body: Mapping[str, Any], words: Sequence[Word]
) -> web.StreamResponse:
    """The same as Server-Sent Events."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    events: list[dict[str, Any]] = [{"type": "transcript.text.delta", "delta": f" {word.text}"} for word in words]
    events += body.get("segments", ())
    if not behaviour.ends_early:
        done = {name: value for name, value in body.items() if name in {"text", "languages"}}
        events.append({"type": "transcript.text.done", **done})
    for event in events:
        await response.write(f"data: {json.dumps(event)}\n\n".encode())
    await response.write_eof()
    return response
