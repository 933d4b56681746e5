from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from debabelizer_soniox.files import transcribe_file
from debabelizer_soniox.rest import open_client

from debabelizer import (
    AudioFormat,
    AudioSource,
    AudioSourceError,
    AuthenticationError,
    ConnectionLostError,
    DeadlineError,
    InvalidRequestError,
    Progress,
    ProtocolError,
    ProviderError,
    QuotaExceededError,
    ServiceUnavailableError,
    Transcript,
)
from debabelizer.rest import open_session
from debabelizer.testing.coded import compare, encode_words, wav
from debabelizer.testing.soniox import Behaviour, CodedWords, RestFault, SonioxSimulator, SpokenWord
from debabelizer.testing.soniox.rest_store import StoredTranscription

SPEECH = wav(encode_words(20))
STATE = "GET /transcriptions/{id}"
REMOVE = "DELETE /transcriptions/{id}"


async def transcribe(
    server: SonioxSimulator, request: Any, clock: Any, source: Any = SPEECH, **options: Any
) -> Transcript:
    async with open_session() as session:
        api = open_client(session, request.settings, patience=options.pop("patience", 5.0))
        audio = AudioSource.of(source, audio_format=options.pop("audio_format", None))
        try:
            return await transcribe_file(api, audio, request, options.pop("report", print), sleep=clock.sleep)
        finally:
            await audio.aclose()


def left(server: SonioxSimulator) -> list[str]:
    return [*server.rest.files, *server.rest.transcriptions]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith(("debabelizer", "asyncio"))]


Run = Callable[..., Any]


@pytest.fixture
def run(request_for: Callable[..., Any], clock: Any) -> Run:
    """Transcribe against a simulator, then hand it over to be looked at."""

    def play(
        *faults: RestFault,
        behaviour: Behaviour | None = None,
        table: dict[str, Any] | None = None,
        wishes: dict[str, Any] | None = None,
        words: CodedWords | None = None,
        others: int = 0,
        **options: Any,
    ) -> Any:
        async def main() -> Any:
            async with SonioxSimulator(words, rest_faults=faults, behaviour=behaviour) as server:
                for number in range(others):
                    other = StoredTranscription({"model": "m"}, "", 0, "other.wav", id=f"other{number}")
                    server.rest.transcriptions[other.id] = other
                result: Any
                try:
                    result = await transcribe(server, request_for(server, table, **(wishes or {})), clock, **options)
                except (ProviderError, AudioSourceError) as error:
                    result = error
                return result, server

        return asyncio.run(main())

    return play


def test_a_recording_becomes_a_transcript_and_nothing_is_left(run: Run) -> None:
    reports: list[Progress] = []
    transcript, server = run(report=reports.append)
    assert compare(20, transcript).perfect
    assert transcript.text.startswith("word0 word1")
    assert transcript.duration == transcript.audio_seconds == pytest.approx(len(SPEECH) / 32000, abs=0.01)
    assert reports == [Progress(done=transcript.duration, total=transcript.duration)]
    assert left(server) == []
    assert [server.rest.count(call) for call in (REMOVE, "DELETE /files/{id}")] == [1, 1]


def test_what_was_asked_for_reaches_soniox(run: Run) -> None:
    words = CodedWords(
        [
            SpokenWord("Hola,", speaker="Ana", language="es", translation="Hallo,"),
            SpokenWord("amiga.", speaker="Ana", language="es", translation="Freundin."),
            SpokenWord("Hi!", speaker="Ben", language="en", translation="Hi!"),
        ]
    )
    wishes = {"diarization": True, "language_hints": ("es", "en"), "translate_to": "de"}
    transcript, _ = run(source=wav(encode_words(3)), wishes=wishes, words=words)
    assert transcript.text == "Hola, amiga. Hi!"
    assert transcript.translation == "Hallo, Freundin. Hi!"
    assert transcript.language == "es"
    assert [(s.text, s.speaker, s.language) for s in transcript.segments] == [
        ("Hola, amiga.", "1", "es"),
        ("Hi!", "2", "en"),
    ]


def test_a_file_is_uploaded_as_it_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "Besprechung №1.wav"
    path.write_bytes(SPEECH)
    transcript, _ = run(source=path)
    assert compare(20, transcript).perfect


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "mulaw", "alaw"])
def test_audio_without_a_header_gets_one(run: Run, encoding: Any) -> None:
    audio_format = AudioFormat(encoding, 16000)
    transcript, _ = run(source=encode_words(20, audio_format), audio_format=audio_format)
    assert compare(20, transcript).perfect


def test_audio_of_unknown_length_can_be_uploaded(run: Run) -> None:
    async def chunks() -> Any:
        for start in range(0, len(SPEECH), 10_000):
            yield SPEECH[start : start + 10_000]

    transcript, _ = run(source=chunks())
    assert compare(20, transcript).perfect


def test_the_pauses_between_looks_grow(run: Run, clock: Any) -> None:
    run(behaviour=Behaviour(polls=9))
    assert clock.pauses[:3] == [0.5, 0.75, 1.125]
    assert clock.pauses == sorted(clock.pauses)
    assert clock.pauses[-1] == 5.0


def test_looks_that_fail_are_repeated(run: Run, clock: Any) -> None:
    transcript, server = run(
        RestFault(call=STATE, status=503, times=2, retry_after=7.0),
        RestFault(call=STATE, status=502, after=2),
        RestFault(call=f"{STATE}/transcript", status=500),
        behaviour=Behaviour(polls=0),
    )
    assert compare(20, transcript).perfect
    assert clock.pauses == [7.0, 7.0, 2.0, 0.5]
    assert left(server) == []


def test_looks_that_fail_too_often_are_given_up(run: Run, clock: Any) -> None:
    error, server = run(RestFault(call=STATE, status=503, times=100))
    assert isinstance(error, ServiceUnavailableError)
    assert server.rest.count(STATE) == 6
    assert left(server) == []


def test_a_transcription_that_takes_too_long_is_given_up(run: Run, clock: Any) -> None:
    error, _ = run(behaviour=Behaviour(polls=10_000), table={"file_timeout": "30s"})
    assert isinstance(error, DeadlineError)
    assert error.seconds == 30.0
    assert "file_timeout" in str(error)
    assert 30.0 <= sum(pause for pause in clock.pauses if pause <= 5.0) < 60.0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (RestFault(call="POST /files", status=402, error_type="organization_balance_exhausted"), QuotaExceededError),
        (RestFault(call="POST /files", status=401, error_type="unauthenticated"), AuthenticationError),
        (RestFault(call="POST /files", status=500), ServiceUnavailableError),
        (RestFault(call="POST /files", status=500, done=True), ServiceUnavailableError),
        (RestFault(call="POST /files", status=0), ConnectionLostError),
        (RestFault(call="POST /files", status=0, done=True), ConnectionLostError),
        (RestFault(call="POST /transcriptions", status=400, error_type="invalid_request"), InvalidRequestError),
        (RestFault(call="POST /transcriptions", status=503), ServiceUnavailableError),
        (RestFault(call="POST /transcriptions", status=503, done=True), ServiceUnavailableError),
        (RestFault(call="POST /transcriptions", status=0, done=True), ConnectionLostError),
        (RestFault(call=STATE, status=401, error_type="unauthenticated"), AuthenticationError),
        (RestFault(call=f"{STATE}/transcript", status=400, error_type="invalid_request"), InvalidRequestError),
        (RestFault(call="recognize", error_type="invalid_audio_file"), ProviderError),
        (RestFault(call="recognize", error_type="internal_error"), ServiceUnavailableError),
    ],
)
def test_whatever_fails_is_a_typed_error_and_nothing_is_left(
    run: Run, fault: RestFault, error: type[ProviderError], caplog: pytest.LogCaptureFixture
) -> None:
    found, server = run(fault)
    assert type(found) is error
    assert left(server) == []
    assert warnings(caplog) == []


def test_what_is_looked_for_is_found_on_every_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer_soniox.leftovers._PAGE", 1)
    error, server = run(RestFault(call="POST /transcriptions", status=503, done=True), others=3)
    assert isinstance(error, ServiceUnavailableError)
    assert server.rest.count("GET /transcriptions") == 4
    assert sorted(left(server)) == ["other0", "other1", "other2"]


@pytest.mark.parametrize("call", ["POST /files", "POST /transcriptions"])
def test_an_answer_that_never_comes_is_given_up_and_nothing_is_left(run: Run, call: str) -> None:
    error, server = run(RestFault(call=call, status=None, done=True), patience=0.3)
    assert isinstance(error, DeadlineError)
    assert error.seconds == 0.3
    assert call in str(error)
    assert left(server) == []


def test_a_failed_transcription_says_why(run: Run) -> None:
    error, _ = run(RestFault(call="recognize", error_type="invalid_audio_file"))
    assert (error.code, error.message) == (
        "invalid_audio_file",
        "Soniox answered invalid_audio_file: Planned fault.",
    )


def test_a_transcription_still_at_work_is_deleted_when_it_can_be(run: Run, clock: Any) -> None:
    error, server = run(
        RestFault(call=STATE, status=401, after=1, error_type="unauthenticated"), behaviour=Behaviour(polls=3)
    )
    assert isinstance(error, AuthenticationError)
    assert server.rest.count(REMOVE) > 1
    assert left(server) == []


def test_what_cannot_be_deleted_is_named(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    transcript, server = run(RestFault(call="DELETE /files/{id}", status=503, times=100))
    assert compare(20, transcript).perfect
    (file_id,) = left(server)
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.WARNING, "debabelizer.soniox")
    assert f"files {file_id}" in record.getMessage()
    assert "transcriptions" not in record.getMessage()


def test_a_refusal_to_delete_is_not_argued_with(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    transcript, server = run(RestFault(call=REMOVE, status=403, times=100, error_type="permission_denied"))
    assert compare(20, transcript).perfect
    assert server.rest.count(REMOVE) == 1
    assert "permission_denied" in caplog.text


def test_what_is_gone_already_is_no_matter(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    run(RestFault(call="DELETE /files/{id}", status=404, error_type="file_not_found", done=True))
    assert warnings(caplog) == []


def test_what_cannot_be_asked_for_fails_before_the_upload(run: Run) -> None:
    error, server = run(wishes={"translate_to": "nb"})
    assert isinstance(error, InvalidRequestError)
    assert server.rest.gate.requests == []


def test_audio_that_cannot_be_read_is_told_as_that(run: Run, tmp_path: Path) -> None:
    error, server = run(source=tmp_path / "missing.wav")
    assert isinstance(error, AudioSourceError)
    assert server.rest.gate.requests == []


def test_a_source_that_fails_on_the_way_is_told_as_that(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def chunks() -> Any:
        yield SPEECH[:70_000]
        yield "text"

    error, server = run(source=chunks())
    assert isinstance(error, AudioSourceError)
    assert "str" in str(error)
    assert left(server) == []
    assert warnings(caplog) == []


def test_a_source_that_times_out_is_not_soniox_being_slow(run: Run) -> None:
    async def chunks() -> Any:
        yield SPEECH[:70_000]
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        run(source=chunks())


def test_what_cannot_be_looked_for_is_named(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    _, server = run(
        RestFault(call="POST /transcriptions", status=503, done=True),
        RestFault(call="GET /transcriptions", status=403, error_type="permission_denied"),
    )
    assert len(server.rest.transcriptions) == 1
    (warning,) = warnings(caplog)
    assert "perhaps one of the transcriptions (file reference debabelizer-" in warning
    assert "permission_denied" in warning


def test_a_strange_state_is_a_broken_protocol(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debabelizer.testing.soniox.rest_store.StoredTranscription.look", _strange)
    error, server = run()
    assert isinstance(error, ProtocolError)
    assert left(server) == []


def _strange(self: Any) -> None:
    self.status = "dreaming"


@pytest.mark.parametrize("answered", range(8))
def test_cancelled_at_any_step_it_leaves_nothing(
    request_for: Callable[..., Any], clock: Any, answered: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Cancelled k steps of the event loop after Soniox worked off so many calls: Soniox has nothing."""

    async def main() -> None:
        for steps in range(25):
            async with SonioxSimulator(behaviour=Behaviour(polls=2)) as server:
                task = asyncio.ensure_future(transcribe(server, request_for(server), clock))
                while len(server.rest.gate.requests) < answered:
                    await asyncio.sleep(0)
                for _ in range(steps):
                    await asyncio.sleep(0)
                if not task.done():
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                assert left(server) == []
                assert [task for task in asyncio.all_tasks() if "soniox" in task.get_name()] == []

    asyncio.run(main())
    assert warnings(caplog) == []


def test_cancelled_twice_it_still_cleans_up(request_for: Callable[..., Any], clock: Any) -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=Behaviour(polls=1000)) as server:
            slow = RestFault(call=REMOVE, status=503, times=2)
            server.rest.gate.add(slow)
            task = asyncio.ensure_future(transcribe(server, request_for(server), clock))
            while not server.rest.count(STATE):
                await asyncio.sleep(0)
            (stored,) = server.rest.transcriptions.values()
            stored.polls = 0
            for _ in range(5):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert left(server) == []

    asyncio.run(main())
