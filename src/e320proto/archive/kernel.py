"""The inner loop, compiled: frames of known layouts straight into columns.

For the frame at a position, the layout that followed the last one the time before is tried first,
then those whose end would be where an end is::

    octets     1b1b1b1b01010101 76 05 00a1b2c3 62 00 ... 52 ff 59 0000000000bc614e ... 1b1b1b1b1a00 c1c2
    1. others  no 1b in the data where four would meet: they would be an escape
    2. steady  ======== same as in the last frame of the layout =========............ but for data that run
               then only what differs from that frame matters to the checksums
    3. mask    ======== same as in every frame of the layout ...          if 2. says no
               then the checksums are found in one go over the frame

X-25 is linear: which octets differ from those of a right frame decides how its checksum differs. So
for each octet that runs there is a table of what its 256 values do to the four checksums of the
frame and of its three messages, 16 bits each, to be combined by xor.

A frame that fits no layout, has a wrong checksum or may need a rule ends the run; so does a full batch.
This is the only module that imports numba. Layouts are data here, so everything is compiled once,
and kept on disk for the next process.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from e320proto.archive.kernel_codes import (
    BASE,
    DONE,
    FULL,
    OCTETS,
    POSITION,
    ROWS,
    SIGNED,
    SOURCE,
    STREAM,
    TAKEN,
    UNKNOWN,
    UNSIGNED,
)

# An option that numba has without naming it in its documents: nothing is allocated here, and counting the
# references of fifty arrays takes longer than the work itself.
_njit: Any = njit
_intrinsic: Any = intrinsic
compiled: Any = _njit(_nrt=False)
inlined: Any = _njit(_nrt=False, forceinline=True)
cached: Any = _njit(_nrt=False, cache=True)

_RUN = np.uint8(0x1B)
_RUNS = np.uint64(0x1B1B1B1B1B1B1B1B)
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_END = np.uint64(0x1A1B1B1B1B)
_END_MASK = np.uint64(0xFFFFFFFFFF)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_OCTET = np.uint64(0xFF)
_ALL = np.uint64(0xFFFF)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_TIMESTAMP = 2
_ESCAPE = 4
_DZG = np.uint64(0x475A44)
_THREE = np.uint64(0xFFFFFF)


@_intrinsic
def _word(_typing: Any, _array: Any, _at: Any) -> Any:  # noqa: ANN401 - the signature of numba
    """Eight octets at a position as a number, low octet first, wherever they begin."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        array, at = arguments
        octets = context.make_array(signature.args[0])(context, builder, array).data
        word = builder.bitcast(builder.gep(octets, [at]), ir.IntType(64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(_array, types.intp), code


@_intrinsic
def _item(_typing: Any, _array: Any, _at: Any) -> Any:  # noqa: ANN401 - the signature of numba
    """An item of an array; unlike ``array[at]``, never counted from its end, which would cost a test."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        array, at = arguments
        items = context.make_array(signature.args[0])(context, builder, array).data
        return builder.load(builder.gep(items, [at]))

    return _array.dtype(_array, types.intp), code


@_intrinsic
def _swapped(_typing: Any, _number: Any) -> Any:  # noqa: ANN401 - the signature of numba
    """The octets of a word in the other order."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), code


@inlined
def _unsigned(data, start, octets):
    """A number of 1 to 8 octets; behind it there are 8 octets more, at least those of the end."""
    return _swapped(_word(data, start)) >> np.uint64(64 - 8 * octets)


@inlined
def _signed(data, start, octets):
    return np.int64(_swapped(_word(data, start))) >> np.int64(64 - 8 * octets)


@compiled
def _has_escape(data, start, end):
    """Whether four 1b begin between two positions."""
    run = 0
    for at in range(start, end + 3):
        if data[at] == _RUN:
            run += 1
            if run == _ESCAPE:
                return True
        else:
            run = 0
    return False


@inlined
def _word_escapes(word, others):
    """Whether an octet of a word is 1b, but for the others: the usual test for a zero in a word."""
    found = (word ^ _RUNS) | others
    return (found - _ONES) & ~found & _HIGHS


@inlined
def _share(data, position, tables, layout):
    """What the octets that run do to the four checksums."""
    found = np.uint64(0)
    for at in range(layout.first_place, layout.first_place + layout.running):
        octet = np.int64(_item(data, position + _item(tables.places, at)))
        found ^= _item(tables.checks, 256 * at + octet)
    return found


@inlined
def _effect(advances, behind, octet):
    """What an octet does to a checksum with so many octets behind it."""
    return _item(advances, 256 * behind + np.int64(octet))


@compiled
def _advanced(data, start, end, state, advances):
    """The register of X-25 after some more octets: 16, 4 or 1 at a time."""
    at = start
    while at + 16 <= end:
        low, high = _word(data, at), _word(data, at + 8)
        rest = np.uint64(0)
        for number in range(8):
            rest ^= np.uint64(_effect(advances, 7 - number, (high >> np.uint64(8 * number)) & _OCTET))
        for number in range(2, 8):
            rest ^= np.uint64(_effect(advances, 15 - number, (low >> np.uint64(8 * number)) & _OCTET))
        low ^= state  # last, because only this waits for what was before
        first = np.uint64(_effect(advances, 15, low & _OCTET))
        state = rest ^ first ^ np.uint64(_effect(advances, 14, (low >> np.uint64(8)) & _OCTET))
        at += 16
    while at + 4 <= end:
        low = _word(data, at) ^ state
        state = np.uint64(0)
        for number in range(4):
            state ^= np.uint64(_effect(advances, 3 - number, (low >> np.uint64(8 * number)) & _OCTET))
        at += 4
    while at < end:
        state = (state >> np.uint64(8)) ^ np.uint64(_effect(advances, 0, (state ^ _item(data, at)) & _OCTET))
        at += 1
    return state


@compiled
def _is_sound(data, position, layout, advances):
    """Whether the four checksums of a frame are right, all found in one go over its octets.

    The register of a message alone is that of the frame at its end, without what was before it.
    """
    state = _ALL
    at = position
    for number in range(3):
        start, end = position + layout.starts[number], position + layout.ends[number]
        before = _advanced(data, at, start, state, advances)
        state = _advanced(data, start, end, before, advances)
        before ^= _ALL
        known = np.uint64(_effect(advances, end - start - 1, before & _OCTET))
        known ^= np.uint64(_effect(advances, end - start - 2, before >> np.uint64(8)))
        if (state ^ known ^ _ALL) != (_word(data, end + 1) & _ALL):
            return False
        at = end
    end = position + layout.octets - 2
    state = _advanced(data, at, end, state, advances)
    return (state ^ _ALL) == np.uint64(_item(data, end)) | (np.uint64(_item(data, end + 1)) << np.uint64(8))


@compiled
def _is_right(data, position, tables, number):
    """Whether a frame with the skeleton of a layout is a right one; if so, it is the last one now."""
    layout = tables.layouts[number]
    first, octets, last = layout.first, layout.octets, tables.last
    if not _is_sound(data, position, layout, tables.advances):
        return False
    to, octet = last[first : first + octets], data[position : position + octets]
    for at in range(octets):
        to[at] = octet[at]
    tables.has_share[number] = 0
    tables.recent[number] = -1
    return True


@inlined
def _fits(data, position, end, tables, number):
    """Whether the octets at a position are a right frame of a layout."""
    layout = tables.layouts[number]
    first, octets = layout.first, layout.octets
    if position + octets > end:
        return False
    last, steady, mask, others = tables.last, tables.steady, tables.mask, tables.others
    word = _word(data, position + octets - 8) ^ _word(last, first + octets - 8)
    unsteady, unlike = word & _word(steady, first + octets - 8), word & _word(mask, first + octets - 8)
    escape = np.uint64(0)
    for at in range(0, octets - 7, 8):
        word = _word(data, position + at)
        escape |= _word_escapes(word, _word(others, first + at))
        word ^= _word(last, first + at)
        unsteady |= word & _word(steady, first + at)
        unlike |= word & _word(mask, first + at)
    if unlike or (escape and _has_escape(data, position + 8, position + octets - 8)):
        return False
    if unsteady:
        return _is_right(data, position, tables, number)
    if not tables.has_share[number]:
        tables.shares[number] = _share(last, first, tables, layout)
        tables.has_share[number] = 1
    return _share(data, position, tables, layout) == tables.shares[number]


@inlined
def _layout_at(data, position, end, tables, before):
    """The layout of the frame at a position, -1 if it has none."""
    if before >= 0:
        guess = tables.follows[before]
        if guess >= 0 and _fits(data, position, end, tables, guess):
            return guess
    for group in range(len(tables.lengths)):
        after = position + tables.lengths[group]
        if after > end or (_word(data, after - 8) & _END_MASK) != _END:
            continue
        number = tables.heads[group]
        while number >= 0:
            if _fits(data, position, end, tables, number):
                if before >= 0:
                    tables.follows[before] = number
                return number
            number = tables.layouts[number].next
    return -1


@compiled
def _is_dzg(data, start, end):
    """Whether the flag DZG is between two positions; behind the end there are 8 octets more."""
    found = False
    for at in range(start, end - 2):
        found |= (_word(data, at) & _THREE) == _DZG
    return found


@compiled
def _needs_rule(data, position, tables, layout):
    """Whether the sign rule for DZG meters may change the frame."""
    if not layout.status_octets:
        return False
    word = _unsigned(data, position + layout.status, layout.status_octets)
    for at in range(layout.first_entry, layout.first_entry + layout.entries):
        entry = tables.entries[at]
        if entry.export and entry.kind == SIGNED and _item(data, position + entry.value) & 0x80:
            if word & np.uint64(entry.export):
                continue
            return _is_dzg(data, position + 8, position + layout.octets - 8)
    return False


@cached
def find_meter(data, start, octets, meters):
    """The index of an id of at most 16 octets; a new one if it was not seen in this batch."""
    low = np.uint64(octets)
    high = np.uint64(0)
    for at in range(octets):
        high = (high << np.uint64(8)) | (low >> np.uint64(56))
        low = (low << np.uint64(8)) | np.uint64(data[start + at])
    place = ((low ^ (high * _PRIME)) * _PRIME) >> meters.shift[0]
    size = np.uint64(len(meters.slots) - 1)
    while True:
        index = meters.slots[place]
        if index < 0:
            break
        if meters.lengths[index] == octets:
            same = True
            for at in range(octets):
                same = same and meters.ids[index, at] == data[start + at]
            if same:
                return index
        place = (place + np.uint64(1)) & size
    index = np.int32(meters.used[0])
    meters.used[0] += 1
    meters.slots[place] = index
    meters.lengths[index] = octets
    for at in range(octets):
        meters.ids[index, at] = data[start + at]
    return index


@inlined
def _meter(data, position, tables, number, meters):
    """The index of the meter of a frame."""
    layout = tables.layouts[number]
    if layout.id_octets < 0:
        return np.int32(-1)
    index = tables.recent[number]
    if index < 0:
        index = find_meter(data, position + layout.id, layout.id_octets, meters)
        tables.recent[number] = index
    return index


@inlined
def _put_decimal(words, row, number, is_signed, factor, limit):
    """Write a number times a factor as 128 bits."""
    value = np.int64(number)
    if (is_signed or value >= 0) and -limit <= value <= limit:
        product = value * factor
        words[row, 0] = product
        words[row, 1] = product >> np.int64(63)
    else:
        _put_large(words, row, number, is_signed and value < 0, factor)


@compiled
def _put_large(words, row, number, negative, factor):
    """The same for a product of more than 63 bits, in halves."""
    size = np.uint64(0) - number if negative else number
    times = np.uint64(factor)
    low_low = (size & _LOW) * (times & _LOW)
    low_high = (size & _LOW) * (times >> _HALF)
    high_low = (size >> _HALF) * (times & _LOW)
    middle = (low_low >> _HALF) + (low_high & _LOW) + (high_low & _LOW)
    low = (middle << _HALF) | (low_low & _LOW)
    high = (size >> _HALF) * (times >> _HALF) + (low_high >> _HALF) + (high_low >> _HALF) + (middle >> _HALF)
    if negative:
        low = np.uint64(0) - low
        high = ~high + np.uint64(low == 0)
    words[row, 0] = np.int64(low)
    words[row, 1] = np.int64(high)


@inlined
def _put_long(data, position, row, tables, number, to, meter, offset, source):
    """Write the rows of one telegram."""
    layout = tables.layouts[number]
    seconds = np.uint64(0)
    if layout.time_octets:
        seconds = _unsigned(data, position + layout.time, layout.time_octets)
    counter = layout.time_octets > 0 and layout.time_choice != _TIMESTAMP
    stamp = layout.time_octets > 0 and layout.time_choice == _TIMESTAMP
    # Beside a counter of the list that runs, the times of entries that are 0 are none.
    runs = layout.sensor_octets > 0 and _unsigned(data, position + layout.sensor, layout.sensor_octets) != 0
    for index in range(layout.entries):
        entry = tables.entries[layout.first_entry + index]
        to.source[row] = source
        to.meter[row] = meter
        to.offset[row] = offset
        to.sec_index[row] = np.uint32(seconds if counter else np.uint64(0))
        to.has_sec_index[row] = counter
        to.timestamp[row] = np.int64(seconds if stamp else np.uint64(0))
        to.has_timestamp[row] = stamp
        to.entry[row] = index
        to.obis[row] = entry.obis
        to.scaler[row] = entry.scaler
        to.has_scaler[row] = entry.has_scaler
        to.unit[row] = entry.unit
        _put_number(data, position, row, entry, to)
        word = np.uint64(0)
        if entry.status_octets:
            word = _unsigned(data, position + entry.status, entry.status_octets)
        to.status[row] = word
        to.has_status[row] = entry.status_octets > 0
        time = np.uint64(0)
        if entry.time_octets:
            time = _unsigned(data, position + entry.time, entry.time_octets)
        to.val_time[row] = np.uint32(time)
        to.has_val_time[row] = entry.time_octets > 0 and not (runs and time == 0 and entry.time_choice != _TIMESTAMP)
        _put_octets(data, position + entry.signature, entry.signature_octets, to.signature, to.signature_end, row)
        to.has_signature[row] = entry.signature_octets > 0
        octets = entry.value_octets if entry.kind == OCTETS else 0
        _put_octets(data, position + entry.value, octets, to.octets, to.octets_end, row)
        to.has_octets[row] = entry.kind == OCTETS
        row += 1


@inlined
def _put_number(data, position, row, entry, to):
    """Write the columns ``raw`` and ``value``."""
    number = np.uint64(0)
    is_signed = entry.kind == SIGNED
    is_number = is_signed or entry.kind == UNSIGNED
    if is_signed:
        number = np.uint64(_signed(data, position + entry.value, entry.value_octets))
    elif is_number:
        number = _unsigned(data, position + entry.value, entry.value_octets)
    to.raw[row, 0] = np.int64(number)
    to.raw[row, 1] = np.int64(number) >> np.int64(63) if is_signed else np.int64(0)
    to.has_raw[row] = is_number
    _put_decimal(to.value, row, number, is_signed, entry.factor, entry.limit)
    to.has_value[row] = is_number


@inlined
def _put_octets(data, start, octets, to, ends, row):
    """Put octets behind those of the row before."""
    end = ends[row]
    for at in range(octets):
        to[end + at] = data[start + at]
    ends[row + 1] = end + octets


@inlined
def _next_frame(data, starts, stops, ends, state, tables, before):
    """The layout of the next frame: -1 if the plain decoder has to take it, -2 if nothing is left."""
    while state[POSITION] >= stops[state[STREAM]]:
        if state[STREAM] + 1 == len(starts):
            return -2
        state[STREAM] += 1
        state[POSITION] = starts[state[STREAM]]
    position = state[POSITION]
    number = _layout_at(data, position, ends[state[STREAM]], tables, before)
    if number >= 0 and tables.layouts[number].dzg and _needs_rule(data, position, tables, tables.layouts[number]):
        return -1
    return number


@cached
def fill_long(data, starts, stops, ends, state, tables, meters, to):
    """Fill the long table from the place in ``state`` on; see :class:`e320proto.archive.octets.Octets`."""
    tables.recent[:] = -1
    number = -1
    while True:
        number = _next_frame(data, starts, stops, ends, state, tables, number)
        if number < 0:
            return UNKNOWN if number == -1 else DONE
        layout = tables.layouts[number]
        row, position = state[ROWS], state[POSITION]
        if (
            row + layout.entries > len(to.entry)
            or to.signature_end[row] + layout.signatures > len(to.signature)
            or to.octets_end[row] + layout.values > len(to.octets)
        ):
            return FULL
        meter = _meter(data, position, tables, number, meters)
        offset = position - starts[state[STREAM]] + state[BASE]
        _put_long(data, position, row, tables, number, to, meter, offset, state[SOURCE] + state[STREAM])
        state[ROWS] += layout.entries
        state[POSITION] += layout.octets
        state[TAKEN] += 1


@inlined
def _put_wide(data, position, row, tables, number, slots, to):
    """Write the row of one telegram, but for where it comes from."""
    layout = tables.layouts[number]
    if layout.time_octets:
        seconds = _unsigned(data, position + layout.time, layout.time_octets)
        if layout.time_choice == _TIMESTAMP:
            to.timestamp[row] = np.int64(seconds)
            to.has_timestamp[row] = True
        else:
            to.sec_index[row] = np.uint32(seconds)
            to.has_sec_index[row] = True
    if layout.status_octets:
        to.status[row] = _unsigned(data, position + layout.status, layout.status_octets)
        to.has_status[row] = True
    other = to.others_end[row]
    for at in range(layout.first_entry, layout.first_entry + layout.entries):
        slot = slots[at]
        if slot == -1:
            continue
        entry = tables.entries[at]
        is_signed = entry.kind == SIGNED
        if is_signed:
            value = np.uint64(_signed(data, position + entry.value, entry.value_octets))
        else:
            value = _unsigned(data, position + entry.value, entry.value_octets)
        if slot >= 0:
            _put_decimal(to.value[slot], row, value, is_signed, entry.factor, entry.limit)
            to.has_value[slot, row] = True
        else:
            _put_decimal(to.other_value, other, value, is_signed, entry.factor, entry.limit)
            to.has_other_value[other] = True
            to.other_obis[other] = entry.obis
            other += 1
    to.others_end[row + 1] = other


@cached
def fill_wide(data, starts, stops, ends, state, tables, meters, slots, to):
    """Fill the wide table; ``slots`` has the column of each row of ``entries``."""
    tables.recent[:] = -1
    number = -1
    while True:
        number = _next_frame(data, starts, stops, ends, state, tables, number)
        if number < 0:
            return UNKNOWN if number == -1 else DONE
        layout = tables.layouts[number]
        row, position = state[ROWS], state[POSITION]
        if row == len(to.offset) or to.others_end[row] + layout.entries > len(to.other_obis):
            return FULL
        to.source[row] = state[SOURCE] + state[STREAM]
        to.meter[row] = _meter(data, position, tables, number, meters)
        to.offset[row] = position - starts[state[STREAM]] + state[BASE]
        _put_wide(data, position, row, tables, number, slots, to)
        state[ROWS] += 1
        state[POSITION] += layout.octets
        state[TAKEN] += 1


@cached
def skip(data, starts, stops, ends, state, tables):
    """Only go over the frames, for those who want the trouble between them."""
    number = -1
    while True:
        number = _next_frame(data, starts, stops, ends, state, tables, number)
        if number < 0:
            return UNKNOWN if number == -1 else DONE
        state[POSITION] += tables.layouts[number].octets
        state[TAKEN] += 1
