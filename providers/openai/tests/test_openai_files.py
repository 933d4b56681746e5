"""Recordings: cut at pauses, sent in pieces, put together."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from debabelizer_openai.files import transcribe_file
from debabelizer_openai.pieces import PieceCutter
from debabelizer_openai.simulator import Behaviour, OpenAISimulator, Refusal
from debabelizer_openai.upload import Uploads

from debabelizer import (
    AudioFormat,
    AudioSource,
    AuthenticationError,
    ConnectionLostError,
    InvalidRequestError,
    Progress,
    ProviderError,
    QuotaExceededError,
    RateLimitedError,
    Transcript,
)
from debabelizer.audio.pcm import decode
from debabelizer.provider import Request
from debabelizer.rest import open_session
from debabelizer.testing.coded import compare, encode_words, plan_words, wav

ROOT = Path(__file__).parents[3]
PLAN = plan_words(60, phrase=6, pause=1.2)
SPEECH = encode_words(PLAN, tail=1.0)

pytestmark = pytest.mark.usefixtures("coded_voice")


async def _at_once(seconds: float) -> None:
    _at_once.slept.append(seconds)  # type: ignore[attr-defined]


Play = Callable[..., tuple[Transcript, OpenAISimulator]]


@pytest.fixture
def play(request_for: Callable[..., Request[Any]]) -> Play:
    """Transcribe against a simulator, then hand it over to be looked at."""
    _at_once.slept = []  # type: ignore[attr-defined]

    def transcribe(
        flavour: str = "openai",
        audio: Any = None,
        *,
        behaviour: Behaviour | None = None,
        wishes: dict[str, Any] | None = None,
        report: Callable[[Progress], None] = lambda _: None,
        **table: Any,
    ) -> tuple[Transcript, OpenAISimulator]:
        async def main() -> tuple[Transcript, OpenAISimulator]:
            async with OpenAISimulator(flavour, behaviour=behaviour) as server, open_session() as session:
                request = request_for(flavour, wishes, base_url=server.base_url, **table)
                uploads = Uploads(session, request, env=None, sleep=_at_once)
                longest = request.settings.longest_piece or request.settings.row.piece
                source = AudioSource.of(wav(SPEECH) if audio is None else audio)
                try:
                    transcript = await transcribe_file(
                        uploads, source, report, longest=longest, parallel=request.settings.parallel
                    )
                finally:
                    await source.aclose()
            return transcript, server

        return asyncio.run(main())

    return transcribe


@pytest.mark.parametrize("flavour", ["openai", "groq", "speaches", "whisper_cpp", "vllm", "localai"])
@pytest.mark.parametrize("parallel", [1, 4])
def test_a_recording_is_sent_in_pieces_and_comes_back_whole(play: Play, flavour: str, parallel: int) -> None:
    reports: list[Progress] = []
    transcript, server = play(flavour, longest_piece=10, parallel=parallel, report=reports.append)
    assert compare(PLAN, transcript).perfect
    assert transcript.duration == pytest.approx(len(SPEECH) / 32000)
    assert len(server.log.uploads) == 4
    assert all(len(upload.file) <= 10 * 32000 + 44 for upload in server.log.uploads)
    starts = [segment.start for segment in transcript.segments]
    assert starts == sorted(start for start in starts if start is not None)
    done = [each.done for each in reports]
    assert done == sorted(done)
    assert reports[-1] == Progress(done=transcript.duration, total=transcript.duration)


def test_the_form_says_what_was_asked_for(play: Play) -> None:
    wishes = {"language_hints": ("es", "en-GB"), "vocabulary": ("Debabelizer",)}
    _, server = play(wishes=wishes, prompt="A meeting.", temperature=0.2, file_extra={"new": True})
    (upload,) = server.log.uploads
    assert upload.filename == "audio.wav"
    assert upload.fields == {
        "model": ("gpt-transcribe",),
        "response_format": ("json",),
        "stream": ("true",),
        "languages[]": ("es", "en"),
        "keywords[]": ("Debabelizer",),
        "prompt": ("A meeting.",),
        "temperature": ("0.2",),
        "new": ("true",),
    }


@pytest.mark.parametrize(
    ("flavour", "wishes", "fields"),
    [
        ("whisper_cpp", {}, {"response_format": ("verbose_json",), "language": ("auto",)}),
        ("whisper_cpp", {"language_hints": ("de",)}, {"response_format": ("verbose_json",), "language": ("de",)}),
        (
            "speaches",
            {"language_hints": ("de", "en"), "vocabulary": ("a", "b")},  # two languages: it is to find out
            {
                "model": ("Systran/faster-whisper-small",),
                "response_format": ("verbose_json",),
                "timestamp_granularities[]": ("word", "segment"),
                "hotwords": ("a b",),
            },
        ),
        (
            "vllm",
            {"vocabulary": ("a", "b")},
            {
                "model": ("openai/whisper-large-v3-turbo",),
                "response_format": ("verbose_json",),
                "timestamp_granularities[]": ("segment",),
                "prompt": ("a, b",),
            },
        ),
    ],
)
def test_servers_are_asked_as_they_like_it(
    play: Play, flavour: str, wishes: dict[str, Any], fields: dict[str, Any]
) -> None:
    _, server = play(flavour, wishes=wishes)
    assert server.log.uploads[0].fields == fields


def test_models_with_and_without_times(play: Play) -> None:
    plain, _ = play(longest_piece=10)
    assert [len(segment.words) for segment in plain.segments] == [0, 0, 0, 0]
    assert all(segment.start is not None and segment.end is not None for segment in plain.segments)
    timed, server = play(file_model="whisper-1", longest_piece=10)
    assert "stream" not in server.log.uploads[0].fields
    assert len(timed.words) == 60
    assert timed.words[-1].start == pytest.approx(PLAN[-1].start, abs=0.01)
    assert timed.language == "en"


def test_speakers_are_told_apart_from_piece_to_piece(play: Play) -> None:
    known = {"A": "data:audio/wav;base64,AAAA"}
    transcript, server = play(file_model="gpt-4o-transcribe-diarize", known_speakers=known, longest_piece=15)
    assert compare(PLAN, transcript).perfect
    fields = server.log.uploads[0].fields
    assert fields["chunking_strategy"] == ("auto",)
    assert fields["known_speaker_references[]"] == tuple(known.values())
    assert {segment.speaker for segment in transcript.segments} >= {"A", "B", "2/A"}


def test_silence_is_neither_sent_nor_paid_for(play: Play) -> None:
    gap = bytes(20 * 32000)
    words = encode_words(6, tail=0.5)
    transcript, server = play(audio=wav(gap + words + gap + words + gap))
    assert len(server.log.uploads) == 2
    assert transcript.audio_seconds < 6
    assert transcript.duration == pytest.approx(60 + 2 * len(words) / 32000)
    assert [segment.start for segment in transcript.segments] == pytest.approx([20.0, 40 + len(words) / 32000], abs=0.3)
    silent, server = play(audio=wav(gap))
    assert (silent.text, silent.duration, server.log.uploads) == ("", 20.0, [])


def test_a_piece_that_fails_is_sent_again_alone(play: Play) -> None:
    limited = Refusal(429, {"code": "rate_limit_exceeded"}, (("Retry-After", "7"),))
    behaviour = Behaviour(refusals=(Refusal(503), limited))
    transcript, server = play(behaviour=behaviour, longest_piece=10, parallel=1)
    assert compare(PLAN, transcript).perfect
    assert len(server.log.uploads) == 6
    assert _at_once.slept == [0.5, 7.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Refusal(401, {"code": "invalid_api_key"}), AuthenticationError),
        (Refusal(429, {"code": "insufficient_quota"}), QuotaExceededError),
        (Refusal(404, {"code": "model_not_found"}), InvalidRequestError),
        (Refusal(413, "too large"), InvalidRequestError),
        (Refusal(400, "a text, as whisper.cpp has it"), InvalidRequestError),
        (Refusal(429, {"code": "rate_limit_exceeded"}, (("Retry-After", "600"),)), RateLimitedError),
    ],
)
def test_what_cannot_help_is_not_tried_again(play: Play, refusal: Refusal, kind: type[ProviderError]) -> None:
    with pytest.raises(kind) as caught:
        play(behaviour=Behaviour(refusals=(refusal,)), parallel=1)
    assert _at_once.slept == []  # type: ignore[attr-defined]
    assert caught.value.code == str(refusal.status)


def test_an_answer_that_ends_early_is_never_taken_for_whole(play: Play) -> None:
    with pytest.raises(ConnectionLostError, match="before it was complete"):
        play(behaviour=Behaviour(ends_early=True))


def test_any_recording_becomes_pieces_that_any_server_reads(play: Play) -> None:
    raw = AudioSource.of(encode_words(12, AudioFormat("mulaw", 16000)), audio_format=AudioFormat("mulaw", 16000))
    transcript, server = play("whisper_cpp", raw)
    assert compare(12, transcript).perfect
    with wave.open(io.BytesIO(server.log.uploads[0].file)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)


def test_memory_does_not_grow_with_silence_and_pieces_do_not_overlap() -> None:
    cutter = PieceCutter(30.0)
    for _ in range(120):
        assert cutter.feed(bytes(32000)) == []
        assert len(cutter._audio) < 3 * 32000
    pieces = [piece for at in range(0, len(SPEECH), 32000) for piece in cutter.feed(SPEECH[at : at + 32000])]
    pieces += cutter.finish()
    assert cutter.seconds == pytest.approx(120 + len(SPEECH) / 32000)
    for piece, following in pairwise(pieces):
        assert piece.end <= following.start
    for piece in pieces:
        assert len(piece.audio) == pytest.approx((piece.end - piece.start) * 32000, abs=2)


def test_real_speech_is_cut_in_its_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    from debabelizer.audio.vad import open_vad

    recordings = sorted((ROOT / "tests" / "audio").glob("*.wav"))
    with wave.open(str(recordings[0])) as file:
        rate, channels, audio = file.getframerate(), file.getnchannels(), file.readframes(file.getnframes())
    assert (rate, channels) == (16000, 1)
    monkeypatch.setattr("debabelizer_openai.pieces.open_vad", open_vad)
    cutter = PieceCutter(5.0)
    pieces = [*cutter.feed(audio), *cutter.finish()]
    assert sum(piece.end - piece.start for piece in pieces) > 0.5 * cutter.seconds
    samples = decode(audio, AudioFormat())[:, 0]
    loud = abs(samples).max()
    for piece in pieces:
        edge = samples[round(piece.start * 16000) : round(piece.start * 16000) + 400]
        assert abs(edge).max() < 0.5 * loud
