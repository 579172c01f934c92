"""The reference meter: a Landis+Gyr E320 as an executable model. Time is an argument; nothing here opens a port.

>>> from e320proto.meter import E320Config, Inputs, Meter
>>> meter = Meter(E320Config(pin="1234", extended_set=True))
>>> events = meter.advance(0.0, Inputs.of_power(1000, 500, -300))
>>> events = meter.advance(10.0)
>>> len(meter.info_data_to_send()), meter.power_w
(9, 1200)
"""

from e320proto.meter.config import E320Config
from e320proto.meter.designation import TypeDesignation
from e320proto.meter.faceplate import Faceplate
from e320proto.meter.faults import Fault
from e320proto.meter.info import InfoSnapshot, info_telegram
from e320proto.meter.measurement import Inputs, Phase
from e320proto.meter.model import Meter
from e320proto.meter.modes import Curve, DataSet, Mode, PulseLed
from e320proto.meter.store import MemoryStore, SqliteStore, Store

__all__ = [
    "Curve",
    "DataSet",
    "E320Config",
    "Faceplate",
    "Fault",
    "InfoSnapshot",
    "Inputs",
    "MemoryStore",
    "Meter",
    "Mode",
    "Phase",
    "PulseLed",
    "SqliteStore",
    "Store",
    "TypeDesignation",
    "info_telegram",
]
