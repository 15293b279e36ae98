"""The published schema is the one of the model."""

from engine.report_schema import schema_text
from tests.unit.test_layering import ROOT


def test_the_published_schema_is_current() -> None:
    published = (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: python -m engine.report_schema > docs/report.schema.json"
