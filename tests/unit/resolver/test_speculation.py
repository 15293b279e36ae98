"""What is guessed ahead of the solver."""

from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver import Dependencies, Listing, Metadata, Release, Request, Resolver, Versions, Waiting
from resolver.requests import Answer
from tests.support.universes import Universe, problem, run

A, B, C = map(canonicalize_name, "abc")
ONE, TWO = Version("1"), Version("2")


def listing(*versions: Version) -> Listing:
    return Listing(tuple(Release(version) for version in versions))


def likely_after(requirements: list[str], *answers: tuple[Request, Answer]) -> tuple[Request, ...]:
    """Returns what is likely once these answers have come, what was said before left out."""
    resolver = Resolver(problem(requirements))
    resolver.step()
    for request, answer in answers[:-1]:
        resolver.answer(request, answer)
        resolver.step()
    resolver.answer(*answers[-1])
    outcome = resolver.step()
    assert isinstance(outcome, Waiting)
    return outcome.likely


def test_metadata_of_the_best_candidate_is_likely_while_another_project_is_waited_for() -> None:
    assert likely_after(["a", "b"], (Versions(A), listing(ONE, TWO))) == (Dependencies(A, TWO),)


def test_metadata_that_must_be_built_is_not_likely() -> None:
    assert likely_after(["a", "b"], (Versions(A), Listing((Release(ONE, cheap=False),)))) == ()


def test_all_mentions_together_make_the_candidate() -> None:
    assert likely_after(["a", "b", "a<2"], (Versions(A), listing(ONE, TWO))) == (Dependencies(A, ONE),)


def test_projects_that_a_likely_candidate_names_are_likely() -> None:
    answers = ((Versions(A), listing(ONE)), (Dependencies(A, ONE), Metadata(("c>=1", "d; os_name == 'nt'"))))
    assert likely_after(["a", "b"], *answers) == (Versions(C),)


def test_candidate_changes_with_a_later_mention() -> None:
    answers: tuple[tuple[Request, Answer], ...] = (
        (Versions(B), listing(ONE)),
        (Versions(A), listing(ONE, TWO)),
        (Dependencies(B, ONE), Metadata(("a<2",))),
    )
    assert likely_after(["a", "b", "c"], *answers) == (Dependencies(A, ONE),)


def test_what_is_needed_is_not_likely_too() -> None:
    resolver = Resolver(problem(["a", "b"]))
    outcome = resolver.step()
    assert isinstance(outcome, Waiting) and outcome.likely == ()


def test_an_expected_project_is_likely_from_the_start_and_so_is_its_first_candidate() -> None:
    resolver = Resolver(problem(["a"]))
    resolver.expect([A, B, C])
    assert resolver.likely() == (Versions(A), Versions(B), Versions(C))
    resolver.answer(Versions(B), listing(ONE, TWO))
    resolver.answer(Versions(C), Listing((), "was not found in the index"))
    assert resolver.likely() == (Dependencies(B, TWO),)


def test_an_expected_project_that_is_mentioned_has_the_candidate_that_fits() -> None:
    resolver = Resolver(problem(["a"]))
    resolver.expect([B])
    resolver.answer(Versions(A), listing(ONE))
    resolver.answer(Dependencies(A, ONE), Metadata(("b<2",)))
    resolver.answer(Versions(B), listing(ONE, TWO))
    assert resolver.likely() == (Dependencies(B, ONE),)


def test_rounds_are_few_when_guesses_are_followed() -> None:
    universe: Universe = {f"p{number}": {"1": [f"p{number + 1}"] if number < 20 else ()} for number in range(21)}
    wide = run(problem(["p0", "late"]), {**universe, "late": {"1": ()}}, speculate=True)
    assert len(set(wide.asked)) == len(wide.asked) == 44
    assert wide.resolution.pins == run(problem(["p0", "late"]), {**universe, "late": {"1": ()}}).resolution.pins
