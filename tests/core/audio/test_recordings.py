"""The recordings are what their list says, and may be given on."""

from __future__ import annotations

import hashlib
import json

import pytest

LIMIT = 4_500_000


@pytest.fixture
def manifest(recordings):
    return {entry["file"]: entry for entry in json.loads((recordings / "manifest.json").read_text())}


def test_every_recording_is_listed(recordings, manifest):
    assert {path.name for path in recordings.iterdir()} - {"manifest.json", "LICENSES.md"} == set(manifest)


def test_they_are_unchanged(recordings, manifest):
    found = {name: hashlib.sha256((recordings / name).read_bytes()).hexdigest() for name in manifest}

    assert found == {name: entry["sha256"] for name, entry in manifest.items()}


def test_all_have_a_licence_and_an_origin(recordings, manifest):
    licences = (recordings / "LICENSES.md").read_text()

    for name, entry in manifest.items():
        assert entry["licence"]
        assert entry["source"]
        assert name in licences or (name.startswith("jfk") and "`jfk.*`, `jfk-*`" in licences)


def test_they_stay_small(recordings, manifest):
    assert sum((recordings / name).stat().st_size for name in manifest) < LIMIT


def test_their_durations(read, recordings, manifest):
    from debabelizer.audio.format import AudioFormat

    for name, entry in manifest.items():
        raw = AudioFormat() if name.endswith(".raw") else None
        _, audio = read(recordings / name, audio_format=raw)
        assert len(audio) / 32000 == pytest.approx(entry["seconds"], abs=0.02)
