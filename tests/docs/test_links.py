"""Every link of the documentation leads somewhere."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, without_fences

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as repository hosts make them."""
    headings = re.findall(r"^#+ (.+)$", without_fences(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    prose = re.sub(r"`[^`\n]*`", "", without_fences(page))
    return _LINK.findall(re.sub(r"\[`[^`]*`\]", "[code]", prose))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_resolve(page: Path) -> None:
    for link in links(page):
        assert "://" not in link, f"{link}: the pages stand alone"
        target, _, anchor = link.partition("#")
        aim = (page.parent / target).resolve() if target else page
        assert aim.is_file(), f"{link}: no such file"
        assert not anchor or anchor in anchors(aim), f"{link}: no such heading, only {sorted(anchors(aim))}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if link[0] != "#"]
    assert [page for page in PAGES if page not in seen] == []


def test_pages_of_concepts_and_guides_are_there() -> None:
    names = ("journal", "obligation", "lockout", "trading-day", "marks", "ledgers")
    assert all((DOCS / "concepts" / f"{name}.md").is_file() for name in names)
