import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from engine.lock.direct import Place
from engine.lock.options import FileOptions, Include
from engine.lock.pins import Digest, Pin
from engine.lock.requirements import RequirementsFile

A, B = "a" * 64, "b" * 64


def read(text: str, **values: str) -> RequirementsFile:
    return RequirementsFile.parse(text, source="lock.txt", place=Place(folder="/project"), environ=values)


def parse(text: str) -> RequirementsFile:
    file = read(text)
    assert file.problems == ()
    return file


def only(text: str) -> Pin:
    (pin,) = parse(text).pins
    return pin


def problems(text: str, **values: str) -> list[str]:
    found = list(read(text, **values).problems)
    assert found
    return found


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
    file = parse(empty)
    assert (file.items, file.options) == ((), FileOptions())


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
    assert parse(option.replace("URL", url) + "\nfoo==1.0").options.index_url == url


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
        ("foo @ https://example.com/foo-1.0.tar.gz", "foo-1.0.tar.gz is a source distribution, and only wheels"),
        ("foo[a]@https://example.com/foo.whl", '"foo.whl" is not the name of a wheel'),
        ("foo @ https://example.com/bar-1.0-py3-none-any.whl", "the wheel is of the project bar, not of foo"),
        ("foo @ https://example.com/foo-1.0-py3-none-any.whl#egg=bar", 'is not of the project "bar"'),
        ("foo @ https://example.com/foo-1.0-py3-none-any.whl#subdirectory=x", "a wheel has no subdirectory"),
        ("foo @ https://example.com/foo-1.0-py3-none-any.whl#sha256=12", "sha256 has 64 hexadecimal digits"),
        ("foo @ https://example.com/a%2ffoo-1.0-py3-none-any.whl", "is not the name of a file"),
        ("foo @ https://example.com/", "it names no wheel"),
        ("foo @ https:///foo-1.0-py3-none-any.whl", "only http:, https: and file: URLs name wheels"),
        ("foo @ ftp://example.com/foo-1.0-py3-none-any.whl", "only http:, https: and file: URLs name wheels"),
        ("foo @ file://example.com/foo-1.0-py3-none-any.whl", "names a file of another host"),
        ("./a%00b-1.0-py3-none-any.whl", "a name with a NUL character is none"),
        ("https://example.com/foo-1.0.tar.gz", "only wheels can be installed so far"),
        ("file:///srv/foo", "folders cannot be installed so far"),
        ("git+https://example.com/foo.git@main#egg=foo", "version control cannot be installed from so far"),
        ("foo @ git+ssh://git@example.com/foo.git", "version control cannot be installed from so far"),
        ("./foo", "folders cannot be installed so far"),
        ("foo/bar", "folders cannot be installed so far"),
        ("foo-1.0.tar.gz", "only wheels can be installed so far"),
        ("-e .", "option -e is not supported: editables"),
        ("-r", "option -r takes a value"),
        ("-r other.txt more.txt", "takes one value and nothing else"),
        ("--requirement=", "option --requirement takes a value"),
        ("--no-index=yes", "option --no-index takes no value"),
        ("-i 'https://example.com", "a quotation mark is not closed"),
        ("--frobnicate", "option --frobnicate is not supported in a file"),
        ("foo==1.0 --global-option=a", "option --global-option is not supported after a requirement"),
        ("foo==1.0 --index-url https://example.com", "option --index-url is not supported after a requirement"),
        ("--index-url", "option --index-url takes a value"),
        ("-i --pre", "option -i takes a value"),
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
    found = problems(f"a>=1\nb==1 --hash=md5:0 --hash=sha256:1\n-e c\nd==1\ne[?]==x ; y --hash=sha256:{A}\n")
    assert [problem.split(": ")[0] for problem in found] == ["lock.txt:1"] + ["lock.txt:2"] * 2 + ["lock.txt:3"] + [
        "lock.txt:5"
    ] * 3


def test_the_hint_for_unpinned_requirements_tells_the_form() -> None:
    assert "name==version" in (read("foo>=1").hint or "")


@pytest.mark.parametrize(
    "line",
    [
        "foo @ https://user:secret@example.com/x",
        "--nonsense=https://user:secret@example.com",
        "https://user:secret@example.com/x",
        "foo @ https://${USER_NAME}:${PASSWORD}@example.com/x",
        "https://example.com/${PASSWORD}/x",
        "foo ${PASSWORD}",
        "foo==1.0 ; ${PASSWORD}",
        "--nonsense ${PASSWORD}",
    ],
)
def test_problems_do_not_tell_secrets(line: str) -> None:
    assert "secret" not in "".join(problems(line, USER_NAME="user", PASSWORD="secret"))


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("./foo-1.0-py3-none-any.whl", "file:///project/foo-1.0-py3-none-any.whl"),
        ("sub/../../foo-1.0-py3-none-any.whl", "file:///foo-1.0-py3-none-any.whl"),
        ("foo-1.0-py3-none-any.whl", "file:///project/foo-1.0-py3-none-any.whl"),
        ("/srv/foo-1.0-py3-none-any.whl[extra]", "file:///srv/foo-1.0-py3-none-any.whl"),
        ("file:foo-1.0-py3-none-any.whl", "file:///project/foo-1.0-py3-none-any.whl"),
        ("file:///srv/./foo-1.0-py3-none-any.whl#egg=foo", "file:///srv/foo-1.0-py3-none-any.whl"),
        ("foo @ ./foo-1.0-py3-none-any.whl", "file:///project/foo-1.0-py3-none-any.whl"),
        ("Foo [a]@https://example.com/foo-1.0-py3-none-any.whl", "https://example.com/foo-1.0-py3-none-any.whl"),
        (
            "foo @ https://u:p@example.com/a%20b/foo-1.0-py3-none-any.whl?x=1#egg=foo[y]",
            "https://u:p@example.com/a%20b/foo-1.0-py3-none-any.whl?x=1",
        ),
    ],
)
def test_wheels_are_named_by_urls_and_paths(line: str, url: str) -> None:
    pin = only(line)
    assert pin.file is not None
    assert (pin.name, pin.version_text, pin.file.url, pin.file.filename, pin.file.direct) == (
        *("foo", "1.0", url, "foo-1.0-py3-none-any.whl"),
        True,
    )


@pytest.mark.parametrize(
    "line",
    [
        "foo @ https://example.com/foo-1.0-py3-none-any.whl ; os_name == 'nt'",
        "https://example.com/foo-1.0-py3-none-any.whl ; os_name == 'nt'",
        "https://example.com/foo-1.0-py3-none-any.whl; os_name == 'nt'",
        f"./foo-1.0-py3-none-any.whl ; os_name == 'nt' --hash=sha256:{A}",
    ],
)
def test_a_named_wheel_may_have_a_marker(line: str) -> None:
    pin = only(line)
    assert str(pin.marker) == 'os_name == "nt"' and pin.file is not None and pin.file.filename.endswith(".whl")


def test_strong_hashes_of_a_fragment_are_promises_and_weak_ones_are_nothing() -> None:
    pin = only(f"https://example.com/foo-1.0-py3-none-any.whl#sha256={A}&md5=00&egg=foo")
    assert pin.file is not None and pin.hashes == ()
    assert pin.file.digests == (Digest(algorithm="sha256", hex=A),)


def test_a_build_number_and_a_local_version_are_parts_of_the_name() -> None:
    pin = only("https://example.com/foo-1.0%2Bcpu-7-py3-none-any.whl")
    assert pin.version_text == "1.0+cpu" and pin.file is not None
    assert pin.file.filename == "foo-1.0+cpu-7-py3-none-any.whl"


def test_options_are_kept_in_their_order() -> None:
    options = parse(
        "--extra-index-url https://example.com/a --extra-index-url=https://example.com/b\n"
        "-f links\n--find-links 'more links'\n--no-index\n--trusted-host example.com --pre\n"
        "--no-binary :all:\n--only-binary=foo,bar\n--require-hashes\n--prefer-binary\n--use-feature fast-deps\n"
    ).options
    assert options == FileOptions(
        extra_index_urls=["https://example.com/a", "https://example.com/b"],
        find_links=["links", "more links"],
        no_index=True,
        trusted_hosts=["example.com"],
        formats=[("no-binary", ":all:"), ("only-binary", "foo,bar")],
        pre=True,
        require_hashes=True,
        ignored=["--prefer-binary", "--use-feature"],
    )


def test_includes_stand_between_the_pins_in_the_order_of_the_file() -> None:
    items = parse("a==1\n-r b.txt\n-cc.txt\n--requirement=d.txt --constraint e.txt\nf==1\n").items
    assert [item if isinstance(item, Include) else item.name for item in items] == [
        "a",
        Include(target="b.txt", constrains=False, line=2),
        Include(target="c.txt", constrains=True, line=3),
        Include(target="d.txt", constrains=False, line=4),
        Include(target="e.txt", constrains=True, line=4),
        "f",
    ]


def test_settings_for_building_are_noted_and_left_aside() -> None:
    file = parse(f"foo==1.0 --config-settings=a=b -C 'c=d' --hash=sha256:{A}")
    assert len(file.pins[0].hashes) == 1
    assert [note.partition(": ")[0] for note in file.notes] == ["lock.txt:1", "lock.txt:1"]


def test_variables_become_their_values_and_are_named() -> None:
    file = read(
        "foo==${V}\n--trusted-host ${UNSET}${EMPTY}\n-i https://${TOKEN}@example.com/${lower}/$V",
        V="1.0",
        TOKEN="t",
        EMPTY="",
    )
    assert file.problems == () and str(file.pins[0]) == "foo==1.0"
    assert file.options.index_url == "https://t@example.com/${lower}/$V"
    assert file.variables == {"V", "TOKEN", "UNSET", "EMPTY"}


def test_a_variable_is_no_comment_and_is_not_looked_at_again() -> None:
    file = read("-f ${A_1}", A_1="a#b${B}", B="c")
    assert file.options.find_links == ["a#b${B}"] and file.variables == {"A_1"}


def test_a_file_from_the_network_gets_no_variable_and_no_file_of_this_machine() -> None:
    place = Place(folder="/project", url="https://example.com/locks/lock.txt")
    text = "./foo-1.0-py3-none-any.whl\nfoo @ file:///foo-1.0-py3-none-any.whl\n/foo-1.0-py3-none-any.whl\n-i ${HOME}"
    file = RequirementsFile.parse(text, source="x", place=place, environ=None)
    (pin,) = file.pins
    assert pin.file is not None and pin.file.url == "https://example.com/locks/foo-1.0-py3-none-any.whl"
    assert [problem.split(": ")[0] for problem in file.problems] == ["x:2", "x:3", "x:4"]


def test_constraints_may_be_ranges_and_have_no_extras() -> None:
    file = RequirementsFile.parse(
        f"A.b>=1,<2 ; os_name == 'nt'\nc\nd==1 --hash=sha256:{A}\ne[x]==1\nnonsense nonsense\n-r more.txt",
        source="c.txt",
        constrains=True,
    )
    assert [(str(one), one.where) for one in file.constraints] == [
        ("a-b<2,>=1", "c.txt:1"),
        ("c", "c.txt:2"),
        ("d==1", "c.txt:3"),
    ]
    assert str(file.constraints[0].marker) == 'os_name == "nt"' and file.constraints[2].hashes[0].hex == A
    assert [problem.split(": ")[0] for problem in file.problems] == ["c.txt:4", "c.txt:5"]
    assert file.items == (Include(target="more.txt", constrains=False, line=6),)


@given(st.sampled_from(["sha256", "sha384", "sha512"]), st.data())
def test_digests_are_lower_case(algorithm: str, data: st.DataObject) -> None:
    length = {"sha256": 64, "sha384": 96, "sha512": 128}[algorithm]
    digits = data.draw(st.text("0123456789abcdefABCDEF", min_size=length, max_size=length))
    assert Digest.parse(f"{algorithm.upper()}:{digits}") == Digest(algorithm=algorithm, hex=digits.lower())


@given(
    # packaging takes a final underscore, which the standard does not have.
    name=st.from_regex(r"[A-Za-z0-9_.-]{0,7}[A-Za-z0-9.-]", fullmatch=True),
    extras=st.sampled_from(["", "[a]", "[ A.b , c ]", "[]", "[,]", "[-]"]),
    specifier=st.from_regex(r"[ ]?(===?|>=|~=)[ ]?[0-9.!a-c+*,]{1,6}", fullmatch=True),
    marker=st.sampled_from(["", ";os_name=='posix'", " ; extra == 'x'", ";", "; nonsense", " ; os_name"]),
)
def test_agrees_with_packaging_on_every_line_that_it_accepts(
    name: str, extras: str, specifier: str, marker: str
) -> None:
    line = name + extras + specifier + marker
    file = read(line)
    if file.problems:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            return
        clauses = list(requirement.specifier)
        assert len(clauses) != 1 or clauses[0].operator not in ("==", "===") or "*" in line or "," in specifier
    else:
        (pin,) = file.pins
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
    for constrains in (False, True):
        file = RequirementsFile.parse(text, source="x", environ={}, constrains=constrains)
        assert all(problem.startswith("x:") for problem in file.problems)


@pytest.mark.parametrize("option", ["-i ", "--index-url=", "--extra-index-url ", "-f "])
def test_a_place_with_a_variable_that_nobody_has_set_is_named(option: str) -> None:
    line = f"{option}https://${{TOKEN}}@example.com/"
    assert problems(line) == problems(line, TOKEN="")
    assert "the variable TOKEN is not set" in problems(line)[0]
    assert read(line, TOKEN="secret").problems == ()


@pytest.mark.parametrize(
    "line",
    ["./my wh/alpha-1-py3-none-any.whl", "./my  wh/alpha-1-py3-none-any.whl[x] ; python_version>'3'"],
)
def test_a_path_of_a_wheel_may_have_spaces(line: str) -> None:
    pin = only(line)
    assert pin.file is not None and "my%20" in pin.file.url and pin.name == "alpha"
    assert (pin.marker is None) == (";" not in line)


@pytest.mark.parametrize(
    "line", ["alpha 1.0", "https://example.com/my wh/alpha-1-py3-none-any.whl", "alpha 1.0 / beta", "a @ ./b c.whl"]
)
def test_other_texts_with_spaces_are_no_paths(line: str) -> None:
    assert len(problems(line)) == 1


@pytest.mark.parametrize("gap", ["", " "])
def test_a_semicolon_that_touches_a_url_is_told(gap: str) -> None:
    [problem] = problems(f"alpha @ https://example.com/alpha-1-py3-none-any.whl;{gap}python_version>'3'")
    assert "a space is missing before" in problem
