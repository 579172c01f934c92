"""One pass over octets: the kernel takes what it can, a plain decoder takes the rest.

::

    kernel   |frame|frame|frame|                       |frame|frame|frame| ...
    decoder                    |damaged frame|frame|noi|
                               ^ a new one             ^ everything before is an event, a frame is next

A :class:`TelegramDecoder` that has made events of all octets up to a position is in the same state as a
new one there. So whoever comes to a position, the other may go on from it. The decoder gets
small pieces at first, so that the kernel can soon go on, and larger ones as long as it cannot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from e320proto.archive.kernel_codes import DONE, FULL
from e320proto.archive.long_table import LongTable
from e320proto.archive.table import NoTable, TelegramTable
from e320proto.archive.trouble_table import TroubleTable
from e320proto.archive.wide_table import WideTable
from e320proto.sml.options import DEFAULT_OPTIONS, DecodeOptions
from e320proto.sml.telegram import Telegram, TelegramDecoder
from e320proto.sml.transport import ESCAPE, START

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from e320proto.archive.octets import Octets, Place
    from e320proto.archive.registers import Register

TableName: TypeAlias = Literal["long", "wide", "trouble"]
BATCH_ROWS: Final = 65_536
_FIRST_PIECE: Final = 1_024
_END: Final = ESCAPE + b"\x1a"
_LARGEST_PIECE: Final = 1 << 16
_BEHIND_STOP: Final = 8
"""First piece behind the octets that are wanted: the start that ends a frame whose end is lost."""
_MOST_REFUSED: Final = 64
"""Telegrams after which the kernel is asked again, even if it refused all so far."""
_LEAST_ROW: Final = 32
"""Octets of a telegram for each row of a table, at least, to guess how many rows there will be."""


class Pass:
    """Fills the tables with what octets say.

    Args:
        table: which table is wanted.
        files: names by number; ``None`` if octets come from rows.
        registers: columns of the wide table.
        options: of the decoders.
        batch_rows: rows of a batch at most.
        octets: how many octets will come.
    """

    def __init__(
        self,
        table: TableName,
        files: Sequence[str] | None,
        registers: Sequence[Register] = (),
        options: DecodeOptions = DEFAULT_OPTIONS,
        *,
        batch_rows: int = BATCH_ROWS,
        octets: int = 1 << 62,
    ) -> None:
        self.options = options
        self.trouble = TroubleTable(batch_rows, files)
        room = min(octets // _LEAST_ROW, batch_rows)
        self.telegrams: TelegramTable = NoTable(options)
        if table == "long":
            self.telegrams = LongTable(batch_rows, files, options, room)
        elif table == "wide":
            self.telegrams = WideTable(batch_rows, files, options, registers, room)
        self._decoder: TelegramDecoder | None = None
        self._base = 0  # position in the stream where the decoder's offset 0 would be
        self._fed = 0  # octets that the decoder got
        self._left = True  # whether the decoder is not where the place is
        self._piece = 0
        self._refusals = 0  # of the kernel, one after the other

    @property
    def wanted(self) -> pa.Schema:
        """The schema of the table that is wanted."""
        return (self.trouble if isinstance(self.telegrams, NoTable) else self.telegrams).schema

    def take(self, on_trouble: Callable[[pa.RecordBatch], object] | None) -> list[pa.RecordBatch]:
        """The batches that are complete."""
        trouble = self.trouble.take()
        if isinstance(self.telegrams, NoTable):
            return trouble
        if on_trouble is not None:
            for batch in trouble:
                on_trouble(batch)
        return self.telegrams.take()

    def flush(self) -> None:
        """End the batches."""
        self.trouble.flush()
        self.telegrams.flush()

    def begin(self) -> None:
        """Begin another file."""
        self._leave()

    def _leave(self) -> None:
        """Go on elsewhere; a decoder that holds nothing is as new, but for its offsets."""
        self._left = True
        if self._decoder is not None and self._decoder.buffered:
            self._decoder = None

    def run(self, octets: Octets, place: Place) -> None:
        """Decode from a place on as far as the octets go; the place is moved to where that is."""
        while True:
            before = place.stream, place.position
            result = self.telegrams.fill(octets, place)
            if (place.stream, place.position) != before:
                self._leave()
                self._refusals = 0
            if result == DONE:
                return
            if result == FULL and self.telegrams.rows:
                self.telegrams.flush()
                continue
            left = int(octets.ends[place.stream]) - place.position
            if not octets.final and left < self.telegrams.known.longest:
                return
            self._refusals += 1
            if not self._decode(octets, place):
                return

    def _decode(self, octets: Octets, place: Place) -> bool:
        """Go on with a decoder until the kernel can. Whether there were octets enough."""
        at = place.stream
        start, stop, end = int(octets.starts[at]), int(octets.stops[at]), int(octets.ends[at])
        base = octets.base - start  # of position 0 in the stream
        decoder = self._decoder_at(place.position, base, octets.view)
        source = octets.source + at
        # Where the kernel refuses frame after frame, it is asked less and less often.
        patience = min((self._refusals - 1) ** 2, _MOST_REFUSED)
        while True:
            fed = self._base + self._fed - base
            if fed < end:
                after = self._after(fed, stop, end)
                events = decoder.feed(octets.view[fed:after])
                self._fed += after - fed
                reached = after - decoder.buffered
            elif octets.final:
                events = decoder.close()
                reached = end
                self._decoder = None
            else:
                return False
            for event in events:
                if isinstance(event, Telegram):
                    patience -= 1
                    begin = self._base - base + event.offset
                    if patience < 0 and self.telegrams.known.may_fit(octets.view, begin, end):
                        place.position = begin
                        self._decoder = None
                        return True
                    self.telegrams.known.see(event)
                    self.telegrams.add(event, source, self._base)
                else:
                    self.trouble.add(event, source, self._base)
            if reached > place.position:
                place.position = reached
                if reached >= min(stop, end) or (patience <= 0 and self._may_go_on(octets.view, reached, end)):
                    return True

    def _decoder_at(self, position: int, base: int, view: memoryview) -> TelegramDecoder:
        """The decoder, made ready for the octets at a position if it was not there already."""
        if self._decoder is None:
            self._decoder, self._fed = TelegramDecoder(self.options), 0
            self._left = True
        if self._left:
            self._left = False
            self._base = position + base - self._fed
            self._piece = _first_piece(view, position)
        return self._decoder

    def _may_go_on(self, view: memoryview, position: int, end: int) -> bool:
        """Whether the kernel may take what is at a position; behind one damaged frame it need not be looked at."""
        if self._refusals <= 1:
            return view[position : position + len(START)] == START
        return self.telegrams.known.may_fit(view, position, end)

    def _after(self, fed: int, stop: int, end: int) -> int:
        """End of the next piece for the decoder."""
        if fed >= stop:
            self._piece = min(self._piece, _BEHIND_STOP)
        after = min(fed + self._piece, end)
        self._piece = min(2 * self._piece, _LARGEST_PIECE)
        return min(after, stop) if fed < stop else after


def _first_piece(view: memoryview, position: int) -> int:
    """Octets up to where the frame at a position seems to end: it is likely that only this one is damaged."""
    found = bytes(view[position : position + _FIRST_PIECE]).find(_END, len(START))
    return _FIRST_PIECE if found < 0 else found + len(_END) + 3
