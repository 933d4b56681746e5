"""Streams through the segmenter, on virtual time: what is said, when, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from support.spoken import FRAME, SpokenDecoder, Studio, frames, heard, live, spoken

from debabelizer.audio.utterances import CutterPolicy, Decoded
from debabelizer.errors import InvalidRequestError, StreamError
from debabelizer.results import (
    Progress,
    Reconnecting,
    SpeechStarted,
    StreamEvent,
    StreamingResult,
    UtteranceEnded,
    Word,
)
from debabelizer.spec import Capabilities
from debabelizer.streaming.intake import Source
from debabelizer.streaming.segmenter import lent_capabilities
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import run

SILENCE, PADDING = 0.6, 0.1  # of the policy


async def events_of(stream: TranscriptionStream) -> list[tuple[float, StreamEvent]]:
    """All events with the time at which they came, from the first audio on."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with stream:
        return [(loop.time() - begun, event) async for event in stream.events()]


def listen(source: Source, **studio: Any) -> list[tuple[float, StreamEvent]]:
    return run(events_of(Studio(**studio).stream(source)))


def finals(events: Sequence[tuple[float, StreamEvent]]) -> list[tuple[float, StreamingResult]]:
    return [(at, event) for at, event in events if isinstance(event, StreamingResult) and event.is_final]


def interims(events: Sequence[tuple[float, StreamEvent]]) -> list[tuple[float, StreamingResult]]:
    return [(at, event) for at, event in events if isinstance(event, StreamingResult) and not event.is_final]


def of_type(kind: type[StreamEvent], events: Sequence[tuple[float, StreamEvent]]) -> list[tuple[float, Any]]:
    return [(at, event) for at, event in events if isinstance(event, kind)]


def on_frames(seconds: float) -> Any:
    """Times are exact to the frame in which the detector hears."""
    return pytest.approx(seconds, abs=FRAME)


def test_finals_hold_all_speech_with_its_times() -> None:
    audio = spoken(0.5, 1.5, 1.0, 2.0, 0.8, 0.4, 0.3)
    events = listen(live(audio))
    said = finals(events)
    assert [(final.start, final.end) for _, final in said] == [
        (on_frames(0.5), on_frames(2.0)),
        (on_frames(3.0), on_frames(5.0)),
        (on_frames(5.8), on_frames(6.2)),
    ]
    assert heard(" ".join(final.text for _, final in said)) == frames(audio)
    assert all(final.ends_utterance for _, final in said)
    assert {(final.language, final.confidence, final.words) for _, final in said} == {("xx", 0.5, ())}


def test_times_of_words_are_those_of_the_stream_and_stay_within_the_utterance() -> None:
    audio = spoken(1.0, 0.5, 1.0, 0.64, 1.0)
    said = finals(listen(live(audio), decoder=SpokenDecoder(words=True)))
    for _, final in said:
        assert (final.start, final.end) == (final.words[0].start, final.words[-1].end)
        for word in final.words:
            # The decoder names a word after the frame of the stream in which it is.
            assert word.start == on_frames(int(word.text.split("*")[0]) * FRAME)
            assert word.end is not None
            assert word.end <= final.words[-1].end  # type: ignore[operator]
    assert said[0][1].end is not None
    assert said[0][1].end <= 1.0 + 0.5 + PADDING + FRAME


def test_words_that_an_engine_puts_beyond_the_utterance_are_moved_into_it() -> None:
    class Overshooting(SpokenDecoder):
        async def decode(self, samples: Any) -> Any:
            decoded = await super().decode(samples)
            return replace(decoded, text="a b c", words=(Word("a", -0.2, 0.1), Word("b", None, None), Word("c", 1, 9)))

    ((_, final),) = finals(listen(live(spoken(1.0, 1.0, 1.0)), decoder=Overshooting(), interim=False))
    assert final.words[0].start == pytest.approx(1.0 - PADDING, abs=FRAME)
    assert final.words[1].start is None
    assert final.words[2].end == pytest.approx(2.0 + PADDING, abs=FRAME)


def test_interims_come_soon_and_grow_and_the_final_comes_with_the_end_of_the_pause() -> None:
    audio = spoken(1.0, 2.0, 1.5)
    events = listen(live(audio, chunk=0.02))
    ((said_at, final),) = finals(events)
    shown = [(at, interim) for at, interim in interims(events) if interim.text]
    ((started_at, started),) = of_type(SpeechStarted, events)
    assert started.at == on_frames(1.0)
    assert started_at < 1.0 + 0.2
    assert shown[0][0] < 1.0 + 0.45
    assert len(shown) >= 5
    lengths = [len(interim.text.split()) for _, interim in shown]
    assert lengths == sorted(lengths)
    assert all(interim.start == final.start for _, interim in shown)
    # It was decoded when the pause was noticed, so nothing is left to do when the pause is long enough.
    assert said_at < 3.0 + SILENCE + 2 * FRAME + 0.02
    assert shown[-1][1].text == final.text


def test_what_is_final_by_the_time_it_is_decoded_is_not_shown_as_an_interim_before() -> None:
    decoder = SpokenDecoder(speed=0.5)
    events = listen(live(spoken(0.5, 2.0, 2.0)), decoder=decoder)
    ((said_at, final),) = finals(events)
    assert said_at > 2.5 + SILENCE + 0.3  # the pause was over long before
    assert final.text not in [interim.text for _, interim in interims(events)]
    # The decode that was begun at the pause was the one that counted.
    assert [call.ended for call in decoder.calls if call.last == max(frames(spoken(0.5, 2.0)))] == ["done"]


def test_a_pause_is_decoded_once_and_what_was_said_before_it_stays() -> None:
    decoder = SpokenDecoder()
    audio = spoken(0.5, 2.0, 0.4, 2.0, 1.0)
    events = listen(live(audio, chunk=0.02), decoder=decoder)
    ((_, final),) = finals(events)
    assert heard(final.text) == frames(audio)
    shown = [interim.text for _, interim in interims(events) if interim.text]
    before = next(text for text in shown if max(heard(text)) == max(heard(spoken_text(0.5, 2.0))))
    later = shown[shown.index(before) + 1 :]
    assert later
    assert all(text.startswith(before) for text in later)
    # Behind the pause only what is new was decoded, until the utterance was over.
    assert [call.first for call in decoder.calls].count(min(frames(audio))) < len(decoder.calls) / 2 + 2
    whole = [call for call in decoder.calls if (call.first, call.last) == (min(frames(audio)), max(frames(audio)))]
    assert len(whole) == 1


def spoken_text(*stretches: float) -> str:
    return " ".join(f"{frame}*{count}" for frame, count in frames(spoken(*stretches)).items())


def test_a_long_utterance_is_shown_phrase_by_phrase() -> None:
    decoder = SpokenDecoder()
    audio = spoken(0.5, *[2.2, 0.2] * 5, 2.2, 1.0)
    events = listen(live(audio, chunk=0.02), decoder=decoder)
    ((_, final),) = finals(events)
    assert heard(final.text) == frames(audio)
    for _, interim in interims(events):
        heard(interim.text)  # in order, nothing twice
    # No interim costs more than a phrase; only what may be final is decoded whole.
    assert max(call.seconds for call in decoder.calls[:-1]) < 2 * 2.4 + 0.5
    work = sum(call.seconds for call in decoder.calls) * decoder.speed
    assert work < 0.25 * 14


def test_at_most_one_decode_runs_and_interims_take_a_bounded_share_of_the_engine() -> None:
    decoder = SpokenDecoder(speed=0.3)
    audio = spoken(0.5, 10.0, 1.0)
    listen(live(audio), decoder=decoder)
    assert decoder.most == 1
    shown = [call for call in decoder.calls if call.ended == "done"][:-1]
    assert len(shown) >= 4
    for call, following in pairwise(shown):
        assert following.at - call.at >= 4 * call.seconds * decoder.speed - 1e-6


def test_without_interims_each_utterance_is_decoded_once() -> None:
    decoder = SpokenDecoder()
    audio = spoken(0.5, 2.0, 0.4, 2.0, 1.0, 1.0, 1.0)
    events = listen(live(audio), decoder=decoder, interim=False)
    assert interims(events) == []
    assert len(decoder.calls) == len(finals(events)) == 2


class Cutting(SpokenDecoder):
    """Has a pause of its own."""

    cutting = CutterPolicy(silence=0.3)


@pytest.mark.parametrize(("decoder", "count"), [(SpokenDecoder, 2), (Cutting, 3)])
def test_a_stream_is_cut_as_its_decoder_says_or_as_people_can_wait(decoder: type[SpokenDecoder], count: int) -> None:
    audio = spoken(0.5, 1.0, 0.5, 1.0, 1.0, 1.0, 0.5)
    said = finals(listen(live(audio), decoder=decoder(), cutting=None))
    assert len(said) == count
    assert heard(" ".join(final.text for _, final in said)) == frames(audio)


def test_a_file_is_not_slowed_down_by_interims() -> None:
    decoder = SpokenDecoder()
    audio = spoken(0.5, *[3.0, 0.55, 2.0, 0.7] * 5)
    events = listen(live(audio, speed=None), decoder=decoder)
    assert len(finals(events)) == 5
    assert len(decoder.calls) == 5
    assert interims(events) == []
    assert events[-1][0] == pytest.approx(sum(call.seconds for call in decoder.calls) * decoder.speed, abs=0.01)


def test_an_interim_is_not_said_twice() -> None:
    class Stubborn(SpokenDecoder):
        async def decode(self, samples: Any) -> Any:
            await super().decode(samples)
            return Decoded("the same")

    events = listen(live(spoken(0.5, 2.0, 1.0)), decoder=Stubborn())
    assert [interim.text for _, interim in interims(events)] == ["the same", ""]


def test_an_interim_is_withdrawn_when_its_utterance_comes_to_nothing() -> None:
    decoder = SpokenDecoder()
    decoder.deaf = frozenset(range(4, 50))
    events = listen(live(spoken(0.5, 2.0, 1.0)), decoder=decoder)
    shown = [interim.text for _, interim in interims(events)]
    assert len(shown) >= 3
    assert shown[-1] == ""
    assert "" not in shown[:-1]
    assert finals(events) == []
    # Who heard the speech begin hears that it is over.
    assert [type(event) for _, event in events if isinstance(event, (SpeechStarted, UtteranceEnded))] == [
        SpeechStarted,
        UtteranceEnded,
    ]


def test_after_a_final_nothing_of_it_stands_as_an_interim() -> None:
    events = listen(live(spoken(0.5, 2.0, 0.8, 2.0, 0.8)))
    screen = ""
    for _, event in events:
        if isinstance(event, StreamingResult) and event.is_final:
            screen = event.text
        elif isinstance(event, StreamingResult) and event.text:
            assert not set(heard(event.text)) & set(heard(screen))
    results = [event for _, event in events if isinstance(event, StreamingResult)]
    behind = [after for before, after in pairwise(results) if before.is_final]
    assert [(result.text, result.is_final) for result in behind] == [("", False)] * 2


def test_without_endpointing_no_end_of_an_utterance_is_said() -> None:
    audio = spoken(0.5, 1.0, 1.0, 1.0, 1.0)
    decoder = SpokenDecoder()
    events = listen(live(audio), decoder=decoder, endpointing=False, interim=False)
    assert heard(" ".join(final.text for _, final in finals(events))) == frames(audio)
    assert not any(final.ends_utterance for _, final in finals(events))
    assert of_type(UtteranceEnded, events) == []


def test_a_long_utterance_is_cut_and_nothing_is_lost_at_the_seam() -> None:
    audio = spoken(0.5, 3.0, 0.2, 4.0, 1.0)
    cutting = CutterPolicy(max_utterance=4.0)
    events = listen(live(audio), decoder=SpokenDecoder(speed=0.15), cutting=cutting)
    said = [final for _, final in finals(events)]
    assert len(said) >= 2
    assert heard(" ".join(final.text for final in said)) == frames(audio)
    for before, after in pairwise(said):
        assert before.end is not None
        assert after.start is not None
        assert before.end <= after.start
    assert [final.ends_utterance for final in said] == [False] * (len(said) - 1) + [True]
    assert len(of_type(SpeechStarted, events)) == len(of_type(UtteranceEnded, events)) == 1
    # What is not final yet is on the screen again at once.
    seams = [at for at, final in finals(events)[:-1]]
    for seam in seams:
        following = next(at for at, interim in interims(events) if at > seam and interim.text)
        assert following - seam < 0.4


def test_the_tail_of_a_cut_utterance_that_comes_to_nothing_still_ends_it() -> None:
    decoder = SpokenDecoder(deaf=frozenset(range(1, 9)))
    events = listen(
        live(spoken(0.5, 6.0, 1.0)), decoder=decoder, cutting=CutterPolicy(max_utterance=5.0), interim=False
    )
    said = finals(events)
    assert [bool(final.text) for _, final in said] == [True, False]
    assert [final.ends_utterance for _, final in said] == [False, True]
    assert len(of_type(UtteranceEnded, events)) == 1


def test_clicks_are_no_speech() -> None:
    decoder = SpokenDecoder()
    events = listen(live(spoken(0.5, 0.03, 1.0)), decoder=decoder)
    assert decoder.calls == []
    assert of_type(SpeechStarted, events) == []


def test_silence_is_confirmed_as_it_comes_and_is_no_stall() -> None:
    async def case() -> None:
        studio = Studio()
        stream = studio.stream()
        async with stream:
            reading = asyncio.ensure_future(_drain(stream))
            for _ in range(600):
                await stream.send_audio(spoken(0.1))
                await asyncio.sleep(0.1)
            stats = stream.stats
            assert stats.processed == pytest.approx(60.0, abs=0.1)
            assert stats.confirmed == pytest.approx(60.0, abs=PADDING + 2 * FRAME)
            await stream.end_audio()
            assert await reading == []
        assert studio.connections == 1

    run(case())


async def _drain(stream: TranscriptionStream) -> list[StreamingResult]:
    return [result async for result in stream if result.is_final]


def test_a_flush_makes_final_what_was_said_and_speech_goes_on_behind_it() -> None:
    audio = spoken(0.3, 4.0, 1.0)
    middle = 64000  # bytes: 2 s

    async def case() -> None:
        stream = Studio().stream()
        async with stream:
            reading = asyncio.ensure_future(_drain(stream))
            await stream.send_audio(audio[:middle])
            flushed = await stream.flush()
            assert (flushed.confirmed, flushed.at) == (True, 2.0)
            assert heard(stream.transcript.text) == frames(audio[:middle])
            assert stream.stats.confirmed == 2.0
            await stream.send_audio(audio[middle:])
            await stream.end_audio()
            said = await reading
        assert heard(stream.transcript.text) == frames(audio)
        assert [final.ends_utterance for final in said] == [True, True]

    run(case())


def test_a_flush_at_the_first_sound_of_a_word_does_not_cut_it_off() -> None:
    audio = spoken(0.5, 2.0, 1.0)
    first = 16000 + 2400  # bytes: 75 ms into the word, too little to be speech

    async def case() -> None:
        stream = Studio().stream()
        async with stream:
            reading = asyncio.ensure_future(_drain(stream))
            await stream.send_audio(audio[:first])
            assert (await stream.flush()).confirmed
            await stream.send_audio(audio[first:])
            await stream.end_audio()
            (final,) = await reading
        assert heard(final.text) == frames(audio)

    run(case())


def test_a_flush_in_silence_is_answered() -> None:
    async def case() -> None:
        stream = Studio().stream()
        async with stream:
            reading = asyncio.ensure_future(_drain(stream))
            await stream.send_audio(spoken(0.0, 1.0, 0.9))
            await asyncio.sleep(5.0)
            await stream.send_audio(spoken(0.01))
            assert (await stream.flush()).confirmed
            assert (await stream.flush()).confirmed
            await stream.end_audio()
            await reading

    run(case())


def test_audio_that_stops_within_speech_is_shown_as_far_as_it_came() -> None:
    async def case() -> None:
        stream = Studio().stream()
        audio = spoken(0.2, 1.0)
        async with stream:
            results: list[StreamingResult] = []

            async def read() -> None:
                async for result in stream:
                    results.append(result)

            reading = asyncio.ensure_future(read())
            for start in range(0, len(audio), 3200):
                await stream.send_audio(audio[start : start + 3200])
                await asyncio.sleep(0.1)
            await asyncio.sleep(20.0)  # nobody sends anything, and nothing may time out
            assert max(heard(results[-1].text)) >= max(frames(audio)) - 1
            count = len(results)
            await asyncio.sleep(20.0)
            assert len(results) == count
            await stream.end_audio()
            await reading
        assert heard(stream.transcript.text) == frames(audio)

    run(case())


def test_no_audio_at_all_is_a_complete_stream() -> None:
    decoder = SpokenDecoder()
    assert finals(listen(live(b""), decoder=decoder)) == []
    assert decoder.calls == []


def test_speech_up_to_the_last_sample_is_final_at_the_end() -> None:
    audio = spoken(0.5, 1.007)
    events = listen(live(audio))
    ((_, final),) = finals(events)
    assert heard(final.text) == frames(audio)
    assert final.end == pytest.approx(1.507, abs=1e-4)
    assert final.ends_utterance


def test_an_engine_slower_than_speech_is_waited_for_and_says_so_once() -> None:
    decoder = SpokenDecoder(speed=1.5)
    studio = Studio(decoder=decoder)
    audio = spoken(0.5, *[4.0, 0.7] * 12)

    async def case() -> None:
        stream = studio.stream(live(audio))
        events = await events_of(stream)
        assert heard(stream.transcript.text) == frames(audio)
        notes = [event.note for _, event in of_type(Progress, events) if event.note]
        assert len(notes) == 1
        assert "slower than speech" in notes[0]
        assert stream.stats.attempts == 1
        # Audio had to wait with the user, not in a queue.
        assert events[-1][0] > 1.2 * 57

    run(case())


def test_an_engine_that_keeps_up_is_not_called_slow_however_fast_the_file_comes() -> None:
    events = listen(live(spoken(0.5, *[4.0, 0.7] * 12), speed=None), decoder=SpokenDecoder(speed=0.8))
    assert [event.note for _, event in of_type(Progress, events) if event.note] == []


def test_what_waits_for_a_slow_engine_is_bounded() -> None:
    async def case() -> None:
        stream = Studio(decoder=SpokenDecoder(delays=[9.0])).stream(live(spoken(0.1, *[0.5, 0.7] * 40), speed=None))
        async with stream:
            reading = asyncio.ensure_future(_drain(stream))
            await asyncio.sleep(8.0)
            assert stream.stats.sent < 4 * 1.2
            await reading

    run(case())


def test_what_a_stream_can_do_is_lent_by_the_segmenter() -> None:
    engine = Capabilities(
        batch=True, words="word", confidence=True, diarization=True, translation=True, languages=("en",), max_session=60
    )
    lent = lent_capabilities(engine)
    assert (lent.streaming, lent.interims, lent.endpointing) == (True, True, True)
    assert (lent.flush, lent.resume, lent.words) == ("confirmed", "segment", "word")
    assert (lent.audio_formats, lent.sample_rates, lent.channels) == (("pcm_s16le",), (16000,), 1)
    assert (lent.max_speed, lent.max_session, lent.keepalive) == (None, None, None)
    assert (lent.diarization, lent.translation) == (False, False)
    assert (lent.batch, lent.confidence, lent.languages) == (True, True, ("en",))
    assert lent_capabilities(Capabilities(batch=True)).words == "segment"


class LoadingDecoder(SpokenDecoder):
    """Has a model to load, which takes its time or fails."""

    loading = 120.0
    fault: Exception | None = None
    loaded = False

    async def load(self) -> None:
        await asyncio.sleep(self.loading)
        if self.fault is not None:
            raise self.fault
        self.loaded = True

    async def decode(self, samples: Any) -> Decoded:
        assert self.loaded
        return await super().decode(samples)


def test_a_model_may_take_minutes_to_load_and_no_word_is_lost() -> None:
    audio = spoken(0.5, 1.5, 1.0)
    events = listen(live(audio), decoder=LoadingDecoder())
    said = finals(events)
    assert heard(" ".join(final.text for _, final in said)) == frames(audio)
    assert said[0][0] == pytest.approx(120.0, abs=5.0)
    assert of_type(Reconnecting, events) == []


def test_a_model_that_cannot_be_loaded_is_told_before_anything_is_heard() -> None:
    decoder = LoadingDecoder()
    decoder.loading, decoder.fault = 0.0, InvalidRequestError("There is no such model.")
    with pytest.raises(StreamError, match="no such model"):
        listen(live(spoken(2.0)), decoder=decoder)
    assert decoder.calls == []


def test_a_model_that_never_loads_is_given_up() -> None:
    decoder = LoadingDecoder()
    decoder.loading = 1e9
    with pytest.raises(StreamError, match="did not come back within 600 s"):
        listen(live(spoken(2.0)), decoder=decoder)


class TellingDecoder(SpokenDecoder):
    """Says half of what it understood when half of its time is over."""

    async def decode_incrementally(self, samples: Any, heard: Callable[[str], None]) -> Decoded:
        deciding = asyncio.ensure_future(self.decode(samples))
        await asyncio.sleep(0.4)
        counts = (await SpokenDecoder(speed=0.0).decode(samples)).text.split()
        heard(" ".join(counts[: len(counts) // 2]))
        return await deciding


def test_what_a_decoder_says_before_it_is_done_is_an_interim() -> None:
    audio = spoken(0.5, 1.5, 1.0)
    events = listen(live(audio), decoder=TellingDecoder(delays=[0.8] * 9))
    shown, said = interims(events), finals(events)
    assert shown[0][0] < 0.5 + 0.2 + 0.4 + 0.2  # long before the first decoding is done
    assert heard(said[0][1].text) == frames(audio)
    lengths = [len(event.text) for _, event in shown if event.text]
    assert lengths == sorted(lengths), "an interim of one utterance never shrinks"
    assert shown[-1][1].text == ""


def test_who_wants_no_interims_gets_none_of_these_either() -> None:
    events = listen(live(spoken(0.5, 1.5, 1.0)), decoder=TellingDecoder(delays=[0.8] * 9), interim=False)
    assert interims(events) == []
    assert len(finals(events)) == 1
