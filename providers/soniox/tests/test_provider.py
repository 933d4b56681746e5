"""The provider as users have it: through `VoiceProcessor`, against a Soniox on loopback, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from debabelizer import (
    AuthenticationError,
    SessionExpiredError,
    StreamError,
    VoiceProcessor,
)
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


def test_a_stream_without_audio_is_complete() -> None:
    async def main() -> None:
        async with SonioxSimulator() as server:
            stream, finals = await play(server, b"")
            assert (finals, stream.transcript.text) == ([], "")

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
