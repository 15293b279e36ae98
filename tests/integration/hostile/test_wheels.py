"""Wheels that break the standards are refused by name and reason, and nothing else happens."""

import pytest

from tests.integration.hostile.wheel_cases import REFUSED, Refused
from tests.support.index import Index
from tests.support.oracle import Oracle
from tests.support.wheels import Wheel


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_a_hostile_wheel_is_refused_by_name_and_reason(case: Refused, index: Index, refusing: Oracle) -> None:
    name, version, *_ = case.filename.split("-")
    wheel = Wheel(name=name, version=version, filename=case.filename, content=case.build(refusing.ground.folder))
    index.add(wheel)
    said = refusing.refused(wheel.pin, options=case.options)
    assert f"lock.txt:2: {case.filename}: " in said
    for word in case.words:
        assert word in said, said


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.id for case in REFUSED}) == len(REFUSED)
