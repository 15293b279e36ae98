"""One line: what a requirement may be, and what is told of one that is none."""

import pytest

from engine.lock.direct import Place
from engine.wanted.lines import WantedReader
from engine.wanted.model import Wanted


def reader(text: str, *, constrains: bool = False, place: Place | None = None) -> WantedReader:
    place = place or Place(folder="/job")
    one = WantedReader("a.in", place, {"TOKEN": "geheim"}, origin="-r a.in", constrains=constrains)
    one.read_text(text)
    return one


def wanted(text: str, *, constrains: bool = False) -> Wanted:
    one = reader(text, constrains=constrains)
    assert one.problems == [] and len(one.items) == 1
    item = one.items[0]
    assert isinstance(item, Wanted)
    return item


@pytest.mark.parametrize(
    ("line", "requirement"),
    [
        ("Foo", "Foo"),
        ("foo (>=1)", "foo>=1"),
        ("foo[a, b]>=1,<2", "foo[a,b]<2,>=1"),
        ("foo\t==1.*", "foo==1.*"),
        ("foo ===1.0-odd", "foo===1.0-odd"),
        ("foo; platform_version == 'a/b.whl'", 'foo; platform_version == "a/b.whl"'),
        ("foo >= \\\n  1  # because", "foo>=1"),
        ("../b/foo-1-py3-none-any.whl", "foo @ file:///b/foo-1-py3-none-any.whl"),
        ("foo-1-py3-none-any.whl[x]", "foo[x] @ file:///job/foo-1-py3-none-any.whl"),
        (
            "Foo @ https://example.com/foo-1-py3-none-any.whl#sha256=" + "a" * 64,
            "foo @ https://example.com/foo-1-py3-none-any.whl",
        ),
    ],
)
def test_what_pip_accepts_is_read(line: str, requirement: str) -> None:
    assert str(wanted(line).requirement) == requirement


def test_the_hash_of_a_url_is_the_files() -> None:
    file = wanted(f"https://example.com/foo-1-py3-none-any.whl#sha256={'a' * 64}").file
    assert file is not None and [digest.hex for digest in file.digests] == ["a" * 64]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("foo>=1 --hash=md5:12", "a.in:1: weak hash"),
        ("foo>=1 --frobnicate", "a.in:1: option --frobnicate is not supported after a requirement"),
        ("foo @ https://example.com/foo-1-py3-none-any.whl;os_name=='nt'", "a.in:1: "),
        ("foo @ https://example.com/bar-1-py3-none-any.whl", "a.in:1: "),
        ("foo.zip", 'a.in:1: "foo.zip": foo.zip is a source distribution'),
        ("https://u:p@example.com/foo.git", 'a.in:1: "https://***@example.com/foo.git": it names no wheel'),
        ("https://u:${TOKEN}@example.com/foo-1.tar.gz", 'a.in:1: "https://***@example.com/foo-1.tar.gz": '),
        ("git+https://example.com/${TOKEN}/x", 'a.in:1: "git+https://example.com/${TOKEN}/x": version control'),
        ("foo; " + "(" * 500 + "os_name == 'nt'" + ")" * 500, "a.in:1: "),
        ("foo; marker == '1'", "a.in:1: "),
        ("foo; 'a' == 'b'", "a.in:1: \"foo; 'a' == 'b'\": its marker compares what cannot be compared"),
        ("foo; os_name ~= 'nt'", "a.in:1: \"foo; os_name ~= 'nt'\": its marker compares what cannot be compared"),
        ("foo>=" + "1" * 5000, "a.in:1: "),
        ("foo; python_version < '" + "1" * 5000 + "'", "a.in:1: "),
        ("-e ./x", "a.in:1: option -e is not supported: editables"),
    ],
)
def test_what_cannot_be_resolved_is_told_with_its_line_and_no_secret(line: str, problem: str) -> None:
    one = reader(line)
    assert len(one.problems) == 1 and one.problems[0].startswith(problem) and one.items == []
    assert "geheim" not in one.problems[0] and "\n" not in one.problems[0]


def test_a_constraint_may_name_a_wheel_and_have_hashes() -> None:
    constraint = wanted(f"foo<2 --hash=sha256:{'a' * 64}", constrains=True)
    assert str(constraint.requirement) == "foo<2" and len(constraint.hashes) == 1
    assert wanted("foo @ ./foo-1-py3-none-any.whl", constrains=True).given == "./foo-1-py3-none-any.whl"


def test_a_file_from_the_network_leads_to_nothing_of_this_machine() -> None:
    place = Place(folder="/job", url="https://example.com/r/a.in")
    for line in ("/etc/foo-1-py3-none-any.whl", "foo @ file:///foo-1-py3-none-any.whl"):
        assert len(reader(line, place=place).problems) == 1
    item = reader("foo-1-py3-none-any.whl", place=place).items[0]
    assert isinstance(item, Wanted) and item.requirement.url == "https://example.com/r/foo-1-py3-none-any.whl"


def test_a_requirement_of_metadata_has_no_options_and_no_paths() -> None:
    one = WantedReader("p", Place(folder="/job"), None, origin="")
    for text in ("foo --hash=sha256:" + "a" * 64, "./foo-1-py3-none-any.whl", "foo @ git+https://example.com/x"):
        one.take_specifier(text, 1)
    assert len(one.problems) == 3 and one.items == []
