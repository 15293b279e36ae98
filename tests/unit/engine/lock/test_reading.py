"""All files of a lock put together, compared with pip where pip reads the same."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements

from engine.errors import ConfigurationError, FilesUnavailable, IndexUnavailable, InvalidLock
from engine.inputs import LockInput, conditions_hold, read_inputs
from engine.local import file_url
from engine.lock.lock import Lock
from engine.lock.pins import Pin
from engine.lock.reading import LockReader
from engine.options import LockOptions

A, B = "a" * 64, "b" * 64


class Files:
    """A folder with files of a lock, and web addresses."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web: dict[str, bytes] = {}
        self.environ: dict[str, str] = {}
        self.fetched: list[str] = []
        self.failure = IndexUnavailable("cannot fetch it", hint="check it")

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.folder / f"{name.replace('__', '/')}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def fetch(self, url: str) -> tuple[str, bytes]:
        self.fetched.append(url)
        if url not in self.web:
            raise self.failure
        return url, self.web[url]

    def inputs(self, names: Sequence[str], constraints: Sequence[str] = ()) -> list[LockInput]:
        return read_inputs(names, constraints, str(self.folder), self.fetch)

    def reader(self, *names: str, options: LockOptions | None = None) -> LockReader:
        options = options or LockOptions(files=names, allow_empty=True)
        return LockReader(
            self.inputs(names, options.constraints),
            options,
            environ=self.environ,
            cwd=str(self.folder),
            fetch=self.fetch,
        )

    def read(self, *names: str, options: LockOptions | None = None) -> Lock:
        return self.reader(*names, options=options).read()

    def problems(self, *names: str) -> list[str]:
        with pytest.raises(InvalidLock) as caught:
            self.read(*names)
        return caught.value.problems


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def names(lock: Lock) -> list[str]:
    return [f"{part} {part.where}" for part in lock.parts if isinstance(part, Pin)]


def test_pins_stand_in_the_order_in_which_they_are_read_and_name_their_file(files: Files) -> None:
    files.write(a="a==1\n-r sub/b.txt\nd==1\n", sub__b="b==1\n-r c.txt\n", sub__c="c==1\n")
    assert names(files.read("a.txt")) == ["a==1 a.txt:1", "b==1 sub/b.txt:1", "c==1 sub/c.txt:1", "d==1 a.txt:3"]


def test_problems_of_all_files_are_collected(files: Files) -> None:
    files.write(a="a>1\n-r b.txt\n-r none.txt\n", b="b>1\n", c="c>1\n")
    found = files.problems("a.txt", "c.txt")
    assert [problem.split(": ")[0] for problem in found] == ["a.txt:1", "b.txt:1", "a.txt:3", "c.txt:1"]


def test_what_a_constraints_file_includes_constrains_too(files: Files) -> None:
    files.write(a="-c c.txt\na==1", c="-r d.txt\nc==1", d="d==1")
    lock = files.read("a.txt")
    assert names(lock) == ["a==1 a.txt:2"]
    assert sorted(one.name for one in lock.constraints) == ["c", "d"]


def test_one_file_may_pin_and_constrain(files: Files) -> None:
    files.write(a="-r b.txt\n-c b.txt\n-r b.txt", b="b==1")
    lock = files.read("a.txt")
    assert names(lock) == ["b==1 b.txt:1"] and [one.name for one in lock.constraints] == ["b"]


def test_options_of_all_files_count(files: Files) -> None:
    files.write(
        a="-i https://example.com/a\n-r b.txt\n--trusted-host h\n--no-binary x\n",
        b="-i https://example.com/b --extra-index-url https://example.com/c\n--no-index --only-binary :all:\n",
    )
    lock = files.read("a.txt")
    assert lock.index_url == "https://example.com/b" and lock.extra_index_urls == ("https://example.com/c",)
    assert lock.no_index and lock.trusted_hosts == ("h",)
    assert set(lock.formats) == {("no-binary", "x"), ("only-binary", ":all:")}


def test_find_links_start_from_the_file_if_they_are_there_else_from_the_working_directory(files: Files) -> None:
    files.write(sub__a="-f links\n-f wheels\n-f https://example.com/\n-f file:///srv\n-f /srv/x\n", sub__links__x="")
    lock = files.read("sub/a.txt")
    assert lock.find_links == (
        *(str(files.folder / "sub" / "links"), str(files.folder / "wheels")),
        *("https://example.com/", "file:///srv", "/srv/x"),
    )


@pytest.mark.parametrize(
    ("text", "required", "verdict"),
    [
        ("a==1", None, False),
        (f"a==1 --hash=sha256:{A}", None, True),
        (f"a==1 ; os_name == 'x' --hash=sha256:{A}", None, True),
        (f"a==1 --hash=sha256:{A}", False, False),
        ("a==1", True, True),
        ("--require-hashes", None, True),
        (f"https://example.com/a-1-py3-none-any.whl#sha256={A}", None, False),
    ],
)
def test_hash_checking_turns_itself_on_as_in_pip(text: str, required: bool | None, verdict: bool, files: Files) -> None:
    files.write(a="-r b.txt", b=text)
    assert (
        files.read("a.txt", options=LockOptions(files=(), require_hashes=required, allow_empty=True)).require_hashes
        == verdict
    )


def test_without_verification_no_hash_is_left(files: Files) -> None:
    files.write(a=f"a==1 --hash=sha256:{A}\nhttps://example.com/b-1-py3-none-any.whl#sha256={A}\n")
    lock = files.read("a.txt", options=LockOptions(files=(), verify_hashes=False))
    assert not lock.require_hashes
    assert all(isinstance(pin, Pin) and not pin.hashes and not (pin.file and pin.file.digests) for pin in lock.parts)


# -- the network -----------------------------------------------------------------


def test_a_local_file_may_include_a_web_address_which_leads_on_to_the_network(files: Files) -> None:
    files.web = {"https://example.com/x/b.txt": b"b==1\n-r ../c.txt\n-f links", "https://example.com/c.txt": b"c==1"}
    files.write(a="-r https://example.com/x/b.txt")
    reader = files.reader("a.txt")
    lock = reader.read()
    assert [line.partition(" ")[0] for line in names(lock)] == ["b==1", "c==1"]
    assert lock.find_links == ("https://example.com/x/links",)
    assert reader.conditions is None, "nobody can tell without asking whether it has changed"


def test_a_cycle_over_the_network_ends(files: Files) -> None:
    files.web = {"https://example.com/a.txt": b"-r a.txt?x", "https://example.com/a.txt?x": b"-r a.txt"}
    (problem,) = files.problems("https://example.com/a.txt")
    assert "includes itself" in problem and len(files.fetched) == 2


# -- what a stored answer depends on ---------------------------------------------


def test_a_plain_lock_depends_on_nothing_else(files: Files) -> None:
    files.write(a=f"--pre\na==1 --hash=sha256:{A}\n-i https://example.com/\n")
    reader = files.reader("a.txt")
    reader.read()
    assert reader.conditions == ()


def test_included_files_and_variables_are_conditions(files: Files) -> None:
    files.environ = {"V": "1"}
    files.write(a="-r b.txt\n-c c.txt", b="b==${V}", c="b==1")
    reader = files.reader("a.txt")
    reader.read()
    conditions = reader.conditions
    assert conditions
    inputs = files.inputs(["a.txt"])
    assert conditions_hold(conditions, inputs, "/elsewhere", {"V": "1"})
    assert not conditions_hold(conditions, inputs, "/elsewhere", {"V": "2"})
    for name in ("b.txt", "c.txt"):
        before = (files.folder / name).read_bytes()
        (files.folder / name).write_bytes(before + b"#")
        assert not conditions_hold(conditions, inputs, "/elsewhere", {"V": "1"})
        (files.folder / name).write_bytes(before)
    assert conditions_hold(conditions, inputs, "/elsewhere", {"V": "1"})


def test_relative_find_links_belong_to_one_place(files: Files) -> None:
    files.write(a="-f links")
    reader = files.reader("a.txt")
    reader.read()
    assert reader.conditions
    assert conditions_hold(reader.conditions, files.inputs(["a.txt"]), str(files.folder), {})
    assert not conditions_hold(reader.conditions, files.inputs(["a.txt"]), "/elsewhere", {})


def test_extras_need_a_pylock(files: Files) -> None:
    files.write(a="a==1")
    with pytest.raises(ConfigurationError, match=r"pylock\.toml"):
        files.read("a.txt", options=LockOptions(files=(), extras=["x"]))


def test_a_pylock_cannot_be_included(files: Files) -> None:
    files.write(a="-r pylock.toml\n-r pylock.dev.toml")
    (files.folder / "pylock.toml").write_text("")
    assert [problem.split(": ")[0] for problem in files.problems("a.txt")] == ["a.txt:1", "a.txt:2"]


# -- pip as the oracle -----------------------------------------------------------

SAME = [
    "a==1",
    "A.b_C [x, Y_z] == 1.0  # why",
    "a===1.0",
    "a (==1.0)",
    "a==1;python_version>='3'",
    "a==1 ; os_name == 'nt' --hash=sha256:" + A,
    f"a==1 \\\n    --hash=sha256:{A} \\\n    --hash=sha256:{B}\nb==2",
    f"a==1 --hash=sha512:{A}{A} --hash=sha384:{A[:32]}{B}",
    "a==1 # x \\\nb==1",
    "a==1 \\\n# x\nb==1",
    "a==${V}",
    "a @ https://example.com/a-1-py3-none-any.whl",
    "a[x] @ https://example.com/a-1-py3-none-any.whl ; os_name == 'posix'",
    f"https://example.com/a-1-py3-none-any.whl#sha256={A}",
    "https://example.com/a-1-py3-none-any.whl ; os_name == 'nt'",
    "https://example.com/a-1-py3-none-any.whl; os_name == 'nt'",
    "./here-1-py3-none-any.whl",
    "here-1-py3-none-any.whl",
    "./here-1-py3-none-any.whl[x]",
    "file:///srv/a-1-py3-none-any.whl",
    "-r more.txt\na==1",
    "--requirement=sub/more.txt",
    "-i https://example.com/a\n-i https://example.com/b",
    "--index-url https://example.com/a --extra-index-url https://example.com/b",
    "--extra-index-url=https://example.com/b\n--extra-index-url 'https://example.com/c'",
    "-f sub\n--find-links https://example.com/",
    "--no-index\na==1",
    "--pre --prefer-binary\na==1",
    "--require-hashes",
    "--use-feature=fast-deps\na==1",
]


@pytest.mark.parametrize("text", SAME)
def test_pip_reads_the_same(text: str, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files.folder)
    monkeypatch.setenv("V", "1.5")
    files.environ = {"V": "1.5"}
    files.write(lock=text, more="more==1\n", sub__more="-r ../more.txt\nless==1\n")
    (files.folder / "here-1-py3-none-any.whl").write_bytes(b"")
    scope = SearchScope(find_links=[], index_urls=[], no_index=False)
    session = PipSession()
    finder = PackageFinder.create(
        link_collector=LinkCollector(session=session, search_scope=scope),
        selection_prefs=SelectionPreferences(allow_yanked=True),
    )
    theirs = [
        install_req_from_parsed_requirement(line) for line in parse_requirements("lock.txt", session, finder=finder)
    ]
    lock = files.read("lock.txt")
    ours = [part for part in lock.parts if isinstance(part, Pin)]
    assert len(ours) == len(theirs)
    for pin, other in zip(ours, theirs, strict=True):
        assert other.req is not None and pin.name == canonicalize_name(other.req.name)
        assert pin.extras == {extra.lower().replace("_", "-") for extra in other.extras}
        assert str(pin.marker) == str(other.markers)
        assert (pin.file is not None) == (other.link is not None)
        if pin.file is None:
            (clause,) = other.req.specifier
            assert (clause.operator == "===", clause.version) == (pin.arbitrary_equality, pin.version_text)
        else:
            assert other.link is not None and pin.file.url == other.link.url_without_fragment
        strong = {f"{one.algorithm}:{one.hex}" for one in (*pin.hashes, *(pin.file.digests if pin.file else ()))}
        found = other.hashes(trust_internet=True)._allowed
        assert strong == {f"{algorithm}:{digits}" for algorithm, some in found.items() for digits in some}
    assert lock.no_index == finder.search_scope.no_index
    if not lock.no_index:
        assert [url for url in (lock.index_url, *lock.extra_index_urls) if url] == finder.search_scope.index_urls
    links = [one if "://" in one else os.path.abspath(one) for one in finder.search_scope.find_links]
    assert links == list(lock.find_links)


PLAIN = """
import sys
from engine.inputs import read_inputs
from engine.lock.reading import LockReader
from engine.options import LockOptions
options = LockOptions(files=["a.txt"])
lock = LockReader(read_inputs(["a.txt"], [], ".", None), options, environ={}, cwd="/", fetch=None).read()
print(len(lock.parts), *sys.modules)
"""


def test_a_plain_lock_is_read_without_what_only_others_need(files: Files) -> None:
    files.write(a=f"a==1 \\\n    --hash=sha256:{A}\n-i https://example.com/\n")
    root = Path(__file__).parents[4]
    run = subprocess.run(
        [sys.executable, "-c", PLAIN], cwd=files.folder, env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    count, *modules = run.stdout.split()
    assert count == "1" and "engine.lock.requirements" in modules
    slow = {"packaging.markers", "packaging.utils", "packaging.pylock", "tomllib", "urllib.request", "anyio", "shlex"}
    assert slow.isdisjoint(modules)


def test_a_url_of_this_machine_is_a_lock_too(files: Files) -> None:
    files.write(a="a==1")
    assert len(files.read(file_url(str(files.folder / "a.txt"))).parts) == 1


def test_a_lock_that_requires_hashes_has_them_compared_whatever_was_said_elsewhere(files: Files) -> None:
    files.write(a=f"a==1 --hash=sha256:{A}\n--require-hashes")
    lock = files.read("a.txt", options=LockOptions(files=(), verify_hashes=False))
    assert lock.require_hashes
    assert [len(pin.hashes) for pin in lock.parts if isinstance(pin, Pin)] == [1]


def test_the_variable_of_the_project_is_the_working_directory_until_somebody_sets_it(files: Files) -> None:
    files.write(a="${PROJECT_ROOT}/b-1-py3-none-any.whl")
    inputs = files.inputs(["a.txt"])
    reader = files.reader("a.txt")
    [pin] = reader.read().parts
    assert isinstance(pin, Pin) and pin.file is not None
    assert pin.file.url == file_url(str(files.folder / "b-1-py3-none-any.whl"))
    assert reader.conditions
    assert conditions_hold(reader.conditions, inputs, str(files.folder), {})
    assert not conditions_hold(reader.conditions, inputs, "/elsewhere", {})
    assert not conditions_hold(reader.conditions, inputs, str(files.folder), {"PROJECT_ROOT": "/elsewhere"})
    files.environ["PROJECT_ROOT"] = "/elsewhere"
    [pin] = files.read("a.txt").parts
    assert isinstance(pin, Pin) and pin.file is not None
    assert pin.file.url == "file:///elsewhere/b-1-py3-none-any.whl"


def test_an_include_that_cannot_be_fetched_names_the_line_and_keeps_its_kind(files: Files) -> None:
    files.write(a="one==1\n-r b.txt\n", b="\n-c https://example.com/c.txt\n")
    with pytest.raises(IndexUnavailable) as caught:
        files.read("a.txt")
    assert caught.value.message == "b.txt:2: cannot fetch it" and caught.value.hint == "check it"


def test_an_include_that_cannot_be_fetched_hides_no_other_fault(files: Files) -> None:
    files.write(a="-r https://example.com/b.txt\n???\n")
    assert sorted(files.problems("a.txt")) == ["a.txt:1: cannot fetch it", 'a.txt:2: "???": invalid project name']


@pytest.mark.parametrize(("server_wide", "asked"), [(False, 3), (True, 2)])
def test_a_server_that_cannot_be_reached_is_asked_once(server_wide: bool, asked: int, files: Files) -> None:
    files.failure.server_wide = server_wide
    places = ["https://example.com/a", "https://example.com/b", "https://files.example.com/c"]
    files.write(a="".join(f"-r {place}\n" for place in places))
    with pytest.raises(FilesUnavailable) as caught:
        files.read("a.txt")
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == ["a.txt:1", "a.txt:2", "a.txt:3"]
    assert len(files.fetched) == asked


def test_an_include_that_is_no_address_is_told_like_any_other_fault(files: Files) -> None:
    files.write(a="-r https://[::1/x.txt\n???\n")
    assert sorted(problem.partition(": ")[0] for problem in files.problems("a.txt")) == ["a.txt:1", "a.txt:2"]


@pytest.mark.parametrize("text", ["lock-version = '1.0'\n???", '# x\n"lock-version"="1.0"\n'])
def test_a_pylock_under_another_name_is_one_fault_that_says_so(text: str, files: Files) -> None:
    files.write(a=text)
    assert files.problems("a.txt") == ["a.txt: this is a pylock.toml, and is read as a requirements file"]


def test_a_project_may_be_called_lock_version(files: Files) -> None:
    files.write(a="lock-version==1.0\n")
    assert len(files.read("a.txt").parts) == 1
