"""How soon and how well the embedded engine streams: latency, accuracy, processor time, memory.

    python benchmarks/streaming_local.py FOLDER [--seconds 24] [--streams 1 4 8 10 12 14] [--minutes 10] [--no-accuracy]

FOLDER is as for `accuracy.py`. Prints Markdown tables. Live audio comes in real time, in pieces of 50 ms, so this
takes about five minutes.

* First interim: from the beginning of speech, as voice activity heard it, to the first text of it.
* Final: from the end of speech to its final text; and from the moment when the pause was long enough to end the
  utterance, which is as soon as anybody can know. Utterances cut for their length are left out of both.
* Cores: processor time per second of audio, voice activity and the client's part included.
* Others: cores that other processes of this machine kept busy meanwhile, of those that it has.
* Lag: how late the event loop was, at 99 of 100 looks and at most; then at most without the time in which the kernel
  gave it no core, which is what is ours.
* Keeps up: nine of ten finals come within a second of the pause, and those of the last third of the time no more than
  0.3 s later than those of the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import ceil
from pathlib import Path
from typing import Any

import jiwer
from accuracy import normaliser
from lag import Lag, watch

from debabelizer import SpeechStarted, StreamingResult, VoiceProcessor
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource

FORMAT = AudioFormat()
CHUNK = 0.05  # seconds
GAP = 1.2  # seconds of silence between recordings
PAUSE = 0.8  # seconds that end an utterance of a stream


@dataclass(slots=True)
class Live:
    """What was seen of live streams, in seconds: one entry for each utterance."""

    first_interim: list[float] = field(default_factory=list)
    final: list[tuple[float, float]] = field(default_factory=list)  # when, and how long after the end of speech
    interims: int = 0
    audio: float = 0.0
    processor: float = 0.0
    others: float = 0.0
    lags: list[Lag] = field(default_factory=list)

    def row(self, streams: int) -> str:
        """The measurement as a line of the table."""
        cells = (
            streams,
            len(self.final),
            spread(self.first_interim),
            spread([late for _, late in self.final]),
            spread([late - PAUSE for _, late in self.final]),
            f"{self.interims / self.audio:.1f}",
            f"{self.processor / self.audio:.2f}",
            f"{self.others:.1f}",
            self.lag(),
            "yes" if self.keeps_up else "no",
        )
        return f"| {' | '.join(map(str, cells))} |"

    def lag(self) -> str:
        """What the event loop was late, in milliseconds."""
        late = sorted(lag.late for lag in self.lags)
        figures = (late[int(0.99 * len(late))], late[-1], max(lag.ours for lag in self.lags))
        return " / ".join(f"{1000 * figure:.0f}" for figure in figures)

    @property
    def keeps_up(self) -> bool:
        """Whether finals are in time, and not ever later."""
        late = [seconds for _, seconds in sorted(self.final)]
        third = ceil(len(late) / 3)
        growth = statistics.median(late[-third:]) - statistics.median(late[:third])
        return growth <= 0.3 and ninth(late) - PAUSE <= 1.0


def spread(values: Sequence[float]) -> str:
    """Median, and what nine of ten do not exceed."""
    if not values:
        return "-"
    return f"{statistics.median(values):.2f} / {ninth(values):.2f}"


def ninth(values: Sequence[float]) -> float:
    """What nine of ten do not exceed."""
    return sorted(values)[ceil(0.9 * len(values)) - 1]


def busy() -> float:
    """Seconds for which all cores of this machine together were at work so far."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text("ascii").split()[1:9])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


async def decoded(path: Path) -> bytes:
    """A recording as raw audio."""
    async with AudioSource.of(path).blocks(FORMAT) as blocks:
        return b"".join([block async for block in blocks])


def joined(recordings: Sequence[bytes], seconds: float, first: int = 0) -> bytes:
    """Recordings one after another, beginning with the `first`, for at least so many seconds."""
    silence = bytes(FORMAT.frames(GAP) * FORMAT.frame_bytes)
    audio = bytearray(silence)
    while FORMAT.seconds(len(audio)) < seconds:
        audio += recordings[first % len(recordings)] + silence
        first += 1
    return bytes(audio)


async def microphone(audio: bytes, begun: float) -> AsyncIterator[bytes]:
    """Audio as it would be spoken."""
    step = FORMAT.frames(CHUNK) * FORMAT.frame_bytes
    for start in range(0, len(audio), step):
        piece = audio[start : start + step]
        await asyncio.sleep(begun + FORMAT.seconds(start + len(piece)) - asyncio.get_running_loop().time())
        yield piece


async def listen(processor: VoiceProcessor, audio: bytes, live: Live) -> None:
    """One live stream."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    onset: float | None = None
    async with processor.transcribe_stream(microphone(audio, begun)) as stream:
        async for event in stream.events():
            now = loop.time() - begun
            if isinstance(event, SpeechStarted):
                onset = event.at
            elif isinstance(event, StreamingResult) and event.text and not event.is_final:
                live.interims += 1
                if onset is not None:
                    live.first_interim.append(now - onset)
                    onset = None
            elif isinstance(event, StreamingResult) and event.ends_utterance and event.end is not None:
                live.final.append((now, now - event.end))
    live.audio += FORMAT.seconds(len(audio))


async def live_streams(processor: VoiceProcessor, recordings: Sequence[bytes], count: int, seconds: float) -> Live:
    """So many live streams at once."""
    live = Live()
    talks = [joined(recordings, seconds, 3 * number) for number in range(count)]
    watching = asyncio.ensure_future(watch(live.lags))
    begun, processor_time, others = time.perf_counter(), time.process_time(), busy()
    async with asyncio.TaskGroup() as group:
        for talk in talks:
            group.create_task(listen(processor, talk, live))
            await asyncio.sleep(0.37)  # people do not speak in step
    live.processor = time.process_time() - processor_time
    live.others = max(0.0, busy() - others - live.processor) / (time.perf_counter() - begun)
    watching.cancel()
    return live


async def accuracy(processor: VoiceProcessor, files: Sequence[dict[str, Any]], folder: Path) -> tuple[float, float]:
    """Word error rates of streams and of whole recordings, in percent."""
    normal = normaliser("en")
    references, streams, batches = [], [], []
    for file in files:
        async with processor.transcribe_stream(folder / file["file"], interim=False) as stream:
            async for _ in stream:
                pass
        references.append(normal(file["text"]))
        streams.append(normal(stream.transcript.text))
        batches.append(normal((await processor.transcribe(folder / file["file"])).text))
    return 100 * jiwer.wer(references, streams), 100 * jiwer.wer(references, batches)


def resident() -> float:
    """Memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def memory(processor: VoiceProcessor, recordings: Sequence[bytes], minutes: float) -> list[float]:
    """Memory after a tenth, the half, and the whole of a long stream, which comes as fast as it is taken."""
    talk = joined(recordings, 60.0)
    marks = [0.1 * minutes * 60, 0.5 * minutes * 60]
    seen: list[float] = []

    async def again_and_again() -> AsyncIterator[bytes]:
        for start in range(0, round(minutes * 60 * FORMAT.bytes_per_second), 6400):
            at = start % (len(talk) // 6400 * 6400)
            yield talk[at : at + 6400]

    async with processor.transcribe_stream(again_and_again()) as stream:
        async for result in stream:
            if marks and (result.end or 0.0) > marks[0]:
                marks.pop(0)
                seen.append(resident())
    return [*seen, *[resident()] * (3 - len(seen))]


async def measure(options: argparse.Namespace) -> None:
    """Measure, and print."""
    entries = json.loads((options.folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    entries = [entry for entry in entries if entry["text"] and entry["language"] == "en" and entry["human"]]
    sets = {name: [entry for entry in entries if entry["file"].startswith(f"{name}/")] for name in options.sets}
    in_turn = [entry for turn in zip_longest(*sets.values()) for entry in turn if entry is not None]
    recordings = [await decoded(options.folder / entry["file"]) for entry in in_turn]
    async with VoiceProcessor({}, provider=options.provider) as processor:
        await live_streams(processor, recordings, 2, 3.0)  # loads what is loaded once
        if options.streams:
            print(
                "| streams | utterances | first interim s | final s | after pause s | interims/s | cores | others "
                "| lag ms | keeps up |"
            )
            print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for count in options.streams:
            print((await live_streams(processor, recordings, count, options.seconds)).row(count), flush=True)
        if options.accuracy:
            print("\n| set | audio s | stream WER % | batch WER % |\n|---|---:|---:|---:|")
        for name, chosen in sets.items() if options.accuracy else ():
            stream, batch = await accuracy(processor, chosen, options.folder)
            print(
                f"| {name} | {sum(entry['seconds'] for entry in chosen):.0f} | {stream:.1f} | {batch:.1f} |", flush=True
            )
        if options.minutes:
            early, half, end = await memory(processor, recordings, options.minutes)
            print("\n| audio min | MB after a tenth | half | all |\n|---:|---:|---:|---:|")
            print(f"| {options.minutes:g} | {early:.0f} | {half:.0f} | {end:.0f} |")


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--provider", default="moonshine")
    parser.add_argument("--seconds", type=float, default=24.0, help="length of each live measurement")
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 4, 8, 10, 12, 14], help="live streams at once")
    parser.add_argument("--sets", nargs="*", default=["phone-en", "en"], help="subfolders")
    parser.add_argument("--no-accuracy", dest="accuracy", action="store_false")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the stream whose memory is measured")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
