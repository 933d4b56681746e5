from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from debabelizer.audio import worker
from debabelizer.audio.format import AudioFormat
from debabelizer.audio.source import AudioSource
from debabelizer.audio.wav import header
from debabelizer.errors import AudioError, AudioSourceError, StreamBusyError, StreamClosedError

SPEECH = AudioFormat()


def wav(seconds: float = 1.0, audio_format: AudioFormat = SPEECH) -> bytes:
    data = np.arange(round(seconds * audio_format.bytes_per_second) // 2).astype("<i2").tobytes()
    return header(audio_format, len(data)) + data


class Endless:
    """A WAV file of hours, made as it is read; it can do nothing but be read."""

    def __init__(self, seconds: float = 3600.0) -> None:
        self._head = header(SPEECH)
        self._left = round(seconds * SPEECH.bytes_per_second)
        self._block = np.random.default_rng(7).integers(-9000, 9000, 32768).astype("<i2").tobytes()

    def read(self, size: int) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        size = min(size, self._left, len(self._block))
        self._left -= size
        return self._block[:size]


class TestWhatIsTaken:
    def test_a_path(self, recordings):
        path = recordings / "jfk.wav"

        for given in (path, str(path)):
            source = AudioSource.of(given)
            assert (source.name, source.path, source.audio_format) == (str(path), path, None)
            assert (source.duration, source.position, source.warnings) == (None, 0.0, ())

    def test_nothing_is_opened_yet(self):
        assert AudioSource.of("no such file").path == Path("no such file")

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_bytes(self, read, kind):
        source, audio = read(kind(wav()))

        assert source.name == "audio in memory"
        assert audio == wav()[44:]

    def test_a_file_that_can_seek_from_where_it_stands(self, read):
        file = io.BytesIO(b"prefix" + wav())
        file.seek(6)
        source = AudioSource.of(file)

        assert read(source)[1] == read(source)[1] == wav()[44:]
        assert source.name == "a file object"

    def test_an_open_file_is_named_by_its_path(self, recordings):
        with (recordings / "jfk.wav").open("rb") as file:
            assert AudioSource.of(file).name == str(recordings / "jfk.wav")

    def test_standard_input(self):
        code = (
            "import asyncio, sys\n"
            "from debabelizer.audio.source import AudioSource\n"
            "async def main():\n"
            "    source = AudioSource.of(sys.stdin.buffer)\n"
            "    async with source.blocks() as blocks:\n"
            "        print(source.name, sum([len(block) async for block in blocks]))\n"
            "asyncio.run(main())\n"
        )
        done = subprocess.run([sys.executable, "-c", code], input=wav(), capture_output=True, check=True)

        assert done.stdout == b"standard input 32000\n"

    def test_an_asynchronous_generator_is_closed_with_the_reading(self):
        closed = []

        async def chunks():
            try:
                while True:
                    yield bytes(3200)
            finally:
                closed.append(True)

        async def main():
            async with AudioSource.of(chunks(), audio_format=SPEECH).blocks() as blocks:
                await anext(blocks)
                assert not closed
            assert closed

        asyncio.run(main())

    def test_an_asynchronous_iterable_with_empty_chunks(self, read):
        class Chunks:
            async def __aiter__(self):
                for chunk in (b"", b"ab", b"", bytearray(b"cd"), memoryview(b"ef"), b""):
                    yield chunk

        source, audio = read(Chunks(), audio_format=SPEECH)

        assert (source.name, audio) == ("an audio stream", b"abcdef")

    def test_an_asynchronous_reader(self):
        """A stream of asyncio is iterable too, but by lines, and refuses long ones."""

        async def main():
            reader = asyncio.StreamReader(limit=1000)
            reader.feed_data(wav())
            reader.feed_eof()
            async with AudioSource.of(reader).blocks() as blocks:
                assert b"".join([block async for block in blocks]) == wav()[44:]

        asyncio.run(main())

    def test_a_source_is_given_back(self):
        source = AudioSource.of(b"", audio_format=SPEECH)

        assert AudioSource.of(source) is source
        assert AudioSource.of(source, audio_format=SPEECH) is source
        with pytest.raises(AudioSourceError, match="has its own audio format"):
            AudioSource.of(source, audio_format=AudioFormat("mulaw", 8000))

    def test_a_name_of_ones_own(self):
        assert AudioSource.of(b"", name="voice mail").name == "voice mail"
        assert "voice mail" in repr(AudioSource.of(b"", name="voice mail"))

    @pytest.mark.parametrize("thing", [None, 7, [b"ab"], io.StringIO("text")], ids=["None", "int", "list", "text"])
    def test_anything_else_is_refused(self, thing):
        with pytest.raises(AudioSourceError, match=f"Audio cannot be read from {type(thing).__name__}") as caught:
            AudioSource.of(thing)
        assert "rb" in (caught.value.hint or "")

    def test_a_closed_file_is_refused(self):
        file = io.BytesIO()
        file.close()

        with pytest.raises(AudioSourceError, match="closed"):
            AudioSource.of(file)

    @pytest.mark.parametrize("chunk", ["text", 7])
    def test_a_stream_of_anything_else_is_refused(self, read, chunk):
        async def chunks():
            yield chunk

        with pytest.raises(AudioSourceError, match=f"gave {type(chunk).__name__} where audio bytes are expected"):
            read(chunks(), audio_format=SPEECH)


class TestMissing:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda path: None, "There is no file {}."),
            (lambda path: path.mkdir(), "{} is a directory."),
            (lambda path: path.touch(), "{} is empty (0 bytes)."),
        ],
        ids=["missing", "directory", "empty"],
    )
    def test_is_said_by_every_use(self, read, tmp_path, make, message):
        path = tmp_path / "it.mp3"
        make(path)
        source = AudioSource.of(path)

        async def original():
            async with source.original() as chunks:
                await anext(chunks)

        uses = (lambda: read(source), lambda: asyncio.run(source.check()), lambda: asyncio.run(original()))
        for use in uses:
            with pytest.raises(AudioSourceError) as caught:
                use()
            assert (caught.value.message, caught.value.source) == (message.format(path), str(path))

    def test_nothing_came(self, read, pipe, stream):
        for source in (b"", pipe(b""), stream(b"")):
            for audio_format in (None, SPEECH):
                with pytest.raises(AudioSourceError, match=r"is empty \(0 bytes\)"):
                    read(source, audio_format=audio_format)

    def test_check_is_content_with_what_is_there(self, recordings):
        asyncio.run(AudioSource.of(recordings / "jfk.mp3").check())

    def test_check_consumes_nothing_of_what_comes_once(self, read, pipe):
        source = AudioSource.of(pipe(wav()))
        asyncio.run(source.check())

        assert read(source)[1] == wav()[44:]


class TestReadingAgain:
    def test_works_where_it_can(self, read, recordings):
        for given in (recordings / "jfk.wav", wav(2)):
            source = AudioSource.of(given)
            assert read(source)[1] == read(source)[1] != b""

    def test_counts_anew(self, read, recordings):
        source = AudioSource.of(recordings / "jfk.wav")
        read(source)
        read(source)

        assert source.position == 11.0

    def test_of_what_comes_once_is_refused(self, read, pipe, stream):
        for given in (pipe(wav()), stream(wav())):
            source = AudioSource.of(given)
            read(source)
            with pytest.raises(AudioSourceError, match="can be read only once") as caught:
                read(source)
            assert caught.value.hint

    def test_at_the_same_time(self, recordings):
        async def main():
            path, file = AudioSource.of(recordings / "jfk.wav"), AudioSource.of(io.BytesIO(wav(3)))
            async with path.blocks() as one, path.blocks() as two:
                assert await anext(one) == await anext(two)
            async with file.blocks() as one:
                await anext(one)
                with pytest.raises(AudioSourceError, match="is being read already"):
                    await anext(file.blocks())
                await anext(one)
            async with file.blocks() as two:
                await anext(two)

        asyncio.run(main())


class TestBlocks:
    def test_have_the_wanted_length_but_the_last(self):
        async def main():
            async with AudioSource.of(wav(2.5)).blocks(seconds=0.4) as blocks:
                assert [len(block) / 32000 async for block in blocks] == [0.4] * 6 + [pytest.approx(0.1)]

        asyncio.run(main())

    def test_position_and_duration_grow_with_them(self):
        async def main():
            source = AudioSource.of(wav(2.5))
            async with source.blocks() as blocks:
                seen = [(source.position, source.duration) async for _ in blocks]
            assert seen == [(1.0, 2.5), (2.0, 2.5), (2.5, 2.5)]

        asyncio.run(main())

    def test_without_async_with(self):
        async def main():
            source = AudioSource.of(wav(2.5))
            blocks = source.blocks()
            assert sum([len(block) async for block in blocks]) == 80000
            assert [block async for block in blocks] == []

        asyncio.run(main())

    def test_left_without_being_closed(self):
        async def main():
            blocks = AudioSource.of(wav(2.5), name="a file").blocks()
            await anext(blocks)
            holder = [blocks]
            del blocks
            with pytest.warns(ResourceWarning, match="a file was left without being closed"):
                holder.clear()

        asyncio.run(main())  # and the fixture sees its thread end

    def test_used_after_the_end(self):
        async def main():
            async with AudioSource.of(wav()).blocks() as blocks:
                pass
            with pytest.raises(StreamClosedError):
                await anext(blocks)
            never_begun = AudioSource.of(wav()).blocks()
            await never_begun.aclose()
            with pytest.raises(StreamClosedError, match="is over"):
                await anext(never_begun)

        asyncio.run(main())

    def test_two_tasks_on_one_reading(self, pipe):
        reading, writing = os.pipe()

        async def main():
            with os.fdopen(reading, "rb") as file:
                async with AudioSource.of(file, audio_format=SPEECH).blocks(seconds=0.001) as blocks:
                    first = asyncio.create_task(anext(blocks))
                    await asyncio.sleep(0)
                    with pytest.raises(StreamBusyError):
                        await anext(blocks)
                    os.write(writing, bytes(32))
                    assert await first == bytes(32)
                    os.close(writing)

        asyncio.run(main())

    def test_closing_the_source_ends_its_readings(self):
        async def main():
            source = AudioSource.of(wav(3))
            blocks = source.blocks()
            await anext(blocks)
            await source.aclose()
            with pytest.raises(StreamClosedError):
                await anext(blocks)
            await source.aclose()

        asyncio.run(main())


class TestHeaderless:
    @pytest.mark.parametrize("text", ["pcm_s16le/16000/1", "pcm_s16le/48000/2", "mulaw/8000/1", "pcm_f32le/16000/1"])
    def test_is_read_as_declared(self, read, text):
        audio_format = AudioFormat.parse(text)
        source, audio = read(bytes(3 * audio_format.bytes_per_second), audio_format=audio_format)

        assert len(audio) == 3 * 32000
        assert (source.duration, source.audio_format) == (3.0, audio_format)

    def test_a_real_one(self, read, recordings):
        path = recordings / "goforward.raw"

        assert read(path, audio_format=SPEECH)[1] == path.read_bytes()

    def test_with_an_odd_byte_at_the_end(self, read):
        source, audio = read(b"abcde", audio_format=SPEECH)

        assert audio == b"abcd"
        (warning,) = source.warnings
        assert warning == "The audio ends within a frame: the last 1 bytes are left out. Is it pcm_s16le/16000/1?"


class TestWav:
    def test_what_stands_behind_the_audio_is_no_audio(self, read):
        assert read(wav() + b"LIST\4\0\0\0junk")[1] == wav()[44:]

    def test_written_into_a_pipe_lasts_to_the_end(self, read):
        source, audio = read(header(SPEECH) + wav()[44:])

        assert audio == wav()[44:]
        assert source.duration == 1.0
        assert source.warnings == ()

    def test_cut_within_a_frame(self, read):
        source, audio = read(wav()[:-16001])

        assert audio == wav()[44:-16002]
        assert source.warnings == ("The audio is truncated: it ends after 0.5 s of 1.0 s.",)

    def test_without_any_sound_is_fine(self, read):
        source, audio = read(header(SPEECH, 0) + b"")

        assert (audio, source.warnings) == (b"", ())


class TestOriginal:
    def read(self, source: AudioSource, size: int = 65536):
        async def main():
            async with source.original(size) as chunks:
                return chunks.filename, chunks.size, [chunk async for chunk in chunks]

        return asyncio.run(main())

    def test_of_a_path(self, recordings):
        path = recordings / "jfk.mp3"
        filename, size, chunks = self.read(AudioSource.of(path), 10_000)

        assert (filename, size, b"".join(chunks)) == ("jfk.mp3", path.stat().st_size, path.read_bytes())
        assert {len(chunk) for chunk in chunks[:-1]} == {10_000}

    def test_of_bytes_and_pipes(self, pipe, stream):
        data = wav()

        assert self.read(AudioSource.of(data)) == ("audio", len(data), [data])
        for once in (pipe(data), stream(data)):
            filename, size, chunks = self.read(AudioSource.of(once, name="in/a.wav"))
            assert (filename, size, b"".join(chunks)) == ("a.wav", None, data)

    def test_of_a_file_that_is_already_in_the_middle(self):
        file = io.BytesIO(b"--" + wav())
        file.seek(2)
        _, size, chunks = self.read(AudioSource.of(file))

        assert (size, b"".join(chunks)) == (len(wav()), wav())

    def test_of_headerless_audio_gets_a_header(self, recordings, read, pipe):
        path = recordings / "goforward.raw"
        filename, size, chunks = self.read(AudioSource.of(path, audio_format=SPEECH))

        assert (filename, size) == ("goforward.wav", 44 + path.stat().st_size)
        assert read(b"".join(chunks))[1] == path.read_bytes()

        filename, size, chunks = self.read(AudioSource.of(pipe(path.read_bytes()), audio_format=SPEECH))
        assert (filename, size) == ("audio.wav", None)
        assert read(b"".join(chunks))[1] == path.read_bytes()

    def test_does_not_touch_what_the_blocks_found(self, read, recordings):
        source, _ = read((recordings / "jfk.flac").read_bytes()[:100_000])
        warnings = source.warnings
        self.read(source)

        assert source.warnings == warnings != ()


class TestCancellation:
    """Whatever it waits for, a reading can be left at once, and its thread ends (see the fixture)."""

    async def left(self, source: AudioSource, blocks: int) -> float:
        async def consume() -> None:
            async with source.blocks(seconds=0.1) as reading:
                for _ in range(blocks):
                    await anext(reading)
                begun.set()
                async for _ in reading:
                    pass

        begun = asyncio.Event()
        task = asyncio.create_task(consume())
        await begun.wait()
        await asyncio.sleep(0.01)
        before = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - before

    def test_of_a_long_file(self):
        assert asyncio.run(self.left(AudioSource.of(Endless()), 3)) < 0.9

    @pytest.mark.parametrize("before", [0, 44 + 6400], ids=["before the first byte", "in the middle"])
    def test_of_a_pipe_that_has_fallen_silent(self, before):
        reading, writing = os.pipe()

        async def main():
            os.write(writing, wav()[:before])
            with os.fdopen(reading, "rb") as file:
                assert await self.left(AudioSource.of(file), 2 if before else 0) < 0.9

        try:
            asyncio.run(main())
        finally:
            os.close(writing)

    def test_of_an_asynchronous_stream_that_has_fallen_silent(self):
        async def chunks():
            yield bytes(6400)
            await asyncio.Event().wait()

        assert asyncio.run(self.left(AudioSource.of(chunks(), audio_format=SPEECH), 2)) < 0.9

    def test_while_the_decoder_waits_for_a_pipe(self, recordings):
        """Within FFmpeg, which has asked for more."""
        reading, writing = os.pipe()

        async def main():
            os.write(writing, (recordings / "jfk.mp3").read_bytes()[:40_000])
            with os.fdopen(reading, "rb") as file:
                assert await self.left(AudioSource.of(file), 2) < 0.9

        try:
            asyncio.run(main())
        finally:
            os.close(writing)

    def test_of_an_object_that_blocks(self, monkeypatch, caplog):
        """Such a read cannot be interrupted: its thread is left behind, and ends with the read."""
        monkeypatch.setattr(worker, "_GRACE", 0.05)
        go = threading.Event()

        class Blocking:
            def read(self, size: int) -> bytes:
                go.wait(10)
                return bytes(size)

        assert asyncio.run(self.left(AudioSource.of(Blocking(), audio_format=SPEECH), 0)) < 0.9
        assert "left behind" in caplog.text
        go.set()

    def test_while_it_is_being_opened(self, tmp_path, monkeypatch, caplog):
        """A named pipe opens when somebody writes to it."""
        monkeypatch.setattr(worker, "_GRACE", 0.05)
        path = tmp_path / "pipe"
        os.mkfifo(path)

        async def main():
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), AudioSource.of(path).blocks():
                    pass

        asyncio.run(main())
        path.open("wb").close()

    def test_a_block_is_not_lost(self):
        reading, writing = os.pipe()

        async def main():
            with os.fdopen(reading, "rb") as file:
                async with AudioSource.of(file, audio_format=SPEECH).blocks(seconds=0.001) as blocks:
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(anext(blocks), 0.01)
                    os.write(writing, b"a" * 32 + b"b" * 32)
                    assert [await anext(blocks), await anext(blocks)] == [b"a" * 32, b"b" * 32]

        try:
            asyncio.run(main())
        finally:
            os.close(writing)


@pytest.mark.parametrize("name", ["jfk.wav", "jfk.mp3", "jfk.m4a"])
@pytest.mark.parametrize("how", ["path", "pipe", "stream"])
def test_cancelled_at_whatever_step_it_leaves_nothing(recordings, pipe, stream, name, how):
    data = (recordings / name).read_bytes()

    async def consume() -> None:
        given = {"path": lambda: recordings / name, "pipe": lambda: pipe(data), "stream": lambda: stream(data)}[how]()
        async with AudioSource.of(given).blocks(seconds=0.2) as blocks:
            async for _ in blocks:
                pass

    async def main() -> None:
        for steps in range(0, 60, 3):
            task = asyncio.create_task(consume())
            for _ in range(steps):
                await asyncio.sleep(0.0001 if steps % 2 else 0)
            task.cancel()
            await asyncio.wait({task})
            assert not [thread for thread in threading.enumerate() if thread.name.startswith("debabelizer")]

    before = len(list(Path("/dev/fd").iterdir()))
    asyncio.run(main())
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_the_loop_is_never_blocked_for_long(recordings):
    async def main():
        longest, last = 0.0, time.monotonic()

        async def watch():
            nonlocal longest, last
            while True:
                await asyncio.sleep(0.001)
                now = time.monotonic()
                longest, last = max(longest, now - last), now

        watcher = asyncio.create_task(watch())
        async with AudioSource.of(recordings / "jfk.m4a").blocks(seconds=11) as blocks:
            last = time.monotonic()
            async for _ in blocks:
                pass
        watcher.cancel()
        return longest

    assert asyncio.run(main()) < 0.5


def test_an_error_of_the_stream_is_raised_as_it_is(read):
    async def chunks():
        yield bytes(64000)
        raise ConnectionError("the network is gone")

    with pytest.raises(ConnectionError, match="the network is gone"):
        read(chunks(), audio_format=SPEECH)


@pytest.mark.parametrize("target", [SPEECH, AudioFormat("mulaw", 8000)], ids=str)
def test_an_hour_fits_in_a_few_megabytes(target):
    async def main():
        read = 0
        async with AudioSource.of(Endless(3600)).blocks(target, seconds=5) as blocks:
            async for block in blocks:
                read += len(block)
        return read

    asyncio.run(AudioSource.of(wav()).blocks(target).aclose())
    tracemalloc.start()
    try:
        read = asyncio.run(main())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == 3600 * target.bytes_per_second
    assert peak < 12e6


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of one program is told by Linux only")
def test_decoding_takes_bounded_memory_outside_of_python_too(recordings):
    """Ten minutes of MP3 through FFmpeg, from an object that can only be read."""
    code = f"""
import asyncio, re
from pathlib import Path
from debabelizer.audio.source import AudioSource

data = (Path({str(recordings)!r}) / "jfk.mp3").read_bytes()

class Repeated:
    left = 55
    place = 0
    def read(self, size):
        chunk = data[self.place : self.place + size]
        self.place += len(chunk)
        if self.place == len(data):
            self.place, self.left = 0, self.left - 1
        return chunk if self.left else b""

async def seconds(source):
    async with AudioSource.of(source).blocks() as blocks:
        return sum([len(block) async for block in blocks]) / 32000

def peak():
    return int(re.search("VmHWM: *(.*) kB", Path("/proc/self/status").read_text())[1])

asyncio.run(seconds(data))
before = peak()
assert asyncio.run(seconds(Repeated())) > 590
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(done.stdout) < 10_000  # KiB; the audio itself would be 19 MB


def test_plain_audio_needs_no_package(tmp_path):
    """16-bit WAV and headerless audio that are not converted; for the rest, what to type."""
    (tmp_path / "a.wav").write_bytes(wav())
    code = """
import asyncio, sys
sys.modules |= dict.fromkeys(["numpy", "soxr", "av"])
from debabelizer.audio.source import AudioSource
from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AudioError

async def size(source, *args, **of):
    async with AudioSource.of(source, **of).blocks(*args) as blocks:
        return sum([len(block) async for block in blocks])

assert asyncio.run(size("a.wav")) == 32000
assert asyncio.run(size(bytes(100), audio_format=AudioFormat())) == 100
for use in (size("a.wav", AudioFormat("mulaw", 8000)), size(b"OggS" + bytes(100))):
    try:
        asyncio.run(use)
    except AudioError as error:
        assert 'pip install "debabelizer[audio]>=0.3"' in error.hint, error
        print(error.message)
    else:
        raise AssertionError
assert not any(sys.modules.get(name) for name in ("numpy", "soxr", "av"))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True, text=True)

    assert done.stdout.splitlines() == [
        "Converting pcm_s16le/16000/1 to mulaw/8000/1 needs the package 'numpy', which is not installed.",
        "Decoding audio in memory needs the package 'av', which is not installed.",
    ]


def test_an_audio_error_is_the_base_of_all():
    assert issubclass(AudioSourceError, AudioError)
