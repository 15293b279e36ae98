"""A worker hashes, unpacks, publishes and stages; whatever is wrong with a wheel is an answer, not its end."""

import fcntl
import marshal
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from cache.entries import drifted
from cache.layout import Layout
from cache.plans import PlannedEntry
from engine.worker import Message, Worker, serve
from tests.support.building import FILENAME, archive, wheel_entries
from tests.support.trees import check_cache, published
from tests.support.wheels import Wheel, make_wheel
from tests.unit.engine.entries import RELATIVE, absolute_schemes, make_area

WHEEL = make_wheel("demo", "1.0", {"demo/__init__.py": "x = 1\n"}, console_scripts=["demo = demo:main"])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def worker(cache: Path) -> Worker:
    (cache / "tmp-v1" / "scratch").mkdir(parents=True)
    return Worker(str(cache), str(cache / "tmp-v1" / "scratch"), "hardlink")


def area_fields(tmp_path: Path, index: int = 0, relative: dict[str, str] = RELATIVE) -> tuple[Any, ...]:
    """Returns an area as messages have it, with its staging folder."""
    prefix = tmp_path / f"environment{index}"
    area = make_area(tmp_path / f"stage{index}", prefix)
    return index, area.stage, area.python, absolute_schemes(prefix), relative, "", "3.12.1"


def download(worker: Worker, tmp_path: Path, wheel: Wheel, job: int = 1, pieces: int = 3) -> None:
    """Begins a job, and lets the wheel arrive in pieces."""
    path = tmp_path / f"{job}.part"
    assert worker.handle(("begin", job, str(path), wheel.filename, False)) is None
    with open(path, "wb", buffering=0) as file:
        step = len(wheel.content) // pieces + 1
        for start in range(0, len(wheel.content), step):
            file.write(wheel.content[start : start + step])
            assert worker.handle(("more", job, min(start + step, len(wheel.content)))) is None


def end(worker: Worker, wheel: Wheel, *areas: tuple[Any, ...], job: int = 1, **hashes: Any) -> Message:
    answer = worker.handle(
        (
            *("end", job, len(wheel.content), hashes.get("promised", {}), hashes.get("accepted", []), list(areas)),
            *(("", False, True), hashes.get("promiser", "index")),
        )
    )
    assert answer is not None
    return answer


def staged(tmp_path: Path, index: int = 0) -> set[str]:
    root = tmp_path / f"stage{index}"
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


ALL = {
    *("purelib/demo/__init__.py", "scripts/demo"),
    *(
        f"purelib/demo-1.0.dist-info/{name}"
        for name in ("METADATA", "WHEEL", "entry_points.txt", "RECORD", "INSTALLER", "REQUESTED")
    ),
}


@pytest.mark.parametrize("pieces", [1, 7])
def test_a_wheel_that_arrives_is_published_and_staged(worker: Worker, cache: Path, tmp_path: Path, pieces: int) -> None:
    download(worker, tmp_path, WHEEL, pieces=pieces)
    kind, job, sha256, warnings, results, counts = end(worker, WHEEL, area_fields(tmp_path))
    assert (kind, job, sha256, warnings) == ("done", 1, WHEEL.sha256, [])
    ((index, fields, collisions, refused),) = results
    assert (index, collisions, refused, PlannedEntry.from_fields(fields).name) == (0, [], None, "demo")
    assert counts["hardlink"] == PlannedEntry.from_fields(fields).file_count
    assert staged(tmp_path) == ALL
    assert published(cache) == {WHEEL.sha256}
    check_cache(cache)
    assert not (tmp_path / "1.part").exists()


def test_one_download_is_staged_into_many_areas_each_with_its_interpreter(worker: Worker, tmp_path: Path) -> None:
    download(worker, tmp_path, WHEEL)
    other = {**RELATIVE, "purelib": "Lib/other", "platlib": "Lib/other"}
    areas = [area_fields(tmp_path, 0), area_fields(tmp_path, 1), area_fields(tmp_path, 2, other)]
    answer = end(worker, WHEEL, *areas)
    assert [index for index, *_ in answer[4]] == [0, 1, 2]
    for index in range(3):
        assert staged(tmp_path, index) == ALL
        shebang = (tmp_path / f"stage{index}/scripts/demo").read_bytes().partition(b"\n")[0]
        assert shebang == f"#!{tmp_path}/environment{index}/bin/python".encode()


def test_a_cached_wheel_is_staged_without_a_download(worker: Worker, tmp_path: Path) -> None:
    download(worker, tmp_path, WHEEL)
    end(worker, WHEEL)
    answer = worker.handle(("stage", 2, WHEEL.sha256, [area_fields(tmp_path)]))
    assert answer is not None and answer[:3] == ("done", 2, WHEEL.sha256)
    assert staged(tmp_path) == ALL


def test_a_strict_worker_refuses_a_wrong_record_in_downloads_and_in_the_cache(
    worker: Worker, cache: Path, tmp_path: Path
) -> None:
    body = archive(wheel_entries(add_to_record="demo/gone.py,,\n"))
    wheel = Wheel(name="demo", version="1.0", filename=FILENAME, content=body)
    strict = Worker(str(cache), str(cache / "tmp-v1" / "scratch"), "hardlink", strict_record=True)
    download(strict, tmp_path, wheel)
    assert end(strict, wheel)[:3] == ("error", 1, "InvalidWheel")
    assert published(cache) == set()
    download(worker, tmp_path, wheel)
    assert end(worker, wheel)[3] == [f"{FILENAME}: RECORD lists 'demo/gone.py', which is not there"]
    answer = strict.handle(("stage", 2, wheel.sha256, [area_fields(tmp_path)]))
    assert answer is not None and answer[:3] == ("error", 2, "InvalidWheel") and "demo/gone.py" in answer[3]
    assert staged(tmp_path) == set()


@pytest.mark.parametrize("damage", ["file", "manifest", "no manifest"])
def test_a_damaged_entry_is_drift_and_nothing_is_staged(
    worker: Worker, cache: Path, tmp_path: Path, damage: str
) -> None:
    download(worker, tmp_path, WHEEL)
    end(worker, WHEEL)
    layout = Layout(str(cache))
    if damage == "file":
        os.truncate(f"{layout.tree(WHEEL.sha256)}/demo/__init__.py", 1)
    elif damage == "manifest":
        Path(layout.manifest(WHEEL.sha256)).write_bytes(b"{}")
    else:
        Path(layout.manifest(WHEEL.sha256)).unlink()
    answer = worker.handle(("stage", 2, WHEEL.sha256, [area_fields(tmp_path)]))
    assert answer is not None and answer[:2] == ("drift", 2)
    assert staged(tmp_path) == set()


def test_drift_is_found_in_size_time_and_absence(worker: Worker, cache: Path, tmp_path: Path) -> None:
    download(worker, tmp_path, WHEEL)
    end(worker, WHEEL)
    loaded = worker._entries.load(WHEEL.sha256)
    assert loaded is not None
    tree = Layout(str(cache)).tree(WHEEL.sha256)
    assert drifted(loaded[0], tree) is None
    os.utime(f"{tree}/demo/__init__.py", ns=(0, 0))
    assert drifted(loaded[0], tree) == "demo/__init__.py"
    os.unlink(f"{tree}/demo/__init__.py")
    assert drifted(loaded[0], tree) == "demo/__init__.py"


@pytest.mark.parametrize(
    ("hashes", "fits"),
    [
        ({"promised": {"sha256": WHEEL.sha256}}, True),
        ({"promised": {"sha256": "0" * 64}}, False),
        ({"promised": {"sha256": WHEEL.sha256, "md5": "0" * 32}}, False),
        ({"accepted": [("sha256", "0" * 64), ("sha256", WHEEL.sha256)]}, True),
        ({"accepted": [("sha256", "0" * 64)]}, False),
        ({"accepted": [("sha512", "0" * 128)]}, False),
        ({"promised": {"sha256": WHEEL.sha256}, "accepted": [("sha256", "0" * 64)]}, False),
    ],
)
def test_every_promise_and_one_accepted_hash_have_to_match(
    worker: Worker, cache: Path, tmp_path: Path, hashes: dict[str, Any], fits: bool
) -> None:
    download(worker, tmp_path, WHEEL)
    answer = end(worker, WHEEL, area_fields(tmp_path), **hashes)
    assert answer[:1] == (("done",) if fits else ("error",))
    assert published(cache) == ({WHEEL.sha256} if fits else set())
    assert bool(staged(tmp_path)) == fits
    if not fits:
        assert answer[2] == "HashMismatch" and WHEEL.filename in answer[3]


@pytest.mark.parametrize("promiser", ["index", "lock"])
def test_a_broken_promise_names_who_gave_it(worker: Worker, tmp_path: Path, promiser: str) -> None:
    download(worker, tmp_path, WHEEL)
    answer = end(worker, WHEEL, area_fields(tmp_path), promised={"sha256": "0" * 64}, promiser=promiser)
    assert f"the {promiser} promised" in answer[3]


def test_a_bad_wheel_is_an_answer_that_names_it_and_leaves_nothing(worker: Worker, cache: Path, tmp_path: Path) -> None:
    bad = make_wheel("demo", "1.0", {"../evil.py": "x"})
    path = tmp_path / "1.part"
    worker.handle(("begin", 1, str(path), bad.filename, False))
    path.write_bytes(bad.content)
    early = worker.handle(("more", 1, len(bad.content)))
    assert early is not None and early[:3] == ("error", 1, "InvalidWheel") and bad.filename in early[3]
    assert worker.handle(("more", 1, len(bad.content))) is None, "one answer for each job"
    assert worker.handle(("end", 1, len(bad.content), {}, [], [])) is None
    assert published(cache) == set()
    assert list((cache / "tmp-v1" / "scratch").iterdir()) == []
    download(worker, tmp_path, WHEEL, job=2)
    assert end(worker, WHEEL, job=2)[0] == "done"


def test_a_download_shorter_than_said_is_an_error(worker: Worker, tmp_path: Path) -> None:
    download(worker, tmp_path, WHEEL)
    answer = worker.handle(("end", 1, len(WHEEL.content) + 1, {}, [], []))
    assert answer is not None and answer[:3] == ("error", 1, "InvalidWheel")


def test_what_is_aborted_leaves_nothing_and_gets_no_answer(worker: Worker, cache: Path, tmp_path: Path) -> None:
    download(worker, tmp_path, WHEEL)
    assert worker.handle(("abort", 1)) is None
    assert worker.handle(("abort", 1)) is None
    assert worker.handle(("end", 1, len(WHEEL.content), {}, [], [])) is None
    assert published(cache) == set() and list((cache / "tmp-v1" / "scratch").iterdir()) == []


def test_a_wheel_that_cannot_be_published_is_an_answer_and_the_worker_goes_on(
    worker: Worker, cache: Path, tmp_path: Path
) -> None:
    (cache / "wheels-v1").write_text("a file where the bucket goes")
    download(worker, tmp_path, WHEEL)
    answer = end(worker, WHEEL, area_fields(tmp_path))
    assert answer[:3] == ("error", 1, "InstallFailed")
    (cache / "wheels-v1").unlink()
    download(worker, tmp_path, WHEEL, job=2)
    assert end(worker, WHEEL, job=2)[0] == "done"


def test_a_wheel_that_cannot_be_staged_is_said_of_that_area_alone(worker: Worker, tmp_path: Path) -> None:
    area = area_fields(tmp_path)
    (tmp_path / "stage0/purelib/demo").write_text("a file where a folder goes")
    download(worker, tmp_path, WHEEL)
    answer = end(worker, WHEEL, area)
    ((_, _, _, refused),) = answer[4]
    assert answer[0] == "done" and "purelib/demo" in refused[0]


@pytest.mark.skipif(os.name == "nt", reason="descriptors of POSIX")
def test_no_descriptor_is_left_whatever_happens_to_a_wheel(worker: Worker, tmp_path: Path) -> None:
    lowest = os.open(os.curdir, os.O_RDONLY)
    os.close(lowest)
    for job, message in enumerate((("end", {}), ("end", {"sha256": "0"}), ("abort", {}))):
        download(worker, tmp_path, WHEEL, job=job)
        worker.handle(("abort", job) if message[0] == "abort" else ("end", job, len(WHEEL.content), message[1], [], []))
    again = os.open(os.curdir, os.O_RDONLY)
    os.close(again)
    assert again == lowest


def test_serving_ends_when_the_other_side_closes(worker: Worker, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(theirs, worker))
    thread.start()
    messages: list[Message] = [("stage", 7, "ab" * 32, []), ("wake", 0), ("stage", 8, "ab" * 32, [])]
    for message in messages:
        body = marshal.dumps(message)
        ours.sendall(len(body).to_bytes(4, "big") + body)
    with ours.makefile("rb") as stream:
        answers = [marshal.loads(stream.read(int.from_bytes(stream.read(4), "big"))) for _ in range(2)]
    assert answers == [("drift", 7, "manifest"), ("drift", 8, "manifest")]
    ours.close()
    thread.join(30)
    assert not thread.is_alive()


def test_wheels_in_the_cache_wait_until_there_is_nothing_else_to_do(worker: Worker, tmp_path: Path) -> None:
    wheel, missing = make_wheel("demo", "1.0", {"demo.py": ""}), "0" * 64
    path = tmp_path / "1.part"
    path.write_bytes(wheel.content)
    messages: list[Message] = [
        ("stage", 5, missing, []),
        ("stage", 6, missing, []),
        ("begin", 1, str(path), wheel.filename, False),
        ("abort", 6),
        ("end", 1, len(wheel.content), {}, [], None),
    ]
    ours, theirs = socket.socketpair()
    with ours, ours.makefile("rb") as answers:
        for message in messages:
            body = marshal.dumps(message)
            ours.sendall(len(body).to_bytes(4, "big") + body)
        thread = threading.Thread(target=serve, args=(theirs, worker))
        thread.start()
        found = [marshal.loads(answers.read(int.from_bytes(answers.read(4), "big"))) for _ in range(2)]
        ours.shutdown(socket.SHUT_WR)
        assert answers.read() == b""
    thread.join(10)
    assert [answer[:2] for answer in found] == [("done", 1), ("drift", 5)]


def test_a_connection_may_have_a_high_number(worker: Worker) -> None:
    resource = pytest.importorskip("resource")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1100:
        pytest.skip("so many files may not be open")
    ours, theirs = socket.socketpair()
    high = socket.socket(fileno=fcntl.fcntl(theirs.detach(), fcntl.F_DUPFD, 1050))
    thread = threading.Thread(target=serve, args=(high, worker))
    thread.start()
    with ours, ours.makefile("rb") as answers:
        body = marshal.dumps(("stage", 7, "ab" * 32, []))
        ours.sendall(len(body).to_bytes(4, "big") + body)
        assert marshal.loads(answers.read(int.from_bytes(answers.read(4), "big")))[:2] == ("drift", 7)
        ours.shutdown(socket.SHUT_WR)
    thread.join(10)
    assert not thread.is_alive()


def test_where_a_wheel_came_from_is_planned_without_secrets_and_written_only_when_it_is_due(
    worker: Worker, tmp_path: Path
) -> None:
    download(worker, tmp_path, WHEEL)
    end(worker, WHEEL)
    url = "https://user:secret@example.com/demo-1.0-py3-none-any.whl"
    for number, direct in enumerate((False, True)):
        answer = worker.handle(
            ("stage", 2 + number, WHEEL.sha256, [area_fields(tmp_path, number)], (url, direct, not direct))
        )
        assert answer is not None and "secret" not in repr(answer)
        entry = PlannedEntry.from_fields(answer[4][0][1])
        assert entry.url.endswith("@example.com/demo-1.0-py3-none-any.whl")
        assert (WHEEL.sha256 in entry.direct_url) == direct
        assert ("purelib/demo-1.0.dist-info/direct_url.json" in staged(tmp_path, number)) == direct
        assert ("purelib/demo-1.0.dist-info/REQUESTED" in staged(tmp_path, number)) == (not direct)
