"""Markers that are no conditions are named."""

import pytest
from packaging.markers import Marker

from resolver.markers import UnreadableMarker, read_marker


@pytest.mark.parametrize("text", ["'a' == 'b'", "'1' < '2' or os_name == 'nt'"])
def test_two_texts_are_not_compared(text: str) -> None:
    with pytest.raises(UnreadableMarker, match="with another one"):
        read_marker(Marker(text))


def test_a_version_that_nobody_can_read_is_a_text() -> None:
    assert read_marker(Marker(f"python_full_version < '{'1' * 5000}'")) is not None
