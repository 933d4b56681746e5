from __future__ import annotations

import pytest

from debabelizer.export import BUILT_IN, Format, to_json, to_srt, to_text, to_vtt
from debabelizer.results import Transcript


def test_the_built_in_formats(spoken: Transcript) -> None:
    assert {name: made.suffix for name, made in BUILT_IN.items()} == {
        "text": ".txt",
        "json": ".json",
        "srt": ".srt",
        "vtt": ".vtt",
    }
    assert BUILT_IN["text"].render(spoken, "a.wav") == to_text(spoken)
    assert BUILT_IN["json"].render(spoken, "a.wav") == to_json(spoken, "a.wav")
    assert BUILT_IN["srt"].render(spoken, "a.wav") == to_srt(spoken)
    assert BUILT_IN["vtt"].render(spoken, "a.wav") == to_vtt(spoken)


@pytest.mark.parametrize(("name", "together"), [("text", "headings"), ("json", "lines"), ("srt", "no"), ("vtt", "no")])
def test_how_several_transcripts_share_an_output(name: str, together: str) -> None:
    assert BUILT_IN[name].together == together


def test_a_plugin_s_exporter_becomes_a_format(spoken: Transcript) -> None:
    shout = Format.of_plugin("shout", lambda transcript: transcript.text.upper())
    assert (shout.name, shout.suffix, shout.together) == ("shout", ".shout", "no")
    assert shout.render(spoken, "a.wav") == spoken.text.upper()
