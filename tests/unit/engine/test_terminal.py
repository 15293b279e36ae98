"""The progress line: nothing for a short run, and nothing left of it afterwards."""

import io

from engine.reporting import Progress, View
from engine.terminal import TerminalView, _Line


class Terminal(io.StringIO):
    """Takes what is drawn."""

    def isatty(self) -> bool:
        return True


def test_a_run_that_is_over_at_once_draws_nothing() -> None:
    stream = Terminal()
    view = TerminalView(stream, color=False)
    view.update(Progress())
    view.close()
    assert stream.getvalue() == ""


def test_the_line_says_what_and_how_far() -> None:
    stream = Terminal()
    line = _Line(stream, color=False)
    progress = Progress()
    progress.phase, progress.wheels, progress.wheels_done = "downloading", 7, 3
    progress.bytes_expected, progress.bytes_received = 2_000_000, 500_000
    line.draw(progress)
    line.close()
    assert "downloading" in stream.getvalue() and "3/7" in stream.getvalue()


def test_closing_twice_is_no_error() -> None:
    view = TerminalView(io.StringIO(), color=False)
    view.close()
    view.close()


def test_a_plain_view_is_never_called() -> None:
    assert View().interval_seconds == 0 and TerminalView(io.StringIO(), color=False).interval_seconds > 0
