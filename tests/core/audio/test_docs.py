"""The page about audio says what is true: its programs run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "audio.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_runs(program, tmp_path, recordings):
    shutil.copy(recordings / "jfk.m4a", tmp_path / "meeting.m4a")

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stderr == ""
    if "print" in program:
        assert done.stdout.splitlines()[-1].startswith("11.0 s of 11.0 s, ")


def test_messages_are_quoted_as_they_are(read, recordings):
    cut = (recordings / "jfk.mp3").read_bytes()
    holed = bytearray((recordings / "jfk.flac").read_bytes())
    middle = len(holed) // 2
    holed[middle : middle + len(holed) // 20] = bytes(len(holed) // 20)

    for data in (cut[: len(cut) * 6 // 10], bytes(holed)):
        (warning,) = read(data)[0].warnings
        assert f'"{warning}"' in PAGE.read_text(encoding="utf-8")
