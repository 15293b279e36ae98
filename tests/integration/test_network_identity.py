"""Who we say we are: credentials from every place, for their origin alone, and never shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import Fault, Index, serving
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0")
PAGE, FILE = "/simple/one/", f"/files/{ONE.filename}"


@pytest.fixture(autouse=True)
def private(index: Index) -> None:
    index.add(ONE)
    index.passwords = {"us@er:pa:ss/wörd"}


@pytest.fixture
def other() -> Iterator[Index]:
    """Another origin: the same host, another port."""
    with serving() as served:
        yield served


def install_keyring(folder: Path, script: str) -> dict[str, str]:
    """Puts a `keyring` on PATH; returns the variables."""
    folder.mkdir()
    command = folder / "keyring"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_credentials_in_the_url_go_with_pages_and_files(index: Index, tool: Tool, target: Target) -> None:
    tool.index_url = index.url_for("us%40er:pa%3Ass%2Fw%C3%B6rd")
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert index.requests == [PAGE, FILE]


def test_variables_of_a_named_index_count(index: Index, tool: Tool, target: Target) -> None:
    environ = {"ENGINE_INDEX_MY_INDEX_USERNAME": "us@er", "ENGINE_INDEX_MY_INDEX_PASSWORD": "pa:ss/wörd"}
    options = ["--index", f"my-index={index.url}"]
    run = tool.sync(tool.write_lock("one==1.0"), target, options=options, environ=environ)
    assert run.code == 0, run.err


def test_netrc_counts(index: Index, tool: Tool, target: Target) -> None:
    (tool.folder / ".netrc").write_text("machine 127.0.0.1 login us@er password pa:ss/wörd\n", encoding="utf-8")
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert index.requests == [PAGE, FILE]


def test_keyring_is_asked_after_a_refusal(index: Index, tool: Tool, target: Target) -> None:
    tool.index_url = index.url_for("us%40er")
    environ = install_keyring(tool.folder / "bin", 'test "$*" = "get 127.0.0.1 us@er" && echo "pa:ss/wörd"')
    run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
    assert run.code == 0, run.err
    assert index.requests == [PAGE, PAGE, FILE]


def test_keyring_is_not_asked_when_it_is_disabled(index: Index, tool: Tool, target: Target) -> None:
    tool.index_url = index.url_for("us%40er")
    environ = install_keyring(tool.folder / "bin", f'touch "{tool.folder}/asked"')
    lock = tool.write_lock("one==1.0")
    run = tool.sync(lock, target, options=["--keyring-provider", "disabled"], environ=environ)
    assert run.code == 1 and "401" in run.err
    assert not (tool.folder / "asked").exists()


def test_nobody_is_told_how_to_be_somebody(index: Index, tool: Tool, target: Target) -> None:
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert "401" in run.err and index.url in run.err and "netrc" in run.err
    assert index.requests == [PAGE]


def test_a_name_without_a_password_is_told_as_such(index: Index, tool: Tool, target: Target) -> None:
    tool.index_url = index.url_for("al")
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert (
        "no password is known" in run.err and "the URL of the index" in run.err and "name and password" not in run.err
    )


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_told_with_their_source_and_not_tried_again(
    status: int, index: Index, tool: Tool, target: Target
) -> None:
    index.passwords = set()
    index.fault(PAGE, Fault(status=status))
    tool.index_url = index.url_for("user:hunter2")
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert str(status) in run.err and "the URL of the index" in run.err and "hunter2" not in run.err
    assert index.requests == [PAGE]


def test_another_origin_learns_nothing(index: Index, other: Index, tool: Tool, target: Target) -> None:
    """ADVERSARIAL 67."""
    tool.index_url = index.url_for("us%40er:pa%3Ass%2Fw%C3%B6rd")
    two = make_wheel("two", "1.0")
    other.add(ONE, two)
    index.add(two, url=f"http://127.0.0.1:{other.port}/files/{two.filename}")
    index.passwords.add("x:y")
    index.fault(FILE, Fault(status=302, headers={"Location": f"http://127.0.0.1:{other.port}{FILE}"}))
    run = tool.sync(tool.write_lock("one==1.0", "two==1.0"), target)
    assert run.code == 0, run.err
    assert sorted(other.requests) == [FILE, f"/files/{two.filename}"]
    assert not any("authorization" in headers for headers in other.headers)
    assert all("authorization" in headers for headers in index.headers)


def test_a_redirect_back_home_is_made_with_credentials_again(
    index: Index, other: Index, tool: Tool, target: Target
) -> None:
    tool.index_url = index.url_for("us%40er:pa%3Ass%2Fw%C3%B6rd")
    other.fault("/there", Fault(status=307, headers={"Location": f"http://127.0.0.1:{index.port}{FILE}?back"}))
    index.fault(FILE, Fault(status=302, headers={"Location": f"http://127.0.0.1:{other.port}/there"}))
    index.fault(f"{FILE}?back", Fault(status=200, body=ONE.content))
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert [("authorization" in headers) for headers in (*index.headers, *other.headers)] == [True] * 3 + [False]
