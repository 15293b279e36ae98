"""Several indexes: which is asked, which decides, and who is told what."""

import json
import threading
from collections.abc import Iterator

import pytest

from engine.errors import ConfigurationError
from engine.locations import IndexLocation, IndexOptions
from engine.options import LockOptions, SyncOptions
from engine.reporting import Outcome, View
from engine.sync import sync
from tests.integration.conftest import NewTarget
from tests.support.index import JSON_TYPE, Fault, Index, serving
from tests.support.tool import Target, Tool
from tests.support.wheels import Wheel, make_wheel

PUBLIC = make_wheel("demo", "1.0", {"demo.py": "home = 'public'\n"})
PRIVATE = make_wheel("demo", "1.0", {"demo.py": "home = 'private'\n"})
OTHER = make_wheel("other", "2.0")
HOME = "import demo; print(demo.home)"


@pytest.fixture
def private() -> Iterator[Index]:
    """Another index; `index` is the default one, behind it."""
    with serving() as served:
        yield served


def paths(index: Index, kind: str = "simple") -> list[str]:
    return [path for path in index.requests if path.startswith(f"/{kind}/")]


def test_the_first_index_that_has_a_project_decides_and_the_next_is_not_asked(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    index.add(PUBLIC, OTHER)
    private.add(PRIVATE)
    lock = tool.write_lock("demo==1.0", "other==2.0")
    run = tool.sync(lock, target, options=["--index", f"corp={private.url}"])
    assert run.code == 0, run.err
    assert target.run(HOME) == "private" and target.installed() == {"demo-1.0", "other-2.0"}
    assert paths(index) == ["/simple/other/"], "the second index is not told what the first one has"
    assert sorted(paths(private)) == ["/simple/demo/", "/simple/other/"]


def test_indexes_are_asked_in_the_order_given_and_the_default_last(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    extra = Index()
    index.add(PUBLIC)
    extra.add(PRIVATE)
    private.add(OTHER)
    run = tool.sync(
        tool.write_lock("demo==1.0"), target, options=["--extra-index-url", extra.url, "--index", private.url]
    )
    extra.close()
    assert run.code == 0, run.err
    assert target.run(HOME) == "private" and paths(private) == ["/simple/demo/"] and paths(index) == []


def test_a_version_that_only_a_later_index_has_is_refused_with_the_way_out(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    index.add(PUBLIC)
    private.add(make_wheel("demo", "0.1"))
    lock = tool.write_lock("demo==1.0")
    run = tool.sync(lock, target, options=["--index", private.url])
    assert run.code == 1 and target.installed() == set()
    assert private.url in run.err and "--index-strategy" in run.err and index.url in run.err
    assert paths(index) == []
    for strategy in ("unsafe-first-match", "unsafe-best-match"):
        run = tool.sync(lock, target, options=["--index", private.url, "--index-strategy", strategy])
        assert run.code == 0, run.err
        assert target.run(HOME) == "public"
        tool.sync(tool.write_lock("other==2.0", name="empty.txt"), target)


@pytest.mark.parametrize(
    ("strategy", "version"), [("first-index", "1.0"), ("unsafe-first-match", "1.0"), ("unsafe-best-match", "1.0+local")]
)
def test_only_the_best_match_of_all_indexes_looks_further_than_the_first_that_fits(
    tool: Tool, index: Index, private: Index, target: Target, strategy: str, version: str
) -> None:
    private.add(PRIVATE)
    index.add(make_wheel("demo", "1.0+local", {"demo.py": "home = 'public'\n"}))
    run = tool.sync(
        tool.write_lock("demo==1.0"), target, options=["--index", private.url, "--index-strategy", strategy]
    )
    assert run.code == 0, run.err
    assert target.installed() == {f"demo-{version}"}


def test_equal_versions_come_from_the_first_index_whoever_answers_first(
    tool: Tool, index: Index, private: Index, new_target: NewTarget
) -> None:
    index.add(PUBLIC)
    private.add(PRIVATE)
    lock = tool.write_lock("demo==1.0")
    for number, slow in enumerate((index, private)):
        gate = threading.Event()
        quick = private if slow is index else index
        slow.fault("/simple/demo/", Fault(hold_after_bytes=1, gate=gate, times=1))
        quick.on_request = lambda count, gate=gate: gate.set()
        target = new_target(f"env{number}")
        run = tool.sync(
            lock,
            target,
            options=["--index", private.url, "--index-strategy", "unsafe-best-match", "--cache-dir", str(number)],
        )
        assert run.code == 0, run.err
        assert target.run(HOME) == "private"


def test_an_index_that_refuses_is_an_error_and_not_passed_over(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    index.add(PUBLIC)
    for status in (401, 403, 500):
        private.fault("/simple/demo/", Fault(status=status, body=b"", times=8 if status == 500 else 1))
        run = tool.sync(tool.write_lock("demo==1.0"), target, options=["--index", private.url])
        assert run.code == 1 and str(status) in run.err and private.url in run.err, run.err
    assert paths(index) == [] and target.installed() == set()


def test_a_project_that_an_index_does_not_have_is_remembered_for_a_while(
    tool: Tool, index: Index, private: Index, new_target: NewTarget
) -> None:
    index.add(PUBLIC, OTHER)
    private.add(make_wheel("unrelated", "1.0"))
    options = ["--index", private.url]
    assert tool.sync(tool.write_lock("demo==1.0"), new_target("one"), options=options).code == 0
    asked = len(private.requests)
    # Another lock, so no plan; its wheel is not in the cache, so that stored pages alone do not answer.
    lock = tool.write_lock("demo==1.0", "other==2.0", name="more.txt")
    assert tool.sync(lock, new_target("two"), options=options).code == 0
    assert private.requests[asked:] == ["/simple/other/"]


def test_what_is_remembered_as_absent_is_asked_again_before_a_refusal(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    index.add(make_wheel("demo", "0.1"))
    private.add(OTHER)
    options = ["--index", private.url]
    lock = tool.write_lock("demo==1.0")
    assert tool.sync(lock, target, options=options).code == 1
    private.add(PRIVATE)
    run = tool.sync(lock, target, options=options)
    assert run.code == 0, run.err
    assert target.run(HOME) == "private"


def test_a_project_that_nobody_has_names_every_place(tool: Tool, index: Index, private: Index, target: Target) -> None:
    run = tool.sync(tool.write_lock("demo==1.0"), target, options=["--index", private.url])
    assert run.code == 1 and private.url in run.err and index.url in run.err and "lock.txt:1" in run.err


def test_one_index_named_twice_is_asked_once(tool: Tool, index: Index, target: Target) -> None:
    run = tool.sync(tool.write_lock("demo==1.0"), target, options=["--index", index.url.rstrip("/")])
    assert run.code == 1 and index.requests == ["/simple/demo/"]


def test_a_page_of_the_first_index_that_is_still_fresh_is_not_asked_for_again(
    tool: Tool, index: Index, private: Index, new_target: NewTarget
) -> None:
    private.add(PRIVATE, make_wheel("demo", "2.0"))
    options = ["--index", private.url]
    assert tool.sync(tool.write_lock("demo==1.0"), new_target("one"), options=options).code == 0
    assert tool.sync(tool.write_lock("demo==2.0"), new_target("two"), options=options).code == 0
    assert paths(private) == ["/simple/demo/"] and paths(index) == []


def test_offline_everything_comes_from_what_is_stored(
    tool: Tool, index: Index, private: Index, new_target: NewTarget
) -> None:
    index.add(PUBLIC)
    options = ["--index", private.url]
    assert tool.sync(tool.write_lock("demo==1.0"), new_target("one"), options=options).code == 0
    asked = len(index.requests) + len(private.requests)
    lock = tool.write_lock("demo==1.0", "", name="again.txt")
    run = tool.sync(lock, new_target("two"), options=[*options, "--offline"])
    assert run.code == 0, run.err
    assert len(index.requests) + len(private.requests) == asked


@pytest.mark.parametrize("option", ["--no-binary=:all:", "--no-binary=Demo", "--no-binary=x,demo"])
def test_a_project_whose_wheels_are_forbidden_is_refused(tool: Tool, index: Index, target: Target, option: str) -> None:
    index.add(PUBLIC)
    lock = tool.write_lock("demo==1.0")
    assert tool.sync(lock, target).code == 0, "the plan of a run without the option"
    tool.sync(tool.write_lock("nothing==1.0", name="other.txt"), target)
    again = tool.sync(lock, target.copy_to(target.prefix.parent / "copy"), options=[option, "--only-binary", "y"])
    assert again.code == 0, "what is installed is in place"
    index.add(make_wheel("demo", "2.0"))
    run = tool.sync(tool.write_lock("demo==2.0"), target, options=[option])
    assert run.code == 1 and "--no-binary" in run.err and target.installed() == {"demo-1.0"}


def test_an_exception_from_no_binary_and_the_words_that_change_nothing(
    tool: Tool, index: Index, target: Target
) -> None:
    index.add(PUBLIC)
    options = ["--no-binary", ":all:", "--only-binary", "demo", "--only-binary=:all:", "--pre"]
    assert tool.sync(tool.write_lock("demo==1.0"), target, options=options).code == 0
    assert target.installed() == {"demo-1.0"}


def page_with(wheel: Wheel, **fields: object) -> bytes:
    entry = {"filename": wheel.filename, "url": f"/files/{wheel.filename}", "hashes": {"sha256": wheel.sha256}}
    return json.dumps({"meta": {"api-version": "1.4"}, "name": wheel.name, "files": [entry], **fields}).encode()


@pytest.mark.parametrize("status", ["archived", "deprecated"])
def test_a_status_is_said_to_who_asks_for_more(tool: Tool, index: Index, target: Target, status: str) -> None:
    index.add(PUBLIC)
    body = page_with(PUBLIC, **{"project-status": {"status": status}})
    index.fault("/simple/demo/", Fault(headers={"Content-Type": JSON_TYPE}, body=body))
    run = tool.sync(tool.write_lock("demo==1.0"), target, options=["-v"])
    assert run.code == 0 and f"the project is {status}" in run.err
    quiet = tool.sync(tool.write_lock("demo==1.0"), target)
    assert "the project is" not in quiet.err


@pytest.mark.parametrize("operator", ["==", "==="])
def test_a_pinned_yanked_file_is_installed_with_its_reason_escaped(
    tool: Tool, index: Index, target: Target, operator: str
) -> None:
    index.add(PUBLIC, yanked="broken \x1b[31m\u202e now")
    run = tool.sync(tool.write_lock(f"demo{operator}1.0"), target)
    assert run.code == 0 and target.installed() == {"demo-1.0"}
    assert "was yanked: broken \\x1b[31m\\u202e now" in run.err


def test_every_refusal_is_reported_at_once(tool: Tool, index: Index, target: Target) -> None:
    index.add(PUBLIC, make_wheel("tagged", "1.0", tag="cp27-cp27m-win32"))
    pins = ("demo==9", "missing==1.0", "tagged==1.0", "demo2==1.0", "other==2.0")
    lock = tool.write_lock(*(f"{pin} --hash=sha256:{'0' * 64}" for pin in pins))
    index.add(OTHER)
    run = tool.sync(lock, target)
    assert run.code == 1 and target.installed() == set()
    errors = [line for line in run.err.splitlines() if line.startswith("error: ")]
    assert [line.split(": ")[1].partition(":")[2] for line in errors] == ["1", "2", "3", "4", "5"], run.err
    assert paths(index, "files") == []


def test_a_failing_network_is_not_waited_for_and_named_with_what_was_refused(
    tool: Tool, index: Index, target: Target
) -> None:
    index.add(PUBLIC)
    index.fault("/simple/other/", Fault(status=418, body=b""))
    run = tool.sync(tool.write_lock("demo==9", "other==2.0"), target)
    assert run.code == 1 and "418" in run.err


def test_an_index_that_has_nothing_at_all_is_one_error(tool: Tool, index: Index, target: Target) -> None:
    run = tool.sync(tool.write_lock(*(f"demo{number}==1.0" for number in range(9))), target)
    assert run.code == 1 and run.err.count("error: ") == 1 and "nor any other of the 9" in run.err
    assert "--index-url" in run.err and "lock.txt:1" in run.err


def test_a_status_that_means_not_here_leads_to_the_next_index(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    index.add(PUBLIC)
    private.fault("/simple/demo/", Fault(status=403, body=b""))
    location = IndexLocation(private.url, ignored_statuses=[403])
    options = SyncOptions(
        locks=LockOptions(files=[str(tool.write_lock("demo==1.0"))]),
        pythons=(str(target.prefix),),
        cache_dir=str(tool.cache),
        indexes=IndexOptions(locations=[location, IndexLocation(index.url, default=True)]),
    )
    (outcome,) = sync(options, {}, str(tool.folder), View())
    assert outcome.error is None and target.run(HOME) == "public"


def sync_pinned(tool: Tool, target: Target, *locations: IndexLocation) -> Outcome:
    """A run in this process, for what only settings can say so far; demo may come from "corp" alone."""
    options = SyncOptions(
        locks=LockOptions(files=[str(tool.write_lock("demo==1.0", "other==2.0"))]),
        pythons=(str(target.prefix),),
        cache_dir=str(tool.cache),
        indexes=IndexOptions(locations=locations, pins={"demo": "corp"}),
    )
    (outcome,) = sync(options, {}, str(tool.folder), View())
    return outcome


@pytest.mark.parametrize("explicit", [True, False])
def test_a_pinned_project_comes_from_its_index_and_no_other_is_told_its_name(
    tool: Tool, index: Index, private: Index, target: Target, explicit: bool
) -> None:
    index.add(PUBLIC, OTHER)
    private.add(PRIVATE)
    public = IndexLocation(index.url, default=True)
    outcome = sync_pinned(tool, target, public, IndexLocation(private.url, name="corp", explicit=explicit))
    assert outcome.error is None and target.run(HOME) == "private"
    assert paths(index) == ["/simple/other/"]
    assert sorted(paths(private)) == (["/simple/demo/"] if explicit else ["/simple/demo/", "/simple/other/"])


def test_a_pin_to_an_index_that_nobody_named_is_refused(tool: Tool, index: Index, target: Target) -> None:
    index.add(PUBLIC, OTHER)
    with pytest.raises(ConfigurationError, match="corp"):
        sync_pinned(tool, target, IndexLocation(index.url, default=True))
    assert index.requests == []


def test_a_project_that_only_an_explicit_index_may_have_is_refused_with_the_way_out(
    tool: Tool, index: Index, private: Index, target: Target
) -> None:
    corp = f'[[index]]\nname = "corp"\nurl = "{private.url}"\nexplicit = true\n'
    (tool.folder / "engine.toml").write_text(corp)
    run = tool.sync(tool.write_lock("demo==1.0"), target)
    assert run.code == 1 and '"corp" is explicit and was not asked' in run.err and private.requests == []


@pytest.mark.parametrize("flat", [False, True])
def test_a_refusal_by_a_stale_page_of_one_of_several_indexes_is_the_failure(
    tool: Tool, index: Index, private: Index, new_target: NewTarget, flat: bool
) -> None:
    private.add(PUBLIC)
    private.cache_control = "max-age=0"
    index.add(OTHER)
    options = ["--retries", "0", "--find-links" if flat else "--index", private.url + ("demo/" if flat else "/")]
    assert tool.sync(tool.write_lock("demo==1.0"), new_target("a"), options=options).code == 0
    private.fault("/simple/demo/", Fault(status=503))
    if not flat:
        assert tool.sync(tool.write_lock("demo==1.0"), new_target("b"), options=options).code == 0
    run = tool.sync(tool.write_lock("demo==3.0"), new_target("c"), options=options)
    assert run.code == 1 and "503" in run.err.partition("error: ")[2]


def test_what_was_installed_is_told_with_its_local_version(tool: Tool, index: Index, target: Target) -> None:
    index.add(make_wheel("delta", "1.0+cpu"))
    report = tool.folder / "report.json"
    run = tool.sync(tool.write_lock("delta==1.0"), target, options=["--report", str(report)])
    assert run.code == 0 and "+ delta==1.0+cpu" in run.err + run.out
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["engine"]["environments"][0]["added"] == [{"name": "delta", "version": "1.0+cpu"}]
    assert told["install"][0]["metadata"]["version"] == "1.0+cpu"
