"""What reading audio costs: decoding, down-mixing and resampling to 16 kHz mono, in processor time and memory.

    python benchmarks/audio.py [RECORDING] [--minutes 60]

The recording (by default a real one of the tests) is repeated and encoded in each format, in a temporary folder;
each file is then read in a process of its own. Prints a Markdown table. The real-time factor is processor seconds
of all threads for each second of audio; memory is by how much the process grew, over what it needed for an
eleventh of a second of the same. An hour takes two to three minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource

SPEECH = Path(__file__).parents[1] / "tests" / "audio" / "jfk.wav"

FORMATS = {
    # name: container, codec, rate, channels
    "wav, 16 bit, 16 kHz": ("wav", "pcm_s16le", 16000, 1),
    "wav, 16 bit, 48 kHz stereo": ("wav", "pcm_s16le", 48000, 2),
    "wav, µ-law, 8 kHz": ("wav", "pcm_mulaw", 8000, 1),
    "flac, 44.1 kHz stereo": ("flac", "flac", 44100, 2),
    "mp3, 44.1 kHz stereo": ("mp3", "libmp3lame", 44100, 2),
    "m4a (AAC), 44.1 kHz stereo": ("ipod", "aac", 44100, 2),
    "ogg (Opus), 48 kHz": ("ogg", "libopus", 48000, 1),
    "webm (Opus), 48 kHz": ("webm", "libopus", 48000, 1),
}


async def decoded(recording: Path, audio_format: AudioFormat) -> bytes:
    """Read a whole recording."""
    async with AudioSource.of(recording).blocks(audio_format) as blocks:
        return b"".join([block async for block in blocks])


def encode(audio: bytes, times: int, target: Path, container: str, codec: str, rate: int, channels: int) -> None:
    """Write `audio`, 16-bit and interleaved, so many times."""
    layout = "mono" if channels == 1 else "stereo"
    packed = np.frombuffer(audio, "<i2").reshape(1, -1)
    with av.open(str(target), "w", format=container) as output:
        track = output.add_stream(codec, rate=rate)
        track.layout = layout
        for number in range(times):
            frame = av.AudioFrame.from_ndarray(packed, "s16", layout)
            frame.sample_rate = rate
            frame.pts = number * packed.shape[1] // channels
            output.mux(track.encode(frame))
        output.mux(track.encode(None))


async def measure(recording: Path) -> None:
    """Read a recording; print seconds of audio, processor seconds, and growth in MB."""
    async with AudioSource.of(recording).blocks(seconds=0.1) as blocks:
        await anext(blocks)  # loads what is needed
    before, begun = peak_megabytes(), time.process_time()
    source = AudioSource.of(recording)
    async with source.blocks() as blocks:
        async for _ in blocks:
            pass
    if source.warnings:
        raise SystemExit(f"{recording}: {source.warnings}")
    print(source.position, time.process_time() - begun, peak_megabytes() - before)


def peak_megabytes() -> float:
    """Most resident memory of this process so far; on Linux the other figure counts the parent's too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path, nargs="?", default=SPEECH)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        asyncio.run(measure(options.recording))
        return
    print("| format | audio min | file MB | processor s | real-time factor | memory MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, (container, codec, rate, channels) in FORMATS.items():
        audio_format = AudioFormat("pcm_s16le", rate, channels)
        mono = asyncio.run(decoded(options.recording, AudioFormat("pcm_s16le", rate)))
        audio = mono if channels == 1 else np.repeat(np.frombuffer(mono, "<i2"), channels).tobytes()
        times = max(1, round(options.minutes * 60 / audio_format.seconds(len(audio))))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "long"
            encode(audio, times, file, container, codec, rate, channels)
            size = file.stat().st_size
            command = [sys.executable, __file__, str(file), "--measure"]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
        seconds, cost, growth = map(float, done.stdout.split())
        print(
            f"| {name} | {seconds / 60:.1f} | {size / 1e6:.0f} | {cost:.1f} | {cost / seconds:.5f} | {growth:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
