from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from debabelizer_pace import debabelizer_register_commands
from debabelizer_pace.command import words_a_minute
from typer.testing import CliRunner, Result


@pytest.fixture
def cli() -> typer.Typer:
    made = typer.Typer()
    debabelizer_register_commands(made)
    return made


def pace(cli: typer.Typer, *arguments: str, piped: str = "") -> Result:
    return CliRunner().invoke(cli, arguments, input=piped)


def transcript(text: str, seconds: float) -> str:
    return json.dumps({"file": "talks/talk.wav", "text": text, "duration": seconds}) + "\n"


def test_it_counts_words_a_minute() -> None:
    assert words_a_minute("three little words", 2.0) == 90.0
    assert words_a_minute("", 0.0) == 0.0


def test_it_reads_what_is_piped_into_it(cli: typer.Typer) -> None:
    piped = transcript("three little words", 2.0) + transcript("", 5.0)
    assert pace(cli, piped=piped).stdout == " 90 words/min  talk.wav\n  0 words/min  talk.wav\n"


def test_it_reads_a_file(cli: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    file.write_text(transcript("three little words", 2.0))
    assert pace(cli, str(file)).stdout == " 90 words/min  talk.wav\n"


@pytest.mark.parametrize("line", ["no JSON", "[]", "{}"])
def test_it_says_which_line_is_no_transcript(cli: typer.Typer, line: str) -> None:
    result = pace(cli, piped=transcript("word", 1.0) + line)
    assert result.exit_code == 2
    assert "line 2 is no transcript" in result.output
