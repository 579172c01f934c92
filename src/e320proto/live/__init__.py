"""A line that goes on for months, without its sockets: what was seen on it, what is wrong with it, how it is kept.

What is here takes octets, events and times, and opens nothing; :mod:`e320proto.aio` brings the ports and the clock.
"""

from e320proto.live.diagnosis import Finding, Severity, diagnose
from e320proto.live.line import Counts, LineState, LineStats, LineWatch

__all__ = ["Counts", "Finding", "LineState", "LineStats", "LineWatch", "Severity", "diagnose"]
