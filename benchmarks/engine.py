"""What the framework costs beside calling the embedded engine directly, and how late the event loop is meanwhile.

    python benchmarks/engine.py RECORDING... [--rounds 7] [--no-costs]

Ours is from the file to the transcript: decoding, voice activity, recognition. Beside it, in turn and in the same
process, with the same model and the same setting of threads:

* The package: its method `transcribe_without_streaming`, given the samples as the list that it takes.
* Its C function: the same without the lists, which no caller from Python can undercut.

Both have all samples in memory already, so they neither open nor decode a file, and cut at pauses with a voice
activity detector of their own. Processor time of all threads; a ratio for each round, and the median of these. The
line "together" sums the rounds over the recordings that are shorter than a minute; longer ones have fewer rounds.

The second table is of the event loop, looked at every 2 ms while all recordings are transcribed with the two engines
that there are by default, and for as long while nothing is done. On a busy machine it is mostly the kernel that keeps
the loop waiting for a core; the last column is the longest without that, and so what is ours. Needs Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
from lag import Lag, watch
from moonshine_voice.moonshine_api import ModelArch, Transcript, TranscriptC
from moonshine_voice.transcriber import Transcriber
from moonshine_voice.utils import get_model_path
from numpy.typing import NDArray

from debabelizer import VoiceProcessor
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource

RATE = 16_000
LONG = 60.0  # seconds


async def decoded(recording: Path) -> NDArray[np.float32]:
    """The samples of a recording."""
    async with AudioSource.of(recording).blocks(AudioFormat("pcm_f32le", RATE, 1)) as blocks:
        return np.frombuffer(b"".join([block async for block in blocks]), np.float32)


def call(package: Transcriber, samples: NDArray[np.float32]) -> Transcript:
    """What the method of the package does, without its lists."""
    result = ctypes.POINTER(TranscriptC)()
    address = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    code = package._lib.moonshine_transcribe_without_streaming(
        package._handle, address, len(samples), RATE, 0, ctypes.byref(result)
    )
    if code < 0:
        raise RuntimeError(f"The engine failed: {code}.")
    return package._parse_transcript(result)


def spent(work: Callable[..., object], *arguments: object) -> float:
    """Processor seconds of a call."""
    before = time.process_time()
    work(*arguments)
    return time.process_time() - before


def row(name: str, seconds: float, rounds: Sequence[Sequence[float]]) -> str:
    """A line of the table of processor time; a round is that of the package, of its function, and ours."""
    package, function = (statistics.median(each[2] / each[beside] for each in rounds) for beside in (0, 1))
    return f"| {name} | {seconds:.0f} | {package:.2f} | {function:.2f} |"


def costs(recordings: Sequence[Path], most: int) -> None:
    """Print the table of processor time."""
    package = Transcriber(get_model_path("tiny-en"), ModelArch.TINY)
    bare = Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options={"return_audio_data": "false"})
    total, table = 0.0, []
    print("| recording | audio s | beside the package | beside its C function |")
    print("|---|---:|---:|---:|")
    with asyncio.Runner() as runner:
        config = {"providers": {"moonshine": {"engines": 1}}}
        processor = runner.run(VoiceProcessor(config, provider="moonshine").__aenter__())

        def ours(recording: Path) -> None:
            runner.run(processor.transcribe(recording))

        for recording in recordings:
            samples = runner.run(decoded(recording))
            seconds, listed = len(samples) / RATE, samples.tolist()
            ours(recording)  # the first loads the model
            rounds = [
                (
                    spent(package.transcribe_without_streaming, listed, RATE),
                    spent(call, bare, samples),
                    spent(ours, recording),
                )
                for _ in range(max(1, round(most * min(1.0, LONG / seconds))))
            ]
            if seconds < LONG:
                total += seconds
                table.append(rounds)
            print(row(recording.name, seconds, rounds), flush=True)
        runner.run(processor.aclose())
    if table:
        sums = [[sum(column) for column in zip(*each, strict=True)] for each in zip(*table, strict=True)]
        print(row("together", total, sums))
    package.close()
    bare.close()


async def lags(work: Awaitable[object]) -> list[Lag]:
    """How late the loop came back while something was done."""
    seen: list[Lag] = []
    watching = asyncio.ensure_future(watch(seen))
    await work
    watching.cancel()
    return seen


async def punctuality(recordings: Sequence[Path], rounds: int) -> None:
    """Print the table of the event loop."""
    runs: dict[str, list[list[Lag]]] = {"nothing done": [], "transcribing": []}
    async with VoiceProcessor({}, provider="moonshine") as processor:

        async def transcribe() -> None:
            for recording in recordings:
                await processor.transcribe(recording)

        await transcribe()  # loads what is loaded once
        for _ in range(rounds):
            begun = time.perf_counter()
            runs["transcribing"].append(await lags(transcribe()))
            runs["nothing done"].append(await lags(asyncio.sleep(time.perf_counter() - begun)))
    print("\n| event loop | looks | p99 ms | longest of a run ms | longest of all ms | without waiting for a core ms |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, seen in runs.items():
        late = sorted(lag.late for run in seen for lag in run)
        cells = (
            late[int(0.99 * len(late))],
            statistics.median(max(lag.late for lag in run) for run in seen),
            late[-1],
            max(lag.ours for run in seen for lag in run),
        )
        print(f"| {name} | {len(late)} | {' | '.join(f'{1000 * cell:.1f}' for cell in cells)} |")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-costs", dest="costs", action="store_false")
    options = parser.parse_args()
    os.environ.setdefault("MOONSHINE_ORT_SINGLE_THREAD", "1")  # as the provider has it
    if options.costs:
        costs(options.recordings, options.rounds)
    asyncio.run(punctuality(options.recordings, options.rounds))


if __name__ == "__main__":
    main()
