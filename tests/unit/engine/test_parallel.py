"""Many entries on all cores: the same result however the work is divided."""

import os
from pathlib import Path

import pytest

from cache.plans import PlannedEntry
from engine.parallel import FILES_PER_PROCESS, MOST_PROCESSES, Job, cores, stage_all
from engine.staging import Area, Drift
from tests.unit.engine.entries import make_area, publish, tree_of


def entries(cache: Path, count: int, files: int) -> list[PlannedEntry]:
    return [
        publish(cache, {f"p{number}/m{file}.py": b"x" for file in range(files)}, name=f"p{number}")
        for number in range(count)
    ]


def jobs_of(cache: Path, wanted: list[PlannedEntry], area: Area) -> list[Job]:
    return [(entry, tree_of(cache, entry), area) for entry in wanted]


def staged(area: Area) -> set[str]:
    root = Path(area.stage)
    return {path.relative_to(root).as_posix() for path in root.rglob("*.py")}


@pytest.fixture
def many(tmp_path: Path) -> list[PlannedEntry]:
    """Enough files for several processes, where there are several processors."""
    return entries(tmp_path / "cache", 4, FILES_PER_PROCESS // 4 + 1)


def test_all_entries_are_staged_into_all_areas(tmp_path: Path, many: list[PlannedEntry]) -> None:
    areas = [make_area(tmp_path / name) for name in ("one", "two")]
    jobs = [job for area in areas for job in jobs_of(tmp_path / "cache", many, area)]
    result = stage_all(jobs, "hardlink")
    wanted = {f"purelib/p{number}/m{file}.py" for number in range(4) for file in range(FILES_PER_PROCESS // 4 + 1)}
    assert [staged(area) for area in areas] == [wanted, wanted]
    assert result.collisions == []
    assert result.counts == {"hardlink": sum(job[0].file_count for job in jobs), "clone": 0, "copy": 0}


def test_nothing_to_stage_is_no_error() -> None:
    assert stage_all([], "hardlink").collisions == []


def test_one_entry_is_not_divided_and_needs_no_other_process(tmp_path: Path) -> None:
    (entry,) = entries(tmp_path / "cache", 1, FILES_PER_PROCESS * 2)
    area = make_area(tmp_path / "stage")
    stage_all(jobs_of(tmp_path / "cache", [entry], area), "hardlink")
    assert len(staged(area)) == FILES_PER_PROCESS * 2


def test_collisions_come_with_the_number_of_the_job_in_order(tmp_path: Path, many: list[PlannedEntry]) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    same = [publish(cache, {"shared.py": b"x"}, name=name) for name in ("a", "b")]
    jobs = jobs_of(cache, [same[0], *many, same[1]], area)
    collisions = stage_all(jobs, "hardlink").collisions
    assert collisions in ([(0, ["purelib/shared.py"])], [(5, ["purelib/shared.py"])])


@pytest.mark.parametrize("damaged", range(4))
def test_drift_is_noticed_whichever_process_meets_it(tmp_path: Path, many: list[PlannedEntry], damaged: int) -> None:
    cache = tmp_path / "cache"
    (Path(tree_of(cache, many[damaged])) / f"p{damaged}/m0.py").unlink()
    with pytest.raises(Drift) as caught:
        stage_all(jobs_of(cache, many, make_area(tmp_path / "stage")), "hardlink")
    assert caught.value.sha256 == many[damaged].sha256 and caught.value.path.endswith(f"p{damaged}/m0.py")


@pytest.mark.parametrize("refused", range(4))
def test_a_refusal_of_the_system_keeps_its_number_and_its_file(
    tmp_path: Path, many: list[PlannedEntry], refused: int
) -> None:
    area = make_area(tmp_path / "stage")
    (tmp_path / f"stage/purelib/p{refused}").write_text("a file where a folder goes")
    with pytest.raises(NotADirectoryError) as caught:
        stage_all(jobs_of(tmp_path / "cache", many, area), "hardlink")
    assert str(caught.value.filename).endswith(f"p{refused}")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to wait for")
def test_no_process_and_no_descriptor_is_left(tmp_path: Path, many: list[PlannedEntry]) -> None:
    lowest = os.open(os.curdir, os.O_RDONLY)
    os.close(lowest)
    (Path(tree_of(tmp_path / "cache", many[0])) / "p0/m0.py").unlink()
    with pytest.raises(Drift):
        stage_all(jobs_of(tmp_path / "cache", many, make_area(tmp_path / "one")), "hardlink")
    again = os.open(os.curdir, os.O_RDONLY)
    os.close(again)
    assert again == lowest
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_there_is_at_least_one_processor_to_use() -> None:
    assert cores() >= 1 and MOST_PROCESSES >= 1
