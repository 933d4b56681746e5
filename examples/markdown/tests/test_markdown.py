from __future__ import annotations

from debabelizer_markdown import debabelizer_register_exporters, to_markdown

from debabelizer import Segment, Transcript


def test_it_is_registered() -> None:
    formats = {}
    debabelizer_register_exporters(formats.__setitem__)
    assert formats == {"md": to_markdown}


def test_each_turn_is_a_paragraph() -> None:
    segments = (
        Segment("How did you", 0.2, 0.9, speaker="1"),
        Segment("get here?", 0.9, 1.4, speaker="1"),
        Segment("By train.", 3725.0, 3726.0, speaker="2"),
    )
    assert to_markdown(Transcript(text="", segments=segments)) == (
        "**[0:00:00] Speaker 1:** How did you get here?\n\n**[1:02:05] Speaker 2:** By train.\n"
    )


def test_without_speakers_each_segment_is_a_paragraph() -> None:
    segments = (Segment("One.", 0.0, 1.0), Segment("Two."))
    assert to_markdown(Transcript(text="One. Two.", segments=segments)) == "**[0:00:00]** One.\n\nTwo.\n"


def test_without_segments_there_is_the_text() -> None:
    assert to_markdown(Transcript(text="One *two*")) == "One \\*two\\*\n"
