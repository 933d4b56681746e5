"""Most memory taken while an hour of speech is transcribed by the embedded engine.

    python benchmarks/memory.py RECORDING... [--minutes 60]

The recordings are repeated, a second of silence between them, until a WAV file of the length asked for is full;
it lies in a temporary folder. Prints a Markdown table. An hour takes three to five minutes on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
import wave
from pathlib import Path

from debabelizer import VoiceProcessor
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.results import Transcript

FORMAT = AudioFormat()


async def write_long(recordings: list[Path], target: Path, seconds: float) -> None:
    """Join the recordings until the file is long enough."""
    pause = bytes(FORMAT.bytes_per_second)
    with wave.open(str(target), "wb") as file:
        file.setnchannels(FORMAT.channels)
        file.setsampwidth(FORMAT.frame_bytes)
        file.setframerate(FORMAT.sample_rate)
        while file.tell() < seconds * FORMAT.sample_rate:
            for recording in recordings:
                async with AudioSource.of(recording).blocks(FORMAT) as blocks:
                    async for block in blocks:
                        file.writeframes(block)
                file.writeframes(pause)


def peak_megabytes() -> float:
    """Most resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


async def transcribe(recording: Path) -> Transcript:
    """Transcribe with the embedded engine."""
    async with VoiceProcessor({}, provider="moonshine") as processor:
        return await processor.transcribe(recording)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "long.wav"
        asyncio.run(write_long(options.recordings, long, options.minutes * 60))
        before = peak_megabytes()
        begun = time.perf_counter()
        transcript = asyncio.run(transcribe(long))
        wall = time.perf_counter() - begun
    print("| audio min | segments | words | peak MB before | peak MB | wall s | real-time factor |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    print(
        f"| {transcript.duration / 60:.1f} | {len(transcript.segments)} | {len(transcript.text.split())} "
        f"| {before:.0f} | {peak_megabytes():.0f} | {wall:.0f} | {wall / transcript.duration:.3f} |"
    )


if __name__ == "__main__":
    main()
