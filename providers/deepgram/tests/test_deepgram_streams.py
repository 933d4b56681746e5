"""Streams through the whole house, where the service does what the kit's does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from debabelizer_deepgram.simulator import Behaviour, DeepgramSimulator, Disconnect, Refusal

from debabelizer import (
    InvalidRequestError,
    RateLimitedError,
    Reconnecting,
    SessionExpiredError,
    StreamError,
    UtteranceEnded,
    VoiceProcessor,
)
from debabelizer.testing import virtual_time
from debabelizer.testing.coded import CodedWord, compare, encode_words, plan_words
from debabelizer.testing.script import CodedWords, SpokenWord

PLAN = plan_words(12, phrase=4, pause=1.5)

Act = Callable[[Any], Awaitable[Any]]


async def listen(
    server: DeepgramSimulator,
    provider: str,
    *,
    plan: tuple[CodedWord, ...] = PLAN,
    act: dict[float, Act] | None = None,
    table: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    pace: float = 1.0,
    **wishes: Any,
) -> tuple[Any, list[Any], list[Any]]:
    """A stream of coded words: its transcript, its events, and what came of the acts at those seconds of audio."""
    settings = {"api_key": "test-key", "websocket_url": server.url, **(table or {})}
    config = {"stt": {"provider": provider}, "providers": {provider: settings}, "stream": policy or {}}
    audio, acts, done = encode_words(plan, tail=1.5), sorted((act or {}).items()), []
    async with VoiceProcessor(config) as processor, processor.transcribe_stream(**wishes) as stream:

        async def speak() -> None:
            for at in range(0, len(audio), 3200):
                while acts and acts[0][0] <= at / 32000:
                    done.append(await acts.pop(0)[1](stream))
                await stream.send_audio(audio[at : at + 3200])
                await asyncio.sleep(0.1 / pace)
            await stream.end_audio()

        speaker = asyncio.create_task(speak())
        try:
            events = [event async for event in stream.events()]
        finally:
            speaker.cancel()
            await asyncio.wait([speaker])
        return stream.transcript, events, done


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(3600):
            return await main()

    return virtual_time.run(bounded())


def flush(stream: Any) -> Awaitable[Any]:
    return stream.flush()  # type: ignore[no-any-return]


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
def test_audio_comes_no_faster_than_is_taken(provider: str) -> None:
    """A recording, and the replay after a failure, keep to 1.25 times real time."""

    async def main() -> Any:
        faults = [Disconnect(10.0, 1011, "NET-0000")]
        async with DeepgramSimulator(behaviour=Behaviour(), faults=faults) as server:
            plan = plan_words(60, phrase=6, pause=1.2)
            transcript, _, _ = await listen(server, provider, plan=plan, pace=100.0)
            return compare(plan, transcript), server.streams

    report, streams = run(main)
    assert report.perfect, report
    assert len(streams) == 2
    assert all(log.closed in {(1011, "NET-0000"), (1000, ""), (1005, "")} for log in streams)
    assert max(log.ahead for log in streams) > 2.0, "it is as fast as it may be"


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
def test_no_frame_is_ever_empty(provider: str) -> None:
    async def main() -> Any:
        async with DeepgramSimulator() as server:
            await listen(server, provider, act={1.0: flush, 2.0: lambda stream: stream.send_audio(b"")})
            return server.streams

    (log,) = run(main)
    assert log.empty_frames == 0


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
@pytest.mark.parametrize("pause", [5.0, 60.0])
def test_an_utterance_ends_when_the_audio_stops(provider: str, pause: float) -> None:
    """Also with Flux, whose clock stands still then: in the pause silence is sent, and times are none the worse."""
    end = PLAN[3].end + 0.1

    async def main() -> Any:
        async with DeepgramSimulator() as server:
            return await listen(server, provider, act={end: lambda _: asyncio.sleep(pause)}), server.streams

    (transcript, events, _), streams = run(main)
    report = compare(PLAN, transcript)
    assert report.perfect, report
    assert report.time_error is not None
    assert report.time_error < 0.05
    assert len(streams) == 1
    if provider == "deepgram_flux":
        assert streams[0].seconds > len(encode_words(PLAN, tail=1.0)) / 32000 + 2.0
    assert sum(isinstance(event, UtteranceEnded) for event in events) >= 3


def test_each_utterance_ends_once() -> None:
    async def main() -> Any:
        async with DeepgramSimulator() as server:
            return await listen(server, "deepgram"), server.streams[0].messages

    (_, events, _), messages = run(main)
    kinds = [message["type"] for message in messages]
    assert kinds.count("UtteranceEnd") == 3, "which come with `speech_final` for the same words"
    assert sum(message.get("speech_final", False) for message in messages) == 3
    assert sum(isinstance(event, UtteranceEnded) for event in events) == 3


def test_noise_hides_the_pause_and_the_gap_between_words_ends_the_utterance() -> None:
    """No `speech_final` then, as if somebody hummed in the pause."""

    async def main() -> Any:
        async with DeepgramSimulator() as server:
            return await listen(server, "deepgram", table={"endpointing_ms": 10_000}), server.streams[0].messages

    (transcript, events, _), messages = run(main)
    assert not any(message.get("speech_final") for message in messages)
    assert compare(PLAN, transcript).perfect
    assert sum(isinstance(event, UtteranceEnded) for event in events) == 3


def test_finals_that_are_shorter_than_guesses_lose_nothing() -> None:
    async def main() -> Any:
        async with DeepgramSimulator(behaviour=Behaviour(short_finals=1, window=1.0, cadence=0.3)) as server:
            plan = plan_words(40, phrase=40)
            return (await listen(server, "deepgram", plan=plan))[0], plan

    transcript, plan = run(main)
    assert compare(plan, transcript).perfect


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
def test_a_flush_in_the_middle_of_speech_is_confirmed(provider: str) -> None:
    async def main() -> Any:
        async with DeepgramSimulator() as server:
            return await listen(server, provider, act={0.8: flush}), server.streams[0].controls

    (transcript, _, (result,)), controls = run(main)
    assert result.confirmed
    assert controls[0] == {"deepgram": "Finalize", "deepgram_flux": "ForceEndTurn"}[provider]
    assert compare(PLAN, transcript).perfect


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
def test_a_flush_in_silence_is_bounded(provider: str) -> None:
    """`Finalize` is not answered then, and `ForceEndTurn` ignored; what comes later may confirm it all the same."""
    behaviour = Behaviour(window=600.0, finalize_least=600.0)
    long = plan_words(2, lead=8.0)

    async def main() -> Any:
        async with DeepgramSimulator(behaviour=behaviour) as server:
            begun = asyncio.get_running_loop().time()
            times: list[float] = []

            async def timed(stream: Any) -> Any:
                result = await stream.flush()
                times.append(asyncio.get_running_loop().time() - begun)
                return result

            policy = {"flush_timeout": 2.0}
            return await listen(server, provider, plan=long, act={4.0: timed}, policy=policy), times

    (transcript, _, (result,)), (seconds,) = run(main)
    assert seconds < 4.0 + 2.5
    if provider == "deepgram":
        assert (result.confirmed, result.reason) == (False, "timeout")
    else:
        assert result.confirmed
    assert compare(long, transcript).perfect


@pytest.mark.parametrize("turn_close", ["no status", "no frame", "normal"])
def test_a_turn_that_is_open_at_the_end_is_whole(turn_close: Any) -> None:
    plan = plan_words(5, phrase=5)

    async def main() -> Any:
        behaviour = Behaviour(turn_close=turn_close, turn_silence=60.0)
        async with DeepgramSimulator(behaviour=behaviour) as server:
            return (await listen(server, "deepgram_flux", plan=plan))[0], server.streams

    transcript, streams = run(main)
    assert compare(plan, transcript).perfect
    assert len(streams) == 1
    assert not any(message.get("event") == "EndOfTurn" for message in streams[0].messages)


def test_an_unfinished_turn_is_heard_again_from_its_beginning() -> None:
    plan = plan_words(20, phrase=20)

    async def main() -> Any:
        faults = [Disconnect(4.0)]
        async with DeepgramSimulator(faults=faults) as server:
            return await listen(server, "deepgram_flux", plan=plan), server.streams

    (transcript, events, _), streams = run(main)
    assert compare(plan, transcript).perfect
    assert len(streams) == 2
    assert streams[1].seconds > 4.0
    assert any(isinstance(event, Reconnecting) for event in events)


def test_flux_words_without_times_are_said_once_across_a_failure() -> None:
    async def main() -> Any:
        async with DeepgramSimulator(behaviour=Behaviour(word_times=False), faults=[Disconnect(4.0)]) as server:
            return (await listen(server, "deepgram_flux"))[0]

    assert run(main).text == " ".join(word.text for word in PLAN)


def test_speakers_and_languages_are_told() -> None:
    words = CodedWords(
        SpokenWord(f"w{at}", speaker="AB"[at // 4 % 2], language=("en", "es")[at // 4 % 2]) for at in range(12)
    )

    async def main() -> Any:
        async with DeepgramSimulator(words) as server:
            return (await listen(server, "deepgram", diarization=True))[0], server.streams[0].query

    transcript, query = run(main)
    assert [(segment.speaker, segment.language) for segment in transcript.segments] == [
        ("0", "en"),
        ("1", "es"),
        ("0", "en"),
    ]
    assert query.get("language") == "multi"


def test_flux_tells_the_language_of_a_turn() -> None:
    words = CodedWords(SpokenWord(f"w{at}", language=("en", "es", "fr")[at // 4]) for at in range(12))

    async def main() -> Any:
        async with DeepgramSimulator(words) as server:
            return (await listen(server, "deepgram_flux"))[0]

    assert [segment.language for segment in run(main).segments] == ["en", "es", "fr"]


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
@pytest.mark.parametrize("modern", [False, True])
def test_a_limit_of_requests_is_waited_for(provider: str, modern: bool) -> None:
    async def main() -> Any:
        refusals = [Refusal(429, "TOO_MANY_REQUESTS", retry_after=7, modern=modern)]
        async with DeepgramSimulator(refusals=refusals) as server:
            return await listen(server, provider)

    transcript, events, _ = run(main)
    (again,) = (event for event in events if isinstance(event, Reconnecting))
    assert isinstance(again.cause, RateLimitedError)
    assert again.delay == 7.0
    assert again.cause.request_id == "simulated-refusal"
    assert compare(PLAN, transcript).perfect


@pytest.mark.parametrize("provider", ["deepgram", "deepgram_flux"])
def test_audio_that_cannot_be_decoded_is_not_sent_again(provider: str) -> None:
    async def main() -> Any:
        async with DeepgramSimulator(faults=[Disconnect(1.0, 1008, "DATA-0000")]) as server:
            with pytest.raises(StreamError) as caught:
                await listen(server, provider)
            return caught.value, server.streams

    error, streams = run(main)
    assert isinstance(error.__cause__, InvalidRequestError)
    assert error.__cause__.code == "DATA-0000"
    assert len(streams) == 1


def test_a_stream_that_never_got_audio_is_closed_by_deepgram_and_opened_again_when_there_is_some() -> None:
    """`KeepAlive` alone holds no stream: the connection that was opened in advance ends after 10 s."""

    async def main() -> Any:
        async with DeepgramSimulator() as server:
            return await listen(server, "deepgram", act={0.0: lambda _: asyncio.sleep(60.0)}), server.streams

    (transcript, events, _), streams = run(main)
    assert compare(PLAN, transcript).perfect
    (again,) = (event for event in events if isinstance(event, Reconnecting))
    assert isinstance(again.cause, SessionExpiredError)
    assert len(streams) == 2
