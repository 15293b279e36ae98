"""Where the packages of a pylock.toml stand."""

import pytest

from engine.lock.direct import Place
from engine.lock.pylock import Choices, PylockFile

WHEEL = (
    "{name = 'a-1.0-py3-none-any.whl', url = 'https://example.com/a-1.0-py3-none-any.whl', hashes = {sha256 = '%s'}}"
)
START = "lock-version = '1.0'\ncreated-by = 'x'\n"
BODY = f"name = 'a'\nversion = '1.0'\nwheels = [{WHEEL % ('0' * 64)}]\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{START}[[packages]]\n{BODY}", (3,)),
        (f"{START}\n[[packages]] # a\n{BODY}", (4,)),
        (f"{START}[[ packages ]]\n{BODY}", (3,)),
        (f"{START}packages = [{{name = 'a', version = '1.0', wheels = [{WHEEL % ('0' * 64)}]}}]\n", ()),
    ],
)
def test_a_package_has_the_line_of_its_header_or_none(text: str, lines: tuple[int, ...]) -> None:
    file = PylockFile.parse(text.encode(), source="pylock.toml", place=Place(folder="/project"), choices=Choices())
    assert file._lines == lines
