"""Real sockets on the loopback interface: many clients, slow ones, ones that vanish."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from e320proto.aio.tcp import TcpOutlet, open_tcp, open_tcp_each
from e320proto.errors import TransportError
from tests.aio.ports import client_of, frame, in_loop, received, seconds, until

HOST = "127.0.0.1"
FRAME = len(frame())
MANY = 8_000
"""Frames that neither the system nor a small receive buffer can hold: about two megabytes."""


def send(outlet: TcpOutlet, *numbers: int) -> None:
    for number in numbers:
        outlet.send(frame(number))


@in_loop
async def test_every_client_gets_every_frame() -> None:
    outlet = await open_tcp(HOST, 0)
    assert outlet.name == f"{HOST}:{outlet.address[1]}"
    with client_of(outlet.address) as one, client_of(outlet.address) as other:
        await until(lambda: outlet.clients == 2)
        send(outlet, 1, 2, 3)
        for client in (one, other):
            assert seconds(await received(client, 3 * FRAME)) == [1, 2, 3]
    assert outlet.dropped == 0
    await outlet.close()


@in_loop
async def test_frames_without_clients_are_dropped() -> None:
    outlet = await open_tcp(HOST, 0)
    send(outlet, 1, 2)
    with client_of(outlet.address) as client:
        await until(lambda: outlet.clients)
        send(outlet, 3)
        assert seconds(await received(client, FRAME)) == [3]
    assert outlet.dropped == 2
    await outlet.close()


@in_loop
async def test_a_slow_client_loses_whole_frames_and_nobody_else_does() -> None:
    outlet = await open_tcp(HOST, 0)
    with client_of(outlet.address, receive_buffer=4_096) as slow, client_of(outlet.address) as fast:
        await until(lambda: outlet.clients == 2)
        for start in range(0, MANY, 50):
            send(outlet, *range(start, start + 50))
            assert seconds(await received(fast, 50 * FRAME)) == list(range(start, start + 50))
        lost = outlet.dropped
        assert MANY // 2 < lost < MANY
        assert sum(client._transport.get_write_buffer_size() for client in outlet._clients) <= FRAME
        kept = seconds(await received(slow, (MANY - lost) * FRAME))
        assert len(kept) == MANY - lost
        assert kept == sorted(set(kept))
        await asyncio.sleep(0.01)
        send(outlet, MANY)
        assert seconds(await received(slow, FRAME)) == [MANY]  # it is back
    assert outlet.dropped == lost
    await outlet.close()


@in_loop
async def test_clients_that_go_away_cost_nothing() -> None:
    outlet = await open_tcp(HOST, 0)
    with client_of(outlet.address) as staying:
        with client_of(outlet.address):
            await until(lambda: outlet.clients == 2)
        with client_of(outlet.address) as resetting:
            await until(lambda: outlet.clients >= 2)
            resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for number in range(20):
            send(outlet, number)
            await asyncio.sleep(0.001)
        assert outlet.clients == 1
        assert seconds(await received(staying, 20 * FRAME)) == list(range(20))
    await outlet.close()


@in_loop
async def test_a_client_that_says_nothing_more_still_listens() -> None:
    outlet = await open_tcp(HOST, 0)
    with client_of(outlet.address) as client:
        await until(lambda: outlet.clients)
        client.send(b"hello")
        client.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.01)
        send(outlet, 1)
        assert seconds(await received(client, FRAME)) == [1]
    await outlet.close()


@in_loop
async def test_closing_lets_clients_go_and_can_be_repeated() -> None:
    outlet = await open_tcp(HOST, 0)
    with client_of(outlet.address) as client:
        await until(lambda: outlet.clients)
        send(outlet, 1)
        await outlet.close()
        await outlet.close()
        assert seconds(await received(client, 2 * FRAME)) == [1]
        assert outlet.clients == 0
    with pytest.raises(ConnectionRefusedError), client_of(outlet.address):
        pass


@in_loop
async def test_a_port_in_use_is_named() -> None:
    outlet = await open_tcp(HOST, 0)
    with pytest.raises(TransportError, match=f"^{outlet.name}: expected a free port, found it in use by another"):
        await open_tcp(*outlet.address)
    await outlet.close()


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 7000, "192.0.2.1:7000: expected an address of this machine"),
        (HOST, 70_000, "expected 0 to 65535, found 70000"),
        ("no such host", 7000, "no such host:7000: expected a name or address of this machine"),
    ],
)
@in_loop
async def test_a_port_that_cannot_be_opened_says_why(host: str, port: int, words: str) -> None:
    with pytest.raises(TransportError, match=words):
        await open_tcp(host, port)


@in_loop
async def test_addresses_of_version_6_are_written_as_usual() -> None:
    try:
        outlet = await open_tcp("::1", 0)
    except TransportError as error:
        pytest.skip(f"no IPv6 here: {error}")
    assert outlet.name == f"[::1]:{outlet.address[1]}"
    await outlet.close()


@in_loop
async def test_each_client_gets_an_outlet_of_its_own() -> None:
    outlets = await open_tcp_each(HOST, 0, 2)
    assert {outlet.name for outlet in outlets.outlets} == {outlets.name}
    first, second = outlets.outlets
    with client_of(outlets.address) as one:
        await until(lambda: first.clients)
        with client_of(outlets.address) as two:
            await until(lambda: second.clients)
            with client_of(outlets.address) as late:
                assert await received(late, 1) == b""  # all are taken
            send(first, 1)
            send(second, 2)
            assert seconds(await received(one, FRAME)) == [1]
            assert seconds(await received(two, FRAME)) == [2]
        while second.clients:  # it may only be silent; what is sent to it tells
            send(second, 2)
            await asyncio.sleep(0.001)
        with client_of(outlets.address) as three:
            await until(lambda: second.clients)
            send(second, 3)
            assert seconds(await received(three, FRAME)) == [3]
        assert first.clients == 1
    await outlets.close()
    assert outlets.clients == first.clients == second.clients == 0
