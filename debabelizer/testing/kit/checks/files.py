"""Whole recordings: `Provider.transcribe`, over real sockets and in real threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from debabelizer.audio.format import AudioFormat
from debabelizer.errors import AuthenticationError
from debabelizer.results import Progress, Transcript
from debabelizer.testing.coded import compare, encode_words, wav
from debabelizer.testing.kit import laws
from debabelizer.testing.kit.base import SuiteBase
from debabelizer.testing.kit.claims import OF_FILES, of_file
from debabelizer.testing.kit.kinds import concerns
from debabelizer.testing.kit.play import KEY, PLAN, Scene, Stage, opened
from debabelizer.testing.kit.promise import PromiseBrokenError
from debabelizer.testing.kit.secrecy import CANARY, everything_logged, is_kept, told_by
from debabelizer.testing.kit.traces import Traces

__all__ = ["File", "FileChecks", "at_a_distance", "file_parameters"]

_AUDIO: Final = encode_words(PLAN, tail=1.0)
_STEPS: Final = 10
_PROMPT: Final = 2.0  # seconds a cancelled transcription may take to let go


@dataclass(slots=True, eq=False)
class File:
    """What came of one transcription."""

    transcript: Transcript | None = None
    error: BaseException | None = None
    progress: list[Progress] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0  # from the start to the end
    late: float = 0.0  # and from the cancellation to the end


def files(suite: type[SuiteBase]) -> bool:
    """Whether the provider transcribes whole recordings."""
    return suite.spec.capabilities.batch


def at_a_distance(suite: type[SuiteBase]) -> bool:
    """Whether there is a network between `Provider.transcribe` and what it talks to."""
    address = getattr(suite.simulator, "file_address", None) or getattr(suite.simulator, "address", None)
    return files(suite) and address is not None


class FileChecks(SuiteBase):
    """A recording of coded speech is transcribed."""

    @concerns(files)
    def test_file_is_transcribed(self) -> None:
        """Every word of a recording is written once, in order."""
        file = self.transcribe()
        report = compare(PLAN, file.transcript or Transcript(text=""))
        if file.error is not None or not report.perfect:
            raise PromiseBrokenError(
                "every word of a recording is written once, in order",
                f"{report}; {laws.why(file.error)}",
                look="files",
            )

    @concerns(files)
    def test_file_claim(self, file_claim: str) -> None:
        """What the spec claims is seen in a transcript, and what is seen is claimed."""
        self.check_claim(file_claim, of_file(file_claim, self.sound_file()))

    @concerns(files)
    def test_file_duration_is_told(self) -> None:
        """The transcript says how long the recording is, and its segments are in order and within it."""
        transcript, seconds = self.sound_file(), AudioFormat().seconds(len(_AUDIO))
        if abs(transcript.duration - seconds) > 0.5:
            raise PromiseBrokenError(
                f"`Transcript.duration` is the length of the recording, {seconds:.2f} s",
                f"it is {transcript.duration:.2f} s",
                look="files",
            )
        starts = [segment.start for segment in transcript.segments if segment.start is not None]
        if starts != sorted(starts):
            raise PromiseBrokenError("segments are in order of time", f"they start at {starts}", look="files")

    @concerns(files)
    def test_file_takes_raw_audio(self) -> None:
        """Audio in other encodings than the engine's own is read through `AudioSource.blocks`."""
        self.sound_file()
        raw = AudioFormat("pcm_f32le")
        file = self.transcribe(encode_words(PLAN, raw, tail=1.0), audio_format=raw)
        if file.error is not None or not compare(PLAN, file.transcript).perfect:
            raise PromiseBrokenError(
                "a recording comes in any format: `AudioSource.blocks` gives it in the one that is asked for",
                f"{raw}: {laws.why(file.error)}",
                look="files",
            )

    @concerns(files)
    def test_file_lets_go_when_cancelled(self) -> None:
        """Cancelled at any time, a transcription ends soon and leaves nothing behind."""
        self.sound_file()
        whole = self.transcribe().seconds
        for step in range(_STEPS):
            file = self.transcribe(cancel_at=whole * step / _STEPS)
            if file.late > _PROMPT + (whole if file.transcript else 0.0) or (file.left and file.transcript is None):
                raise PromiseBrokenError(
                    "a transcription that is cancelled lets go at once, and leaves nothing behind",
                    f"cancelled after {100 * step // _STEPS} % of its time it took {file.late:.1f} s; "
                    f"left were: {', '.join(file.left) or 'none'}",
                    look="cancellation",
                )

    @concerns(files)
    def test_file_leaves_nothing_behind(self) -> None:
        """No task, thread or socket outlives the processor."""
        self.sound_file()
        if left := self.transcribe(thorough=True).left:
            raise PromiseBrokenError(
                "a transcription leaves no task, thread or socket behind", ", ".join(left), look="leaks"
            )

    @concerns(lambda suite: files(suite) and bool(suite.spec.secrets))
    def test_file_with_a_wrong_key_is_refused(self) -> None:
        """A key that is refused is an `AuthenticationError`."""
        self.sound_file()
        error = self.transcribe(key="wrong-test-key").error
        if not isinstance(error, AuthenticationError):
            raise PromiseBrokenError("a key that is refused is an AuthenticationError", laws.why(error), look="secrets")

    @concerns(lambda suite: files(suite) and bool(suite.spec.secrets))
    def test_file_keeps_the_key(self) -> None:
        """The key stands in no error, repr, traceback or log record of a transcription."""
        self.sound_file()
        for right in (CANARY, "another-key"):
            with everything_logged() as texts:
                file = self.transcribe(key=CANARY, right_key=right)
            is_kept([("the transcript", repr(file.transcript)), *told_by(file.error), *texts])

    def sound_file(self) -> Transcript:
        """The transcript, for tests that make no sense if not all words are in it."""
        if "file" not in self._played:
            self._played["file"] = self.transcribe()
        file: File = self._played["file"]
        if file.transcript is None or not compare(PLAN, file.transcript).perfect:
            pytest.skip("waits for what else is broken: a recording is not transcribed")
        return file.transcript

    def transcribe(
        self,
        audio: bytes | None = None,
        *,
        audio_format: AudioFormat | None = None,
        key: str = KEY,
        right_key: str = KEY,
        cancel_at: float | None = None,
        watch: Callable[[Stage], object] | None = None,
        thorough: bool = False,
    ) -> File:
        """Transcribe a recording of the plan; `watch` is called before, and puts the fault proxy in between."""
        scene = Scene(wishes=self.wishes(), key=key, right_key=right_key, proxied=None if watch is None else "files")
        wishes = {name: wish for name, wish in scene.wishes.items() if name != "endpointing"}
        given = wav(_AUDIO) if audio is None else audio

        async def main() -> File:
            file, traces, loop = File(), Traces(), asyncio.get_running_loop()
            async with opened(self.spec, type(self).simulator, self.settings, scene) as stage:
                if watch is not None:
                    watch(stage)
                work = asyncio.ensure_future(
                    stage.processor.transcribe(
                        given, audio_format=audio_format, on_progress=file.progress.append, **wishes
                    )
                )
                stage.tasks.append(work)
                begun = loop.time()
                if cancel_at is not None:
                    await asyncio.sleep(cancel_at)
                    work.cancel()
                cancelled = loop.time()
                await asyncio.wait([work])
                if not work.cancelled():
                    file.error = work.exception()
                    file.transcript = None if file.error else work.result()
                file.seconds, file.late = loop.time() - begun, loop.time() - cancelled
            file.left = [*await traces.left(thoroughly=thorough), *traces.complaints]
            return file

        return self.run(main, time="hasty" if self.virtual and at_a_distance(type(self)) else "real")


def file_parameters() -> dict[str, list[Any]]:
    """What the tests of this module are run with."""
    return {"file_claim": list(OF_FILES)}
