"""The provider as users have it: through `VoiceProcessor`, against a Soniox on loopback, in virtual time."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from debabelizer_soniox import SPEC
from debabelizer_soniox.provider import SonioxProvider

from debabelizer import (
    AudioFormat,
    AuthenticationError,
    SessionExpiredError,
    StreamError,
    StreamingResult,
    VoiceProcessor,
)
from debabelizer.provider import Request
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import compare, encode_words, plan_words, wav
from debabelizer.testing.soniox import Behaviour, CodedWords, Fault, SonioxSimulator, SpokenWord
from debabelizer.testing.soniox.keys import Grant

PLAN = plan_words(30, pause=0.9)  # the pauses are long enough to end utterances
SPEECH = encode_words(PLAN)


def configured(server: SonioxSimulator, **table: Any) -> VoiceProcessor:
    table = {"api_key": "test-key", "websocket_url": server.url, "api_url": server.api_url, **table}
    return VoiceProcessor({"stt": {"provider": "soniox"}, "providers": {"soniox": table}})


async def play(server: SonioxSimulator, audio: bytes = SPEECH, **options: Any) -> tuple[Any, list[Any]]:
    """Stream numbered words as fast as the provider allows; returns the stream and its finals."""

    async def chunks() -> Any:
        for start in range(0, len(audio), 3200):
            yield audio[start : start + 3200]
            await asyncio.sleep(0.1)

    table = options.pop("table", {})
    async with configured(server, **table) as processor:
        async with processor.transcribe_stream(chunks(), **options) as stream:
            finals = [result async for result in stream if result.is_final]
        return stream, finals


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(),
        Behaviour(subword=1),
        Behaviour(subword=0, leading_space=True),
        Behaviour(space_tokens=True),
        Behaviour(ack="omitted", final_delay=0.2, cadence=0.3),
        Behaviour(ack="late", final_delay=4.0, empty_responses=False),
        Behaviour(silence_is_final=False),
    ],
)
@pytest.mark.parametrize("endpointing", [True, False])
def test_every_word_comes_once_whole_and_in_time(behaviour: Behaviour, endpointing: bool) -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=behaviour) as server:
            stream, finals = await play(server, endpointing=endpointing)
            assert compare(PLAN, finals).perfect
            assert compare(PLAN, stream.transcript).perfect
            assert len(server.connections) == 1
            assert stream.stats.confirmed == pytest.approx(stream.stats.accepted, abs=0.5)
            assert any(final.ends_utterance for final in finals) is endpointing

    virtual_time.run(main())


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(subword=1), Behaviour(silence_is_final=False)])
@pytest.mark.parametrize(
    "faults",
    [
        [Fault.reset(at=4.0)],
        [Fault.reset(at=at) for at in (1.03, 2.77, 4.4, 3.05, 1.91)],
        [Fault.duplicate(at=4.0)],
        [Fault.error("service_unavailable", at=5.0)],
        [Fault.error("max_duration_reached", at=5.0)],
        [Fault.finish_early(at=4.0)],
        [Fault.finish_early(at="end")],
    ],
)
def test_no_word_is_lost_or_repeated_where_a_connection_ends(behaviour: Behaviour, faults: list[Fault]) -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=behaviour, faults=faults) as server:
            stream, finals = await play(server)
            assert compare(PLAN, finals).perfect
            assert sum(len(log.faults) for log in server.connections) == len(faults)
            assert stream.stats.gaps == ()

    virtual_time.run(main())


@pytest.mark.parametrize("at", [round(0.83 + 0.07 * step, 2) for step in range(12)])
def test_a_session_that_finishes_unasked_tears_no_word_whose_rest_was_never_shown(at: float) -> None:
    words = CodedWords([SpokenWord(word.text, interim="") for word in PLAN])
    behaviour = Behaviour(subword=1, final_delay=0.3, cadence=0.05)

    async def main() -> None:
        async with SonioxSimulator(words, behaviour=behaviour, faults=[Fault.finish_early(at=at)]) as server:
            _, finals = await play(server, endpointing=False)
            assert compare(PLAN, finals).perfect
            assert len(server.connections) == 2

    virtual_time.run(main())


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(silence_is_final=False)])
def test_a_drop_after_a_silence_longer_than_the_replay_window_loses_nothing(behaviour: Behaviour) -> None:
    plan = plan_words(30, phrase=15, pause=120.0)

    async def main() -> None:
        async with SonioxSimulator(behaviour=behaviour, faults=[Fault.reset(at=110.0)]) as server:
            stream, finals = await play(server, encode_words(plan))
            assert compare(plan, finals).perfect
            assert stream.stats.gaps == ()
            assert stream.stats.replayed < 15.0
            assert len(server.connections) == 2

    virtual_time.run(main())


@pytest.mark.parametrize("text", ["我们今天去北京看朋友", "きょうはいいてんきですね", "วันนี้อากาศดีมาก"])
def test_scripts_without_spaces_do_not_wait_for_the_end(text: str) -> None:
    letters = [SpokenWord(letter, separator="") for letter in text]

    async def main() -> None:
        async with SonioxSimulator(CodedWords(letters)) as server:
            stream, finals = await play(server, encode_words(len(letters)), endpointing=False)
            assert stream.transcript.text == text
            assert len(finals) > 2

    virtual_time.run(main())


def test_speakers_languages_and_translation() -> None:
    words = CodedWords(
        [
            SpokenWord("Hola,", speaker="Ana", language="es", translation="Hello,"),
            SpokenWord("amiga.", speaker="Ana", language="es", translation="my friend."),
            SpokenWord("Buenos", speaker="Eva", language="es", translation="Good"),
            SpokenWord("días.", speaker="Eva", language="es", translation="morning."),
        ]
    )

    async def main() -> None:
        async with SonioxSimulator(words) as server:
            audio = encode_words(plan_words(4, phrase=2, pause=1.5))
            stream, finals = await play(server, audio, diarization=True, translate_to="en", language_hints=["es"])
            spoken = [final for final in finals if final.text]
            assert {(final.speaker, final.language) for final in spoken} == {("1", "es"), ("2", "es")}
            assert stream.transcript.text == "Hola, amiga. Buenos días."
            assert stream.transcript.translation == "Hello, my friend. Good morning."
            assert server.connections[0].config is not None
            assert server.connections[0].config["translation"] == {"type": "one_way", "target_language": "en"}

    virtual_time.run(main())


def test_a_flush_makes_what_was_said_final_at_once() -> None:
    async def main() -> None:
        async with (
            SonioxSimulator(behaviour=Behaviour(final_delay=60.0)) as server,
            configured(server) as processor,
            processor.transcribe_stream(endpointing=False) as stream,
        ):
            await stream.send_audio(encode_words(3, tail=0.2))
            result = await stream.flush(trailing_silence=0.2)
            assert result.confirmed
            assert compare(3, stream.transcript).perfect
            await stream.end_audio()

    virtual_time.run(main())


def test_a_silent_user_does_not_lose_the_session() -> None:
    async def main() -> None:
        async with (
            SonioxSimulator() as server,
            configured(server) as processor,
            processor.transcribe_stream() as stream,
        ):
            await stream.send_audio(encode_words(3))
            await asyncio.sleep(600)
            await stream.end_audio()
            finals = [result async for result in stream if result.is_final]
            assert compare(3, finals).perfect
            assert len(server.connections) == 1

    virtual_time.run(main())


def test_a_stream_without_audio_is_complete() -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            stream, finals = await play(server, b"")
            assert (finals, stream.transcript.text) == ([], "")

    virtual_time.run(main())


@pytest.mark.parametrize("audio_format", [AudioFormat("mulaw", 8000), AudioFormat("pcm_f32le", 44100, 2)])
def test_audio_goes_in_the_format_it_has(audio_format: AudioFormat) -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            audio = encode_words(PLAN, audio_format)
            _, finals = await play(server, audio, audio_format=audio_format)
            assert compare(PLAN, finals).perfect

    virtual_time.run(main())


def test_interims_never_hold_what_is_final() -> None:
    async def main() -> list[StreamingResult]:
        async with SonioxSimulator() as server, configured(server) as processor:
            audio = encode_words(12)
            async with processor.transcribe_stream(audio, audio_format=AudioFormat()) as stream:
                return [result async for result in stream]

    final = ""
    for result in virtual_time.run(main()):
        if result.is_final:
            final += result.separator + result.text
        elif result.text:
            assert result.text.split()[0] not in final.split()


def test_a_wrong_key_fails_at_once_and_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "canary-key-93b1"

    async def stream() -> None:
        async with SonioxSimulator() as server:
            try:
                await play(server, table={"api_key": key})
            finally:
                assert len(server.connections) == 1

    async def batch() -> None:
        async with SonioxSimulator() as server, configured(server, api_key=key) as processor:
            await processor.transcribe(wav(encode_words(3)))

    texts = []
    for attempt, error in ((stream, StreamError), (batch, AuthenticationError)):
        with pytest.raises(error) as caught:
            asyncio.run(attempt())
        texts += [str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
        assert "SONIOX_API_KEY" in str(caught.value)
    assert [text for text in (*texts, caplog.text) if key in text] == []
    assert caplog.records


def test_the_key_goes_into_the_header_and_nowhere_else() -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            await play(server)
            (log,) = server.connections
            assert log.authenticated_by == "header"
            assert "test-key" not in log.path

    virtual_time.run(main())


def test_a_temporary_key_goes_on_with_the_next_session() -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            key = server.keys.issue(Grant("transcribe_websocket", expires=3600.0, max_session=2))
            _, finals = await play(server, table={"api_key": key})
            assert compare(PLAN, finals).perfect
            assert len(server.connections) > 5

    virtual_time.run(main())


def test_a_temporary_key_for_one_session_ends_with_it() -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            key = server.keys.issue(Grant("transcribe_websocket", expires=3600.0, single_use=True, max_session=2))
            with pytest.raises(StreamError) as caught:
                await play(server, table={"api_key": key})
            session, refusal = (attempt.cause for attempt in caught.value.attempts)
            assert isinstance(session, SessionExpiredError)
            assert isinstance(refusal, AuthenticationError)

    virtual_time.run(main())


def test_files_through_the_processor() -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=Behaviour(polls=0)) as server, configured(server) as processor:
            transcripts = await asyncio.gather(*(processor.transcribe(wav(encode_words(5))) for _ in range(2)))
            assert all(compare(5, transcript).perfect for transcript in transcripts)
            assert transcripts[0].provider == "soniox"
            assert server.rest.files == {}

    asyncio.run(main())


def test_the_session_is_closed_with_the_provider(request_for: Callable[..., Any]) -> None:
    async def main() -> None:
        async with SonioxSimulator(behaviour=Behaviour(polls=0)) as server:
            from debabelizer import AudioSource

            provider = SonioxProvider(SPEC)
            await provider.aclose()
            request: Request[Any] = request_for(server)
            await provider.transcribe(AudioSource.of(wav(encode_words(2))), request, lambda _: None)
            session = provider._session
            await provider.aclose()
            await provider.aclose()
            assert session is not None
            assert session.closed

    asyncio.run(main())
