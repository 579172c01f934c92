"""How fast e320proto is, beside its peers in the same run: ``python -m benchmarks [--quick] [--json] [--only TEXT]``.

Method:

- A row times one job of e320proto and the same job of each peer that is installed (``smllib`` with
  its full parse and with its ``get_obis`` search, ``pysml``, and of ``libsml`` the parser of messages:
  what that counts is said in ``benchmarks.libsml``). One round runs every contender once, one after the
  other, so that a slow spell of the machine meets them all; the figure is the best of the rounds.
- ``floats`` reads the scaled number of every entry of every telegram (``Telegram.floats``), ``entries``
  makes every entry with all that it holds. Streams come in pieces of 4,096 octets where the name says
  nothing else. Peers take a shorter piece of the same stream, because their cost per telegram does not
  depend on its length and the run should end.
- ``crcmod`` is the same job in a process that has no fastcrc.
- ``layouts`` rows begin with no layout known, and compare with the same stream read without layouts.
- Peak KiB is what Python allocated at most while the job ran once more on a short stream, its input not
  counted. ``memory`` rows are about a whole process: what it held at most, less what it held when its
  imports were done, as the system tells (Linux only).
- A ratio is the rate of e320proto divided by that of the peer: 10 means ten times as fast. ``-``
  stands for a peer that is not installed or cannot do the job.
- Every job is run once before and has to find every telegram. That, and any exception, fails the run;
  a target that is missed does not.

Streams are recordings of real meters where the folder ``../shared/captures`` exists: the right frames of
three of them, and as ``recording`` each as it is, with the telegrams that its ends cut; always repeated.
And always generated pushes with changing values.
"""
