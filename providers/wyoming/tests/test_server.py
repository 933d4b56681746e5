"""What is said to a server, and what its answers mean: against the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from debabelizer_wyoming.address import Address
from debabelizer_wyoming.fitness import check_fitness
from debabelizer_wyoming.server import Model, Program, Transcript, Wishes, WyomingServer
from debabelizer_wyoming.testing import WyomingSimulator

from debabelizer.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeout,
    InvalidRequestError,
    ProgressTimeout,
    ProtocolError,
    ServiceUnavailableError,
)
from debabelizer.testing.coded import encode_words

T = TypeVar("T")

AUDIO = encode_words(3)
CHUNK = b'{"type": "transcript-chunk", "data": {"text": "%s"}}\n' % (b"a" * 10_000)


def run(case: Callable[[], Awaitable[T]]) -> T:
    async def checked() -> T:
        async with asyncio.timeout(20):
            result = await case()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return asyncio.run(checked())


def server_at(address: Address, **deadlines: float) -> WyomingServer:
    return WyomingServer(address, **{"connect_timeout": 5.0, "timeout": 5.0, **deadlines})


def ask(
    simulator: WyomingSimulator, wishes: Wishes | None = None, *, heard: Any = None, **deadlines: float
) -> Transcript:
    async def case() -> Transcript:
        async with simulator:
            server = server_at(Address(*simulator.address), **deadlines)
            return await server.transcribe(AUDIO, wishes or Wishes(), heard)

    return run(case)


def test_the_request_says_what_is_wished_and_the_audio_is_whole() -> None:
    simulator = WyomingSimulator()
    wishes = Wishes(
        name="coded",
        language="en",
        context={"room": "kitchen"},
        vad_sensitivity="relaxed",
        transcript_names=("Debabelizer",),
    )
    assert ask(simulator, wishes) == Transcript("word0 word1 word2")
    (utterance,) = simulator.utterances
    assert utterance.request == {
        "name": "coded",
        "language": "en",
        "context": {"room": "kitchen"},
        "vad_sensitivity": "relaxed",
        "transcript_names": ["Debabelizer"],
    }
    assert utterance.layout == {"rate": 16000, "width": 2, "channels": 1, "timestamp": 0}
    assert bytes(utterance.audio) == AUDIO


def test_what_is_not_wished_is_not_said() -> None:
    simulator = WyomingSimulator()
    ask(simulator)
    assert simulator.utterances[0].request == {}


@pytest.mark.parametrize("inline", [False, True])
def test_chunks_append_and_the_transcript_is_the_final(inline: bool) -> None:
    heard: list[str] = []
    simulator = WyomingSimulator(chunks=True, inline=inline, language="en")
    assert ask(simulator, heard=heard.append) == Transcript("word0 word1 word2", "en")
    assert heard == ["word0", "word0 word1", "word0 word1 word2"]


def test_spaces_around_and_within_are_one() -> None:
    assert ask(WyomingSimulator(lambda audio: "  Turn on \n  the light. ")).text == "Turn on the light."


def test_nothing_said_is_empty() -> None:
    assert ask(WyomingSimulator(lambda audio: "")) == Transcript("")


def test_an_end_before_the_transcript_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLostError, match="ended the connection before its transcript"):
        ask(WyomingSimulator(faults=["end"]))


def test_an_error_is_told_with_its_code() -> None:
    with pytest.raises(ServiceUnavailableError, match="It does not work today") as caught:
        ask(WyomingSimulator(faults=["error"]))
    assert caught.value.code == "simulated"


def test_what_is_no_frame_is_a_broken_protocol() -> None:
    with pytest.raises(ProtocolError, match="is not JSON"):
        ask(WyomingSimulator(faults=["nonsense"]))


def test_a_server_that_never_answers_has_a_deadline() -> None:
    with pytest.raises(ProgressTimeout, match=r"gave no transcript within 0\.05 s") as caught:
        ask(WyomingSimulator(faults=["silence"]), timeout=0.05)
    assert "raise `timeout`" in str(caught.value.hint)


def scripted(answer: bytes, *, reads: bool = True) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    """A server that says this, and then holds the line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        try:
            while reads and await reader.read(65536):
                pass
            if not reads:
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                await asyncio.sleep(5)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    return serve


def against(answer: bytes, work: Callable[[WyomingServer], Awaitable[T]], *, reads: bool = True) -> T:
    async def case() -> T:
        listener = await asyncio.start_server(scripted(answer, reads=reads), "127.0.0.1", 0)
        async with listener:
            host, port = listener.sockets[0].getsockname()
            try:
                return await work(server_at(Address(host, port), timeout=0.3))
            finally:
                listener.close()
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()
                    await asyncio.wait([task])

    return run(case)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b'{"type": "transcript"}\n', "has no 'text'"),
        (b'{"type": "transcript", "data": {"text": 7}}\n', "has a wrong type"),
        (CHUNK * 101, "without an end"),
    ],
)
def test_an_answer_that_cannot_be(answer: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        against(answer, lambda server: server.transcribe(AUDIO, Wishes()))


def test_other_events_are_passed_over() -> None:
    answer = b'{"type": "voice-started", "data": {"timestamp": 7}}\n{"type": "transcript", "data": {"text": "a"}}\n'
    assert against(answer, lambda server: server.transcribe(AUDIO, Wishes())).text == "a"


def test_a_server_that_does_not_read_has_a_deadline_and_is_not_waited_for() -> None:
    with pytest.raises(ProgressTimeout):
        against(b"", lambda server: server.transcribe(bytes(32_000_000), Wishes()), reads=False)


def test_nobody_there() -> None:
    async def case() -> None:
        listener = await asyncio.start_server(scripted(b""), "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        listener.close()
        await server_at(Address("127.0.0.1", port)).transcribe(AUDIO, Wishes())

    with pytest.raises(ConnectError, match="There is no connection to tcp://127") as caught:
        run(case)
    assert "Is the server running?" in str(caught.value.hint)


def test_a_connection_that_is_never_made_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object, **named: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio, "open_connection", never)
    with pytest.raises(ConnectTimeout, match=r"did not answer within 0\.05 s"):
        run(lambda: server_at(Address("127.0.0.1", 1), connect_timeout=0.05).describe())


@pytest.mark.skipif(not hasattr(asyncio, "start_unix_server"), reason="there are no Unix sockets here")
def test_a_unix_socket_is_an_address(tmp_path: Path) -> None:
    async def case() -> Transcript:
        path = str(tmp_path / "s")
        listener = await asyncio.start_unix_server(WyomingSimulator().serve, path)
        async with listener:
            transcript = await server_at(Address(path=path)).transcribe(AUDIO, Wishes())
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait([task])
            return transcript

    assert run(case).text == "word0 word1 word2"


def describe(**members: Any) -> tuple[Program, ...]:
    async def case() -> tuple[Program, ...]:
        async with WyomingSimulator(**members) as simulator:
            return await server_at(Address(*simulator.address)).describe()

    return run(case)


def test_a_server_describes_itself() -> None:
    assert describe() == (Program("simulator", (Model("coded", ("en", "de_DE")),)),)
    assert describe(info={"tts": [{"name": "voices"}]}) == ()
    own = {"asr": [{"name": "x", "models": None, "requires_external_vad": False}]}
    assert describe(info=own) == (Program("x", (), ends_utterances=True),)


@pytest.mark.parametrize(
    "info", [{"asr": {}}, {"asr": ["x"]}, {"asr": [{"models": [7]}]}, {"asr": [{"models": [{"languages": 7}]}]}]
)
def test_a_description_that_cannot_be(info: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="that is no list"):
        describe(info=info)


PROGRAMS = (
    Program("first", (Model("tiny", ("en",)), Model("base", ("en", "pt_BR")))),
    Program("second", (Model("other", ()),), ends_utterances=True),
)


@pytest.mark.parametrize(
    ("programs", "wishes", "says"),
    [
        ((), Wishes(), "does not recognise speech"),
        (PROGRAMS, Wishes(name="large"), "has no model 'large'"),
        (PROGRAMS, Wishes(language="fr"), "does not understand 'fr'"),
        (PROGRAMS, Wishes(name="tiny", language="pt"), "does not understand 'pt'"),
        (PROGRAMS, Wishes(name="other"), r"\(second\) ends utterances by itself"),
    ],
)
def test_a_server_that_cannot_do_it_is_refused(programs: tuple[Program, ...], wishes: Wishes, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says) as caught:
        check_fitness(programs, wishes, allow_endpointing=False)
    assert caught.value.hint


def test_a_server_that_can_is_not() -> None:
    check_fitness(PROGRAMS, Wishes(), allow_endpointing=False)
    check_fitness(PROGRAMS, Wishes(language="pt-BR"), allow_endpointing=False)
    check_fitness(PROGRAMS, Wishes(name="base", language="pt"), allow_endpointing=False)
    check_fitness(PROGRAMS, Wishes(name="other", language="xx"), allow_endpointing=True)
