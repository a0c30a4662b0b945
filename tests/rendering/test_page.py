from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfall.rendering import Html, Page, facts, figure, paragraph, preformatted, table
from landfall.rendering.page import asset, data_uri

PNG = b"\x89PNG\r\n\x1a\n-not-decoded-here"
HOSTILE = """</title><script>alert("x")</script><img src='http://evil.example/x' onerror="alert(1)">&amp;"""


class Reader(HTMLParser):
    """What a browser would make of a page: elements, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        inside = self.tags[-1] if self.tags else ""
        if inside == "script":
            self.scripts += [data] if data.strip() else []
        elif inside != "style":
            self.text += data

    def policy(self) -> str:
        return next(v for _, name, v in self.attributes if name == "content" and "default-src" in v)

    def links(self) -> list[str]:
        return [
            v
            for _, name, v in self.attributes
            if name in ("src", "href", "srcset", "action", "data", "poster")
        ]


def full_page(text: str) -> Page:
    return (
        Page(text, subtitle=text)
        .section(text, text, paragraph(text), preformatted(text), facts({text: text}))
        .section("Table", table([text, "b"], [[text, None], [1, 2.5]], caption=text, numeric=[1]))
        .section("Picture", figure(PNG, alt=text, caption=text, dark=PNG))
    )


def test_hostile_text_stays_text_wherever_it_is_put() -> None:
    page = Reader(full_page(HOSTILE).render())

    assert "script" not in page.tags
    assert page.tags.count("img") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    # Title, heading, subtitle, section, three bodies, label and value, header, caption and cell, figure's
    # caption.
    assert page.text.count(HOSTILE) == 13
    assert ("img", "alt", HOSTILE) in page.attributes


@given(st.text())
def test_any_text_reads_back_as_it_was(text: str) -> None:
    page = Reader(Page("t").section("s", preformatted(text)).render())

    # A browser takes these for one another, and drops what HTML has no place for.
    assert text.replace("\r\n", "\n").replace("\r", "\n") in page.text.replace("\r\n", "\n").replace(
        "\r", "\n"
    )


def test_nothing_is_fetched() -> None:
    html = full_page("x").render()

    assert all(link.startswith("data:") for link in Reader(html).links())
    assert "url(" not in html
    assert "@import" not in html


def test_the_policy_allows_the_pages_own_scripts_and_no_other() -> None:
    script = "window.answer = 42;"
    piece = Html("<p>a</p>", scripts=(script,), image_origins=("https://tile.example.org",))

    page = Reader(Page("t").section("a", piece).section("b", piece).render())

    policy = page.policy()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "default-src 'none'; img-src data: https://tile.example.org;" in policy
    # Two pieces that need the same script have it once.
    assert page.scripts == [script]
    assert "script-src 'none';" in Reader(Page("t").render()).policy()


def test_styles_of_pieces_are_put_in_once_and_after_the_pages_own() -> None:
    piece = Html("<p>a</p>", styles=(".x { color: red }",))
    html = Page("t").section("a", piece, piece).render()

    assert html.count(".x { color: red }") == 1
    assert html.index(asset("page.css")) < html.index(".x { color: red }")


def test_a_table_shows_cells_in_their_place() -> None:
    html = table(["model", "R@1"], [["gem", 69.7], ["crn", None]], numeric=[1]).markup

    cells = re.findall(r"<(t[hd])( class=\"number\")?>(.*?)</", html)
    assert [(tag, bool(number), text) for tag, number, text in cells] == [
        ("th", False, "model"),
        ("th", True, "R@1"),
        ("td", False, "gem"),
        ("td", True, "69.7"),
        ("td", False, "crn"),
        ("td", True, ""),
    ]


def test_a_row_that_does_not_fit_its_header_is_refused() -> None:
    with pytest.raises(ValueError, match="A row of 1 cells under a header of 2"):
        table(["a", "b"], [["x"]])


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PNG, "png"), (b"\xff\xd8\xff\xe0rest", "jpeg"), (b'<?xml version="1.0"?>\n<svg xmlns=""/>', "svg+xml")],
)
def test_pictures_become_data_uris(content: bytes, kind: str) -> None:
    head, _, body = data_uri(content).partition(",")

    assert head == f"data:image/{kind};base64"
    assert base64.b64decode(body) == content


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no PNG, JPEG or SVG"):
        data_uri(b"hello")


def test_a_page_is_written_whole_and_alike_each_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    page = full_page("Straße")

    page.write(path)
    first = path.read_bytes()
    full_page("Straße").write(path)

    assert path.read_bytes() == first == page.render().encode()
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
