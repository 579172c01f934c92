"""The row of encoding: pushes through their layout, beside the schema and beside reading the same stream."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import streams
from benchmarks.measure import counted, rates
from benchmarks.row import OURS, Job, Row, chunked
from benchmarks.streaming import read_floats
from e320proto import Telegram, TelegramDecoder, TelegramEncoder, encode_file, encode_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.row import Size
    from benchmarks.streams import Shape

DECODE, SCHEMA = "streaming decode", "encode_file"


def jobs(size: Size) -> Iterator[Job]:
    """One row for each shape that keeps its length."""
    for shape in (streams.E320, streams.PHASES):
        name = f"encode telegrams: {shape.meter}, {len(shape.registers) + 2} values"
        yield Job((name,), partial(_rows, name, shape, size))


def _rows(name: str, shape: Shape, size: Size) -> Iterator[Row]:
    contents = streams.contents(shape, size.distinct)
    frames = [encode_transport(content) for content in contents]
    messages = [shape.messages(number) for number in range(size.distinct)]
    encoder = TelegramEncoder(messages[0])
    # The values of every telegram, as a meter would hold them ready.
    events = TelegramDecoder().feed(b"".join(frames))
    values = [TelegramEncoder(event).values for event in events if isinstance(event, Telegram)]
    if [encoder.encode(telegram) for telegram in values] != frames:
        msg = f"{name}: expected the frames of the schema"
        raise RuntimeError(msg)
    repeats = -(-size.telegrams // size.distinct)
    stream = chunked(b"".join(frames) * repeats)
    contenders: dict[str, Callable[[], int]] = {
        OURS: partial(_encode, encoder.encode, values, repeats),
        DECODE: partial(read_floats, stream),
        SCHEMA: lambda: sum(bool(encode_transport(encode_file(push))) for push in messages),
    }
    counted(name, contenders[OURS], repeats * size.distinct)
    found = rates(contenders, size.rounds)
    rate = found[OURS]
    figures = {f"x {other}": rate / found[other] for other in (DECODE, SCHEMA)}
    yield Row(name, "telegrams", rate, rate * len(frames[0]), figures=figures)


def _encode(
    encode: Callable[[Sequence[int | bytes]], bytes], values: Sequence[Sequence[int | bytes]], repeats: int
) -> int:
    count = 0
    for _ in range(repeats):
        for telegram in values:
            encode(telegram)
            count += 1
    return count
