"""Octets of any kind go in; nothing but documented errors and events comes out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e320proto import (
    BytesDiscarded,
    DecodeError,
    DecodeOptions,
    Direction,
    Limits,
    Malformed,
    Message,
    Telegram,
    TelegramDecoder,
    decode_file,
    encode_file,
    encode_transport,
    read_messages,
)
from e320proto.crc import CrcKind
from e320proto.sml.transport import ESCAPE
from tests.contracts import strategies as s

WORDS = (
    b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01",
    b"\x1b\x1b\x1b\x1b\x1a",
    bytes.fromhex("7605000000046200620072"),
    bytes.fromhex("630701"),
    bytes.fromhex("630501"),
    bytes.fromhex("72620165"),
    bytes.fromhex("77070100010800ff"),
    b"\x01\x01\x01\x01",
)
TL_OCTETS = bytes.fromhex("00 01 02 0f 42 52 55 59 62 63 65 69 70 71 72 73 76 77 7f 81 f1 ff")
soup = st.lists(st.sampled_from(WORDS) | st.sampled_from(TL_OCTETS).map(lambda octet: bytes((octet,)))).map(b"".join)
anything = st.binary(max_size=200) | soup
options_in_use = st.builds(
    DecodeOptions,
    frame_crc_kind=st.sampled_from(("auto", "x25", "kermit", "none")),
    message_crc_kind=st.sampled_from(("auto", "x25", "kermit")),
    message_crc=st.sampled_from(("strict", "lenient")),
    limits=st.builds(
        Limits,
        max_frame=st.integers(16, 300),
        max_depth=st.integers(1, 32),
        max_list=st.integers(1, 30),
        max_octets=st.integers(1, 300),
        max_tl_octets=st.integers(1, 8),
        max_resync=st.integers(1, 3),
        noise_block=st.integers(1, 60),
    ),
)


@st.composite
def signed_soup(draw: st.DrawFn) -> bytes:
    """A message with any body and a right checksum, so that the body is read."""
    tag = draw(st.sampled_from((b"\x63\x01\x01", b"\x63\x03\x01", b"\x63\x05\x01", b"\x63\x07\x01", b"\x63\xff\x01")))
    octets = bytes.fromhex("7602016200620072") + tag + draw(soup)
    return octets + b"\x63" + CrcKind.X25.wire(octets).to_bytes(2) + b"\0"


files = anything | signed_soup() | st.lists(signed_soup() | anything, max_size=3).map(b"".join)


@settings(max_examples=500)
@given(files, options_in_use)
def test_files(octets: bytes, options: DecodeOptions) -> None:
    items = list(read_messages(octets, options))
    assert all(isinstance(item, Message | Malformed) for item in items)
    faults = [item for item in items if isinstance(item, Malformed)]
    for fault in faults:
        assert isinstance(fault.error, DecodeError)
        assert fault.error.offset is not None
        assert 0 <= fault.offset <= fault.error.offset <= len(octets)
        assert octets[fault.offset : fault.offset + len(fault.raw)] == fault.raw
        assert fault.partial is None or isinstance(fault.partial, Message)
    if octets.startswith(ESCAPE) or faults:
        with pytest.raises(DecodeError) as caught:
            decode_file(octets, options)
        assert octets.startswith(ESCAPE) or caught.value == faults[0].error
    else:
        assert list(decode_file(octets, options)) == items


@settings(max_examples=300)
@given(files, options_in_use)
def test_messages_read_are_messages_that_can_be_written(octets: bytes, options: DecodeOptions) -> None:
    """Not always to the same octets, but to octets that say the same."""
    messages = [item for item in read_messages(octets, options) if isinstance(item, Message)]
    again = list(read_messages(encode_file(messages)))
    assert len(again) == len(messages)
    for first, second in zip(messages, again, strict=True):
        assert isinstance(second, Message)
        assert s.without_widths(second.message_body) == s.without_widths(first.message_body)


@settings(max_examples=300)
@given(st.lists(anything | signed_soup().map(encode_transport) | signed_soup(), max_size=4), options_in_use)
def test_streams(chunks: list[bytes], options: DecodeOptions) -> None:
    decoder = TelegramDecoder(options)
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
    stream = b"".join(chunks)
    for event in events:
        assert isinstance(event, Telegram | Malformed | BytesDiscarded)
        if isinstance(event, Malformed):
            assert isinstance(event.error, DecodeError)
        if isinstance(event, Telegram):
            # Whatever a telegram can be asked for has an answer.
            assert all(isinstance(message, Message) for message in event.messages)
            assert (event.server_id is None) == (event.server_octets is None)
            assert event.device_id is None or event.server_id is not None
            assert (event.direction is Direction.UNKNOWN) == (event.status is None or event.status.exporting is None)
            assert event.net_power is None or len(event.entries) > 0
            assert not (event.reduced and not event.entries)
            assert set(event.quirks) >= set(event.rules)
            for entry in event.entries:
                assert (entry.quantity is not None) == (type(entry.raw) is int)
                assert (entry.value == entry.raw) or type(entry.raw) is int
        if not isinstance(event, Malformed):  # that of a message holds unescaped octets
            octets = event.data if isinstance(event, BytesDiscarded) else event.raw
            assert stream[event.offset : event.offset + len(octets)] == octets
    assert decoder.buffered == 0
