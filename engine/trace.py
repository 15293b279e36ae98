"""A recorded run as a trace: what `--trace` writes.  Pure.

Events of one lane do not overlap: a lane is a slot of a connection, a worker, or
the one thing after the other that the main process does.

Source: "Trace Event Format", complete events and metadata events; chrome://tracing and Perfetto read it.
"""

import json
from typing import Any

from engine import __version__
from engine.recording import Recorder, Span

#: What the main process does several of at once; everything else it does one after the other.
LANES = {
    "page": "pages",
    "metadata": "metadata",
    "download": "downloads",
    "commit": "commits",
    "stage": "staging",
    "compile": "compiling",
}

Event = dict[str, Any]


def trace_text(recorder: Recorder, process: int) -> str:
    """Returns the trace in JSON, in ASCII.

    Args:
        recorder: of a run that is over.
        process: number of the process that recorded.
    """
    settings: Event = {"engine": __version__}
    if recorder.run is not None:
        options = recorder.run.options
        settings.update(link_mode=options.link_mode, offline=options.offline, dry_run=options.dry_run)
    document = {
        "traceEvents": trace_events(recorder.spans, recorder.started_ns, process),
        "displayTimeUnit": "ms",
        "otherData": settings,
    }
    return to_ascii(document)


def to_ascii(document: object) -> str:
    """Returns JSON in which nothing but ASCII stands: a terminal that shows it obeys nothing."""
    return json.dumps(document, ensure_ascii=True).replace("\x7f", "\\u007f")


def trace_events(spans: list[Span], started_ns: int, process: int) -> list[Event]:
    """Returns the events of a trace.

    Args:
        spans: in any order.
        started_ns: what counts as 0.
        process: number of the process that recorded.
    """
    lanes: dict[tuple[int, str], list[int]] = {}
    placed = []
    for span in sorted(spans, key=lambda span: (span.start_ns, -span.end_ns)):
        number = span.process or process
        group = LANES.get(span.phase, "steps") if number == process else "work"
        ends = lanes.setdefault((number, group), [])
        place = next((place for place, end_ns in enumerate(ends) if end_ns <= span.start_ns), len(ends))
        ends[place:] = [span.end_ns, *ends[place + 1 :]]
        placed.append((span, number, group, place))
    threads: dict[tuple[int, str, int], int] = {}
    for (number, group), ends in sorted(lanes.items(), key=lambda item: (item[0][0] != process, item[0])):
        for place in range(len(ends)):
            threads[number, group, place] = len(threads) + 1
    events = _names(threads, process)
    for span, number, group, place in placed:
        events.append(_event(span, started_ns, number, threads[number, group, place]))
    return events


def _names(threads: dict[tuple[int, str, int], int], process: int) -> list[Event]:
    events: list[Event] = []
    processes = dict.fromkeys(number for number, _, _ in threads)
    for order, number in enumerate(processes):
        name = "engine" if number == process else f"worker {order}"
        events.append({"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": name}})
        events.append({"ph": "M", "name": "process_sort_index", "pid": number, "tid": 0, "args": {"sort_index": order}})
    for (number, group, place), thread in threads.items():
        name = f"{group} {place + 1}" if group in LANES.values() else group
        events.append({"ph": "M", "name": "thread_name", "pid": number, "tid": thread, "args": {"name": name}})
        sort = {"sort_index": thread}
        events.append({"ph": "M", "name": "thread_sort_index", "pid": number, "tid": thread, "args": sort})
    return events


def _event(span: Span, started_ns: int, number: int, thread: int) -> Event:
    return {
        "ph": "X",
        "name": f"{span.phase} {span.subject}".rstrip(),
        "cat": span.phase,
        "pid": number,
        "tid": thread,
        "ts": (span.start_ns - started_ns) / 1000,
        "dur": (span.end_ns - span.start_ns) / 1000,
        "args": span.details,
    }
