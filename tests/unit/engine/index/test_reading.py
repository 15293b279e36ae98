"""Pages of several places are read together, or not at all."""

import json
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.errors import InvalidPage
from engine.index.freshness import Freshness
from engine.index.page import ProjectPage
from engine.index.reading import AnswerFields, PageReader, notes_of

DEMO = NormalizedName("demo")
BODY = json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "files": []}).encode()
ANSWER: AnswerFields = ("https://example.com/demo/", "application/json", False, Freshness(9).pack(), BODY)


def test_what_was_read_can_be_had_from_the_cache_once_it_is_stored(tmp_path: Path) -> None:
    reader = PageReader(RecordStore(str(tmp_path)))
    pages = reader.read_all(DEMO, [[("answer", "key", ANSWER)], []])
    assert pages is not None and len(pages[0]) == 1 and pages[1] == []
    assert reader.read_all(DEMO, [[("stored", "key")]]) is None
    reader.store()
    assert reader.read_all(DEMO, [[("stored", "key")], []]) == pages
    assert reader.read_all(DEMO, [[("stored", "key")], [("stored", "gone")]]) is None


def test_an_answer_that_is_no_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidPage, match="text/plain"):
        PageReader(RecordStore(str(tmp_path))).answer("key", DEMO, (*ANSWER[:1], "text/plain", *ANSWER[2:]))


def test_notes_are_few_and_tell_the_status() -> None:
    page = ProjectPage(name="demo", url="https://e.org/", files=(), status="archived", notes=("note",) * 12)
    notes = notes_of([[page]])
    assert notes[0] == "https://e.org/: the project is archived" and notes[-1] == "https://e.org/: and 2 more notes"
    assert len(notes) == 12
