"""Transcripts as text, JSON lines, SRT and WebVTT."""
