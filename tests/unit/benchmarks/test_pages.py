"""Pages of any index become the JSON that the mirror serves."""

import json

from benchmarks.pages import File, read_page, write_page

HTML = b"""<!DOCTYPE html><html><head><base href="https://example.com/base/"></head><body>
<a href="../packages/demo-1.0-py3-none-any.whl#sha256=abc" data-requires-python="&gt;=3.9">demo</a>
<a href="demo-1.0%2Blocal.tar.gz" data-yanked="broken">demo</a>
<a href="demo-0.9.tar.gz" data-yanked>demo</a>
</body></html>"""


def test_html_pages_are_read() -> None:
    assert read_page(HTML, "text/html", "https://example.com/simple/demo/") == [
        File(
            filename="demo-1.0-py3-none-any.whl",
            url="https://example.com/packages/demo-1.0-py3-none-any.whl",
            hashes={"sha256": "abc"},
            requires_python=">=3.9",
        ),
        File(filename="demo-1.0+local.tar.gz", url="https://example.com/base/demo-1.0%2Blocal.tar.gz", yanked="broken"),
        File(filename="demo-0.9.tar.gz", url="https://example.com/base/demo-0.9.tar.gz", yanked=True),
    ]


def test_json_pages_are_read_and_relative_links_resolved() -> None:
    page = {"files": [{"filename": "a-1.tar.gz", "url": "../../a-1.tar.gz", "hashes": {"sha256": "1"}, "size": 3}]}
    (file,) = read_page(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json", "https://example.com/s/a/")
    assert file == File(
        filename="a-1.tar.gz", url="https://example.com/a-1.tar.gz", hashes={"sha256": "1"}, more={"size": 3}
    )


def test_written_pages_lead_to_the_mirror_and_announce_metadata_of_wheels_only() -> None:
    files = read_page(HTML, "text/html", "https://example.com/simple/demo/")
    page = json.loads(write_page("demo", files))
    assert page["name"] == "demo" and page["meta"] == {"api-version": "1.1"}
    wheel, sdist, yanked = page["files"]
    assert wheel["url"] == "/files/demo/demo-1.0-py3-none-any.whl"
    assert wheel["core-metadata"] is True and wheel["requires-python"] == ">=3.9"
    assert "core-metadata" not in sdist and sdist["url"] == "/files/demo/demo-1.0%2Blocal.tar.gz"
    assert (sdist["yanked"], yanked["yanked"]) == ("broken", True)
    assert read_page(json.dumps(page).encode(), "application/json", "https://example.com/")[0].hashes == {
        "sha256": "abc"
    }
