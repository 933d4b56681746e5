"""Transcripts as text, JSON lines, SRT and WebVTT: pure functions from `Transcript` to text."""

from __future__ import annotations

from debabelizer.export.cues import Cue, cues
from debabelizer.export.formats import BUILT_IN, Exporter, Format
from debabelizer.export.plain import to_json, to_text
from debabelizer.export.subtitles import to_srt, to_vtt

__all__ = ["BUILT_IN", "Cue", "Exporter", "Format", "cues", "to_json", "to_srt", "to_text", "to_vtt"]
