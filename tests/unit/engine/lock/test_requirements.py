import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from engine.errors import InvalidLock
from engine.lock.pins import Digest, Lock, Pin
from engine.lock.requirements import RequirementsFile

LINUX = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.1",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1",
    "platform_system": "Linux",
    "platform_version": "1",
    "python_full_version": "3.12.1",
    "python_version": "3.12",
    "sys_platform": "linux",
}
A, B = "a" * 64, "b" * 64


def parse(text: str) -> Lock:
    file = RequirementsFile.parse(text, source="lock.txt")
    return Lock(pins=file.pins, index_url=file.index_url)


def only(text: str) -> Pin:
    (pin,) = parse(text).pins
    return pin


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidLock) as caught:
        parse(text)
    return caught.value.problems


def test_a_pin_has_normalised_names_and_knows_its_line() -> None:
    pin = only("# made by hand\n\nFoo.Bar_baz[Extra_A, b]==1.0.post1\n")
    assert (pin.name, pin.version_text, pin.version) == ("foo-bar-baz", "1.0.post1", Version("1.0.post1"))
    assert pin.extras == {"extra-a", "b"}
    assert (pin.marker, pin.hashes, pin.arbitrary_equality) == (None, (), False)
    assert pin.where == "lock.txt:3"
    assert str(pin) == "foo-bar-baz==1.0.post1"


@pytest.mark.parametrize(
    "text",
    [
        "foo==1.0",
        "  foo == 1.0  ",
        "foo ==1.0 # via bar",
        "foo==1.0\t# via bar",
        "foo (==1.0)",
        "foo[]==1.0",
        "foo==1.0;python_version>='3'",
        "foo==1.0 ; (python_version >= '3')",
        "foo (==1.0) ; (python_version >= '3')",
        "\ufefffoo==1.0",
        "foo==1.0\r\n",
        "foo==1.0\r",
        "foo==\\\n1.0",
        "foo==1.0 \\",
        "foo==1.0 # a \\\nbar",
    ],
)
def test_spellings_of_one_pin(text: str) -> None:
    pin = only(text)
    assert (pin.name, pin.version) == ("foo", Version("1.0"))


@pytest.mark.parametrize("empty", ["", "\n", "\ufeff", "# nothing\r\n\r\n", "\\", "\\\n"])
def test_a_lock_without_pins_is_empty(empty: str) -> None:
    assert parse(empty) == Lock(pins=(), index_url=None)


def test_hashes_are_read_over_continued_lines() -> None:
    pin = only(
        f"foo==1.0 \\\r\n    --hash=sha256:{A} \\\r\n    --hash sha256:{B.upper()} \\\n\t--hash=sha512:{A}{A}\n# end"
    )
    assert pin.hashes == (
        Digest(algorithm="sha256", hex=A),
        Digest(algorithm="sha256", hex=B),
        Digest(algorithm="sha512", hex=A + A),
    )
    assert pin.line == 1


def test_hashes_after_a_marker_and_before_a_comment() -> None:
    pin = only(f"foo==1.0 ; python_version >= '3' --hash=sha256:{A} --hash=sha256:{B} # --hash=md5:1")
    assert [digest.hex for digest in pin.hashes] == [A, B]
    assert str(pin.marker) == 'python_version >= "3"'


def test_lines_are_counted_across_continuations() -> None:
    lock = parse(f"a==1 \\\n  --hash=sha256:{A}\nb==1\n\\\n\\\nc==1\n")
    assert [pin.where for pin in lock.pins] == ["lock.txt:1", "lock.txt:3", "lock.txt:4"]


def test_a_comment_ends_a_continuation() -> None:
    assert [pin.name for pin in parse("a==1 \\\n# comment \\\nb==1").pins] == ["a", "b"]


def test_a_form_feed_in_a_comment_starts_no_line() -> None:
    assert parse("# a\x0cevil==1\u2028evil==1").pins == ()


@pytest.mark.parametrize("text", ["1.*", "2004d", "1.0-weird"])
def test_arbitrary_equality_keeps_the_text(text: str) -> None:
    pin = only(f"foo==={text}")
    assert (pin.version_text, pin.version, pin.arbitrary_equality) == (text, None, True)


def test_arbitrary_equality_of_a_version_has_it() -> None:
    assert only("foo===1.0").version == Version("1.0")


@pytest.mark.parametrize(
    "option",
    ["-i URL", "-iURL", "--index-url URL", "--index-url=URL", "--index-url  'URL'", "-i other\n--index-url URL"],
)
def test_the_last_index_url_counts(option: str) -> None:
    url = "https://user:secret@example.com/simple/"
    assert parse(option.replace("URL", url) + "\nfoo==1.0").index_url == url


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("foo>=1", '"foo>=1": foo is not pinned by =='),
        ("foo", '"foo": foo is not pinned by =='),
        ("foo[a] ; python_version > '3'", "is not pinned by =="),
        ("foo~=1.0", "is not pinned by =="),
        ("foo==1.*", '"foo==1.*": a wildcard is not a pin'),
        ("foo==1.0,!=1.1", "one specifier, not several"),
        ("foo (==1.0,<2)", "one specifier, not several"),
        ("foo==one", '"foo==one": invalid version "one"'),
        ("foo=1.0", "not a requirement of the form name==version"),
        ("foo==1.0 bar==2.0", "not a requirement of the form name==version"),
        ("foo==", "not a requirement of the form name==version"),
        ("_foo==1.0", '"_foo==1.0": invalid project name'),
        ("fo\u00f6==1.0", "not a requirement of the form"),
        ("foo @ https://example.com/foo-1.0-py3-none-any.whl", "a requirement with a URL is not supported in a lock"),
        ("foo[a]@https://example.com/foo.whl", "a requirement with a URL is not supported in a lock"),
        ("https://example.com/foo-1.0.tar.gz", "a URL is not supported in a lock"),
        ("file:///srv/foo", "a URL is not supported in a lock"),
        ("git+https://example.com/foo.git@main#egg=foo", "a version control URL is not supported in a lock"),
        ("./foo", "a local file or folder is not supported in a lock"),
        ("foo/bar", "a local file or folder is not supported in a lock"),
        ("foo-1.0.tar.gz", "a local file or folder is not supported in a lock"),
        ("-e .", "option -e is not supported in a lock"),
        ("-r other.txt", "option -r is not supported in a lock"),
        ("-cother.txt", "option -c is not supported in a lock"),
        ("--find-links=links", "option --find-links is not supported in a lock"),
        ("--extra-index-url https://example.com", "option --extra-index-url is not supported in a lock"),
        ("--require-hashes", "option --require-hashes is not supported in a lock"),
        ("--frobnicate", "option --frobnicate is not supported in a lock"),
        ("foo==1.0 --config-settings=a=b", "option --config-settings is not supported in a lock"),
        ("--index-url", "option --index-url takes one URL and nothing else"),
        ("-i https://example.com --pre", "option -i takes one URL and nothing else"),
        ("-i https://${TOKEN}@example.com", "the variable ${TOKEN} is not expanded in a lock"),
        ("foo[a b]==1.0", 'invalid extra "a b"'),
        ("foo==1.0 ; python_version", 'invalid marker "python_version"'),
        ("foo==1.0 ;", 'invalid marker ""'),
        ("foo==1.0 ; " + "(" * 5000, 'invalid marker "((('),
        ("foo==1.0 --hash=sha256:12", 'invalid hash "sha256:12": sha256 has 64 hexadecimal digits'),
        (f"foo==1.0 --hash=sha256:{'g' * 64}", "invalid hash"),
        ("foo==1.0 --hash=md5:" + "0" * 32, "weak hash"),
        ("foo==1.0 --hash=sha1:" + "0" * 40, "weak hash"),
        ("foo==1.0 --hash=blake2b:00", 'unknown hash "blake2b:00"'),
        ("foo==1.0 --hash", 'unknown hash ""'),
        (f"--hash=sha256:{A}", "follows no requirement"),
    ],
)
def test_what_is_no_pin_is_named_with_its_line(line: str, said: str) -> None:
    (problem,) = problems(f"# first\n{line}\nfine==1.0\n")
    assert problem.startswith("lock.txt:2: ")
    assert said in problem


def test_every_problem_of_a_file_is_collected() -> None:
    found = problems(f"a>=1\nb==1 --hash=md5:0 --hash=sha256:1\n-r c\nd==1\ne[?]==x ; y --hash=sha256:{A}\n")
    assert [problem.split(": ")[0] for problem in found] == ["lock.txt:1"] + ["lock.txt:2"] * 2 + ["lock.txt:3"] + [
        "lock.txt:5"
    ] * 3


def test_the_hint_for_unpinned_requirements_tells_the_form() -> None:
    with pytest.raises(InvalidLock) as caught:
        parse("foo>=1")
    assert caught.value.hint is not None and "name==version" in caught.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "foo @ https://user:secret@example.com/x",
        "--find-links=https://user:secret@example.com",
        "https://user:secret@example.com/x",
    ],
)
def test_problems_do_not_tell_secrets(line: str) -> None:
    assert "secret" not in "".join(problems(line))


@given(st.sampled_from(["sha256", "sha384", "sha512"]), st.data())
def test_digests_are_lower_case(algorithm: str, data: st.DataObject) -> None:
    length = {"sha256": 64, "sha384": 96, "sha512": 128}[algorithm]
    digits = data.draw(st.text("0123456789abcdefABCDEF", min_size=length, max_size=length))
    assert Digest.parse(f"{algorithm.upper()}:{digits}") == Digest(algorithm=algorithm, hex=digits.lower())


@given(
    name=st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True),
    extras=st.sampled_from(["", "[a]", "[ A.b , c ]", "[]", "[,]", "[-]"]),
    specifier=st.from_regex(r"[ ]?(===?|>=|~=)[ ]?[0-9.!a-c+*,]{1,6}", fullmatch=True),
    marker=st.sampled_from(["", ";os_name=='posix'", " ; extra == 'x'", ";", "; nonsense", " ; os_name"]),
)
def test_agrees_with_packaging_on_every_line_that_it_accepts(
    name: str, extras: str, specifier: str, marker: str
) -> None:
    line = name + extras + specifier + marker
    try:
        pin = only(line)
    except InvalidLock:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            return
        clauses = list(requirement.specifier)
        assert len(clauses) != 1 or clauses[0].operator not in ("==", "===") or "*" in line or "," in specifier
    else:
        if pin.arbitrary_equality and pin.version is None:
            return
        requirement = Requirement(line)
        (clause,) = requirement.specifier
        assert pin.name == canonicalize_name(requirement.name)
        assert pin.extras == {canonicalize_name(extra) for extra in requirement.extras}
        assert (pin.arbitrary_equality, pin.version_text) == (clause.operator == "===", clause.version)
        assert pin.marker == requirement.marker


@given(st.text(max_size=60))
def test_any_text_is_a_lock_or_has_problems(text: str) -> None:
    try:
        parse(text)
    except InvalidLock as exc:
        assert exc.problems


def test_markers_select_one_of_two_pins() -> None:
    lock = parse("a==1 ; sys_platform == 'linux'\nz==1\na==2 ; sys_platform != 'linux'\nb==1 ; extra == 'x'\n")
    assert [str(pin) for pin in lock.select(LINUX)] == ["a==1", "z==1"]
    assert [str(pin) for pin in lock.select({**LINUX, "sys_platform": "win32"})] == ["z==1", "a==2"]


def test_no_extra_is_active_in_a_lock() -> None:
    assert parse("a==1 ; extra == 'x'").select({**LINUX, "extra": "x"}) == ()


def test_two_versions_of_one_project_name_both_lines() -> None:
    with pytest.raises(InvalidLock) as caught:
        parse("a==1\nb==1\nA==2 ; python_version >= '3'\nb==1.1").select(LINUX)
    assert caught.value.problems == [
        'lock.txt:3: "a==2" contradicts "a==1" at lock.txt:1',
        'lock.txt:4: "b==1.1" contradicts "b==1" at lock.txt:2',
    ]


def test_one_version_pinned_twice_is_one_pin() -> None:
    (pin,) = parse(f"a[x]==1 --hash=sha256:{A}\na[y]==1.0 --hash=sha256:{B} --hash=sha256:{A}").select(LINUX)
    assert pin.where == "lock.txt:1"
    assert pin.extras == {"x", "y"}
    assert [digest.hex for digest in pin.hashes] == [A, B]


@pytest.mark.parametrize("text", ["a==1\na===1.0", "a===1.0\na==1"])
def test_arbitrary_equality_outlives_a_merge(text: str) -> None:
    (pin,) = parse(text).select(LINUX)
    assert str(pin) == "a===1.0"


def test_two_arbitrary_texts_contradict_each_other() -> None:
    with pytest.raises(InvalidLock):
        parse("a===1\na===1.0").select(LINUX)


def test_a_marker_that_cannot_be_evaluated_is_a_problem() -> None:
    with pytest.raises(InvalidLock, match=r"lock\.txt:2: the marker .* cannot be evaluated"):
        parse("a==1\nb==1 ; python_full_version ~= 'abc'").select(LINUX)
