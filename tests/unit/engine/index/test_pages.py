"""Pages of an index: asked for again when that may help, refused by name when it does not."""

import pytest
from packaging.utils import NormalizedName

from engine.errors import AccessRefused, IndexUnavailable, Offline, ProjectNotFound
from engine.index.client import Answer, Interrupted
from engine.index.pages import Pages
from engine.limits import RETRIES
from engine.network.retry import RetryBudget

pytestmark = pytest.mark.anyio

INDEX = "https://user:secret@example.com/simple/"
DEMO = NormalizedName("demo")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def answer(status: int = 200) -> Answer:
    return Answer(
        status=status,
        reason="Reason",
        url=f"{INDEX}demo/",
        kind="application/json",
        gzipped=False,
        cache_control=None,
        age=None,
        body=b"{}",
    )


class Index:
    """Answers in turn; remembers what it was asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def ask(self, url: str) -> Answer:
        self.asked.append(url)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def pages(index: Index, *, offline: bool = False) -> Pages:
    return Pages(INDEX, ask=index.ask, budget=RetryBudget(jitter=lambda low, high: low), offline=offline)


async def test_a_page_is_asked_for_by_name() -> None:
    index = Index(answer())
    assert (await pages(index).fetch(DEMO)).body == b"{}"
    assert index.asked == [f"{INDEX}demo/"]


async def test_what_may_pass_is_tried_again() -> None:
    index = Index(Interrupted("reset"), Interrupted("HTTP 429", 0.0), answer())
    assert (await pages(index).fetch(DEMO)).status == 200
    assert len(index.asked) == 3


async def test_what_does_not_pass_after_all_is_told_with_its_reason() -> None:
    index = Index(*[Interrupted("HTTP 503")] * (RETRIES + 1))
    with pytest.raises(IndexUnavailable, match="HTTP 503"):
        await pages(index).fetch(DEMO)
    assert len(index.asked) == RETRIES + 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (answer(status=404), ProjectNotFound),
        (AccessRefused("no"), AccessRefused),
        (answer(status=204), IndexUnavailable),
        (IndexUnavailable("no"), IndexUnavailable),
    ],
)
async def test_what_does_not_pass_is_told_at_once_without_the_password(
    wrong: Answer | Exception, error: type[Exception]
) -> None:
    index = Index(wrong)
    with pytest.raises(error) as caught:
        await pages(index).fetch(DEMO)
    assert len(index.asked) == 1 and "secret" not in str(caught.value)


async def test_offline_asks_nobody() -> None:
    index = Index()
    with pytest.raises(Offline, match="demo"):
        await pages(index, offline=True).fetch(DEMO)
    assert index.asked == []


def test_keys_tell_indexes_and_projects_apart_and_no_password() -> None:
    other = Pages("https://example.com/other/", ask=Index().ask, budget=RetryBudget(), offline=False)
    keys = {pages(Index()).key(DEMO), pages(Index()).key(NormalizedName("demo2")), other.key(DEMO)}
    assert len(keys) == 3 and not any("secret" in key or "example" in key for key in keys)
