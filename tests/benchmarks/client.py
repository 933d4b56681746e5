"""One run of one row: opens streams, speaks, listens, and prints what that took as a line of JSON.

    python tests/benchmarks/client.py ROW --port PORT --mode paced --streams 50 --chunk 0.02

Modes: `paced` speaks in real time; `unpaced` as fast as it is let; `reader` in real time to a reader who needs a
tenth of a second for each result; `server` as fast as it is let for a while, to a server that takes little.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import time
from array import array
from pathlib import Path

from row import Row, Stream
from rows import ROWS
from speech import BYTES_PER_SECOND, UTTERANCE, final_moments, interim_moments, word_count

_WARM = 1.0  # seconds between the last stream's opening and the measurement
_LATE = 0.02  # seconds after its time at which a chunk counts as late
_BUSY = 0.1  # seconds that a slow reader needs for a result
_PATIENCE = 5.0  # seconds to wait for the end of a stream, beyond what its reader is busy for


def resident() -> int:
    """Resident kilobytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


class Meter:
    """Counts, over all streams of a run."""

    def __init__(self, seconds: float, chunk: float, busy: float) -> None:
        def index(moments: dict[str, float]) -> dict[str, int]:
            return {text: math.ceil(round(moment / chunk, 6)) - 1 for text, moment in moments.items()}

        self.interims, self.finals = index(interim_moments(seconds)), index(final_moments(seconds))
        self.busy = busy
        self.measuring = False
        self.interim, self.final = array("d"), array("d")
        self.words = self.results = self.chunks = self.late = 0
        self.audio = 0.0
        self.failures: list[str] = []


class Speaker:
    """Speaks into a stream, and listens to it."""

    def __init__(self, stream: Stream, meter: Meter, chunk: float, seconds: float) -> None:
        self.stream = stream
        self._meter = meter
        self._period = chunk
        self._chunk = bytes(round(chunk * BYTES_PER_SECOND))
        self._count = round(seconds / chunk)
        self._handed = array("d", bytes(8 * self._count))  # when each chunk was

    async def live(self, begin: float, *, paced: bool) -> None:
        """From the first chunk to the last word."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(begin - loop.time())
        await self.stream.open()
        reader = asyncio.create_task(self.stream.read(self.heard))
        await self.speak(paced=paced)
        await self.stream.end()
        done, _ = await asyncio.wait([reader], timeout=_PATIENCE + 250 * self._meter.busy)
        if not done:
            self._meter.failures.append("no end")
            reader.cancel()
        elif reader.exception() is not None:
            self._meter.failures.append(repr(reader.exception()))
        await self.stream.close()

    async def speak(self, *, paced: bool) -> None:
        """Hand over the audio."""
        meter, stream, handed, chunk, period = self._meter, self.stream, self._handed, self._chunk, self._period
        time_now = asyncio.get_running_loop().time
        begin = time_now()
        for number in range(self._count):
            due = begin + (number + 1) * period
            now = time_now()
            if paced and due > now:
                await asyncio.sleep(due - now)
                now = time_now()
            if meter.measuring:
                meter.chunks += 1
                meter.late += paced and now - due > _LATE
            handed[number] = now
            await stream.send(chunk)

    def heard(self, text: str, final: bool) -> float:
        """See `row.Heard`."""
        meter = self._meter
        meter.results += 1
        if final:
            meter.words += text.count("w")
            if meter.measuring:
                now = asyncio.get_running_loop().time()
                for word in text.split():
                    index = meter.finals.get(word)
                    if index is not None:
                        meter.final.append(now - self._handed[index])
        elif meter.measuring:
            index = meter.interims.get(text[text.rfind(" ") + 1 :])
            if index is not None:
                meter.interim.append(asyncio.get_running_loop().time() - self._handed[index])
        return meter.busy


async def window(meter: Meter, begin: float, seconds: float, before: int, streams: int) -> dict[str, float]:
    """Measure for so long, from `begin` on."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(begin - loop.time())
    meter.measuring = True
    wall, processor, chunks = time.perf_counter(), time.process_time(), meter.chunks
    await asyncio.sleep(seconds)
    meter.measuring = False
    used, lasted = time.process_time() - processor, time.perf_counter() - wall
    return {
        "processor": used,
        "wall": lasted,
        "chunks": meter.chunks - chunks,
        "kilobytes": (resident() - before) / streams,
    }


async def warm_up(row: Row, chunk: float) -> None:
    """A stream before the measurement, so that what is loaded once is loaded."""
    await row.start()
    speaker = Speaker(row.stream(), Meter(UTTERANCE, chunk, 0.0), chunk, UTTERANCE)
    await speaker.live(asyncio.get_running_loop().time(), paced=False)
    gc.collect()


def spread(values: array[float]) -> list[float]:
    """Median, 99th percentile and largest, in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return []
    return [round(1000 * ordered[min(int(part * len(ordered)), len(ordered) - 1)], 3) for part in (0.5, 0.99, 1.0)]


async def paced(row: Row, streams: int, chunk: float, seconds: float, busy: float) -> dict[str, object]:
    """Streams in real time."""
    ramp = max(0.5, streams / 150)
    length = math.ceil((ramp + _WARM + seconds) / UTTERANCE) * UTTERANCE
    meter = Meter(length, chunk, busy)
    await warm_up(row, chunk)
    before = resident()
    begin = asyncio.get_running_loop().time() + 0.1
    # The golden ratio spreads the streams evenly over the period of a chunk, however many there are.
    starts = [begin + ramp * number / streams + chunk * (number * 0.618 % 1) for number in range(streams)]
    speakers = [Speaker(row.stream(), meter, chunk, length) for _ in starts]
    measurement = asyncio.create_task(window(meter, begin + ramp + _WARM, seconds, before, streams))
    await asyncio.gather(*(speaker.live(start, paced=True) for speaker, start in zip(speakers, starts, strict=True)))
    measured = await measurement
    await row.stop()
    return {
        **measured,
        "audio": measured["chunks"] * chunk,
        "late": meter.late / max(meter.chunks, 1),
        "interim": spread(meter.interim),
        "final": spread(meter.final),
        "lost": streams * word_count(length) - meter.words,
        "results": meter.results,
        "failures": sorted(set(meter.failures)),
    }


async def unpaced(row: Row, streams: int, chunk: float, seconds: float) -> dict[str, object]:
    """Streams as fast as they go, each of so many seconds of audio."""
    meter = Meter(seconds, chunk, 0.0)
    await warm_up(row, chunk)
    begin, before = asyncio.get_running_loop().time() + 0.2, resident()
    speakers = [Speaker(row.stream(), meter, chunk, seconds) for _ in range(streams)]
    wall, processor = time.perf_counter(), time.process_time()
    peak = 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, resident())
            await asyncio.sleep(0.1)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(speaker.live(begin, paced=False) for speaker in speakers))
    watcher.cancel()
    measured = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}
    await row.stop()
    lost = streams * word_count(seconds) - meter.words
    peak_kilobytes = (peak - before) / streams
    return {
        **measured,
        "audio": streams * seconds,
        "kilobytes": peak_kilobytes,
        "lost": lost,
        "failures": sorted(set(meter.failures)),
    }


async def slow_server(row: Row, streams: int, chunk: float, seconds: float) -> dict[str, object]:
    """Push for so long, however much is taken."""
    meter = Meter(600.0, chunk, 0.0)
    await warm_up(row, chunk)
    before = resident()
    speakers = [Speaker(row.stream(), meter, chunk, 600.0) for _ in range(streams)]
    for speaker in speakers:
        await speaker.stream.open()
    meter.measuring = True
    readers = [asyncio.create_task(speaker.stream.read(speaker.heard)) for speaker in speakers]
    writers = [asyncio.create_task(speaker.speak(paced=False)) for speaker in speakers]
    await asyncio.sleep(seconds)
    kilobytes = (resident() - before) / streams
    for task in (*writers, *readers):
        task.cancel()
    await asyncio.wait([*writers, *readers])
    for speaker in speakers:
        await asyncio.wait([asyncio.create_task(speaker.stream.close())], timeout=5.0)
    return {"kilobytes": kilobytes, "accepted": meter.chunks * chunk / streams, "wall": seconds, "failures": []}


def main() -> None:
    """Run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mode", choices=["paced", "unpaced", "reader", "server"], default="paced")
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--chunk", type=float, default=0.02, help="seconds")
    parser.add_argument("--seconds", type=float, default=6.0, help="to measure; of audio per stream when unpaced")
    options = parser.parse_args()
    row = ROWS[options.row](f"ws://127.0.0.1:{options.port}/transcribe-websocket")
    sizes = (row, options.streams, options.chunk, options.seconds)
    if options.mode == "unpaced":
        result = asyncio.run(unpaced(*sizes))
    elif options.mode == "server":
        result = asyncio.run(slow_server(*sizes))
    else:
        result = asyncio.run(paced(*sizes, _BUSY if options.mode == "reader" else 0.0))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
