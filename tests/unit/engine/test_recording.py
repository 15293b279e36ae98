"""What a recorder keeps: spans, what workers tell, and what became of each wheel."""

import pytest
from packaging.utils import canonicalize_name

from cache.plans import PlannedEntry
from engine.chosen import Chosen
from engine.lock.pins import Pin
from engine.network.interrupted import Interrupted
from engine.recording import Lap, Laps, Recorder, timed

CHOICE = Chosen("https://example.com/demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl", 12, None, {}, ())

PIN = Pin(
    name=canonicalize_name("demo"),
    version_text="1.0",
    version=None,
    arbitrary_equality=True,
    extras=frozenset({canonicalize_name("fast")}),
    marker=None,
    hashes=(),
    line=1,
    source="lock.txt",
)


def recorder() -> Recorder:
    made = Recorder()
    made.choose("/env", PIN, CHOICE)
    return made


def test_without_a_recorder_nothing_is_timed_and_details_go_nowhere() -> None:
    with timed(None, "page", "x") as details:
        details["bytes"] = 1
    with timed(None, "page", "x") as details:
        assert details == {}


def test_what_is_timed_has_its_subject_its_details_and_its_time() -> None:
    record = recorder()
    with timed(record, "download", "demo", record.artifacts[CHOICE.url]) as details:
        details["bytes"] = 12
    (span,) = record.spans
    assert (span.phase, span.subject, span.process, span.details) == ("download", "demo", 0, {"bytes": 12})
    assert record.started_ns <= span.start_ns <= span.end_ns
    assert record.artifacts[CHOICE.url].spent_ns == {"download": span.end_ns - span.start_ns}


def test_what_fails_is_recorded_too() -> None:
    record = recorder()
    with pytest.raises(OSError), timed(record, "download", "demo"):
        raise ConnectionResetError
    with pytest.raises(Interrupted), timed(record, "download", "demo"):
        raise Interrupted("HTTP 503")
    assert [span.details for span in record.spans] == [{"failed": "ConnectionResetError"}, {"failed": "HTTP 503"}]


def test_laps_of_a_worker_follow_each_other_and_are_told_once() -> None:
    laps = Laps()
    laps.begin("unpack")
    laps.end(7, then="stage")
    laps.end(7)
    told = laps.take()
    assert [(lap[0], lap[3]) for lap in told] == [("unpack", 7), ("stage", 7)]
    assert told[0][2] == told[1][1] and laps.take() == []


def test_laps_are_added_to_the_wheel_that_the_job_was_about() -> None:
    record = recorder()
    record.assign(7, CHOICE, cached=False)
    record.ask(8, "demo")
    start = record.started_ns
    record.add_laps(99, [("unpack", start, start + 5, 7, {}), ("choose", start + 5, start + 6, 8, {})])
    assert [(span.process, span.phase, span.subject) for span in record.spans] == [
        (99, "unpack", CHOICE.filename),
        (99, "choose", "demo"),
    ]
    assert record.artifacts[CHOICE.url].spent_ns == {"unpack": 5}
    assert record.spans[1].details == {"project": "demo"}


@pytest.mark.parametrize("offset", [-(10**15), 10**15], ids=["before-the-run", "in-the-future"])
def test_times_of_another_clock_are_moved_to_where_they_can_have_been(offset: int) -> None:
    record = recorder()
    start = record.started_ns + offset
    laps: list[Lap] = [("unpack", start, start + 5, 1, {}), ("stage", start + 5, start + 7, 1, {})]
    record.add_laps(99, laps)
    first, second = record.spans
    assert second.end_ns <= record.now() and first.end_ns == second.start_ns
    assert (first.end_ns - first.start_ns, second.end_ns - second.start_ns) == (5, 2)


def test_a_download_counts_its_attempts_and_a_cached_wheel_has_none() -> None:
    record = recorder()
    for number in (1, 2):
        with timed(record, "download", "demo", record.assign(number, CHOICE, cached=False)):
            pass
    record.assign(3, CHOICE, cached=False)
    record.finish(CHOICE, "ab" * 32, {"hardlink": 2, "clone": 0, "copy": 1})
    artifact = record.artifacts[CHOICE.url]
    assert (artifact.attempts, artifact.cached, artifact.sha256) == (2, False, "ab" * 32)
    assert artifact.links == {"hardlink": 2, "copy": 1}
    other = recorder()
    other.assign(1, CHOICE, cached=True)
    assert other.artifacts[CHOICE.url].attempts == 0


def test_two_environments_may_share_a_wheel() -> None:
    record = recorder()
    record.choose("/other", PIN, CHOICE)
    assert len(record.artifacts) == 1
    assert record.wheels["/env", "demo"] == record.wheels["/other", "demo"] == CHOICE.url


def test_an_entry_whose_wheel_is_unknown_is_no_wheel() -> None:
    record = Recorder()
    record.plan("/env", PlannedEntry("demo", "1.0"))
    assert record.artifacts == {}
