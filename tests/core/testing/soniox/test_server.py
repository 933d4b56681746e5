"""Every fault, seen by a plain client: over a real socket, or in virtual time where the fault is about time."""

from __future__ import annotations

import asyncio
import json
import logging
from itertools import pairwise
from typing import Any

import pytest
import websockets

from debabelizer.testing.coded import compare, encode_words, plan_words
from debabelizer.testing.soniox import ERRORS, Behaviour, ErrorReply, Fault, Script, SonioxSimulator

AUDIO = encode_words(20)  # 7.86 seconds
PLAN = plan_words(20)
SECOND = 32000


def heard_by(seconds: float) -> list[str]:
    """Words that are final, whole or in part, once so much audio was heard."""
    return [word.text for word in PLAN if word.start + 0.125 <= seconds - 1.5]


def assert_words_of_a_prefix(text: str) -> int:
    """No word is lost or invented up to the last; returns how many there are."""
    words = text.split()
    assert words[:-1] == [word.text for word in PLAN[: len(words) - 1]]
    assert not words or PLAN[len(words) - 1].text.startswith(words[-1])
    return len(words)


class TestHealth:
    async def test_all_words(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            heard = await client.transcribe(server, AUDIO)
        assert compare(20, heard.text).perfect
        assert heard.finished
        assert heard.code == 1000
        assert heard.messages[0] == {"tokens": [], "final_audio_proc_ms": 0, "total_audio_proc_ms": 0}

    @pytest.mark.parametrize("chunk", [101, 640, 100_000])
    async def test_chunks_of_any_size(self, client: Any, chunk: int) -> None:
        async with SonioxSimulator() as server:
            heard = await client.transcribe(server, AUDIO, chunk=chunk)
        assert compare(20, heard.text).perfect

    async def test_many_at_once(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            results = await asyncio.gather(*(client.transcribe(server, AUDIO) for _ in range(10)))
            assert len(server.connections) == 10
            await server.wait_until(lambda: not server.open_connections)
            assert server.seconds == pytest.approx(10 * len(AUDIO) / SECOND)
        assert all(compare(20, heard.text).perfect for heard in results)

    async def test_fragmented_messages(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server) as socket:
            await socket.send(AUDIO[at : at + 5000] for at in range(0, len(AUDIO), 5000))
            await socket.send([""])
            heard = await client.listen(socket)
        assert compare(20, heard.text).perfect

    async def test_a_script(self, client: Any) -> None:
        async with SonioxSimulator(Script.of("Hello there, how are you?")) as server:
            heard = await client.transcribe(server, bytes(2 * SECOND))
        assert heard.text == "Hello there, how are you?"


class TestAuthentication:
    @pytest.mark.parametrize("key", ["test-key", "other"])
    async def test_by_header(self, client: Any, key: str) -> None:
        async with SonioxSimulator() as server:
            heard = await client.transcribe(server, AUDIO, key=key)
            (log,) = server.connections
        assert log.used_key(key)
        assert heard.finished == (key == "test-key")
        assert log.authenticated_by == ("header" if key == "test-key" else None)
        assert heard.messages[-1].get("error_code") == (None if key == "test-key" else 401)

    async def test_by_subprotocol(self, client: Any) -> None:
        options = {"additional_headers": {}, "subprotocols": ["soniox-api-key", "test-key"]}
        async with SonioxSimulator() as server, client.started(server, **options) as socket:
            assert socket.subprotocol == "soniox-api-key"
            await socket.recv()
            assert server.connections[0].authenticated_by == "subprotocol"
            assert server.connections[0].used_key("test-key")

    async def test_by_message(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            heard = await client.transcribe(server, AUDIO, {"api_key": "test-key"}, additional_headers={})
            (log,) = server.connections
        assert heard.finished
        assert log.authenticated_by == "message"
        assert log.used_key("test-key")
        assert log.config is not None
        assert log.config["api_key"] == "***"

    async def test_any_key_will_do(self, client: Any) -> None:
        async with SonioxSimulator(keys=None) as server:
            assert (await client.transcribe(server, AUDIO, key="whatever")).finished

    async def test_the_key_is_nowhere_to_be_seen(self, client: Any, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        key = "canary-key"
        async with SonioxSimulator(keys=[key]) as server:
            for options in (
                {"key": key},
                {"additional_headers": {}, "subprotocols": ["soniox-api-key", key]},
                {"additional_headers": {}, "config": {"api_key": key}},
            ):
                assert (await client.transcribe(server, AUDIO, **options)).finished
            seen = repr(server.connections) + repr(server.rest) + repr([log.frames for log in server.connections])
        assert key not in seen
        # The client of this test logs its own headers.
        assert not [r for r in caplog.records if key in r.getMessage() and not r.name.startswith("websockets.client")]


class TestHandshake:
    @pytest.mark.parametrize("status", [401, 429, 503])
    async def test_an_http_status(self, client: Any, status: int) -> None:
        async with SonioxSimulator(faults=[Fault.http(status)]) as server:
            with pytest.raises(websockets.InvalidStatus) as caught:
                await client.transcribe(server, AUDIO)
            assert caught.value.response.status_code == status
            assert (await client.transcribe(server, AUDIO)).finished

    @pytest.mark.parametrize("fault", [Fault.reset("accept"), Fault.eof("accept")], ids=str)
    async def test_dropped_before_the_answer(self, client: Any, fault: Fault) -> None:
        async with SonioxSimulator(faults=[fault]) as server:
            with pytest.raises((OSError, websockets.exceptions.InvalidMessage)):
                await client.transcribe(server, AUDIO, open_timeout=5)

    @pytest.mark.parametrize("fault", [Fault.reset("open"), Fault.eof("open"), Fault.close(1000, "open")], ids=str)
    async def test_dropped_right_after(self, client: Any, fault: Fault) -> None:
        async with SonioxSimulator(faults=[fault]) as server:
            with pytest.raises((OSError, websockets.ConnectionClosed)):
                async with client.connect(server) as socket:
                    await socket.recv()
            assert server.connections[0].config is None

    async def test_nobody_listens(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            url = server.url
            await server.stop_listening()
            with pytest.raises(OSError):
                await client.transcribe(server, AUDIO)
            await server.start_listening()
            assert server.url == url
            assert (await client.transcribe(server, AUDIO)).finished

    async def test_a_connection_lives_on_while_nobody_listens(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server) as socket:
            await socket.recv()
            await server.stop_listening()
            await socket.send(AUDIO)
            await socket.send("")
            assert (await client.listen(socket)).finished

    async def test_another_path(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            with pytest.raises(websockets.InvalidStatus) as caught:
                await websockets.connect(server.url + "/v2")
            assert caught.value.response.status_code == 404

    async def test_what_is_no_handshake(self) -> None:
        async with SonioxSimulator() as server:
            port = int(server.url.split(":")[2].split("/")[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


class TestDrops:
    AT = 5.0

    async def drop(self, client: Any, fault: Fault) -> Any:
        async with SonioxSimulator(faults=[fault]) as server:
            heard = await client.transcribe(server, AUDIO)
            (log,) = server.connections
        assert not heard.finished
        assert log.seconds == self.AT
        assert bytes(log.audio) == AUDIO[: int(self.AT * SECOND)]
        assert [fault for _, fault in log.faults] == [fault]
        return heard

    @pytest.mark.parametrize("fault", [Fault.reset(AT), Fault.eof(AT)], ids=str)
    async def test_rudely(self, client: Any, fault: Fault) -> None:
        heard = await self.drop(client, fault)
        assert isinstance(heard.error, websockets.ConnectionClosedError)
        assert heard.code is None

    @pytest.mark.parametrize("code", [1000, 1001, 1011])
    async def test_politely(self, client: Any, code: int) -> None:
        heard = await self.drop(client, Fault.close(code, self.AT))
        assert heard.code == code
        assert assert_words_of_a_prefix(heard.text) in (len(heard_by(self.AT)), len(heard_by(self.AT)) + 1)

    async def test_finished_too_early(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.finish_early(self.AT)]) as server:
            heard = await client.transcribe(server, AUDIO)
        last = heard.messages[-1]
        assert heard.finished
        assert heard.code == 1000
        assert last["final_audio_proc_ms"] < last["total_audio_proc_ms"] == 5000
        assert_words_of_a_prefix(heard.text)

    async def test_at_the_end(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.close(1011, "end")]) as server:
            heard = await client.transcribe(server, AUDIO)
        assert heard.code == 1011
        assert not heard.finished

    async def test_at_the_start(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.close(1011)]) as server:
            heard = await client.transcribe(server, AUDIO)
            assert server.connections[0].config is not None
            assert server.seconds == 0.0
        assert heard.code == 1011

    async def test_again_and_again(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.reset(2.0, connections="always")]) as server:
            for _ in range(3):
                await client.transcribe(server, AUDIO)
            assert [log.seconds for log in server.connections] == [2.0] * 3

    async def test_by_the_audio_of_all_connections(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.close(1011, total=10.0)]) as server:
            assert (await client.transcribe(server, AUDIO)).finished
            assert not (await client.transcribe(server, AUDIO)).finished
            assert server.seconds == pytest.approx(10.0)

    async def test_now(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server) as socket:
            await socket.recv()
            server.inject(Fault.close(1012))
            assert (await client.listen(socket)).code == 1012

    async def test_refused_until_further_notice(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.refuse(at=self.AT)]) as server:
            await client.transcribe(server, AUDIO)
            with pytest.raises(OSError):
                await client.transcribe(server, AUDIO)
            await server.start_listening()
            assert (await client.transcribe(server, AUDIO)).finished


class TestTime:
    """Faults that are about time: 20 seconds take as long as they take elsewhere, but nobody waits for them."""

    virtual = True

    async def quiet(self, socket: Any, seconds: float) -> None:
        """Nothing comes for so long."""
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), seconds)

    async def until_quiet(self, socket: Any, seconds: float) -> list[Any]:
        """What comes until nothing comes for so long."""
        messages: list[Any] = []
        while True:
            try:
                messages.append(json.loads(await asyncio.wait_for(socket.recv(), seconds)))
            except TimeoutError:
                return messages

    async def test_the_handshake_is_never_answered(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.handshake()]) as server:
            with pytest.raises(TimeoutError):
                await client.transcribe(server, AUDIO, open_timeout=3600)
            assert server.connections[0].path == "/transcribe-websocket"
            assert (await client.transcribe(server, AUDIO)).finished

    async def test_the_handshake_is_answered_late(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.handshake(8.0)]) as server:
            assert (await client.transcribe(server, AUDIO)).finished
            assert server.connections[0].frames[0].time == pytest.approx(8.0)

    async def test_the_client_gives_up_before_the_late_answer(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.handshake(30.0)]) as server:
            with pytest.raises(TimeoutError):
                await client.transcribe(server, AUDIO)
            await server.wait_until(lambda: not server.open_connections)

    async def test_refused_for_a_while(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.refuse(5.0, 2.0)]) as server:
            await client.transcribe(server, AUDIO)
            for _ in range(4):
                with pytest.raises(ConnectionRefusedError):
                    await client.transcribe(server, AUDIO)
                await asyncio.sleep(1.2)
            await asyncio.sleep(0.3)
            assert (await client.transcribe(server, AUDIO)).finished

    async def test_frozen(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.freeze(2.0)]) as server:
            async with client.started(server, ping_interval=None) as socket:
                await socket.send(AUDIO)
                pong = await socket.ping()
                await asyncio.wait([pong], timeout=60)
                assert not pong.done()
                flood = asyncio.ensure_future(self.flood(socket))
                await asyncio.wait([flood], timeout=60)
                assert not flood.done()  # nobody reads: in the end the client waits
                flood.cancel()
                await asyncio.wait([flood])
                socket.transport.abort()  # a close frame would wait behind the flood
            assert server.connections[0].seconds == 2.0

    async def test_a_frozen_peer_is_found_by_pings(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.freeze(2.0)]) as server:
            heard = await client.transcribe(server, AUDIO, end=False)
        assert heard.code is None
        assert isinstance(heard.error, websockets.ConnectionClosedError)

    async def flood(self, socket: Any) -> None:
        while True:
            await socket.send(bytes(SECOND))

    async def test_a_client_that_does_not_read_holds_itself_up(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server, max_queue=1) as socket:
            flood = asyncio.ensure_future(self.flood(socket))
            await asyncio.wait([flood], timeout=15)
            heard = server.seconds
            await asyncio.wait([flood], timeout=15)
            assert server.seconds == heard > 10
            flood.cancel()
            await asyncio.wait([flood])
            socket.transport.abort()

    async def test_mute(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.mute(2.0)]) as server, client.started(server) as socket:
            await socket.send(AUDIO)
            await socket.send("")
            messages = await self.until_quiet(socket, 60)
            assert messages[-1]["total_audio_proc_ms"] == 1920
            await (await socket.ping())  # it answers this one
            assert server.connections[0].seconds == pytest.approx(7.86)

    async def test_mute_swallows_the_idle_error(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.mute()]) as server, client.started(server) as socket:
            await socket.recv()
            await self.quiet(socket, 60)

    async def test_stalled(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.stall(2.0)]) as server, client.started(server) as socket:
            await socket.send(AUDIO)
            await socket.send("")
            messages = await self.until_quiet(socket, 60)
        late = messages[20:]
        assert len(late) > 40
        assert all(message["total_audio_proc_ms"] == 1920 and not message["tokens"] for message in late)
        assert not any("finished" in message for message in messages)

    async def test_the_end_is_never_answered(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.ignore_end()]) as server, client.started(server) as socket:
            await socket.send(AUDIO)
            await socket.send("")
            messages = await self.until_quiet(socket, 60)
            assert not any("finished" in message or "error_code" in message for message in messages)
            assert server.connections[0].count("end") == 1

    async def test_not_closed_after_the_end(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.linger()]) as server:
            async with client.started(server) as socket:
                await socket.send(AUDIO)
                await socket.send("")
                messages = await self.until_quiet(socket, 60)
                assert messages[-1]["finished"]
            assert server.connections[0].client_code == 1000

    async def test_idle(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server) as socket:
            await asyncio.sleep(15)
            await socket.send('{"type": "keepalive"}')
            heard = await client.listen(socket)
            assert asyncio.get_running_loop().time() == pytest.approx(35.0)
        assert heard.messages[-1]["error_code"] == 408
        assert heard.messages[-1]["error_message"] == "Request timeout."
        assert heard.code == 1000
        assert server.connections[0].gaps == pytest.approx([15.0])

    async def test_no_start_request(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.connect(server) as socket:
            heard = await client.listen(socket)
            assert asyncio.get_running_loop().time() == pytest.approx(40.0)
        assert heard.messages[-1]["error_message"] == "Start request timeout"

    async def test_five_hours(self, client: Any) -> None:
        async with SonioxSimulator(Script(), behaviour=Behaviour(cadence=60.0)) as server:
            heard = await client.transcribe(server, bytes(301 * 60 * SECOND // 16), {"sample_rate": 1000})
            assert server.seconds == 300 * 60
        assert heard.messages[-1]["error_type"] == "max_duration_reached"

    async def test_a_slow_end(self, client: Any) -> None:
        async with SonioxSimulator(behaviour=Behaviour(finish_delay=9.0)) as server:
            assert compare(20, (await client.transcribe(server, AUDIO)).text).perfect
            assert asyncio.get_running_loop().time() == pytest.approx(9.0)

    async def test_a_client_that_does_not_close(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.close(1000)]) as server, client.connect(server) as socket:
            socket.transport.pause_reading()
            await socket.send(json.dumps(client.config))
            await server.wait_until(lambda: not server.open_connections, timeout=6)
            assert asyncio.get_running_loop().time() == pytest.approx(5.0)

    async def test_the_pace_is_logged(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server) as socket:
            for second in range(5):
                await socket.send(bytes(SECOND * 2))
                await asyncio.sleep(1.0 + second / 10)
            (log,) = server.connections
            assert log.burst == pytest.approx(8.0 - 4.6)
            assert log.gaps[1:] == pytest.approx([1.0, 1.1, 1.2, 1.3])


class TestBrokenFrames:
    @pytest.mark.parametrize("row", ERRORS, ids=lambda row: row.type)
    @pytest.mark.parametrize("tokens", [True, False])
    @pytest.mark.parametrize("modern", [True, False])
    async def test_every_error(self, client: Any, row: ErrorReply, tokens: bool, modern: bool) -> None:
        fault = Fault.error(row.type, 2.0, tokens=tokens, modern=modern)
        async with SonioxSimulator(faults=[fault]) as server:
            heard = await client.transcribe(server, AUDIO)
        frame = heard.messages[-1]
        assert (frame["error_code"], frame["error_message"]) == (row.code, row.message)
        assert ("tokens" in frame, frame.get("error_type")) == (tokens, row.type if modern else None)
        assert heard.code == 1000
        assert_words_of_a_prefix(heard.text)

    async def test_an_error_with_another_close_code(self, client: Any) -> None:
        fault = Fault.error(503, 2.0, message="Cannot continue request (code 11).")
        async with SonioxSimulator(faults=[fault], behaviour=Behaviour(close_code=1011)) as server:
            heard = await client.transcribe(server, AUDIO)
        assert heard.messages[-1]["error_message"] == "Cannot continue request (code 11)."
        assert heard.code == 1011

    async def received(self, client: Any, fault: Fault, **options: Any) -> list[str | bytes]:
        received = []
        async with SonioxSimulator(faults=[fault]) as server, client.started(server, **options) as socket:
            await socket.send(AUDIO)
            await socket.send("")
            async for message in socket:
                received.append(message)
        return received

    async def test_malformed(self, client: Any) -> None:
        received = await self.received(client, Fault.malformed(2.0))
        (broken,) = [m for m in received if isinstance(m, str) and not m.endswith("}")]
        with pytest.raises(ValueError):
            json.loads(broken)

    async def test_binary(self, client: Any) -> None:
        received = await self.received(client, Fault.binary(2.0))
        assert [m for m in received if isinstance(m, bytes)] == [b"\x00\x01\x02\x03"]

    async def test_oversized(self, client: Any) -> None:
        received = await self.received(client, Fault.oversized(3_000_000, 2.0), max_size=4_000_000)
        assert max(len(m) for m in received) > 3_000_000
        assert all(json.loads(m) for m in received)
        with pytest.raises(websockets.ConnectionClosedError):
            await self.received(client, Fault.oversized(3_000_000, 2.0), max_size=1_000_000)

    async def test_duplicated(self, client: Any) -> None:
        received = await self.received(client, Fault.duplicate(2.0))
        assert sum(first == second for first, second in pairwise(received)) > 40
        assert json.loads(received[-1])["finished"]


class TestClientFaults:
    async def test_text_that_is_no_text(self, client: Any) -> None:
        async with SonioxSimulator() as server, client.started(server) as socket:
            await socket.send(b"\xff\xfe", text=True)
            assert (await client.listen(socket)).code == 1007

    async def test_a_message_that_is_too_long(self, client: Any) -> None:
        async with SonioxSimulator(behaviour=Behaviour(max_message=100_000)) as server:
            assert (await client.transcribe(server, AUDIO, chunk=200_000)).code == 1009

    async def test_a_silenced_session_that_ends_before_its_last_fault(self, client: Any) -> None:
        faults = [Fault.mute(1.0), Fault.reset(3.0)]
        async with SonioxSimulator(faults=faults, behaviour=Behaviour(max_duration=2.0)) as server:
            async with client.started(server) as socket:
                await socket.send(AUDIO)
                await (await socket.ping())
            assert server.connections[0].seconds == 2.0


class TestLog:
    async def test_what_came(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            async with client.started(server) as socket:
                await socket.send(AUDIO[:SECOND])
                await socket.send('{"type": "keepalive"}')
                await socket.send(b"")
                await socket.send('{"type": "finalize"}')
                await (await socket.ping())
                await socket.send(AUDIO[SECOND:])
                await socket.send("")
                heard = await client.listen(socket)
            await server.wait_until(lambda: not server.open_connections)
            (log,) = server.connections
        kinds = [frame.kind for frame in log.frames]
        assert kinds == ["start", "audio", "keepalive", "empty", "finalize", "ping", "audio", "end", "close"]
        assert [frame.position for frame in log.frames][:7] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        assert log.frames[1].size == SECOND
        assert [frame.time for frame in log.frames] == sorted(frame.time for frame in log.frames)
        assert bytes(log.audio) == AUDIO
        assert log.config == client.config
        assert log.headers["Authorization"] == "***"
        assert log.headers["Host"] in server.url
        assert log.finished
        assert log.client_code == heard.code == 1000
        assert log.closed is not None
        assert not log.client_reset
        assert [frame.kind for frame in log.sent][-2:] == ["finished", "close"]
        assert len(log.gaps) == 3
        assert log.burst > 0.9

    async def test_audio_need_not_be_kept(self, client: Any) -> None:
        async with SonioxSimulator(behaviour=Behaviour(record_audio=False)) as server:
            assert compare(20, (await client.transcribe(server, AUDIO)).text).perfect
            assert server.connections[0].audio == b""

    async def test_a_client_that_resets(self, client: Any) -> None:
        async with SonioxSimulator() as server:
            async with client.started(server) as socket:
                await socket.recv()
                sock = socket.transport.get_extra_info("socket")
                sock.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # linger on, for no time
                socket.transport.abort()
            await server.wait_until(lambda: not server.open_connections)
            assert server.connections[0].client_reset

    async def test_waiting_for_what_does_not_happen(self) -> None:
        async with SonioxSimulator() as server:
            with pytest.raises(TimeoutError):
                await server.wait_until(lambda: False, timeout=0.01)

    async def test_finalize_is_not_answered(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.ignore_finalize()]) as server, client.started(server) as socket:
            await socket.send(AUDIO)
            await socket.send('{"type": "finalize"}')
            await socket.send("")
            heard = await client.listen(socket)
        assert "<fin>" not in heard.text
        assert compare(20, heard.text).perfect


class TestLeaving:
    @pytest.mark.parametrize("fault", [None, Fault.freeze(1.0), Fault.eof(1.0), Fault.handshake()], ids=str)
    async def test_connections_are_dropped(self, client: Any, fault: Fault | None) -> None:
        async with SonioxSimulator(faults=[fault] if fault else []) as server:
            task = asyncio.ensure_future(client.transcribe(server, AUDIO, end=False))
            await server.wait_until(lambda: bool(server.connections))
            await server.wait_until(lambda: bool(server.connections[0].path))
        assert not server.open_connections
        await asyncio.wait([task])
        assert task.exception() or not task.result().finished

    async def test_while_refusing(self, client: Any) -> None:
        async with SonioxSimulator(faults=[Fault.refuse(60.0)]) as server:
            await client.transcribe(server, AUDIO)

    async def test_after_an_exception(self) -> None:
        with pytest.raises(KeyError):
            async with SonioxSimulator() as server:
                raise KeyError
        with pytest.raises(OSError):
            await websockets.connect(server.url)

    async def test_while_clients_come_and_go(self, client: Any) -> None:
        """A connection that is accepted in the very moment the door is shut is neither forgotten nor complained of."""
        for steps in range(12):
            async with SonioxSimulator() as server:
                tasks = [asyncio.ensure_future(client.transcribe(server, 1)) for _ in range(3)]
                for _ in range(steps):
                    await asyncio.sleep(0)
            await asyncio.wait(tasks)
            assert not server.open_connections
            assert [task.exception() for task in tasks]
