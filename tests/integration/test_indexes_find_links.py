"""Find-links and local indexes: folders, pages and single files, beside indexes and without any."""

import os
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import HTML_TYPE, Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import published
from tests.support.wheels import Wheel, make_wheel

DEMO = make_wheel("demo", "1.0", {"demo.py": "home = 'folder'\n"})
PUBLIC = make_wheel("demo", "1.0", {"demo.py": "home = 'index'\n"})
HOME = "import demo; print(demo.home)"
PIN = "demo==1.0"


@pytest.fixture
def folder(tool: Tool) -> Path:
    """A folder of wheels, with a name that has to be quoted in a URL."""
    folder = tool.folder / "my wheels%20#1"
    folder.mkdir()
    return folder


def put(folder: Path, *wheels: Wheel) -> None:
    folder.mkdir(exist_ok=True)
    for wheel in wheels:
        (folder / wheel.filename).write_bytes(wheel.content)


def link(wheel: Wheel, href: str, *, hashed: bool = True) -> str:
    fragment = f"#sha256={wheel.sha256}" if hashed else ""
    return f'<a href="{href}{fragment}">{wheel.filename}</a>\n'


@pytest.mark.parametrize("way", ["path", "relative", "url"])
def test_a_folder_of_wheels_needs_no_index(tool: Tool, index: Index, target: Target, folder: Path, way: str) -> None:
    put(folder, DEMO, make_wheel("demo", "2.0"), make_wheel("other", "1.0"))
    (folder / "demo-1.0.tar.gz").write_bytes(b"no archive")
    place = {"path": str(folder), "relative": folder.name, "url": folder.as_uri()}[way]
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "-f", place])
    assert run.code == 0, run.err
    assert target.run(HOME) == "folder" and index.requests == []


def test_a_folder_stands_beside_the_index_and_comes_first_among_equals(
    tool: Tool, index: Index, target: Target, folder: Path
) -> None:
    put(folder, DEMO)
    index.add(PUBLIC, make_wheel("other", "1.0"))
    run = tool.sync(tool.write_lock(PIN, "other==1.0"), target, options=["--find-links", str(folder)])
    assert run.code == 0, run.err
    assert target.run(HOME) == "folder" and target.installed() == {"demo-1.0", "other-1.0"}


def test_the_index_has_the_better_wheel_of_a_version(tool: Tool, index: Index, target: Target, folder: Path) -> None:
    put(folder, DEMO)
    index.add(make_wheel("demo", "1.0", {"demo.py": "home = 'index'\n"}, build="7"))
    assert tool.sync(tool.write_lock(PIN), target, options=["--find-links", str(folder)]).code == 0
    assert target.run(HOME) == "index"


@pytest.mark.parametrize("more", [(), ("# another lock, and so no plan",)])
def test_a_wheel_that_is_written_anew_in_its_folder_is_installed_as_it_is_now(
    tool: Tool, index: Index, new_target: NewTarget, folder: Path, more: tuple[str, ...]
) -> None:
    options = ["--no-index", "-f", str(folder)]
    put(folder, DEMO)
    assert tool.sync(tool.write_lock(PIN), new_target("one"), options=options).code == 0
    path = folder / PUBLIC.filename
    path.write_bytes(PUBLIC.content)
    os.utime(path, ns=(1, 1))
    second = new_target("two")
    run = tool.sync(tool.write_lock(PIN, *more), second, options=options)
    assert run.code == 0, run.err
    assert second.run(HOME) == "index" and published(tool.cache) == {DEMO.sha256, PUBLIC.sha256}


def test_the_second_sync_from_a_folder_is_a_warm_one(
    tool: Tool, index: Index, new_target: NewTarget, folder: Path
) -> None:
    options = ["--no-index", "-f", str(folder), "-v"]
    put(folder, DEMO)
    lock = tool.write_lock(PIN)
    assert "1 wheels downloaded" in tool.sync(lock, new_target("one"), options=options).err
    second = new_target("two")
    run = tool.sync(lock, second, options=options)
    assert run.code == 0 and "downloaded" not in run.err and second.run(HOME) == "folder"


@pytest.mark.parametrize("html", [True, False])
def test_a_page_on_the_web_is_asked_for_once_for_all_projects(
    tool: Tool, index: Index, new_target: NewTarget, html: bool
) -> None:
    wheels = [make_wheel(f"demo{number}", "1.0") for number in range(5)]
    index.add(*wheels)
    body = "".join(link(wheel, f"../files/{wheel.filename}") for wheel in wheels)
    headers = {"Content-Type": HTML_TYPE, "Cache-Control": "max-age=600"}
    index.fault("/links/page.html", Fault(status=200, body=body.encode(), headers=headers))
    page = index.url.replace("simple/", "links/page.html")
    options = ["--no-index", "--find-links", page]
    target = new_target("one")
    run = tool.sync(tool.write_lock(*(wheel.pin for wheel in wheels)), target, options=options)
    assert run.code == 0, run.err
    assert index.requests.count("/links/page.html") == 1 and len(target.installed()) == 5
    assert not [path for path in index.requests if path.startswith("/simple/")]
    # A lock without a plan: the page is still fresh.
    assert tool.sync(tool.write_lock(wheels[0].pin), new_target("two"), options=options).code == 0
    assert index.requests.count("/links/page.html") == 1


@pytest.mark.parametrize("digits", [DEMO.sha256, "0" * 64])
def test_a_link_to_one_wheel_on_the_web_is_enough(tool: Tool, index: Index, target: Target, digits: str) -> None:
    index.add(DEMO)
    place = f"{index.url.replace('simple/', 'files/')}{DEMO.filename}#sha256={digits}"
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "--find-links", place])
    assert (run.code == 0) == (digits == DEMO.sha256), run.err
    assert index.requests == [f"/files/{DEMO.filename}"]


def test_a_local_page_and_a_single_local_wheel(tool: Tool, index: Index, new_target: NewTarget, folder: Path) -> None:
    put(folder / "deep", DEMO)
    page = folder / "page.html"
    page.write_text(link(DEMO, f"deep/{DEMO.filename}"))
    for number, place in enumerate((page, folder / "deep" / DEMO.filename)):
        target = new_target(f"env{number}")
        run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "-f", str(place)])
        assert run.code == 0, run.err
        assert target.run(HOME) == "folder"
    assert index.requests == []


@pytest.mark.parametrize("page", [True, False])
@pytest.mark.parametrize("option", ["--index-url", "--index"])
def test_an_index_that_is_a_folder(
    tool: Tool, index: Index, new_target: NewTarget, folder: Path, page: bool, option: str
) -> None:
    put(folder / "demo", DEMO)
    if page:
        put(folder / "files", DEMO)
        (folder / "demo" / DEMO.filename).unlink()
        (folder / "demo" / "index.html").write_text(link(DEMO, f"../files/{DEMO.filename}"))
    for number, place in enumerate((str(folder), folder.as_uri() + "/")):
        target = new_target(f"env{number}")
        run = tool.sync(tool.write_lock(PIN), target, options=[option, place])
        assert run.code == 0, run.err
        assert target.run(HOME) == "folder" and index.requests == []


def test_what_a_local_index_does_not_have_comes_from_the_next(
    tool: Tool, index: Index, target: Target, folder: Path
) -> None:
    put(folder / "demo", DEMO)
    index.add(PUBLIC, make_wheel("other", "1.0"))
    run = tool.sync(tool.write_lock(PIN, "other==1.0"), target, options=["--index", str(folder)])
    assert run.code == 0, run.err
    assert target.run(HOME) == "folder" and index.requests == ["/simple/other/", "/files/other-1.0-py3-none-any.whl"]


@pytest.mark.parametrize("options", [["-f", "nowhere"], ["--index", "nowhere"], ["-f", "lock.txt"]])
def test_a_place_that_is_not_there_is_named(tool: Tool, index: Index, target: Target, options: list[str]) -> None:
    index.add(PUBLIC)
    run = tool.sync(tool.write_lock(PIN), target, options=options)
    assert run.code == (2 if "--index" in options else 1) and options[1] in run.err and target.installed() == set()
    assert ("https://" if "--index" in options else "--find-links") in run.err.partition("hint: ")[2]


@pytest.mark.parametrize("option", ["--find-links", "--index-url", "--extra-index-url"])
def test_a_hint_names_the_option_that_named_the_place(tool: Tool, index: Index, target: Target, option: str) -> None:
    place = index.url.replace("/simple/", "/place/")
    for path in ("/place/", "/place/demo/"):
        index.fault(path, Fault(reset=True, times=1))
        index.fault(path, Fault(status=200, headers={"Content-Type": "image/png"}, body=b"none"))
    lock = tool.write_lock(PIN)
    for options in (["--retries", "0"], []):
        run = tool.sync(lock, target, options=[option, place, *options])
        assert run.code == 1 and option in run.err.partition("hint: ")[2], run.err


def test_a_page_on_the_web_that_is_not_there_is_named(tool: Tool, index: Index, target: Target) -> None:
    index.add(PUBLIC)
    page = index.url.replace("simple/", "links.html")
    run = tool.sync(tool.write_lock(PIN), target, options=["-f", page])
    assert run.code == 1 and page in run.err and target.installed() == set()


def test_without_any_place_the_refusal_says_what_to_do(tool: Tool, index: Index, target: Target) -> None:
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index"])
    assert run.code == 1 and "--find-links" in run.err and index.requests == []


def test_a_source_distribution_in_a_folder_is_named_and_not_installed(
    tool: Tool, index: Index, target: Target, folder: Path
) -> None:
    (folder / "demo-1.0.tar.gz").write_bytes(b"")
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "-f", str(folder)])
    assert run.code == 1 and "only a source distribution (demo-1.0.tar.gz)" in run.err


def test_the_hash_of_the_lock_holds_for_a_folder_too(tool: Tool, index: Index, target: Target, folder: Path) -> None:
    put(folder, DEMO)
    options = ["--no-index", "-f", str(folder)]
    wrong = tool.sync(tool.write_lock(f"{PIN} --hash=sha256:{'0' * 64}"), target, options=options)
    assert wrong.code == 1 and DEMO.sha256 in wrong.err and target.installed() == set()
    assert published(tool.cache) == set()
    right = tool.sync(tool.write_lock(f"{PIN} --hash=sha256:{DEMO.sha256}"), target, options=options)
    assert right.code == 0, right.err


def test_offline_a_local_place_is_still_read(tool: Tool, index: Index, target: Target, folder: Path) -> None:
    put(folder, DEMO)
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "-f", str(folder), "--offline"])
    assert run.code == 0, run.err
    assert target.run(HOME) == "folder"


@pytest.mark.parametrize(
    "name", ["demo-1.0-py3-none-any\n.whl", "demo-1.0-py3-none-\u202eany.whl", "demo-1.0-..-any.whl"]
)
def test_an_unsafe_name_in_a_folder_is_left_out(
    tool: Tool, index: Index, target: Target, folder: Path, name: str
) -> None:
    (folder / name).write_bytes(DEMO.content)
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "-f", str(folder)])
    assert run.code == 1 and target.installed() == set() and "Traceback" not in run.err


def test_a_page_of_the_web_cannot_name_local_files(tool: Tool, index: Index, target: Target, folder: Path) -> None:
    put(folder, DEMO)
    body = link(DEMO, (folder / DEMO.filename).as_uri())
    index.fault("/links.html", Fault(status=200, body=body.encode(), headers={"Content-Type": HTML_TYPE}))
    page = index.url.replace("simple/", "links.html")
    run = tool.sync(tool.write_lock(PIN), target, options=["--no-index", "-f", page])
    assert run.code == 1 and target.installed() == set()


def test_places_and_formats_may_stand_in_the_lock(tool: Tool, index: Index, target: Target, folder: Path) -> None:
    put(folder / "links", DEMO)
    extra = Index()
    extra.add(make_wheel("other", "1.0"))
    index.add(make_wheel("other", "1.0", {"other.py": "wrong = 1"}))
    lines = ["-f links", f"--extra-index-url {extra.url}", PIN, "other==1.0"]
    (folder / "lock.txt").write_text("\n".join(lines))
    run = tool.sync(folder / "lock.txt", target)
    extra.close()
    assert run.code == 0, run.err
    assert (
        target.run(HOME) == "folder" and "/simple/other/" in extra.requests and "/simple/other/" not in index.requests
    )
    (folder / "lock.txt").write_text("\n".join(["--no-index", "-f links", "--no-binary :all:", "other==2.0"]))
    run = tool.sync(folder / "lock.txt", target)
    assert run.code == 1 and "--no-binary" in run.err and target.installed() == {"demo-1.0", "other-1.0"}
