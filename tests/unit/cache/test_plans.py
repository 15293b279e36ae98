"""Plans: encode then decode is the identity, and whatever is torn is a miss."""

from binascii import crc32
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache import plans
from cache.plans import MAGIC, Plan, PlannedEntry

#: What an entry does, beside what it says.
METHODS = ("add", "fields", "from_fields")

ENTRY = PlannedEntry(
    name="demo",
    version="1.0",
    sha256="ab" * 32,
    stamp=1_700_000_000_123_456_789,
    site="platlib",
    dist_info="demo-1.0.dist-info",
    record="demo.py,sha256=x,1\n",
    folders=(("purelib", "demo", "demo", ("a.py", "b.py"), (1, 2), (10, 20)), ("data", "share", "", (), (), ())),
    scripts=("demo-1.0.data/scripts/run",),
    launchers=(("demo", "demo.main", "run", False),),
)
SCHEMES = {"purelib": "lib", "platlib": "lib64", "scripts": "bin", "headers": "include", "data": ""}
TEXT = st.text(st.characters(), max_size=10)


def fields(plan: Plan) -> tuple[dict[str, str], list[tuple[object, ...]]]:
    return plan.schemes, [entry.fields() for entry in plan.entries]


@given(
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.lists(st.builds(PlannedEntry, TEXT, TEXT, TEXT, st.integers(0, 2**63), TEXT, TEXT, TEXT), max_size=3),
)
def test_decoding_what_was_encoded_is_the_identity(schemes: dict[str, str], entries: list[PlannedEntry]) -> None:
    plan = Plan(schemes, [*entries, ENTRY])
    decoded = plans.decode(plans.encode(plan))
    assert decoded is not None and fields(decoded) == fields(plan)


def test_fields_make_an_equal_entry() -> None:
    again = PlannedEntry.from_fields(ENTRY.fields())
    assert again.fields() == ENTRY.fields()
    assert all(
        getattr(again, name) == getattr(ENTRY, name) for name in dir(ENTRY) if name[:1] != "_" and name not in METHODS
    )


def test_what_is_added_to_an_entry_counts_and_is_stored() -> None:
    entry = PlannedEntry.from_fields(ENTRY.fields())
    entry.add([("purelib", "more", "more", ("a", "b"), (1, 2), (3, 4))], "more/a,,\nmore/b,,\n")
    again = PlannedEntry.from_fields(entry.fields())
    assert again.file_count == entry.file_count == ENTRY.file_count + 2
    assert again.folders == (*ENTRY.folders, ("purelib", "more", "more", ("a", "b"), (1, 2), (3, 4)))
    assert again.record == ENTRY.record + "more/a,,\nmore/b,,\n"
    assert (again.scripts, again.launchers) == (ENTRY.scripts, ENTRY.launchers)


def test_every_truncated_plan_is_a_miss() -> None:
    data = plans.encode(Plan(SCHEMES, [ENTRY]))
    assert [length for length in range(len(data)) if plans.decode(data[:length]) is not None] == []


def test_every_flipped_byte_is_a_miss() -> None:
    data = plans.encode(Plan(SCHEMES, [ENTRY]))
    for place in range(len(data)):
        torn = bytearray(data)
        torn[place] ^= 0x20
        assert plans.decode(bytes(torn)) is None, place


@pytest.mark.parametrize(
    "data", [b"", MAGIC, MAGIC + bytes(4), bytes(100), b"engine plan 0\n" + crc32(b"N").to_bytes(4, "big") + b"N"]
)
def test_what_is_no_plan_is_a_miss(data: bytes) -> None:
    assert plans.decode(data) is None


def test_a_stored_plan_is_loaded_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "plans-v1" / "ab" / "abc"
    plans.store(str(path), Plan(SCHEMES, [ENTRY]))
    loaded = plans.load(str(path))
    assert loaded is not None and fields(loaded) == fields(Plan(SCHEMES, [ENTRY]))
    assert list(path.parent.iterdir()) == [path]


def test_storing_again_replaces_the_plan(tmp_path: Path) -> None:
    path = str(tmp_path / "one")
    plans.store(path, Plan(SCHEMES, [ENTRY]))
    plans.store(path, Plan({}, []))
    loaded = plans.load(path)
    assert loaded is not None and fields(loaded) == ({}, [])


def test_a_plan_that_is_not_there_is_a_miss(tmp_path: Path) -> None:
    assert plans.load(str(tmp_path / "none")) is None


def test_storing_where_it_cannot_be_is_an_error_that_leaves_no_temporary_file(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    (taken / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        plans.store(str(taken), Plan(SCHEMES, [ENTRY]))
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_files_are_counted_over_all_folders() -> None:
    assert ENTRY.file_count == 2


@given(st.dictionaries(st.binary(min_size=16, max_size=16), st.integers(-1, 3), max_size=4))
def test_what_a_plan_says_of_lines_is_stored(lines: dict[bytes, int]) -> None:
    decoded = plans.decode(plans.encode(Plan(SCHEMES, [ENTRY], lines=lines)))
    assert decoded is not None and decoded.lines == lines


@pytest.mark.parametrize("links", [True, False])
def test_a_plan_is_stored_under_another_path_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    def refuse(source: str, target: str) -> None:
        raise PermissionError(1, "no links here", source, None, target)

    if not links:
        monkeypatch.setattr("os.link", refuse)
    one, other = tmp_path / "plans" / "one", tmp_path / "others" / "other"
    plan = Plan(SCHEMES, [ENTRY], lines={b"1" * 16: 0})
    plans.store(str(one), plan)
    for _ in range(2):  # where the other path has it already, nothing is left behind either
        plans.store_again(str(one), str(other), plan)
        loaded = plans.load(str(other))
        assert loaded is not None and fields(loaded) == fields(plan) and loaded.lines == plan.lines
    assert [*one.parent.iterdir(), *other.parent.iterdir()] == [one, other]
    plans.store(str(one), Plan({}, []))
    loaded = plans.load(str(other))
    assert loaded is not None and fields(loaded) == fields(plan)
