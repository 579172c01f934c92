"""Certificates that are renewed over real pipes, with keys in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from e320proto.aio import SOFT_PROFILE, FileKeyRing, Gateway, open_pipe
from e320proto.errors import AttentionError, LocalProtocolError, ResponseTimeout, TransportError
from e320proto.lmn.certificates import curve_of
from e320proto.lmn.meter_keys import MeterKeys
from e320proto.lmn.profile import SecurityProfile
from tests.aio.buses import MASTER_KEY, keys_of, meters_on, new_meter
from tests.aio.ports import in_loop

if TYPE_CHECKING:
    from pathlib import Path

    from e320proto.aio.pipe import Pipe
    from e320proto.meter import Meter
    from e320proto.meter.events import MeterEvent

# One slot: a window is short, and the gateway is silent in it.
QUICK = replace(SOFT_PROFILE, n_slots=1, assign_period_s=2.0, check_period_s=2.0, check_offset_s=1.0, reopen_s=0.2)
SECURITY = SecurityProfile(cert_objects=("1-0:94.49.2*1", "1-0:94.49.2*2"), tls_retry_s=0.2)


def certificates_of(meter: Meter) -> tuple[bytes, bytes]:
    return bytes(meter.security.own_certificate), bytes(meter.security.gateway_certificate)


def kept(keys: MeterKeys) -> tuple[bytes | None, bytes]:
    assert keys.gateway is not None
    return keys.meter_certificate, keys.gateway.certificate


@in_loop
async def test_both_ends_get_new_certificates(tmp_path: Path) -> None:
    meter, ring = new_meter(), FileKeyRing(tmp_path / "keys.json")
    ring.store(meter.server_id, MeterKeys(master_key=MASTER_KEY))
    async with (
        meters_on("memory:bus", meter, profile=QUICK, security=SECURITY),
        Gateway("memory:bus", keys=ring, profile=QUICK, security=SECURITY) as gateway,
    ):
        await gateway.pair(meter.server_id)
        seen = [certificates_of(meter)]
        for renew in (gateway.renew_meter, gateway.renew_gateway):
            await renew("1LGZ0000000000")
            await gateway.read(meter.server_id, "1.8.0")
            seen.append(certificates_of(meter))
            assert kept(ring.load(meter.server_id)) == seen[-1]
            assert ring.load(meter.server_id).renewing is None
    (own, ours), (own_1, ours_1), (own_2, ours_2) = seen
    assert own != own_1 == own_2
    assert ours == ours_1 != ours_2
    assert len({curve_of(each) for each in (own, own_1, ours, ours_2)}) == 1


@pytest.mark.parametrize("whose", ["meter", "gateway"])
@in_loop
async def test_a_renewal_whose_answer_is_lost(whose: str, tmp_path: Path) -> None:
    meter, ring = new_meter(), FileKeyRing(tmp_path / "keys.json")
    ring.store(meter.server_id, MeterKeys(master_key=MASTER_KEY))
    pulled = False
    async with meters_on("tcp-listen://127.0.0.1:0", meter, profile=QUICK, security=SECURITY) as name:

        async def opened() -> Pipe:
            if pulled:
                raise TransportError("unplugged")
            return await open_pipe(name)

        async with Gateway(opened, keys=ring, profile=QUICK, security=SECURITY) as gateway:
            await gateway.pair(meter.server_id)
            pair = meter.pair

            def pair_and_pull(*certificates: bytes) -> list[MeterEvent]:
                nonlocal pulled
                pulled = True
                gateway._pipe._transport.abort()  # type: ignore[union-attr]  # as the system does
                return pair(*certificates)

            meter.pair = pair_and_pull  # type: ignore[method-assign, assignment]
            renew = gateway.renew_meter if whose == "meter" else gateway.renew_gateway
            with pytest.raises(ResponseTimeout):
                await renew(meter.server_id, timeout_s=2.0)
            pulled = False
            in_file = FileKeyRing(tmp_path / "keys.json").load(meter.server_id)
            assert in_file.renewing is not None
            assert (in_file.renewing.meter, in_file.renewing.gateway.certificate) == certificates_of(meter)
            await gateway.read(meter.server_id, "1.8.0")
            assert gateway.keys_of(meter.server_id) == ring.load(meter.server_id)
            assert kept(ring.load(meter.server_id)) == certificates_of(meter)
            assert ring.load(meter.server_id).renewing is None


@in_loop
async def test_what_cannot_be_renewed() -> None:
    meter = new_meter()
    async with (
        meters_on("memory:bus", meter, profile=QUICK),
        Gateway("memory:bus", keys=keys_of(meter), profile=QUICK, security=SECURITY) as gateway,
    ):
        with pytest.raises(LocalProtocolError, match="certificates of the meter, to be renewed"):
            await gateway.renew_meter(meter.server_id)
        await gateway.pair(meter.server_id)
        with pytest.raises(AttentionError, match="FE05"):  # this meter does not know the objects
            await gateway.renew_gateway(meter.server_id)
        assert gateway.keys_of(meter.server_id).renewing is None
    async with Gateway("memory:bus", keys=keys_of(meter)) as gateway:
        with pytest.raises(LocalProtocolError, match="to be renewed"):
            await gateway.renew_gateway(meter.server_id)
