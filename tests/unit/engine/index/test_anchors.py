import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.index.anchors import Anchor, read_anchors


def test_links_are_taken_in_order_with_their_attributes() -> None:
    document = read_anchors(
        '<A HREF=" a " data-yanked><a href=b data-requires-python="&lt;4"></a><a>none</a><a href="">'
    )
    assert document.anchors == [Anchor("a", None, "", None), Anchor("b", "<4", None, None)]


def test_the_newer_metadata_attribute_wins_even_when_empty() -> None:
    both, old = read_anchors(
        "<a href=a data-core-metadata data-dist-info-metadata=true><a href=b data-dist-info-metadata=true>"
    ).anchors
    assert (both.core_metadata, old.core_metadata) == (None, "true")


def test_the_first_meta_and_base_count() -> None:
    document = read_anchors(
        "<meta name=a content=1><meta name=a content=2><meta charset=x><base><base href=c><base href=d>"
    )
    assert (document.meta["a"], document.base) == ("1", "c")


def test_links_in_comments_are_no_links() -> None:
    assert read_anchors("<!-- <a href=a> --><a href=b>").anchors == [Anchor("b", None, None, None)]


#: Pieces of pages, plain ones and ones that the short way must not misread.
PIECES = [
    "<!DOCTYPE html>",
    "<html><head>",
    "<title>Links for foo</title>",
    "<title>",
    "</title>",
    '<meta name="pypi:repository-version" content="1.0">',
    '<meta content="',
    "<meta name='a' content='>'>",
    '<base href="b/">',
    "</head><body>\n<h1>Links</h1>",
    '<a href="a.whl#sha256=12" data-requires-python="&gt;=3.8">a.whl</a><br />\n',
    '<a href="b.whl" data-yanked="" data-core-metadata="sha256=1">b.whl</a><br>',
    '<a\n  href="c.whl"\n  data-yanked="say &quot;no&#34; &amp;amp;"\n>',
    '<a href="d.whl?a=1&copy=2&lt">',
    '<a href="e.whl" href="f.whl" HREF="g.whl">',
    '<a href="h.whl" data-yanked>',
    "<a href='i.whl'>",
    "<A HREF=j.whl>",
    '<a href="k.whl"/>',
    '<a name="x"></a>',
    '<a href="l.whl" title="<a href=m.whl>">',
    '<a href="n.whl',
    "<!-- ",
    "-->",
    "<script>",
    "</script>",
    "<style>",
    "<![CDATA[",
    "<br/>",
    "<",
    ">",
    '"',
    "&",
]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
@example("".join(PIECES[:3] + PIECES[5:6] + PIECES[9:13]))
def test_the_short_way_reads_what_the_parser_reads(text: str) -> None:
    # A comment in front keeps a page from the short way.
    assert read_anchors(text) == read_anchors("<!---->" + text)


@pytest.mark.parametrize(
    "opening", ["<title>", "</title><title>", "<!--", "<script>", "<textarea>", '<meta content="', "<meta content='>"]
)
def test_links_inside_something_open_are_read_as_the_parser_reads_them(opening: str) -> None:
    text = opening + '<a href="a.whl">a</a><a href="b.whl">b</a>'
    assert read_anchors(text) == read_anchors("<!---->" + text)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("<!--><a href=a><!---><a href=b>", ["a", "b"]),
        ("<a href=a><!-- <a href=b>", ["a"]),
        ("<a href=a><a href='b><a href=c>", ["a"]),
        ("<a href=a><a href=b", ["a"]),
        ("<a href=a><script><a href=b></SCRIPT ><a href=c>", ["a", "c"]),
        ("<a href=a><style><a href=b>", ["a"]),
        ("<a/href=a/><a\thref = 'b'x><a =x href=c>", ["a/", "b", "c"]),
        ("< a href=a><?x <a href=b>><a href=c></a href=d>", ["c"]),
        ("<ab href=a><a href=b>", ["b"]),
        ("<div <a href=a><a href=b>", ["b"]),
    ],
)
def test_what_is_begun_and_never_ended_takes_the_rest_with_it(text: str, links: list[str]) -> None:
    assert [anchor.href for anchor in read_anchors("<!---->" + text).anchors] == links
