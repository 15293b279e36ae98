"""The wording of failures: one case for each kind."""

from typing import Any

import pytest

from resolver import Obstacle, Prereleases, Problem, ResolutionFailed, Unusable
from tests.support.universes import Facts, Universe, problem, run


class Case:
    """A problem that has no answer, and what is said about it: the error's lines, then the hints."""

    def __init__(self, universe: Universe, case: Problem, *told: str) -> None:
        self.universe = universe
        self.case = case
        self.told = told


def releases(*versions: str, **facts: Any) -> dict[str, Facts]:
    """Returns releases that all have the same facts."""
    return dict.fromkeys(versions, Facts(**facts))


CASES = {
    "not found": Case(
        {},
        problem(["flaskk"]),
        "flaskk (app.txt:1) cannot be installed",
        "  flaskk was not found in the index",
        "hint: check the spelling of flaskk, and that --index-url names the index that has it",
    ),
    "not found below": Case(
        {"a": {"1": ["gone>=1"]}},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 depends on gone>=1",
        "  gone was not found in the index",
        "hint: check the spelling of gone, and that --index-url names the index that has it",
    ),
    "no releases": Case(
        {"a": {}},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a has no releases",
        "hint: check the spelling of a, and that --index-url names the index that has it",
    ),
    "no match": Case(
        {"a": releases("1", "2", "3")},
        problem(["a>=9"]),
        "a>=9 (app.txt:1) cannot be installed",
        "  no version of a matches a>=9: it has 1 to 3",
        "hint: relax a>=9 (app.txt:1)",
    ),
    "no match single": Case(
        {"a": releases("1")},
        problem(["a==2"]),
        "a==2 (app.txt:1) cannot be installed",
        "  no version of a matches a==2: it has 1 only",
        "hint: relax a==2 (app.txt:1)",
    ),
    "no match below": Case(
        {"a": {"1": ["b>5"], "2": ["b>5"]}, "b": releases("1", "2")},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 and 2 depend on b>5",
        "  no version of b matches b>5: it has 1 to 2",
        "hint: replace the dependency with an override: b in a file for --override",
    ),
    "two direct": Case(
        {"a": releases("1", "2", "3")},
        problem(["a>=2", "a<2"]),
        "a>=2 (app.txt:1) and a<2 (app.txt:2) cannot be installed together",
        "hint: relax a>=2 (app.txt:1) or a<2 (app.txt:2)",
    ),
    "direct against indirect": Case(
        {
            "sdk": {"1.0": ["core>=1"], "1.1": ["core>=1"]},
            "core": {"1": ["low>=1.25"], "2": ["low>=1.25"]},
            "low": releases("1.24", "1.25", "1.26"),
        },
        problem(["sdk>=1.0", "low<1.25"]),
        "sdk>=1.0 (app.txt:1) and low<1.25 (app.txt:2) cannot be installed together",
        "  sdk 1.0 and 1.1 depend on core>=1",
        "  core 1 and 2 depend on low>=1.25",
        "hint: relax sdk>=1.0 (app.txt:1) or low<1.25 (app.txt:2)",
    ),
    "two indirect": Case(
        {"a": {"1": ["c<2"]}, "b": {"1": ["c>=2"]}, "c": releases("1", "2", "3")},
        problem(["a", "b"]),
        "a (app.txt:1) and b (app.txt:2) cannot be installed together",
        "  a 1 depends on c<2",
        "  b 1 depends on c>=2",
        "hint: install a and b into different environments, or override what they depend on",
    ),
    "python": Case(
        {"a": releases("1", "2", unusable=Unusable(Obstacle.REQUIRES_PYTHON, ">=3.12"))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 and 2 need Python >=3.12, and this is Python 3.11.4",
        "hint: use a Python that >=3.12 allows (--python)",
    ),
    "python older": Case(
        {"a": {"1": (), "2": Facts(unusable=Unusable(Obstacle.REQUIRES_PYTHON, ">=3.12"))}},
        problem(["a>=2"]),
        "a>=2 (app.txt:1) cannot be installed",
        "  a 2 needs Python >=3.12, and this is Python 3.11.4",
        "hint: use a Python that >=3.12 allows (--python), or allow a==1",
        "hint: relax a>=2 (app.txt:1)",
    ),
    "python metadata": Case(
        {"a": releases("1", requires_python=">=3.13")},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 needs Python >=3.13, and this is Python 3.11.4",
        "hint: use a Python that >=3.13 allows (--python)",
    ),
    "many pythons": Case(
        {"a": {str(i): Facts(unusable=Unusable(Obstacle.REQUIRES_PYTHON, f">=3.{i + 11}")) for i in range(1, 6)}},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 to 5 cannot be used: 5 needs Python >=3.16, and this is Python 3.11.4; the others are alike",
        "hint: use a Python that >=3.16 allows (--python)",
    ),
    "yanked": Case(
        {"a": {"1": (), "2": Facts(yanked="broken\nbuild")}},
        problem(["a>=2"]),
        "a>=2 (app.txt:1) cannot be installed",
        "  a 2 is yanked (broken build)",
        "hint: require a==2 exactly to take a yanked version, or allow a==1",
        "hint: relax a>=2 (app.txt:1)",
    ),
    "yanked plain": Case(
        {"a": releases("1", "2", yanked="")},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 and 2 are yanked",
        "hint: require a==2 exactly to take a yanked version",
    ),
    "prerelease": Case(
        {"a": releases("1", "2rc1", "2rc2")},
        problem(["a>=2rc1"], prereleases=Prereleases.DISALLOW),
        "a>=2rc1 (app.txt:1) cannot be installed",
        "  a 2rc1 and 2rc2 are pre-releases",
        "hint: --prerelease-package a=allow permits its pre-releases, or allow a==1",
        "hint: relax a>=2rc1 (app.txt:1)",
    ),
    "prerelease explicit": Case(
        {"a": {"1": ["b>=2b1"]}, "b": releases("1", "2b1")},
        problem(["a"], prereleases=Prereleases.EXPLICIT),
        "a (app.txt:1) cannot be installed",
        "  a 1 depends on b>=2b1",
        "  b 2b1 is a pre-release",
        "hint: --prerelease-package b=allow permits its pre-releases, or allow b==1",
    ),
    "wheel": Case(
        {"a": releases("1", "2", "3", unusable=Unusable(Obstacle.NO_MATCHING_WHEEL))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 to 3 have no wheel for this platform and Python, and no sdist",
        "hint: use a Python and platform that a has wheels for (--python)",
    ),
    "wheel and sdist": Case(
        {
            "a": {
                "1": (),
                "2": Facts(unusable=Unusable(Obstacle.NO_MATCHING_WHEEL, "sdist")),
                "3": Facts(unusable=Unusable(Obstacle.NO_MATCHING_WHEEL, "sdist")),
            }
        },
        problem(["a>1"]),
        "a>1 (app.txt:1) cannot be installed",
        "  a 2 and 3 have no wheel for this platform and Python, and their sdists cannot be built so far",
        "hint: use a Python and platform that a has wheels for (--python), or make a wheel of it "
        "(pip wheel --no-deps a==3) and name its folder with --find-links, or allow a==1",
        "hint: relax a>1 (app.txt:1)",
    ),
    "sdist": Case(
        {"a": {"1": (), "2": Facts(unusable=Unusable(Obstacle.SDIST_REFUSED))}},
        problem(["a>1"]),
        "a>1 (app.txt:1) cannot be installed",
        "  a 2 has only an sdist, which cannot be built so far",
        "hint: make a wheel of it (pip wheel --no-deps a==2) and name its folder with --find-links, or allow a==1",
        "hint: relax a>1 (app.txt:1)",
    ),
    "binary": Case(
        {"a": releases("1", unusable=Unusable(Obstacle.WHEEL_REFUSED))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 has only wheels, which --no-binary refuses",
        "hint: leave a out of --no-binary",
    ),
    "too new": Case(
        {"a": {"1": (), "2": Facts(unusable=Unusable(Obstacle.TOO_NEW, "2026-11-01"))}},
        problem(["a>=2"]),
        "a>=2 (app.txt:1) cannot be installed",
        "  a 2 was uploaded on 2026-11-01, later than --exclude-newer allows",
        "hint: choose a later --exclude-newer, or lift it with --exclude-newer-package a=false, or allow a==1",
        "hint: relax a>=2 (app.txt:1)",
    ),
    "no time": Case(
        {"a": releases("1", "2", unusable=Unusable(Obstacle.UPLOAD_TIME_UNKNOWN))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 and 2 have no upload time, so --exclude-newer leaves them out",
        "hint: use an index that tells upload times, or lift the limit with --exclude-newer-package a=false",
    ),
    "no files": Case(
        {"a": releases("1", unusable=Unusable(Obstacle.NO_FILES))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 has no files",
    ),
    "metadata": Case(
        {"a": releases("1", requires=("not ~ valid",))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 has invalid metadata: Requires-Dist: not ~ valid",
    ),
    "build": Case(
        {"a": releases("1", broken=Unusable(Obstacle.BUILD_FAILED, "the compiler is not there"))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 could not be built: the compiler is not there",
    ),
    "unavailable": Case(
        {"a": releases("1", broken=Unusable(Obstacle.UNAVAILABLE, "quarantined"))},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 cannot be had: quarantined",
    ),
    "constraint": Case(
        {"a": releases("1", "2", "3")},
        problem(["a>=2"], constraints=["a<2"]),
        "a>=2 (app.txt:1) cannot be installed",
        "  the constraint a<2 (constraints.txt:1) leaves out a 2 and 3",
        "hint: relax the constraint a<2 (constraints.txt:1)",
        "hint: relax a>=2 (app.txt:1)",
    ),
    "constraint below": Case(
        {"a": {"1": ["b"]}, "b": releases("1", "2")},
        problem(["a"], constraints=["b>2"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 depends on b",
        "  the constraint b>2 (constraints.txt:1) leaves out b 1 and 2",
        "hint: relax the constraint b>2 (constraints.txt:1)",
    ),
    "url": Case(
        {"a": {"1": ["b @ https://user:secret@example.com/b"]}, "b": releases("1")},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 depends on b @ https://example.com/b, a URL that only your own requirements may name",
        "hint: add b @ https://example.com/b to your requirements",
    ),
    "url version": Case(
        {"https://example.com/a": releases("1.5")},
        problem(["a @ https://example.com/a", "a>=2"]),
        "a>=2 (app.txt:2) cannot be installed",
        "  https://example.com/a is a 1.5",
        "hint: relax a>=2 (app.txt:2)",
    ),
    "two urls": Case(
        {"https://example.com/a": releases("1.5"), "https://example.com/b": releases("1.6")},
        problem(["a @ https://example.com/a", "a @ https://example.com/b"]),
        "a @ https://example.com/a (app.txt:1) and a @ https://example.com/b (app.txt:2) cannot be installed together",
        "hint: keep one of the requirements on a",
    ),
    "extra": Case(
        {"a": {"1": ["b<2; extra=='x'"]}, "b": releases("1", "2")},
        problem(["a[x]", "b>=2"]),
        "a[x] (app.txt:1) and b>=2 (app.txt:2) cannot be installed together",
        "  a[x] 1 depends on b<2",
        "hint: relax b>=2 (app.txt:2)",
    ),
    "self": Case(
        {"a": {"1": ["a>=2"]}},
        problem(["a"]),
        "a (app.txt:1) cannot be installed",
        "  a 1 depends on a>=2",
        "  no version of a matches a>=2: it has 1 only",
        "hint: replace the dependency with an override: a in a file for --override",
    ),
    "in step": Case(
        {
            "sdk": {f"1.{i}": [f"core=={i}"] for i in range(9)},
            "core": {f"{i}": ["low>=2"] for i in range(9)},
            "low": releases("1", "2"),
        },
        problem(["sdk", "low<2"]),
        "sdk (app.txt:1) and low<2 (app.txt:2) cannot be installed together",
        "  sdk 1.0 to 1.8 depend on core, each on its own versions; 1.8 depends on core==8",
        "  core 0 to 8 depend on low>=2",
        "hint: relax low<2 (app.txt:2)",
    ),
    "override": Case(
        {"a": {"1": ["b>=2"]}, "b": releases("1", "2")},
        problem(["a", "b"], overrides=["b>3"]),
        "b>3 (overrides.txt:1) cannot be installed",
        "  no version of b matches b>3: it has 1 to 2",
        "hint: relax b>3 (overrides.txt:1)",
    ),
    "many": Case(
        {n: {"1": ["z==" + str(i + 1)]} for i, n in enumerate("abcdef")} | {"z": {str(i): () for i in range(1, 9)}},
        problem(list("abcdef")),
        "a (app.txt:1) and b (app.txt:2) cannot be installed together",
        "  a 1 depends on z==1",
        "  b 1 depends on z==2",
        "hint: install a and b into different environments, or override what they depend on",
    ),
    "gaps": Case(
        {
            "a": {str(i): ["b<2"] for i in range(1, 12)}
            | {"2": Facts(yanked=""), "5": Facts(unusable=Unusable(Obstacle.NO_FILES))},
            "b": releases("1", "2"),
        },
        problem(["a", "b>=2"]),
        "a (app.txt:1) and b>=2 (app.txt:2) cannot be installed together",
        "  a 2 is yanked",
        "  a 5 has no files",
        "  a 1, 3, 4 and 6 to 11 depend on b<2",
        "hint: relax b>=2 (app.txt:2)",
        "hint: require a==2 exactly to take a yanked version",
    ),
    "nothing at a URL": Case(
        {"https://example.com/a": {}},
        problem(["a @ https://example.com/a"]),
        "a @ https://example.com/a (app.txt:1) cannot be installed",
        "  a @ https://example.com/a has no releases",
    ),
    "an override alone": Case(
        {"a": releases("1", "2")},
        problem(["a"], overrides=["a<2", "a>=2"]),
        "a<2 (overrides.txt:1) and a>=2 (overrides.txt:2) cannot be installed together",
        "hint: relax a<2 (overrides.txt:1) or a>=2 (overrides.txt:2)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_failure_is_told_in_these_words(name: str) -> None:
    case = CASES[name]
    with pytest.raises(ResolutionFailed) as caught:
        run(case.case, case.universe)
    error = caught.value
    assert [*str(error).splitlines(), *(f"hint: {hint}" for hint in error.hints)] == list(case.told)


def test_sources_of_the_requirements_are_in_the_error() -> None:
    with pytest.raises(ResolutionFailed) as caught:
        run(problem(["a>=2", "b", "a<2"]), {"a": {"1": (), "2": ()}, "b": {"1": ()}})
    assert caught.value.sources == ("app.txt:1", "app.txt:3")
    assert caught.value.hint == "relax a>=2 (app.txt:1) or a<2 (app.txt:3)"


def test_long_text_from_outside_is_cut_to_one_line() -> None:
    with pytest.raises(ResolutionFailed) as caught:
        run(problem(["a"]), {"a": {"1": Facts(yanked="why\n" * 200)}})
    (fact,) = caught.value.facts
    assert fact.endswith("…)") and len(fact) < 200 and "\n" not in fact


def test_credentials_in_a_url_are_not_shown() -> None:
    universe: Universe = {"https://user:secret@example.com/a.whl": {"1": ()}}
    with pytest.raises(ResolutionFailed) as caught:
        run(problem(["a @ https://user:secret@example.com/a.whl", "a>1"]), universe)
    assert "secret" not in str(caught.value) + " ".join(caught.value.hints)
