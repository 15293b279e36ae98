"""Pages of an index: asked for again when that may help, refused by name when it does not."""

from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.errors import AccessRefused, IndexUnavailable, Offline, ProjectNotFound
from engine.index.client import Answer
from engine.index.freshness import Freshness
from engine.index.pages import Pages
from engine.limits import RETRIES
from engine.network.interrupted import Interrupted
from engine.network.retry import RetryBudget

pytestmark = pytest.mark.anyio

INDEX = "https://user:secret@example.com/simple/"
DEMO = NormalizedName("demo")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def answer(status: int = 200, *, stored: bool = False, freshness: Freshness | None = None) -> Answer:
    return Answer(
        status=status,
        reason="Reason",
        url=f"{INDEX}demo/",
        kind="application/json",
        gzipped=False,
        freshness=freshness,
        body=b"{}",
        stored=stored,
    )


class Index:
    """Answers in turn; remembers what it was asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.stored: list[Freshness | None] = []

    async def ask(self, url: str, stored: Freshness | None = None) -> Answer:
        self.asked.append(url)
        self.stored.append(stored)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def pages(
    index: Index, *, offline: bool = False, folder: str = "/nonexistent", warnings: list[str] | None = None
) -> Pages:
    budget = RetryBudget(jitter=lambda low, high: low)
    return Pages(INDEX, ask=index.ask, budget=budget, records=RecordStore(folder), offline=offline, warnings=warnings)


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
    other = Pages(
        "https://example.com/other/", ask=Index().ask, budget=RetryBudget(), records=RecordStore("/nonexistent")
    )
    keys = {pages(Index()).key(DEMO), pages(Index()).key(NormalizedName("demo2")), other.key(DEMO)}
    assert len(keys) == 3 and not any("secret" in key or "example" in key for key in keys)


def test_a_password_that_changes_loses_no_page() -> None:
    other = Pages(INDEX.replace("secret", "new"), ask=Index().ask, budget=RetryBudget(), records=RecordStore("/"))
    assert other.key(DEMO) == pages(Index()).key(DEMO)


STORED = Freshness(5, False, '"a"', "then")


def store(folder: Path, freshness: Freshness = STORED) -> RecordStore:
    records = RecordStore(str(folder))
    records.put(pages(Index()).key(DEMO), freshness.pack() + b"page")
    return records


async def test_a_stored_page_is_asked_for_with_its_freshness_and_renewed(tmp_path: Path) -> None:
    records = store(tmp_path)
    renewed = STORED._replace(expires=600)
    index = Index(answer(304, stored=True, freshness=renewed))
    asked = pages(index, folder=str(tmp_path))
    assert (await asked.fetch(DEMO)).stored
    assert index.stored == [STORED]
    assert records.get(asked.key(DEMO)) == renewed.pack() + b"page"


async def test_a_page_is_asked_for_anew_without_conditions(tmp_path: Path) -> None:
    store(tmp_path)
    index = Index(answer())
    assert not (await pages(index, folder=str(tmp_path)).fetch(DEMO, anew=True)).stored
    assert index.stored == [None]


async def test_that_a_page_is_absent_is_no_page_to_renew(tmp_path: Path) -> None:
    RecordStore(str(tmp_path)).put(pages(Index()).key(DEMO), STORED.pack())
    index = Index(answer())
    await pages(index, folder=str(tmp_path)).fetch(DEMO)
    assert index.stored == [None]


async def test_a_stale_page_has_to_do_when_the_index_is_down(tmp_path: Path) -> None:
    records = store(tmp_path)
    warnings: list[str] = []
    index = Index(*[Interrupted("HTTP 503")] * (RETRIES + 1))
    asked = pages(index, folder=str(tmp_path), warnings=warnings)
    found = await asked.fetch(DEMO)
    assert found.stored and isinstance(found.failure, IndexUnavailable)
    assert len(warnings) == 1 and "HTTP 503" in warnings[0] and "secret" not in warnings[0]
    assert records.get(asked.key(DEMO)) == STORED.pack() + b"page", "it stays as stale as it was"


@pytest.mark.parametrize("failure", [AccessRefused("no", status=401), IndexUnavailable("expired certificate")])
async def test_a_refusal_is_not_made_up_for_by_a_stale_page(tmp_path: Path, failure: Exception) -> None:
    store(tmp_path)
    with pytest.raises(IndexUnavailable):
        await pages(Index(failure), folder=str(tmp_path)).fetch(DEMO)


async def test_a_page_that_must_be_validated_is_not_used_stale(tmp_path: Path) -> None:
    store(tmp_path, STORED._replace(strict=True))
    with pytest.raises(IndexUnavailable):
        await pages(Index(*[Interrupted("HTTP 503")] * (RETRIES + 1)), folder=str(tmp_path)).fetch(DEMO)
