"""The progress line on a terminal.  Nothing is drawn in the first tenths of a second."""

import time
from typing import TextIO

from engine.reporting import Progress, View

#: A run that is over sooner needs no progress line; `rich` takes 60 ms to import.
QUIET_SECONDS = 0.3


class TerminalView(View):
    """Draws one line: what, how far, how fast.

    Args:
        stream: the terminal.
        color: whether to use color.
    """

    interval_seconds = 0.1

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        self._stream = stream
        self._color = color
        self._start = time.monotonic()
        self._live: _Line | None = None

    def update(self, progress: Progress) -> None:
        """Draws the line anew."""
        if self._live is None:
            if time.monotonic() - self._start < QUIET_SECONDS:
                return
            self._live = _Line(self._stream, color=self._color)
        self._live.draw(progress)

    def close(self) -> None:
        """Takes the line away."""
        if self._live is not None:
            self._live.close()
            self._live = None


class _Line:
    def __init__(self, stream: TextIO, *, color: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        console = Console(file=stream, no_color=not color, highlight=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[wheels]}"),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self._task = self._bars.add_task("resolving", total=None, wheels="")
        self._bars.start()

    def draw(self, progress: Progress) -> None:
        self._bars.update(
            self._task,
            description=progress.phase,
            total=max(progress.bytes_expected, progress.bytes_received) or None,
            completed=progress.bytes_received,
            wheels=f"{progress.wheels_done}/{progress.wheels}",
            refresh=True,
        )

    def close(self) -> None:
        self._bars.stop()
