"""Real recordings, files made of them, and a watch on threads left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource

SPEECH = AudioFormat()
RECORDINGS = Path(__file__).parents[2] / "audio"


class Pipe:
    """A file object that can do nothing but read."""

    def __init__(self, data: bytes) -> None:
        self._file = BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    left = [thread for thread in threading.enumerate() if thread.name.startswith("debabelizer")]
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]


@pytest.fixture(scope="session")
def recordings() -> Path:
    return RECORDINGS


@pytest.fixture(scope="session")
def pipe() -> Callable[[bytes], Pipe]:
    return Pipe


@pytest.fixture(scope="session")
def stream() -> Callable[..., AsyncIterator[bytes]]:
    """An asynchronous generator of the bytes, `size` at a time."""

    async def stream(data: bytes, size: int = 4000) -> AsyncIterator[bytes]:
        for place in range(0, len(data), size):
            yield data[place : place + size]

    return stream


@pytest.fixture(scope="session")
def read() -> Callable[..., tuple[AudioSource, bytes]]:
    """Read a whole source: `read(source, target, **of)` gives it and its audio."""

    def read(source: Any, target: AudioFormat = SPEECH, seconds: float = 1.0, **of: Any) -> tuple[AudioSource, bytes]:
        async def main() -> tuple[AudioSource, bytes]:
            audio = AudioSource.of(source, **of)
            async with audio.blocks(target, seconds=seconds) as blocks:
                return audio, b"".join([block async for block in blocks])

        return asyncio.run(main())

    return read


@pytest.fixture(scope="session")
def samples() -> Callable[[bytes], NDArray[np.float64]]:
    """16-bit audio as numbers."""

    def samples(data: bytes) -> NDArray[np.float64]:
        return np.frombuffer(data, "<i2").astype(np.float64)

    return samples


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., bytes]:
    """Encode samples of shape (channels, n) into a container: `make(samples, rate, format, codec, **options)`."""

    def make(
        samples: NDArray[np.int16], rate: int, container: str, codec: str, *, video: float = 0, **options: str
    ) -> bytes:
        path = tmp_path / "made"
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
        with av.open(str(path), "w", format=container, options=options) as output:
            picture = output.add_stream("mpeg4", rate=10, width=32, height=32, pix_fmt="yuv420p") if video else None
            sound = output.add_stream(codec, rate=rate)
            sound.layout = layout
            for _ in range(round(video * 10)):
                output.mux(picture.encode(av.VideoFrame(32, 32, "yuv420p")))
            if picture:
                output.mux(picture.encode(None))
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T).reshape(1, -1), "s16", layout)
            frame.sample_rate = rate
            frame.pts = 0
            output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
        return path.read_bytes()

    return make


@pytest.fixture(scope="session")
def jfk() -> NDArray[np.int16]:
    """The samples of jfk.wav: 11 s at 16 kHz, shape (1, n)."""
    return np.frombuffer((RECORDINGS / "jfk.wav").read_bytes()[78:], "<i2").reshape(1, -1)
