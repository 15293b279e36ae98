"""A run goes on where it was ended, when it is the same run."""

from pathlib import Path

from benchmarks.figures import Figure, Results, Runs, to_json
from benchmarks.run import describe_locks, earlier

FIGURE = Figure(name="n", group="g", label="l", column="c", tools={"engine": Runs(seconds=(1.0,))})


def test_what_was_measured_in_the_same_setting_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(Results(setting={"uv": "1", "distributions": "docs 3"}, figures=(FIGURE,))), "utf-8")
    assert earlier(path, {"uv": "1"}) == {"n": FIGURE}


def test_what_was_measured_in_another_setting_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(Results(setting={"uv": "1"}, figures=(FIGURE,))), "utf-8")
    assert earlier(path, {"uv": "2"}) == {}


def test_the_first_run_has_nothing_to_go_on_with(tmp_path: Path) -> None:
    assert earlier(tmp_path / "results.json", {}) == {}


def test_the_sizes_of_locks_are_told(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("x==1\ny==2 ; python_version > '3'\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("x==1\n", encoding="utf-8")
    assert describe_locks(tmp_path) == "a 1, b 2"
