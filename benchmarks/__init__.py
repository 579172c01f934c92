"""How fast e320proto is, beside its peers in the same run: ``python -m benchmarks [--quick] [--json]``.

Method:

- A row times one job of e320proto and the same job of each peer that is installed (``smllib`` with
  its full parse and with its ``get_obis`` search, ``pysml``). One round runs every contender once,
  one after the other, so that a slow spell of the machine meets them all; the figure is the median
  of the rounds.
- A job on a stream decodes every telegram, fed in pieces of 4,096 octets, and reads every value.
  Peers take a shorter piece of the same stream, because their cost per telegram does not depend on
  its length and the run should end.
- Peak memory is what Python allocated at most while the job ran once more on a short stream, its
  input not counted.
- A ratio is the rate of e320proto divided by that of the peer: 10 means ten times as fast. ``-``
  stands for a peer that is not installed or cannot do the job.

Streams are recordings of real meters where the folder ``../shared/captures`` exists, each repeated,
and always generated pushes of three shapes with changing values.
"""
