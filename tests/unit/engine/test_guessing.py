"""Only names that are surely asked for at a known index are guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guessing import pinned_names, wanted_names
from engine.lock.requirements import RequirementsFile


def test_unconditional_pins_are_guessed_in_order_and_normalised() -> None:
    lock = b"# why\nB.b==1 \\\n    --hash=sha256:00\nA[x] == 2  # via b\nc==1 ; os_name == 'nt'\nd>=1\n./e==1.whl\n"
    assert pinned_names(lock) == ["b-b", "a"]


@pytest.mark.parametrize(
    "line",
    [
        *("-i https://example.com", "--index-url=https://example.com", "--extra-index-url x", "--no-index", "-f x"),
        *("--find-links=x", "-r more.txt", "-c more.txt", "--requirement more.txt", "  --constraint=x", "--pypi-url x"),
    ],
)
def test_no_name_is_told_where_another_index_may_be_meant(line: str) -> None:
    assert pinned_names(f"a==1\n{line}\nb==1".encode()) is None


def test_what_is_wanted_without_a_condition_is_guessed_in_order_and_normalised() -> None:
    requirements = (
        b"# why\nB.b>=1  # because\nA[x] == 2\nc ; os_name == 'nt'\n\td\ne~=1,<2\nb_b!=3\n(f)\n"
        b"./g-1-py3-none-any.whl\nh-1-py3-none-any.whl\ni @ https://example.com/i.whl\nj.zip\nk (>=1)\n../l\nm/n\n"
    )
    assert wanted_names(requirements) == ["b-b", "a", "a[x]", "d", "e", "k"]


def test_extras_are_guessed_beside_their_project() -> None:
    assert wanted_names(b'A[X_y, z]>1\na [w]\nb[,]\nc["]\nd[e') == [
        "a",
        "a[x-y]",
        "a[z]",
        "a[w]",
        "b",
        "c",
        "d",
        "d[e]",
    ]


@pytest.mark.parametrize(
    "line", ["-i https://example.com", "--extra-index-url x", "  -r more.txt", "-c x", "-e .", "--no-index", "--pre"]
)
def test_nothing_wanted_is_told_where_another_index_may_be_meant(line: str) -> None:
    assert wanted_names(f"a>=1\n{line}\nb".encode()) is None


def test_nothing_wanted_is_told_of_a_text_in_another_encoding() -> None:
    assert wanted_names("\ufeffa>=1\n".encode("utf-16")) is None
    assert wanted_names(b"# coding: utf-7\na>=1\n+AC0-i https://example.com") is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_no_name_is_told_of_a_text_in_another_encoding(encoding: str) -> None:
    assert pinned_names("\ufeffa==1\n-i https://example.com".encode(encoding)) is None
    assert pinned_names(b"# coding: utf-7\na==1\n+AC0-i https://example.com") is None


@given(
    st.lists(
        st.sampled_from(
            [
                "a==1",
                "b==2 \\",
                "-i x",
                "--hash=sha256:00",
                "\\",
                "-",
                "# c",
                "c @ ./c.whl",
                " ",
                "-r x",
                "d===x",
                "\ufeff",
            ]
        ),
        max_size=8,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_whoever_is_guessed_is_pinned_and_the_file_names_no_index_and_no_other_file(lines: list[str], end: str) -> None:
    text = end.join(lines)
    guessed = pinned_names(text.encode())
    file = RequirementsFile.parse(text, source="x", environ={})
    if guessed and not file.problems:
        assert set(guessed) <= {pin.name for pin in file.pins}
        assert file.options.index_url is None and len(file.items) == len(file.pins)
