"""What the framework costs beside calling the embedded engine directly, and how long the event loop stands still.

    python benchmarks/engine.py RECORDING... [--rounds 5]

Directly is the engine's own package, given all samples of a recording at once; it has a voice activity detector of
its own. Through the framework means from the file to the transcript. Processor time of the whole process, the two in
turn; the median of their ratios. The lag of the loop is looked at in a run of its own. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from moonshine_voice.moonshine_api import ModelArch
from moonshine_voice.transcriber import Transcriber
from moonshine_voice.utils import get_model_path

from debabelizer import VoiceProcessor
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.results import Transcript

RATE = 16_000
_LOOK = 0.002  # seconds between two looks at the loop


async def samples(recording: Path) -> list[float]:
    """A recording as the package takes it."""
    async with AudioSource.of(recording).blocks(AudioFormat()) as blocks:
        data = b"".join([block async for block in blocks])
    return [float(sample) for sample in np.frombuffer(data, np.int16).astype(np.float32) / 32768]


def spent(work: Callable[..., object], *arguments: object) -> float:
    """Processor seconds of a call."""
    before = time.process_time()
    work(*arguments)
    return time.process_time() - before


async def watch(lags: list[float]) -> None:
    """Note how late the loop comes back, again and again."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(_LOOK)
        lags.append(time.perf_counter() - before - _LOOK)


async def watched(processor: VoiceProcessor, recording: Path, lags: list[float]) -> Transcript:
    """A transcription, and the lag of the loop meanwhile."""
    watching = asyncio.create_task(watch(lags))
    try:
        return await processor.transcribe(recording)
    finally:
        watching.cancel()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.setdefault("MOONSHINE_ORT_SINGLE_THREAD", "1")  # as the provider has it
    package = Transcriber(get_model_path("tiny-en"), ModelArch.TINY)
    lags, ratios, seconds = [0.0], [], 0.0
    config = {"providers": {"moonshine": {"engines": 1}}}
    with asyncio.Runner() as runner:
        processor = runner.run(VoiceProcessor(config, provider="moonshine").__aenter__())
        for recording in options.recordings:
            audio = runner.run(samples(recording))
            seconds += runner.run(watched(processor, recording, lags)).duration
            for _ in range(options.rounds):
                direct = spent(package.transcribe_without_streaming, audio, RATE)
                ours = spent(runner.run, processor.transcribe(recording))
                ratios.append(ours / direct)
        runner.run(processor.aclose())
    package.close()
    lags.sort()
    print("| audio s | processor time beside direct calls | loop lag p99 ms | longest ms |")
    print("|---:|---:|---:|---:|")
    late, longest = 1000 * lags[int(0.99 * len(lags))], 1000 * lags[-1]
    print(f"| {seconds:.0f} | {statistics.median(ratios):.2f} | {late:.1f} | {longest:.1f} |")


if __name__ == "__main__":
    main()
