"""The promise as an invariant, step by step: whatever breaks, whatever the user does and stops doing.

``DEBABELIZER_EXAMPLES=100`` plays a hundred times as many lives.
"""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.plans import ERRORS, plans, times_as_many
from support.service import FORMAT, WORD, Bench, Plan, Service, ServiceConnection, speech

from debabelizer.errors import (
    AudioFormatError,
    AuthenticationError,
    StreamBusyError,
    StreamClosedError,
    StreamError,
    StreamUsageError,
)
from debabelizer.results import Closed, Reconnecting, StreamEvent, StreamingResult, Utterance, Word
from debabelizer.streaming.policy import StreamPolicy
from debabelizer.streaming.stream import TranscriptionStream
from debabelizer.testing.virtual_time import VirtualTimeLoop

POLICY = StreamPolicy(replay=6.0, give_up_after=400.0, max_attempts=40, results=30)
LONGEST = 3000  # bytes: a quarter of the buffer, so that a send that is cancelled has taken nothing
AUDIO = speech(1, 3000)
VIEWS: tuple[Callable[[TranscriptionStream], AsyncIterator[Any]], ...] = (
    aiter,
    TranscriptionStream.events,
    TranscriptionStream.utterances,
)
moments = st.sampled_from([0.0, 0.001, 0.05, 0.4, 3.0, 30.0])
steps = st.integers(0, 8)


holding = precondition(lambda self: not self.dropped)
grown = precondition(lambda self: self.age > 15)  # the end is not to come too soon


class Whims(Service):
    """Every connection as it was decided before; then good ones."""

    def __init__(self) -> None:
        super().__init__()
        self.coming: deque[Plan] = deque()

    def plan(self) -> Plan:
        plan = self.coming.popleft() if self.coming else Plan(lag=len(self.connections) % 2 * 3)
        return replace(plan, utterance=10)

    @property
    def live(self) -> ServiceConnection | None:
        last = self.connections[-1] if self.connections else None
        return None if last is None or last.over else last


class Life(RuleBasedStateMachine):
    """A stream, its user and its service."""

    stream: TranscriptionStream

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.complaints: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self.complaints.append(context))
        self.service = Whims()
        self.age = 0  # steps
        self.given = 0  # bytes that were accepted
        self.ended = self.closed = self.dropped = self.doomed = False
        self.sending: asyncio.Task[None] | None = None
        self.size = 0  # of the chunk that is being sent
        self.flushing: list[asyncio.Task[Any]] = []
        self.reading: asyncio.Task[None] | None = None
        self.iterator: AsyncIterator[Any] | None = None
        self.words: list[Word] = []  # delivered
        self.interim = ""  # on the user's screen
        self.shown = ""  # the latest interim that happened, whether it was read or not
        self.ghosts: list[str] = []  # interims that outlived their connection
        self.finals: tuple[StreamingResult, ...] = ()
        self.over = False  # a reader saw the end
        self.errors: list[StreamError] = []  # readers saw them

    # --- how it begins ---

    @initialize(speed=st.sampled_from([None, 1.0, 4.0]), jitter=st.sampled_from([0.0, 0.3, 1.0]))
    def begin(self, speed: float | None, jitter: float) -> None:
        self.bench = Bench(self.service, policy=POLICY, speed=speed, jitter=jitter)
        self.stream = self.bench.stream()
        self.stream._observe = lambda _: self._see
        self._send(LONGEST)
        self.run(_step(3))

    # --- what the service does ---

    @rule(plan=plans)
    def the_next_connection_will_be(self, plan: Plan) -> None:
        self.service.coming.append(plan)

    @rule(
        how=st.one_of(
            st.sampled_from(ERRORS),
            st.sampled_from(["raise", "return", "cancel", "mute", "freeze", "hang-on-cancel"]).map(
                lambda fault: {"at": 0.0, "fault": fault}  # with the next audio
            ),
            st.sampled_from(["short", "silent", "return"]).map(lambda end: {"end": end}),
            st.just({"finishes_at": 0.0}),
            st.just({"answers_flush": False}),
        )
    )
    def the_connection_breaks(self, how: Exception | dict[str, Any]) -> None:
        live = self.service.live
        if live is not None and isinstance(how, dict):
            live.plan = replace(live.plan, **how)
        elif live is not None and isinstance(how, Exception):
            live.lose(how)

    @grown
    @precondition(lambda self: self.service.live is not None)
    @rule()
    def the_service_refuses_for_good(self) -> None:
        if self.service.live is not None:
            self.doomed = True
            self.service.live.lose(AuthenticationError("expired"))

    # --- time ---

    @rule(seconds=moments)
    def time_passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    # --- what the user does ---

    @holding
    @rule(size=st.integers(0, LONGEST), count=steps)
    def send(self, size: int, count: int) -> None:
        self._send(size)
        self.run(_step(count))

    @holding
    @rule(times=st.integers(2, 8))
    def send_much(self, times: int) -> None:
        for _ in range(times):
            self._send(LONGEST)
            self.run(_step(3))
            if self.sending is not None:
                break

    @holding
    @rule(count=steps)
    def send_and_stop_reading_amid(self, count: int) -> None:
        self._send(600)
        self.run(_step(count))
        self.cancel(self.reading)
        self.iterator = None

    def _send(self, size: int) -> None:
        before = self.sending
        begin = self.given if before is None else self.given + self.size
        chunk = AUDIO[begin : begin + size]
        if before is not None:
            # Busy or closed; or the first send ended just now: because nobody reads, and this one does too, or because
            # there is room, and this one has some too.
            if self.run(self._is_taken(chunk)):
                assert self.sending is None
                assert before.exception() is None
                self.given += len(chunk)
            return
        self.size = len(chunk)
        self.sending = self.task(self.stream.send_audio(chunk))

    async def _is_taken(self, chunk: bytes) -> bool:
        try:
            await self.stream.send_audio(chunk)
        except (StreamUsageError, StreamError):
            return False
        return True

    @holding
    @precondition(lambda self: self.sending is not None)
    @rule()
    def cancel_the_send(self) -> None:
        self.cancel(self.sending)

    @holding
    @rule(count=steps)
    def flush(self, count: int) -> None:
        self.flushing.append(self.task(self._flush()))
        self.run(_step(count))

    @holding
    @precondition(lambda self: self.flushing)
    @rule()
    def cancel_a_flush(self) -> None:
        self.cancel(self.flushing[0])

    @holding
    @precondition(lambda self: self.sending is None)
    @grown
    @rule()
    def end_audio(self) -> None:
        self._end()

    @holding
    @rule(view=st.sampled_from(VIEWS), count=st.sampled_from([1, 5, 1000]), seconds=moments)
    def read(self, view: Callable[[TranscriptionStream], AsyncIterator[Any]], count: int, seconds: float) -> None:
        if self.reading is None:
            if self.iterator is None:
                self.iterator = self.run(_made(lambda: view(self.stream)))
                if view is TranscriptionStream.utterances:
                    self.interim = ""  # it takes interims and their withdrawals alike, and shows neither
            self.reading = self.task(self._read(self.iterator, count))
        self.run(asyncio.sleep(seconds))

    @holding
    @precondition(lambda self: self.reading is not None)
    @rule(keep=st.booleans())
    def stop_reading(self, keep: bool) -> None:
        self.cancel(self.reading)
        if not keep:
            self.iterator = None

    @holding
    @precondition(lambda self: self.reading is None)
    @rule()
    def let_the_iterator_go(self) -> None:
        self.iterator = None

    @holding
    @precondition(lambda self: self.reading is not None)
    @rule(view=st.sampled_from(VIEWS))
    def read_twice(self, view: Callable[[TranscriptionStream], AsyncIterator[Any]]) -> None:
        with suppress(StreamBusyError):
            self.run(_made(lambda: view(self.stream)))
            assert self.reading is None, "two iterators at once"  # or the first came to its end just now

    @holding
    @precondition(lambda self: not self.closed)
    @grown
    @rule(cancelled_after=st.one_of(st.none(), steps))
    def close(self, cancelled_after: int | None) -> None:
        self.closed = True
        closing = self.task(self.stream.aclose())
        if cancelled_after is not None:
            self.run(_step(cancelled_after))
            self.cancel(closing)
        before = self.loop.time()
        self.run(self.stream.aclose())
        assert self.loop.time() - before <= 2 * POLICY.close_timeout + 1e-6
        self.closed = self.stream._state == "closed"  # or it had come to another end by then

    @holding
    @precondition(lambda self: not self.ended)
    @grown
    @rule()
    def leave(self) -> None:
        """Drop the stream without closing it."""
        self.cancel(self.sending, self.reading, *self.flushing)
        if self.error is None:  # whose traceback would keep it alive
            self.dropped = True
            self.iterator = None
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ResourceWarning)
                state = self.stream._state
                del self.stream
                gc.collect()
            assert [warning.category for warning in caught] == [ResourceWarning] * (state == "open")

    # --- what must be true ---

    @invariant()
    def what_was_delivered_begins_the_perfect_line(self) -> None:
        self.age += 1
        self.settle()
        perfect = [Word(str(number + 1), number / 10, (number + 1) / 10) for number in range(len(self.words))]
        assert [word.text for word in self.words] == [word.text for word in perfect]
        for word, right in zip(self.words, perfect, strict=True):
            assert abs((word.start or 0.0) - (right.start or 0.0)) < 1e-6
            assert abs((word.end or 0.0) - (right.end or 0.0)) < 1e-6

    @invariant()
    def finals_never_change_and_figures_are_consistent(self) -> None:
        if self.dropped:
            return
        supervisor = self.stream._made
        if supervisor is not None:
            finals = tuple(supervisor.record._finals)
            assert finals[: len(self.finals)] == self.finals
            self.finals = finals
        said = [word.text for word in self.stream.transcript.words]
        assert said == [str(number + 1) for number in range(len(said))]
        assert len(self.words) <= len(said)
        stats = self.stream.stats
        assert stats.confirmed <= stats.processed <= stats.sent <= stats.accepted
        assert stats.accepted == FORMAT.seconds(self.given // 2 * 2)
        assert stats.gaps == ()
        assert self.ghosts == []
        assert self.complaints == []

    # --- how it ends ---

    def teardown(self) -> None:
        try:
            if hasattr(self, "bench"):
                self._see_it_through()
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.run(_step(3))
            self.loop.close()

    def _see_it_through(self) -> None:
        self.service.coming.clear()
        self.settle()
        if not self.dropped:
            self._to_the_end()
            self.what_was_delivered_begins_the_perfect_line()
            self.finals_never_change_and_figures_are_consistent()
        self.run(asyncio.sleep(500.0))  # for those that are slow to be cancelled
        self.settle()
        assert self.sending is None
        assert self.flushing == []
        assert asyncio.all_tasks(self.loop) == set()
        assert all(connection.over for connection in self.service.connections if connection.taken)
        assert self.complaints == []

    def _to_the_end(self) -> None:
        """Read what is left, and see that it is what the user was promised."""
        if self.reading is not None:
            self.cancel(self.reading)
        if self.sending is None and not self.ended:
            self._end()
        if self.iterator is None:
            self.iterator = self.run(_made(lambda: aiter(self.stream)))
        self.reading = self.task(self._read(self.iterator, 10**6))
        if self.sending is not None:
            sending = self.sending
            self.run(asyncio.wait([sending]))
            self.settle()
            if not self.ended:
                self._end()
        if self.reading is not None:
            self.run(asyncio.wait([self.reading]))
        whole = self.given // 2 // WORD
        if self.closed:
            assert self.error is None
            assert self.over
            self.expect(self.stream.send_audio(b"\0\0"), StreamClosedError)
            assert self.run(self._rest()) == [None]
        elif self.error is not None:
            assert self.doomed or len(self.error.attempts) >= POLICY.max_attempts
            assert self.error.__cause__ is self.error.attempts[-1].cause
            assert self.error.confirmed <= self.error.sent <= self.error.accepted
            assert len(self.words) == len(self.stream.transcript.words)
            self.expect(self.stream.send_audio(b"\0\0"), StreamError)
            assert self.run(self._rest()) == [self.error, self.error]
        else:
            assert self.over
            assert len(self.words) == whole
            assert self.interim == ""
            assert self.stream.stats.confirmed == self.stream.stats.accepted
            self.expect(self.stream.send_audio(b"\0\0"), StreamClosedError)
            assert self.run(self._rest()) == [None]
        self.run(self.stream.aclose())

    # --- how all of it is done ---

    @property
    def error(self) -> StreamError | None:
        assert all(error is self.errors[0] for error in self.errors)
        return self.errors[0] if self.errors else None

    def run(self, coro: Coroutine[Any, Any, Any]) -> Any:
        result = self.loop.run_until_complete(coro)
        self.settle()
        return result

    def task(self, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self.loop.create_task(coro)

    def cancel(self, *tasks: asyncio.Task[Any] | None) -> None:
        for task in tasks:
            if task is not None:
                task.cancel()
                self.run(asyncio.wait([task]))

    def expect(self, coro: Coroutine[Any, Any, Any], *kinds: type[Exception]) -> None:
        async def raises() -> None:
            try:
                await coro
            except kinds:
                return
            raise AssertionError(f"none of {kinds} was raised")

        self.run(raises())

    def settle(self) -> None:
        """Note what became of the tasks that ended."""
        if self.sending is not None and self.sending.done():
            sending, self.sending = self.sending, None
            failure = None if sending.cancelled() else sending.exception()
            if failure is not None:
                if isinstance(failure, StreamClosedError):
                    assert self.ended or self.closed
                elif isinstance(failure, StreamUsageError):
                    assert "Nobody reads" in failure.message
                    assert not self.bench.supervisors[0].was_read
                else:
                    assert isinstance(failure, StreamError), failure
            elif not sending.cancelled():
                self.given += self.size
        for flushing in [task for task in self.flushing if task.done()]:
            self.flushing.remove(flushing)
            if not flushing.cancelled():
                flushing.result()
        if self.reading is not None and self.reading.done():
            reading, self.reading = self.reading, None
            if not reading.cancelled():
                reading.result()

    def _end(self) -> None:
        self.ended = True
        try:
            self.run(self.stream.end_audio())
        except AudioFormatError:
            assert self.given % 2 == 1

    async def _flush(self) -> None:
        result = await self.stream.flush()
        if result.confirmed:
            assert len(self.stream.transcript.words) >= int(result.at * FORMAT.sample_rate + 1e-6) // WORD

    async def _read(self, iterator: AsyncIterator[Any], count: int) -> None:
        for _ in range(count):
            try:
                self._take(await anext(iterator))
            except StopAsyncIteration:
                self.over = True
                self.iterator = None
                return
            except StreamError as error:
                self.errors.append(error)
                self.iterator = None
                return

    def _take(self, item: StreamEvent | Utterance) -> None:
        if isinstance(item, Utterance):
            self.words.extend(word for result in item.results for word in result.words)
            self.interim = ""  # this view has none
        elif isinstance(item, StreamingResult) and item.is_final:
            self.words.extend(item.words)
        elif isinstance(item, StreamingResult):
            assert not item.words or int(item.words[0].text) > len(self.words)
            self.interim = item.text
        elif isinstance(item, Reconnecting):
            assert self.interim == ""  # it was withdrawn

    def _see(self, event: StreamEvent) -> None:
        """Take note of an event when it happens: what is said by the next connection may hide it from readers."""
        match event:
            case StreamingResult(is_final=False):
                self.shown = event.text
            case Reconnecting() | Closed() if self.shown:
                self.ghosts.append(self.shown)

    async def _rest(self) -> list[Any]:
        """What a reader finds after the end: the error that is said, None if none, and the error that is raised."""
        found: list[Any] = []
        try:
            async for event in self.stream.events():
                assert isinstance(event, Closed)
                found.append(event.error)
        except StreamError as error:
            found.append(error)
        return found


async def _step(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _made(make: Callable[[], Any]) -> Any:
    return make()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=times_as_many(60),
    derandomize=times_as_many(1) == 1,  # the same lives each time, unless more are asked for
    database=None,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
