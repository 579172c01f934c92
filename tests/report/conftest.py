"""Telegrams for reports: a meter whose registers and clock a test sets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import pytest

from e320proto import (
    GetListRes,
    Integer,
    ListEntry,
    Message,
    ObisCode,
    PublicCloseRes,
    PublicOpenRes,
    SecIndex,
    ServerId,
    Unsigned,
    encode_file,
    encode_transport,
)
from e320proto.report.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e320proto import LocalTimestamp, Timestamp
    from e320proto.report.collector import Findings

METER = "1LGZ0012345678"
IMPORTING, EXPORTING = 0x1C0104, 0x1C0904


class Push(Protocol):
    """Makes a telegram."""

    def __call__(
        self,
        time: SecIndex | Timestamp | LocalTimestamp | int | None,
        *,
        imported: int | None = ...,
        exported: int | None = ...,
        watts: int | None = ...,
        scaler: int = ...,
        status: int = ...,
        meter: str = ...,
        others: tuple[ListEntry, ...] = ...,
    ) -> bytes:
        """Give the octets; energies in steps of the scaler, a number for a time is a counter of seconds."""


class Collect(Protocol):
    """Collects a capture."""

    def __call__(self, pieces: Iterable[bytes | tuple[float, bytes]], name: str = ...) -> Findings:
        """Give what was found; a pair is a time of arrival and octets."""


@pytest.fixture(scope="session")
def push() -> Push:
    @lru_cache(maxsize=20_000)  # many tests have the same ones, and to encode takes long
    def make(
        time: SecIndex | Timestamp | LocalTimestamp | int | None,
        *,
        imported: int | None = 0,
        exported: int | None = 0,
        watts: int | None = 100,
        scaler: int = -1,
        status: int = IMPORTING,
        meter: str = METER,
        others: tuple[ListEntry, ...] = (),
    ) -> bytes:
        server = ServerId.parse(meter).raw
        entries = [
            ListEntry(
                obj_name=ObisCode.parse(code),
                unit=30,
                scaler=scaler,
                value=Unsigned(raw, 8),
                status=Unsigned(status, 4),
            )
            for code, raw in (("1.8.0", imported), ("2.8.0", exported))
            if raw is not None
        ]
        if watts is not None:
            entries.append(ListEntry(obj_name=ObisCode.parse("16.7.0"), unit=27, scaler=0, value=Integer(watts, 4)))
        clock = SecIndex(time) if isinstance(time, int) else time
        bodies = (
            PublicOpenRes(req_file_id=b"1", server_id=server),
            GetListRes(server_id=server, act_sensor_time=clock, val_list=(*entries, *others)),
            PublicCloseRes(),
        )
        return encode_transport(encode_file([Message(transaction_id=b"1", message_body=body) for body in bodies]))

    return make


@pytest.fixture(scope="session")
def collect() -> Collect:
    def run(pieces: Iterable[bytes | tuple[float, bytes]], name: str = "capture.bin") -> Findings:
        collector = Collector()
        collector.begin(name)
        for piece in pieces:
            if isinstance(piece, bytes):
                collector.feed(piece)
            else:
                collector.feed(piece[1], piece[0])
        collector.end()
        return collector.findings

    return run
