"""The documents that a run leaves: where they go, and when they are written.

Loaded only where one was asked for.  What is in them is for `engine.report` and
`engine.trace`.
A document appears at once and whole, by a rename; what is no ordinary file, such
as a pipe, is written to.
"""

import os

from cache.records import publish_file
from engine.errors import ConfigurationError, ReportFailed
from engine.recording import Recorder

#: Names standard output.
STDOUT = "-"


class Documents:
    """The documents of one run.

    Args:
        report: path of the report, "-" for standard output, or None.
        trace: likewise.

    Attributes:
        recorder: has to be told what the run does.

    Raises:
        ConfigurationError: when one cannot be written.
    """

    def __init__(self, *, report: str | None, trace: str | None) -> None:
        self._report = report
        self._trace = trace
        for kind, path in (("report", report), ("trace", trace)):
            if path is not None:
                _check_place(kind, path)
        if report is not None and trace is not None:
            _check_difference(report, trace)
        self.recorder = Recorder()

    def write(self, error: BaseException | None = None) -> str:
        """Writes the documents, when the run is over.

        Args:
            error: what ended the run early, or None.

        Returns:
            What is to be printed to standard output.

        Raises:
            ReportFailed: when one cannot be written.
        """
        from engine.trace import to_ascii, trace_text

        self.recorder.error = error

        printed = ""
        if self._report is not None:
            from engine.report import make_report

            printed += _written("report", self._report, to_ascii(make_report(self.recorder)))
        if self._trace is not None:
            printed += _written("trace", self._trace, trace_text(self.recorder, os.getpid()))
        return printed


def _check_place(kind: str, path: str) -> None:
    """Finds out before the run whether a document could be written after it."""
    if path == STDOUT:
        return
    if os.path.isdir(path):
        raise ConfigurationError(f"cannot write the {kind} {path}: it is a folder")
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise ConfigurationError(f"cannot write the {kind} {path}: there is no folder {folder}")


def _check_difference(report: str, trace: str) -> None:
    """Sees to it that no document takes the place of the other."""
    if report == trace == STDOUT:
        raise ConfigurationError("the report and the trace cannot both be printed", hint="name a file for one")
    if STDOUT in (report, trace) or os.path.realpath(report) != os.path.realpath(trace):
        return
    if not os.path.exists(report) or os.path.isfile(report):
        raise ConfigurationError(f"the report and the trace cannot both be {report}", hint="name another file for one")


def _written(kind: str, path: str, text: str) -> str:
    """Writes a document, or returns it where it is to be printed."""
    text += "\n"
    if path == STDOUT:
        return text
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        else:
            publish_file(os.path.realpath(path), text.encode())
    except OSError as exc:
        raise ReportFailed(f"cannot write the {kind} {path}: {exc.strerror}") from exc
    return ""
