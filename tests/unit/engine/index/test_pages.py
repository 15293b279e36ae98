"""Pages of an index: asked for again when that may help, stored as long as the index says, refused by name."""

import json
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.errors import IndexUnavailable, InvalidPage, Offline, ProjectNotFound
from engine.index.client import Answer, Interrupted
from engine.index.pages import Pages, index_folder

pytestmark = pytest.mark.anyio

INDEX = "https://user:secret@example.com/simple/"
DEMO = NormalizedName("demo")
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def answer(status: int = 200, kind: str = JSON, cache_control: str | None = None, body: bytes | None = None) -> Answer:
    page = {
        "meta": {"api-version": "1.1"},
        "name": "demo",
        "files": [{"filename": "demo-1.0-py3-none-any.whl", "url": "demo-1.0-py3-none-any.whl", "hashes": {}}],
    }
    content = json.dumps(page).encode() if body is None else body
    return Answer(status, "Reason", f"{INDEX}demo/", kind, cache_control, None, content)


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


def pages(tmp_path: Path, index: Index, *, offline: bool = False) -> Pages:
    return Pages(INDEX, records=RecordStore(str(tmp_path)), ask=index.ask, offline=offline)


async def test_a_page_is_asked_for_by_name_and_stored(tmp_path: Path) -> None:
    index = Index(answer(cache_control="max-age=600"))
    some = pages(tmp_path, index)
    assert some.stored(DEMO) is None
    page = await some.fetch(DEMO)
    assert index.asked == [f"{INDEX}demo/"]
    await some.store()
    stored = some.stored(DEMO)
    assert stored is not None and stored[0].pack() == page.pack() and stored[1]


async def test_a_page_that_may_not_be_reused_is_stored_but_not_fresh(tmp_path: Path) -> None:
    some = pages(tmp_path, Index(answer(cache_control="no-cache")))
    await some.fetch(DEMO)
    await some.store()
    stored = some.stored(DEMO)
    assert stored is not None and not stored[1]


@pytest.mark.parametrize("damage", [b"", b"1234", bytes(8), bytes(8) + b"torn"])
async def test_a_damaged_record_is_a_miss(tmp_path: Path, damage: bytes) -> None:
    RecordStore(str(tmp_path)).put(f"{index_folder(INDEX)}/demo", damage)
    assert pages(tmp_path, Index()).stored(DEMO) is None


async def test_pages_of_two_indexes_are_kept_apart(tmp_path: Path) -> None:
    some = pages(tmp_path, Index(answer()))
    await some.fetch(DEMO)
    await some.store()
    assert some.stored(DEMO) is not None
    other = Pages("https://example.com/other/", records=RecordStore(str(tmp_path)), ask=Index().ask, offline=False)
    assert other.stored(DEMO) is None


@pytest.mark.parametrize("failure", [Interrupted("reset"), answer(status=503)])
async def test_what_may_pass_is_tried_again(tmp_path: Path, failure: Answer | Exception) -> None:
    index = Index(failure, answer())
    await pages(tmp_path, index).fetch(DEMO)
    assert len(index.asked) == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (answer(status=404), ProjectNotFound),
        (answer(status=403), IndexUnavailable),
        (answer(kind="text/plain"), InvalidPage),
        (answer(body=b"{"), InvalidPage),
        (IndexUnavailable("no"), IndexUnavailable),
    ],
)
async def test_what_does_not_pass_is_told_at_once_without_the_password(
    tmp_path: Path, wrong: Answer | Exception, error: type[Exception]
) -> None:
    index = Index(wrong)
    some = pages(tmp_path, index)
    with pytest.raises(error) as caught:
        await some.fetch(DEMO)
    await some.store()
    assert len(index.asked) == 1 and "secret" not in str(caught.value)
    assert some.stored(DEMO) is None


async def test_offline_asks_nobody(tmp_path: Path) -> None:
    index = Index()
    with pytest.raises(Offline, match="demo"):
        await pages(tmp_path, index, offline=True).fetch(DEMO)
    assert index.asked == []


async def test_the_name_under_which_pages_are_kept_tells_no_password() -> None:
    assert "secret" not in index_folder(INDEX) and "/" not in index_folder(INDEX)
