"""Says hello, with what the image has installed."""

from importlib.metadata import distributions

print("hello from", ", ".join(sorted(f"{one.name} {one.version}" for one in distributions())))
