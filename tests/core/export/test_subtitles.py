from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from debabelizer.export import cues, to_srt, to_vtt
from debabelizer.results import Segment, Transcript

settled = settings(deadline=None, derandomize=True)

EMPTY = Transcript(text="", duration=3.0, provider="parrot")


def at(start: float, end: float, text: str, speaker: str | None = None) -> Transcript:
    segment = Segment(text, start, end, speaker=speaker)
    return Transcript(text=text, segments=(segment,), duration=end, provider="parrot")


def test_srt_to_the_letter(spoken: Transcript) -> None:
    assert to_srt(spoken) == (
        "1\n"
        "00:00:01,000 --> 00:00:04,100\n"
        "Ask not what your country can do for you.\n"
        "\n"
        "2\n"
        "00:00:04,150 --> 00:00:08,650\n"
        "Ask what you can do for your country,\n"
        "for you and for me.\n"
    )


def test_vtt_to_the_letter(spoken: Transcript) -> None:
    assert to_vtt(spoken) == (
        "WEBVTT\n"
        "\n"
        "00:00:01.000 --> 00:00:04.100\n"
        "Ask not what your country can do for you.\n"
        "\n"
        "00:00:04.150 --> 00:00:08.650\n"
        "Ask what you can do for your country,\n"
        "for you and for me.\n"
    )


def test_nothing_said() -> None:
    assert to_srt(EMPTY) == ""
    assert to_vtt(EMPTY) == "WEBVTT\n"


def test_times_have_hours() -> None:
    assert "27:46:40,000 --> 27:46:42,000" in to_srt(at(100_000.0, 100_002.0, "Late."))
    assert "27:46:40.000 --> 27:46:42.000" in to_vtt(at(100_000.0, 100_002.0, "Late."))


def test_vtt_escapes_what_could_be_markup() -> None:
    assert "a &lt;b&gt; &amp;amp; --&gt; c\n" in to_vtt(at(0, 3, "a <b> &amp; --> c"))


def test_vtt_names_the_speaker() -> None:
    assert "\n<v 1>Hello.\n" in to_vtt(at(0, 2, "Hello.", speaker="1"))
    assert "\n<v A &amp; B&gt;>Hello.\n" in to_vtt(at(0, 2, "Hello.", speaker="A\n&  B>"))
    assert "<v" not in to_vtt(at(0, 2, "Hello.", speaker=" "))


def test_srt_has_no_markup() -> None:
    assert "\na <b> & c\n" in to_srt(at(0, 3, "a <b> & c", speaker="1"))


@settled
@given(data=st.data())
def test_an_independent_reader_of_srt_reads_the_same(
    data: st.DataObject, transcripts: st.SearchStrategy[Transcript]
) -> None:
    transcript = data.draw(transcripts)
    read = list(srt.parse(to_srt(transcript), ignore_errors=False))
    assert [(cue.index, cue.start, cue.end, cue.content) for cue in read] == [
        (number, timedelta(milliseconds=cue.start), timedelta(milliseconds=cue.end), "\n".join(cue.lines))
        for number, cue in enumerate(cues(transcript), start=1)
    ]


@settled
@given(data=st.data())
def test_an_independent_reader_of_webvtt_reads_the_same(
    data: st.DataObject, transcripts: st.SearchStrategy[Transcript]
) -> None:
    transcript = data.draw(transcripts)
    read = webvtt.from_buffer(io.StringIO(to_vtt(transcript)))
    assert [(cue.start, cue.end, html.unescape(re.sub(r"<[^>]*>", "", cue.raw_text))) for cue in read] == [
        (vtt_time(cue.start), vtt_time(cue.end), "\n".join(cue.lines)) for cue in cues(transcript)
    ]


def vtt_time(milliseconds: int) -> str:
    hours, rest = divmod(timedelta(milliseconds=milliseconds), timedelta(hours=1))
    return f"{hours:02}:{(timedelta() + rest).seconds // 60:02}:{rest.seconds % 60:02}.{rest.microseconds // 1000:03}"
