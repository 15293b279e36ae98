from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from packaging.version import Version

from engine.errors import HashMismatch, NoMatchingDistribution
from engine.index.choice import WheelChoice, choose_among, choose_first_match
from engine.index.compatibility import Target
from engine.index.page import ProjectPage
from engine.lock.requirements import RequirementsFile

TAGS = (
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp312-abi3-manylinux_2_17_x86_64",
    "py312-none-any",
    "py3-none-any",
)
TARGET = Target(
    tag_priority={tag: rank for rank, tag in enumerate(TAGS)},
    python_full_version="3.12.1",
    describe="CPython 3.12 on linux x86_64",
)
A, B, C = "a" * 64, "b" * 64, "c" * 64


def choose(pin: str, *files: str | Mapping[str, Any], **fields: Any) -> WheelChoice:
    entries = [{"filename": file} if isinstance(file, str) else dict(file) for file in files]
    for entry in entries:
        entry.setdefault("url", "/files/" + entry["filename"])
    body = msgspec.json.encode({"files": entries, **fields})
    (parsed,) = RequirementsFile.parse(pin, source="lock.txt").pins
    url = f"https://user:secret@example.com/simple/{parsed.name}/"
    page = ProjectPage.from_json(body, url, parsed.name)
    return choose_among(((page,),), parsed, TARGET, where=parsed.where)


def chosen(pin: str, *files: str | Mapping[str, Any]) -> str:
    return choose(pin, *files).filename


def refusal(pin: str, *files: str | Mapping[str, Any], **fields: Any) -> str:
    with pytest.raises(NoMatchingDistribution) as caught:
        choose(pin, *files, **fields)
    message = str(caught.value)
    assert message.startswith("lock.txt:1: ") and "secret" not in message and "\n" not in message
    return message


def wheel(version: str, tags: str = "py3-none-any", **fields: Any) -> dict[str, Any]:
    return {"filename": f"foo-{version}-{tags}.whl", **fields}


def test_a_choice_has_what_a_download_needs() -> None:
    choice = choose("foo==1.0", wheel("1.0", hashes={"sha256": A.upper()}, size=5), "foo-1.0.tar.gz", wheel("2.0"))
    assert choice.filename == choice.file.filename == "foo-1.0-py3-none-any.whl"
    assert choice.url == "https://user:secret@example.com/files/foo-1.0-py3-none-any.whl"
    assert (choice.version, choice.sha256, choice.warnings, choice.file.size) == (Version("1.0"), A, (), 5)


@pytest.mark.parametrize("digits", ["../../x", "ab", "g" * 64, A + "\n"])
def test_a_page_hash_that_is_no_sha256_is_not_passed_on(digits: str) -> None:
    assert choose("foo==1.0", wheel("1.0", hashes={"sha256": digits})).sha256 is None


@pytest.mark.parametrize(
    ("pinned", "offered"),
    [
        ("1.0", "1.0"),
        ("1.0", "1"),
        ("1", "1.0.0"),
        ("1.0", "01.0"),
        ("2017.4.17", "2017.04.17"),
        ("1.0rc1", "1.0c1"),
        ("1.0rc1", "1.0.0rc1"),
        ("1.0", "v1.0"),
        ("1.0", "0!1.0"),
        ("1.0", "1.0+cpu"),
        ("1.0", "1.0.0+cpu"),
        ("1.0.post1", "1.0.post1+cpu"),
        ("1.0+cpu", "1.0+CPU"),
        ("1.0+ubuntu.1", "1.0+ubuntu_1"),
    ],
)
def test_an_equal_version_matches(pinned: str, offered: str) -> None:
    assert chosen(f"foo=={pinned}", wheel(offered)) == f"foo-{offered}-py3-none-any.whl"


@pytest.mark.parametrize(
    ("pinned", "offered"),
    [
        ("1.0", "1.0.1"),
        ("1.0", "1.0rc1"),
        ("1.0", "1.0.post1"),
        ("1.0", "10"),
        ("10", "1"),
        ("1.0", "1!1.0"),
        ("1.0", "nonsense"),
        ("1.0+cpu", "1.0"),
        ("1.0+cpu", "1.0+gpu"),
    ],
)
def test_another_version_does_not_match(pinned: str, offered: str) -> None:
    assert "does not have this version" in refusal(f"foo=={pinned}", wheel(offered))


def test_the_highest_local_version_wins() -> None:
    files = [wheel("1.0+a"), wheel("1.0+c", "py2.py3-none-any"), wheel("1.0+b"), wheel("1.0", "py312-none-any")]
    assert chosen("foo==1.0", *files) == "foo-1.0+c-py2.py3-none-any.whl"
    assert chosen("foo==1.0+b", *files) == "foo-1.0+b-py3-none-any.whl"


def test_arbitrary_equality_compares_text() -> None:
    files = [wheel("1.0.0"), wheel("1.0+cpu"), wheel("1.0"), wheel("2004d")]
    assert chosen("foo===1.0", *files) == "foo-1.0-py3-none-any.whl"
    choice = choose("foo===2004D", *files)
    assert (choice.filename, choice.version) == ("foo-2004d-py3-none-any.whl", None)
    refusal("foo===1", *files)


def test_the_best_tag_wins_wherever_it_stands() -> None:
    files = [
        wheel("1.0", "py3-none-any"),
        wheel("1.0", "cp312-cp312-manylinux_2_17_x86_64.manylinux_2_28_x86_64"),
        wheel("1.0", "cp312-abi3-manylinux_2_17_x86_64"),
        wheel("1.0", "cp312-cp312-win_amd64"),
        wheel("1.0", "cp313-cp313-manylinux_2_28_x86_64"),
    ]
    for _ in files:
        assert chosen("foo==1.0", *files) == "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"
        files.append(files.pop(0))


def test_the_highest_build_of_equals_wins() -> None:
    builds = ["py3-none-any", "2-py3-none-any", "10-py3-none-any", "10a-py3-none-any", "9-py3-none-any"]
    assert chosen("foo==1.0", *[wheel("1.0", build) for build in builds]) == "foo-1.0-10a-py3-none-any.whl"
    assert chosen("foo==1.0", wheel("1.0", "99-py3-none-any"), wheel("1.0", "py312-none-any")).endswith(
        "py312-none-any.whl"
    )


def test_the_first_of_duplicates_wins() -> None:
    assert choose("foo==1.0", wheel("1.0", url="/first"), wheel("1.0", url="/second")).url.endswith("/first")


def test_wheels_of_other_projects_and_odd_names_are_passed_over() -> None:
    files = ["bar-1.0-py3-none-any.whl", "foo-1.0-x-py3-none-any.whl", "foo-1.0-py3.whl", "FOO-1.0-py3-none-any.whl"]
    assert chosen("foo==1.0", *files) == "FOO-1.0-py3-none-any.whl"
    assert chosen("foo-bar==1.0", "Foo.Bar-1.0-py3-none-any.whl") == "Foo.Bar-1.0-py3-none-any.whl"


def test_requires_python_is_kept() -> None:
    files = [wheel("1.0", "py312-none-any", **{"requires-python": ">=3.13"}), wheel("1.0", **{"requires-python": "?"})]
    assert chosen("foo==1.0", *files) == "foo-1.0-py3-none-any.whl"


def test_a_yanked_wheel_is_the_last_choice_and_warned_of() -> None:
    yanked = wheel("1.0+z", "py312-none-any", yanked="it deletes files")
    assert chosen("foo==1.0", yanked, wheel("1.0")) == "foo-1.0-py3-none-any.whl"
    assert choose("foo==1.0", yanked).warnings == (
        "lock.txt:1: foo-1.0+z-py312-none-any.whl was yanked: it deletes files",
    )
    assert choose("foo==1.0", wheel("1.0", yanked=True)).warnings == (
        "lock.txt:1: foo-1.0-py3-none-any.whl was yanked",
    )


def test_only_wheels_with_a_listed_hash_are_taken() -> None:
    better = wheel("1.0", "py312-none-any", hashes={"sha256": A})
    listed = wheel("1.0", hashes={"sha256": B})
    assert chosen(f"foo==1.0 --hash=sha256:{B}", better, listed) == listed["filename"]
    assert chosen(f"foo==1.0 --hash=sha256:{B} --hash=sha256:{A}", better, listed) == better["filename"]
    assert chosen("foo==1.0", better, listed) == better["filename"]


def test_a_wheel_without_a_comparable_hash_is_taken_where_none_is_proven() -> None:
    unproven = wheel("1.0", "py312-none-any", hashes={"md5": "0" * 32})
    pin = f"foo==1.0 --hash=sha256:{A} --hash=sha512:{A}{A}"
    assert chosen(pin, unproven) == unproven["filename"]
    assert chosen(pin, wheel("1.0", hashes={"sha256": B}), unproven) == unproven["filename"]
    assert chosen(pin, unproven, wheel("1.0", hashes={"sha256": A})) == "foo-1.0-py3-none-any.whl"
    assert chosen(pin, wheel("1.0", hashes={"sha512": A + A})) == "foo-1.0-py3-none-any.whl"


@pytest.mark.parametrize("hashes", [{"sha256": B}, {"sha256": A, "sha512": C + C}])
def test_a_hash_that_contradicts_the_lock_is_refused(hashes: dict[str, str]) -> None:
    pin = f"foo==1.0 --hash=sha256:{A} --hash=sha512:{A}{A}"
    with pytest.raises(HashMismatch) as caught:
        choose(pin, wheel("1.0", hashes=hashes), wheel("1.0", "cp38-cp38-win32", hashes={"sha256": A}))
    for part in ("lock.txt:1", "foo-1.0-py3-none-any.whl", "https://***@example.com/simple/foo/"):
        assert part in str(caught.value)


def test_a_missing_version_names_the_nearest() -> None:
    files = [wheel(version) for version in ("0.1", "0.9", "1.1", "1.2", "2.0")]
    assert "the nearest are 0.1, 0.9, 1.1" in refusal("foo==1.0", *files)
    assert "the nearest are 1.1, 1.2, 2.0" in refusal("foo==3.0", *files)
    assert "the nearest are 0.1, 0.9, 1.1" in refusal("foo==0.0", *files)
    assert "the nearest are 1.1, 1.2, 2.0" in refusal("foo===old", *files)
    assert "the nearest are 0.7" in refusal("foo==1.0", versions=["0.7", "nonsense"])
    assert "nor any other" in refusal("foo==1.0")


@pytest.mark.parametrize("sdist", ["foo-bar-1.0.tar.gz", "Foo_Bar-1.0.0.zip"])
def test_a_lone_sdist_is_named(sdist: str) -> None:
    assert f"only a source distribution ({sdist})" in refusal("foo-bar==1.0", sdist, "foo-bar-2.0.tar.gz")


def test_an_sdist_of_another_version_or_project_is_not_named() -> None:
    assert "the nearest are 1.1" in refusal("foo==1.0", "foo-1.1.tar.gz", "foobar-1.0.tar.gz", "foo-bar-1.0.tar.gz")


def test_the_python_that_is_needed_is_named() -> None:
    needs = {"requires-python": ">=3.13"}
    message = refusal("foo==1.0", wheel("1.0", **needs))
    assert "needs Python >=3.13, and the target has 3.12.1" in message
    assert "needs Python >=3.13," in refusal("foo==1.0", wheel("1.0", "cp313-cp313-win32", **needs))


def test_the_tags_that_are_there_are_named() -> None:
    files = [wheel("1.0", tags) for tags in ("cp38-cp38-win32", "cp39-cp39-win32.win_amd64", "cp310-cp310-win32")]
    message = refusal("foo==1.0", *files)
    assert "no wheel is for CPython 3.12 on linux x86_64" in message
    assert "cp38-cp38-win32, cp39-cp39-win32, cp39-cp39-win_amd64 and 1 more" in message


def test_nothing_is_taken_from_a_quarantined_project() -> None:
    message = refusal("foo==1.0", wheel("1.0"), **{"project-status": {"status": "quarantined"}})
    assert "quarantined" in message
    assert choose("foo==1.0", wheel("1.0"), **{"project-status": {"status": "archived"}})


# -- several pages ------------------------------------------------------------


def page_of(host: str, *files: Mapping[str, Any], **fields: Any) -> ProjectPage:
    entries = [{"url": "/files/" + file["filename"], **file} for file in files]
    body = msgspec.json.encode({"files": entries, **fields})
    return ProjectPage.from_json(body, f"https://{host}.example.com/simple/foo/", "foo")


def among(pin: str, *groups: Sequence[ProjectPage], first_match: bool = False) -> str:
    """The host that the chosen wheel comes from, and its file name."""
    (parsed,) = RequirementsFile.parse(pin, source="lock.txt").pins
    choose_one = choose_first_match if first_match else choose_among
    choice = choose_one(groups, parsed, TARGET, where=parsed.where)
    return f"{choice.url.partition('//')[2].partition('.')[0]} {choice.filename}"


def test_of_several_indexes_the_higher_version_wins_then_the_first_index_then_the_tag() -> None:
    one = page_of("one", wheel("1.0"))
    assert among("foo==1.0", [one], [page_of("two", wheel("1.0+local"))]) == "two foo-1.0+local-py3-none-any.whl"
    assert among("foo==1.0", [one], [page_of("two", wheel("1.0", TAGS[0]))]) == "one foo-1.0-py3-none-any.whl"
    assert among("foo==1.0", [one, page_of("two", wheel("1.0", TAGS[0]))]) == f"two foo-1.0-{TAGS[0]}.whl"


def test_a_listed_hash_and_not_being_yanked_count_more_than_the_order_of_indexes() -> None:
    one, two = wheel("1.0", hashes={"sha256": A}), wheel("1.0", hashes={"sha256": B})
    hashed = f"foo==1.0 --hash=sha256:{B}"
    assert among(hashed, [page_of("one", one)], [page_of("two", two)]).startswith("two ")
    assert among(hashed, [page_of("one", one)], [page_of("two", two)], first_match=True).startswith("two ")
    yanked = page_of("one", wheel("1.0", yanked=True))
    assert among("foo==1.0", [yanked], [page_of("two", wheel("1.0"))]).startswith("two ")
    assert among("foo==1.0", [yanked], [page_of("two", wheel("1.0"))], first_match=True).startswith("one ")


def test_the_first_match_is_that_of_the_first_index_that_has_one() -> None:
    unfit = page_of("one", wheel("1.0", "cp27-cp27m-win32"))
    assert among("foo==1.0", [unfit], [page_of("two", wheel("1.0"))], first_match=True).startswith("two ")


@pytest.mark.parametrize("first_match", [True, False])
def test_a_refusal_by_several_indexes_names_them_all(first_match: bool) -> None:
    pages = [[page_of("one", wheel("2.0"))], [page_of("two", wheel("0.9"))]]
    with pytest.raises(NoMatchingDistribution, match=r"one\.example\.com.* and .*two\.example\.com.*0\.9, 2\.0"):
        among("foo==1.0", *pages, first_match=first_match)
    with pytest.raises(HashMismatch):
        among(
            f"foo==2.0 --hash=sha256:{A}", [page_of("one", wheel("2.0", hashes={"sha256": B}))], first_match=first_match
        )


def test_a_quarantined_page_has_no_candidates_beside_others() -> None:
    quarantined = page_of("one", wheel("1.0"), **{"project-status": {"status": "quarantined"}})
    assert among("foo==1.0", [quarantined], [page_of("two", wheel("1.0"))]).startswith("two ")
    with pytest.raises(NoMatchingDistribution, match="quarantined"):
        among("foo==1.0", [quarantined, quarantined])
