"""First and last values, and changes of the status word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e320proto import ListEntry, ObisCode, Unsigned
from e320proto.report import registers as module
from e320proto.report.status_changes import KEPT

if TYPE_CHECKING:
    import pytest

    from tests.report.conftest import Collect, Push


def test_registers_that_come_and_go(collect: Collect, push: Push) -> None:
    current = ListEntry(obj_name=ObisCode.parse("31.7.0"), unit=33, scaler=-2, value=Unsigned(512, 4))
    pieces = [push(1, imported=10), push(2, imported=11, others=(current,)), push(3, imported=13, exported=None)]
    (meter,) = collect(pieces).meters.values()
    found = {
        one.last.obis.short: (str(one.first.value), str(one.last.value), one.telegrams, str(one.counted))
        for one in meter.registers
    }
    assert found == {
        "1.8.0": ("1.0 Wh", "1.3 Wh", 3, "0.3 Wh"),
        "2.8.0": ("0.0 Wh", "0.0 Wh", 2, "0.0 Wh"),
        "16.7.0": ("100 W", "100 W", 3, "None"),
        "31.7.0": ("5.12 A", "5.12 A", 1, "None"),
    }
    assert [one.telegrams for one in meter.registers] == [3, 2, 3, 1], "asking twice counts nothing twice"


def test_a_register_sent_twice_in_a_telegram_is_one(collect: Collect, push: Push) -> None:
    again = ListEntry(obj_name=ObisCode.parse("1.8.0"), unit=30, scaler=-1, value=Unsigned(999, 8))
    (meter,) = collect([push(1, imported=1, others=(again,)), push(2, imported=2, others=(again,))]).meters.values()
    register = next(iter(meter.registers))
    assert (str(register.first.value), str(register.last.value), register.telegrams) == ("0.1 Wh", "0.2 Wh", 2)


def test_registers_beyond_the_limit_are_counted(collect: Collect, push: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    extra = tuple(ListEntry(obj_name=bytes([1, 0, 99, 7, n, 255]), value=Unsigned(n)) for n in range(2))
    (meter,) = collect([push(1, others=extra)]).meters.values()
    assert len(list(meter.registers)) == 3
    assert meter.registers.left_out == 2


def test_status_changes_bit_by_bit(collect: Collect, push: Push) -> None:
    words = [0x1C0104, 0x1C0904, 0x1C0904, 0x1C0104, 0x080104]
    (meter,) = collect(push(second, status=word) for second, word in enumerate(words)).meters.values()
    assert [(change.place.t_ms, change.words()) for change in meter.statuses.kept] == [
        (1000, (["export on sum"], [])),
        (3000, ([], ["export on sum"])),
        (4000, ([], ["voltage on L1", "voltage on L3"])),
    ]
    assert [(bit.words, bit.risen, bit.fallen, bit.last.t_ms) for bit in meter.statuses.bits()] == [
        ("export on sum", 1, 1, 3000),
        ("voltage on L1", 0, 1, 4000),
        ("voltage on L3", 0, 1, 4000),
    ]


def test_more_status_changes_than_are_kept_are_counted(collect: Collect, push: Push) -> None:
    words = (0x1C0104, 0x1C0904)
    (meter,) = collect(push(second, status=words[second % 2]) for second in range(KEPT + 30)).meters.values()
    assert len(meter.statuses.kept) == KEPT
    assert meter.statuses.count == KEPT + 29
