"""The scheduler and every kind of I/O around it: from a lock to installed environments.

`engine` drives; it imports `cache` and `resolver`, never the other way round.
The package itself imports nothing, because it is on the warm path.
"""

__version__ = "0.1.0"
