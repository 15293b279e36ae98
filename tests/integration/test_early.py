"""The first pages are asked for before the event loop runs: over few connections, and with care where one is odd."""

import gzip
import json
import sys

import pytest

from engine.limits import BULK_CONNECTIONS, EARLY_CONNECTIONS
from tests.support.index import JSON_TYPE, Fault, Index
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel

COUNT = 3 * EARLY_CONNECTIONS
NAMES = [f"demo{number}" for number in range(COUNT)]
PAGE = "/simple/demo0/"
#: Of demo0, whose page is odd in these tests.
HERE = {"Content-Type": JSON_TYPE}


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    index.add_with_metadata(*(make_wheel(name, "1.0") for name in NAMES))


def compiled(tool: Tool, *names: str, python: Target | None = None) -> Result:
    source = tool.write_lock(*names, name="wanted.in")
    words = () if python is None else ("--python", str(python.prefix))
    result = tool.compile(str(source), "-q", "--no-header", "--no-annotate", *words)
    assert result.code == 0, result.err
    assert sorted(result.out.splitlines()) == sorted(f"{name}==1.0" for name in names)
    return result


def pages(index: Index) -> list[str]:
    return [path for path in index.requests if path.startswith("/simple/")]


def test_many_pages_come_over_few_connections_and_each_once(tool: Tool, index: Index) -> None:
    compiled(tool, *NAMES)
    assert sorted(pages(index)) == sorted(f"/simple/{name}/" for name in NAMES)
    assert index.connections <= EARLY_CONNECTIONS + BULK_CONNECTIONS


def test_what_is_needed_later_comes_over_the_same_connections(tool: Tool, index: Index) -> None:
    index.add_with_metadata(make_wheel("needing", "1.0", requires=["needed"]), make_wheel("needed", "1.0"))
    source = tool.write_lock("needing", name="wanted.in")
    assert tool.compile(str(source), "-q").code == 0
    assert pages(index) == ["/simple/needing/", "/simple/needed/"] and index.connections == 1


def test_pages_of_what_a_known_project_usually_requires_are_asked_for_before_its_metadata_are(
    tool: Tool, index: Index
) -> None:
    index.add_with_metadata(
        make_wheel("flask", "1.0", requires=["jinja2"]),
        make_wheel("jinja2", "1.0", requires=["markupsafe<2"]),
        make_wheel("markupsafe", "1.0"),
        make_wheel("markupsafe", "2.0"),
    )
    source = tool.write_lock("flask", name="wanted.in")
    result = tool.compile(str(source), "-q", "--no-header", "--no-annotate")
    assert result.out.split() == ["flask==1.0", "jinja2==1.0", "markupsafe==1.0"]
    before = index.requests[: next(at for at, path in enumerate(index.requests) if path.endswith(".metadata"))]
    assert {"/simple/flask/", "/simple/jinja2/", "/simple/markupsafe/"} <= set(before)


def test_what_a_project_wants_is_asked_for_in_the_same_way_once_it_is_read(tool: Tool, index: Index) -> None:
    index.add_with_metadata(make_wheel("flask", "1.0", requires=["jinja2"]), make_wheel("jinja2", "1.0"))
    project = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["flask"]\n'
    (tool.folder / "pyproject.toml").write_text(project)
    for words in (), ("--universal",):
        index.requests.clear()
        result = tool.compile(str(tool.folder / "pyproject.toml"), "--no-header", "--no-annotate", "--no-cache", *words)
        assert (result.code, result.out.split()) == (0, ["flask==1.0", "jinja2==1.0"]), result.err
        before = index.requests[: next(at for at, path in enumerate(index.requests) if path.endswith(".metadata"))]
        assert {"/simple/flask/", "/simple/jinja2/"} <= set(before)


def test_an_index_that_a_file_names_is_the_one_that_is_asked(tool: Tool, index: Index) -> None:
    index.add_with_metadata(make_wheel("flask", "1.0", requires=["jinja2"]), make_wheel("jinja2", "1.0"))
    source = tool.write_lock(f"--index-url {index.url}", "flask", name="wanted.in")
    environ = {"ENGINE_INDEX_URL": "http://127.0.0.1:9/simple/"}
    command = (sys.executable, "-m", "cli", "compile", str(source), "-q", "--no-header", "--no-annotate")
    result = tool.run(*command, "--cache-dir", str(tool.cache), environ=environ)
    assert (result.code, result.out.split()) == (0, ["flask==1.0", "jinja2==1.0"]), result.err
    assert pages(index).count("/simple/jinja2/") == 1


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_is_not_required_after_all_is_nobodys_matter(tool: Tool, index: Index, status: int) -> None:
    index.add_with_metadata(make_wheel("flask", "1.0"))
    index.fault("/simple/jinja2/", Fault(status=status))
    source = tool.write_lock("flask", name="wanted.in")
    for words in (), ("--universal",):
        result = tool.compile(str(source), "--no-header", "--no-annotate", *words, "--no-cache")
        assert (result.code, result.out.split()) == (0, ["flask==1.0"]) and "warning" not in result.err
    assert "/simple/jinja2/" in index.requests


@pytest.mark.parametrize("word", ["--no-deps", "--no-foresight"])
def test_without_dependencies_or_foresight_nothing_else_is_asked_for(
    tool: Tool, target: Target, index: Index, word: str
) -> None:
    index.add_with_metadata(make_wheel("flask", "1.0"))
    source = tool.write_lock("flask", name="wanted.in")
    (tool.folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["flask"]\n')
    assert tool.compile(str(source), "-q", word).code == 0
    assert tool.compile(str(tool.folder / "pyproject.toml"), "-q", word, "--no-cache").code == 0
    assert tool.install(target, "flask", "-q", word, "--no-cache").code == 0
    assert set(pages(index)) == {"/simple/flask/"}


def test_what_an_environment_has_is_not_expected_to_be_asked_for(tool: Tool, target: Target, index: Index) -> None:
    index.add(make_wheel("markdown-it-py", "1.0"), make_wheel("rich", "1.0", requires=["markdown-it-py"]))
    assert tool.sync(tool.write_lock("markdown-it-py==1.0"), target).code == 0
    index.requests.clear()
    assert tool.install(target, "rich", "--no-cache").code == 0
    assert target.installed() == {"rich-1.0", "markdown_it_py-1.0"}
    assert {"/simple/markdown-it-py/", "/simple/mdurl/"}.isdisjoint(index.requests)


def body(index: Index) -> bytes:
    return index.answer(PAGE)[2]


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("packed", 1),
        ("closing", 1),
        ("in chunks", 2),
        ("wrongly packed", 2),
        ("moved", 1),
        ("busy", 2),
        ("reset", 2),
        ("cut off", 2),
        ("with more behind it", 2),
    ],
)
def test_whatever_is_wrong_with_one_page_all_are_found(tool: Tool, index: Index, kind: str, count: int) -> None:
    page = body(index)
    index.fault("/elsewhere/", Fault(status=200, body=page.replace(b"/files/", b"/files/"), headers=HERE))
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(page), page)
    faults = {
        "packed": Fault(body=gzip.compress(page), headers={"Content-Encoding": "gzip"}, times=1),
        "closing": Fault(headers={"Connection": "close"}, times=1),
        "in chunks": Fault(body=chunk, headers={"Transfer-Encoding": "chunked", "Content-Length": ""}, times=1),
        "wrongly packed": Fault(headers={"Content-Encoding": "br"}, times=1),
        "moved": Fault(status=302, headers={"Location": "/elsewhere/"}, body=b"", times=1),
        "busy": Fault(status=503, times=1),
        "reset": Fault(reset=True, times=1),
        "cut off": Fault(cut_after_bytes=10, times=1),
        "with more behind it": Fault(
            body=page + b"HTTP/1.1 200 OK\r\n", headers={"Content-Length": str(len(page))}, times=1
        ),
    }
    index.fault(PAGE, faults[kind])
    compiled(tool, *NAMES)
    # What follows an answer may come after it was taken; then it only ends the connection.
    assert index.requests.count(PAGE) in ((1, 2) if kind == "with more behind it" else (count,))
    assert index.requests.count("/elsewhere/") == (kind == "moved")


def test_a_server_that_nobody_reaches_is_told_as_such(tool: Tool, index: Index) -> None:
    index.close()
    source = tool.write_lock(*NAMES, name="wanted.in")
    result = tool.compile(str(source), "--retries", "0")
    assert result.code == 1 and "connection refused" in result.err and f"{index.url}demo" in result.err


def test_who_needs_a_password_is_not_asked_without_it(tool: Tool, index: Index) -> None:
    index.passwords.add("name:word")
    tool.index_url = index.url_for("name:word")
    compiled(tool, "demo0")
    assert all("authorization" in headers for headers in index.headers)


def test_a_page_that_was_asked_for_early_is_the_newest(tool: Tool, target: Target, index: Index) -> None:
    """What the cache has is asked for with its validators, not early."""
    index.max_age_seconds = 0
    index.validates = True
    lock = tool.write_lock("demo0==1.0")
    assert tool.sync(lock, target).code == 0
    (asked,) = (headers for path, headers in zip(index.requests, index.headers, strict=True) if path == PAGE)
    assert "if-none-match" not in asked and json.loads(body(index))["name"] == "demo0"
    compiled(tool, "demo0", python=target)
    assert "if-none-match" in index.headers[-1]
