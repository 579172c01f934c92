"""Keys of meters in a file that only its owner may read.

::

    {
      "1LGZ0063539421": {                      device id, or the server id in hex
        "master_key": "00112233...",           32 hex digits
        "counter": 64,                         written by the gateway, like all below
        "gateway": {"certificate": "3082...", "private_key": "3077..."},
        "meter_certificate": "3082...",
        "renewing": {"gateway": {...}, "meter_certificate": "3082..."}    while a renewal is under way or in doubt
      }
    }

It is written as a whole beside the old one, and takes its place when it is on the disk: whatever happens, there is
one that is right.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from e320proto.errors import DecodeError, EncodeError, SecurityError, TransportError
from e320proto.identity import ServerId
from e320proto.lmn.certificates import Credentials
from e320proto.lmn.meter_keys import MeterKeys, TlsCertificates

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KEY_OCTETS: Final = 16
_FIELDS: Final = {"master_key", "counter", "gateway", "meter_certificate", "renewing"}
_MAX_COUNTER: Final = 0xFFFFFFFF


class FileKeyRing:
    """A :class:`~e320proto.lmn.meter_keys.KeyRing` in a file; a file that is not there yet is an empty one.

    Args:
        path: of the file.

    Raises:
        SecurityError: others than its owner may read or write it.
        TransportError: it cannot be read.
        DecodeError: ``keys``, it is not of this form; no key is shown.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ring = FileKeyRing(pathlib.Path(folder, "keys.json"))
    ...     ring.store(b"meter", MeterKeys(counter=7))
    ...     ring.load(b"meter").counter
    7
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read()

    @property
    def server_ids(self) -> tuple[bytes, ...]:
        """The meters in the file."""
        return tuple(self._read())

    def load(self, server_id: bytes) -> MeterKeys:
        """The keys of a meter; empty ones of a meter that is not in the file."""
        return self._read().get(server_id, MeterKeys())

    def store(self, server_id: bytes, keys: MeterKeys) -> None:
        """Keep keys; they are on the disk when this returns.

        Raises:
            TransportError: the file cannot be written.
        """
        known = self._read()
        kept = known.get(server_id, MeterKeys())
        if kept.master_key == keys.master_key:  # whoever else has used it: the counter never goes back
            keys = replace(keys, counter=max(keys.counter, kept.counter))
        known[server_id] = keys
        text = json.dumps({_name(each): _fields(kept) for each, kept in known.items()}, indent=2) + "\n"
        try:
            self._replace(text)
        except OSError as error:
            msg = f"{self._path}: expected a file that can be written, found: {error.strerror or error}"
            raise TransportError(msg) from error

    def _replace(self, text: str) -> None:
        path = self._path.resolve()  # a link stays one
        folder = path.parent
        number, name = tempfile.mkstemp(dir=folder, prefix=f".{self._path.name}.")  # for its owner alone
        try:
            with open(number, "w", encoding="utf-8") as file:  # noqa: PTH123 - it is open already
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)  # noqa: PTH105 - it has no Path
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - the same
            raise
        if sys.platform != "win32":
            entry = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(entry)
            finally:
                os.close(entry)

    def _read(self) -> dict[bytes, MeterKeys]:
        try:
            with self._path.open(encoding="utf-8") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if sys.platform != "win32" and mode & _OTHERS:
                    msg = f"{self._path}: expected keys that only their owner may read, found {mode:04o}; try chmod 600"
                    raise SecurityError(msg)
                found = json.load(file)
        except FileNotFoundError:
            return {}
        except OSError as error:
            msg = f"{self._path}: expected a file that can be read, found: {error.strerror or error}"
            raise TransportError(msg) from error
        except (ValueError, RecursionError):  # also what is no UTF-8, or too deep
            self._refuse("JSON", "something else", "")
        if not isinstance(found, dict):
            self._refuse("an object", type(found).__name__, "")
        return {self._server_id(name): self._keys(name, fields) for name, fields in found.items()}

    def _server_id(self, name: str) -> bytes:
        try:
            return bytes(ServerId.parse(name))
        except (DecodeError, EncodeError):
            if len(name) % 2 == 0 and name:
                with contextlib.suppress(ValueError):
                    return bytes.fromhex(name)
            self._refuse("a device id or a server id in hex", "another name", name)

    def _keys(self, name: str, fields: object) -> MeterKeys:
        if not isinstance(fields, dict) or set(fields) - _FIELDS:
            self._refuse("an object of known fields", "something else", name)
        master_key = self._octets(name, fields, "master_key")
        if master_key is not None and len(master_key) != _KEY_OCTETS:
            self._refuse("32 hex digits", f"{2 * len(master_key)}", f"{name}.master_key")
        counter = fields.get("counter", 0)
        if isinstance(counter, bool) or not isinstance(counter, int) or not 0 <= counter <= _MAX_COUNTER:
            self._refuse("a number of 32 bit", "something else", f"{name}.counter")
        return MeterKeys(
            master_key=master_key,
            counter=counter,
            gateway=self._gateway(name, fields),
            meter_certificate=self._octets(name, fields, "meter_certificate"),
            renewing=self._renewing(name, fields),
        )

    def _gateway(self, name: str, fields: dict[str, Any]) -> Credentials | None:
        own = self._object(name, fields, "gateway")
        if own is None:
            return None
        octets = (self._octets(f"{name}.gateway", own, field) or b"" for field in ("certificate", "private_key"))
        return Credentials(*octets)

    def _renewing(self, name: str, fields: dict[str, Any]) -> TlsCertificates | None:
        others = self._object(name, fields, "renewing")
        if others is None:
            return None
        where = f"{name}.renewing"
        gateway, meter = self._gateway(where, others), self._octets(where, others, "meter_certificate")
        if gateway is None or meter is None:
            self._refuse("gateway and meter_certificate", "one of them at most", where)
        return TlsCertificates(gateway, meter)

    def _object(self, name: str, fields: dict[str, Any], field: str) -> dict[str, Any] | None:
        found = fields.get(field)
        if found is not None and not isinstance(found, dict):
            self._refuse("an object", "something else", f"{name}.{field}")
        return found

    def _octets(self, name: str, fields: dict[str, Any], field: str) -> bytes | None:
        text = fields.get(field)
        try:
            return None if text is None else bytes.fromhex(text)
        except (TypeError, ValueError):
            self._refuse("hex digits", "something else", f"{name}.{field}")

    def _refuse(self, expected: str, found: str, where: str) -> NoReturn:
        # Without the cause: it may show a key.
        raise DecodeError("keys", f"{self._path}: expected {expected}, found {found}", path=where) from None


def _name(server_id: bytes) -> str:
    known = ServerId.from_wire(server_id)
    return known.hex if known.device_id is None else known.text


def _fields(keys: MeterKeys) -> dict[str, object]:
    fields: dict[str, object] = {}
    if keys.master_key is not None:
        fields["master_key"] = keys.master_key.hex()
    fields["counter"] = keys.counter
    fields |= _certificates(keys.gateway, keys.meter_certificate)
    if keys.renewing is not None:
        fields["renewing"] = _certificates(keys.renewing.gateway, keys.renewing.meter)
    return fields


def _certificates(gateway: Credentials | None, meter: bytes | None) -> dict[str, object]:
    fields: dict[str, object] = {}
    if gateway is not None:
        fields["gateway"] = {"certificate": gateway.certificate.hex(), "private_key": gateway.private_key.hex()}
    if meter is not None:
        fields["meter_certificate"] = meter.hex()
    return fields
