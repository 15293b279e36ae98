"""A trace: valid events, and no two at once in one lane."""

import json
from collections import defaultdict
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.recording import Recorder, Span
from engine.trace import Event, to_ascii, trace_events, trace_text

MAIN = 1


def complete(events: list[Event]) -> list[Event]:
    return [event for event in events if event["ph"] == "X"]


def lanes(events: list[Event]) -> dict[tuple[int, int], str]:
    return {(event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == "thread_name"}


spans = st.builds(
    lambda phase, start, length, process: Span(phase, "x", start, start + length, process, {}),
    st.sampled_from(["page", "download", "commit", "compare", "stage"]),
    st.integers(0, 60),
    st.integers(0, 20),
    st.sampled_from([0, MAIN, 7]),
)


@given(st.lists(spans, max_size=30))
def test_no_two_events_of_a_lane_overlap_and_none_is_lost(recorded: list[Span]) -> None:
    events = trace_events(recorded, 0, MAIN)
    assert len(complete(events)) == len(recorded)
    by_lane: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in complete(events):
        by_lane[event["pid"], event["tid"]].append(event)
    for lane, inside in by_lane.items():
        assert lane in lanes(events)
        inside.sort(key=lambda event: (event["ts"], event["ts"] + event["dur"]))
        for one, other in pairwise(inside):
            assert round(one["ts"] * 1000 + one["dur"] * 1000) <= round(other["ts"] * 1000)


def test_times_are_microseconds_since_the_start() -> None:
    (event,) = complete(trace_events([Span("page", "demo", 3_000, 5_500, 0, {"bytes": 3})], 1_000, MAIN))
    assert (event["ts"], event["dur"], event["pid"]) == (2.0, 2.5, MAIN)
    assert (event["name"], event["cat"], event["args"]) == ("page demo", "page", {"bytes": 3})


def test_processes_and_lanes_have_names() -> None:
    recorded = [Span("page", "a", 0, 9, 0, {}), Span("page", "b", 1, 9, 0, {}), Span("unpack", "a", 2, 3, 7, {})]
    events = trace_events(recorded, 0, MAIN)
    processes = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert processes == {MAIN: "engine", 7: "worker 1"}
    assert sorted(lanes(events).values()) == ["pages 1", "pages 2", "work"]


def test_text_from_outside_is_ascii_and_nothing_that_a_terminal_obeys() -> None:
    record = Recorder()
    record.add("page", "\x1b]8;;x\x07\u202e\x7f\x9b", record.now())
    text = trace_text(record, MAIN)
    assert text.isascii() and text.isprintable()
    assert complete(json.loads(text)["traceEvents"])[0]["name"].endswith("\u202e\x7f\x9b")


@given(st.text())
def test_json_in_ascii_means_the_same(text: str) -> None:
    made = to_ascii({"text": text})
    assert made.isascii() and made.isprintable() and json.loads(made) == {"text": text}
