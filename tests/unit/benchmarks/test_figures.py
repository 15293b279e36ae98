"""Medians, spreads and ratios are right, and results survive being written."""

from benchmarks.figures import Figure, Results, Runs, Spread, from_json, ours_of, ratio, spread, to_json

FIGURE = Figure(
    name="sync/docs/cold",
    group="sync",
    label="cold",
    column="docs",
    tools={
        "engine": Runs(seconds=(1.0, 3.0, 2.0), peak_bytes=5),
        "uv": Runs(seconds=(2.0, 2.0, 8.0), peak_bytes=6),
        "pip": Runs(seconds=(10.0,)),
    },
)


def test_spread_is_the_least_the_median_and_the_greatest() -> None:
    assert spread([5.0, 1.0, 3.0, 2.0]) == Spread(minimum=1.0, median=2.5, maximum=5.0)


def test_ratio_is_the_median_of_pairs_and_not_the_ratio_of_medians() -> None:
    ours, theirs = [1.0, 10.0, 100.0], [100.0, 20.0, 10.0]
    assert ratio(ours, theirs) == 0.5
    assert spread(ours).median / spread(theirs).median == 0.5
    assert ratio([1.0, 2.0, 9.0], [2.0, 1.0, 3.0]) == 2.0  # medians: 2 and 2


def test_a_tool_that_ran_fewer_rounds_is_compared_in_those() -> None:
    assert ratio([1.0, 50.0, 50.0], [2.0]) == 0.5


def test_results_are_the_same_after_writing_and_reading() -> None:
    results = Results(setting={"uv": "0.1"}, figures=(FIGURE,))
    assert from_json(to_json(results)) == results


def test_written_results_have_summaries_for_readers() -> None:
    text = to_json(Results(setting={}, figures=(FIGURE,)))
    assert '"median": 2.0' in text
    assert '"pip": 0.1' in text  # 1.0 / 10.0, the only pair


def test_ours_is_the_first_of_ours() -> None:
    assert ours_of(["uv", "engine-cp311.pyz", "engine.pyz"]) == "engine-cp311.pyz"
    assert ours_of(["engine", "engine.pyz"]) == "engine"
    assert ours_of(["uv", "pip"]) is None
