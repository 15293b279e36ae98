"""The home of the resolver: version sets, PubGrub, explanations.  No I/O at all.

Nothing lives here yet: `engine sync` takes its answer from a lock.
"""
