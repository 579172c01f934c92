"""INFO pushes, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e320proto import (
    DeviceId,
    EncodeError,
    ObisCode,
    ServerId,
    Telegram,
    TelegramDecoder,
    encode_file,
    encode_transport,
)
from e320proto.meter.info import POWER, InfoSnapshot, info_messages, info_telegram, pushed_registers
from e320proto.meter.modes import QUADRANTS, DataSet, Mode
from tests.meter.vectors import VECTORS

PUSHES = VECTORS["synthetic_pushes"]["items"]
SERVER_ID = bytes.fromhex("0a014c475a0003c988dd")
U32 = st.integers(0, (1 << 32) - 1)


def snapshot_of(vector: dict[str, Any]) -> InfoSnapshot:
    inputs = vector["inputs"]
    registers = {"1.8.0": inputs["register_1_8_0_dwh"], "2.8.0": inputs["register_2_8_0_dwh"]}
    return InfoSnapshot(
        server_id=DeviceId.parse(inputs["device_id"]).server_id().raw,
        sec_index=inputs["sec_index"],
        push_counter=inputs["push_counter_N"],
        status=int(inputs["status"], 16),
        registers={code: dwh for code, dwh in registers.items() if dwh is not None},  # type: ignore[misc]
        power_w=inputs["power_w"],
        mode=vector["mode"],
        data_set=vector["set"],
    )


def telegram_of(frame: bytes) -> Telegram:
    (telegram,) = TelegramDecoder().feed(frame)
    assert isinstance(telegram, Telegram)
    return telegram


@pytest.mark.parametrize("vector", PUSHES, ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    frame = info_telegram(snapshot_of(vector))
    assert frame.hex() == vector["hex"]
    assert len(frame) == vector["length"]
    assert [str(code) for code in telegram_of(frame).codes] == [
        str(ObisCode.parse(code if "*" not in code else f"1-0:{code}")) for code in vector["objects"]
    ]


@given(
    mode=st.sampled_from(Mode),
    data_set=st.sampled_from(DataSet),
    reactive=st.booleans(),
    signed=st.booleans(),
    counters=st.tuples(U32, U32, U32),
    energies=st.lists(st.integers(0, (1 << 64) - 1), min_size=6, max_size=6),
    power=st.integers(-(1 << 63), (1 << 63) - 1),
    server_id=st.binary(min_size=10, max_size=10) | st.just(b"\x1b" * 10),
)
def test_equal_to_the_schema(
    mode: Mode,
    data_set: DataSet,
    reactive: bool,  # noqa: FBT001
    signed: bool,  # noqa: FBT001
    counters: tuple[int, int, int],
    energies: list[int],
    power: int,
    server_id: bytes,
) -> None:
    codes = pushed_registers(mode, reactive=reactive)
    if mode is Mode.BALANCED and signed:
        energies = [energy - (1 << 63) for energy in energies]
    snapshot = InfoSnapshot(
        server_id=server_id,
        sec_index=counters[0],
        push_counter=counters[1],
        status=counters[2],
        registers=dict(zip(codes, energies, strict=False)),
        power_w=power,
        mode=mode,
        data_set=data_set,
        reactive=reactive,
        signed=signed,
    )
    frame = info_telegram(snapshot)
    assert frame == encode_transport(encode_file(info_messages(snapshot)))
    telegram = telegram_of(frame)
    assert telegram.server_octets == server_id
    numbers = {entry.obis: entry for entry in telegram.entries if entry.unit is not None}
    assert set(numbers) == {*codes} | ({POWER} if data_set is DataSet.EXTENDED else set())
    for code in codes:
        scaler = 3 if data_set is DataSet.REDUCED else -1
        assert numbers[code].scaler == scaler
        least = snapshot.registers[code]
        assert abs(numbers[code].raw) == (abs(least) // 10_000 if scaler == 3 else abs(least))  # type: ignore[arg-type]


def test_reactive_energy_has_its_unit() -> None:
    registers = dict.fromkeys(pushed_registers(Mode.QUADRANTS, reactive=True), 5)
    snapshot = replace(snapshot_of(PUSHES[0]), mode=Mode.QUADRANTS, registers=registers, reactive=True)
    units = {entry.obis: entry.unit for entry in telegram_of(info_telegram(snapshot)).entries}
    assert {units[code] for code in QUADRANTS} == {32}


def test_counters_wrap() -> None:
    snapshot = replace(snapshot_of(PUSHES[0]), push_counter=(1 << 32) - 1)
    ids = [message.transaction_id.hex() for message in telegram_of(info_telegram(snapshot)).messages]
    assert ids == ["fffffffe", "ffffffff", "00000000"]


@pytest.mark.parametrize("server_id", [SERVER_ID.hex(), ServerId.parse(SERVER_ID.hex()), bytearray(SERVER_ID)])
def test_forms_of_a_server_id(server_id: Any) -> None:  # noqa: ANN401 - any form
    assert replace(snapshot_of(PUSHES[0]), server_id=server_id).server_id == SERVER_ID


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"server_id": b"123"}, "server_id"),
        ({"server_id": "no id"}, "server_id"),
        ({"server_id": None}, "server_id"),
        ({"mode": 6}, "mode"),
        ({"mode": "one"}, "mode"),
        ({"data_set": "full"}, "data_set"),
        ({"registers": {"no code": 1}}, "registers"),
        ({"registers": {"2.8.0": 1}}, "registers"),
        ({"registers": {"1.8.0": -10_000}}, "list.val_list[2].value"),
        ({"registers": {"1.8.0": 1 << 64}, "data_set": "extended"}, "list.val_list[2].value"),
        ({"sec_index": -1}, "open.ref_time"),
        ({"sec_index": 1 << 32}, "open.ref_time"),
        ({"status": 1 << 32}, "list.val_list[2].status"),
        ({"power_w": 1 << 63, "data_set": "extended"}, "list.val_list[3].value"),
    ],
)
def test_what_a_push_cannot_say(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        info_telegram(replace(snapshot_of(PUSHES[0]), **fields))
    assert caught.value.path == path
