"""Readers that stop, and others that go on where they were; and a stream that was never opened."""

from __future__ import annotations

import asyncio

import pytest
from support.service import Bench, Plan, Service, speech
from support.streams import scripted

from debabelizer.errors import DebabelizerError, StreamBusyError
from debabelizer.results import StreamingResult, Utterance
from debabelizer.streaming.dialect import Hypothesis, UtteranceEnd
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.streaming.supervisor import Supervisor
from debabelizer.testing.virtual_time import run

SAID = (
    Hypothesis(text="one", final=True, start=0.1, end=0.2),
    Hypothesis(text="two", final=True, start=0.2, end=0.3),
    Hypothesis(text="", final=False),
    UtteranceEnd(),
    Hypothesis(text="three", final=True, start=0.4, end=0.5),
)


async def stop_within_an_utterance(stream: TranscriptionStream) -> None:
    """Read utterances until two finals are in hand, and stop."""
    reading = asyncio.ensure_future(anext(stream.utterances()))
    while len(stream._gathered) < 2:
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


def slowly() -> TranscriptionStream:
    return scripted(*SAID[:3], 1.0, *SAID[3:])


def test_words_of_an_utterance_that_its_reader_did_not_wait_for_go_to_the_next_reader_of_results() -> None:
    async def case() -> None:
        async with slowly() as stream:
            await stop_within_an_utterance(stream)
            said = [result.text async for result in stream if result.is_final and result.text]
        assert said == ["one", "two", "three"]

    run(case())


def test_words_of_an_utterance_that_its_reader_did_not_wait_for_go_to_the_next_reader_of_utterances() -> None:
    async def case() -> None:
        async with slowly() as stream:
            await stop_within_an_utterance(stream)
            said = [utterance.text async for utterance in stream.utterances()]
        assert said == ["one two", "three"]

    run(case())


def test_those_words_outlive_a_reader_who_took_nothing() -> None:
    async def case() -> None:
        async with slowly() as stream:
            await stop_within_an_utterance(stream)
            aiter(stream)
            events = stream.events()
            first = await anext(events)
            del events
            said = [result.text async for result in stream if result.is_final and result.text]
        assert isinstance(first, StreamingResult)
        assert [first.text, *said] == ["one", "two", "three"]

    run(case())


def test_a_closed_stream_gives_nothing_more() -> None:
    async def case() -> None:
        async with slowly() as stream:
            await stop_within_an_utterance(stream)
            aiter(stream)
            await stream.aclose()
            assert [result async for result in stream] == []
        assert stream.transcript.text == "one two"

    run(case())


def test_what_was_not_read_of_a_complete_stream_is_there_after_closing_it_too() -> None:
    async def case() -> None:
        stream = slowly()
        await stop_within_an_utterance(stream)
        await asyncio.sleep(5.0)
        assert "complete" in repr(stream)
        aiter(stream)
        await stream.aclose()
        assert [utterance.text async for utterance in stream.utterances()] == ["one two", "three"]

    run(case())


def test_an_utterance_that_the_user_cut_short_is_not_complete() -> None:
    async def case() -> None:
        said: list[Utterance] = []
        async with slowly() as stream:

            async def read() -> None:
                said.extend([utterance async for utterance in stream.utterances()])

            reading = asyncio.ensure_future(read())
            while len(stream._gathered) < 2:
                await asyncio.sleep(0)
            await stream.aclose()
            await reading
        assert [(utterance.text, utterance.complete) for utterance in said] == [("one two", False)]

    run(case())


def test_a_stream_that_was_never_opened_and_no_longer_can_be_is_closed_without_a_word() -> None:
    def refuse() -> Supervisor:
        raise DebabelizerError("This VoiceProcessor is closed.")

    async def case() -> None:
        stream = TranscriptionStream(refuse, name="fake")
        await stream.aclose()
        await stream.aclose()
        with pytest.raises(DebabelizerError, match="is closed"):
            await stream.send_audio(b"\0\0")
        with pytest.raises(DebabelizerError, match="is closed"):
            await anext(aiter(stream))

    run(case())


def test_one_reader_after_another_takes_what_is_there_in_order() -> None:
    async def case() -> None:
        said: list[str] = []
        async with Bench(Service([Plan(lag=2, at=3.0), Plan(lag=1)])).stream() as stream:
            sending = asyncio.ensure_future(_send(stream))
            for number in range(1000):
                async for result in aiter(stream):
                    said.extend(word.text for word in result.words if result.is_final)
                    if number < 30:
                        break
                else:
                    break
            await sending
        assert said == [str(number) for number in range(1, 61)]

    run(case())


async def _send(stream: TranscriptionStream) -> None:
    for number in range(1, 61):
        await stream.send_audio(speech(number, number))
        await asyncio.sleep(0.1)
    await stream.end_audio()


def test_a_reader_that_was_let_go_makes_way_although_the_error_of_the_second_is_kept() -> None:
    async def case() -> None:
        async with Bench().stream() as stream:
            first = aiter(stream)
            with pytest.raises(StreamBusyError) as kept:
                stream.events()
            del first
            aiter(stream)
            assert "One iterator at a time" in str(kept.value)

    run(case())
