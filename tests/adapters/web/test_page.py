"""The trader's page in a real Chromium, beside a service over a day that is under way with a position open."""

import json
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.adapters.web.conftest import Asked, asked
from tests.adapters.web.pages import SECTIONS, SIGHTS, opened, private, show, size, wait
from tests.adapters.web.serving import day_under_way
from tests.browser import Page

ACCOUNT_NAME = "50KTC-V2-99000001"


@pytest.fixture(scope="module")
def page_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(*day_under_way(tmp_path_factory.mktemp("page"))) as found:
        yield found


@pytest.fixture
def tab(page_service: Asked, tmp_path: Path) -> Iterator[Page]:
    with opened(page_service.control, tmp_path) as page:
        yield page


def test_each_section_shows_its_rows_without_sideways_scroll(tab: Page) -> None:
    for name, (width, scheme) in product(SECTIONS, SIGHTS):
        size(tab, width, scheme)
        show(tab, name, SECTIONS[name])
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("document.querySelectorAll('main section:not([hidden])').length") == 1
        nearest = "Nearest in dollars: RULE-004 $153.50 or 76 ticks left"
        assert nearest in tab.evaluate("document.getElementById('binding').innerText")
        heads = "[...document.querySelectorAll('section:not([hidden]) th, section:not([hidden]) td')]"
        if width > 700:  # No word or amount is cut in two.
            assert tab.evaluate(f"{heads}.every((one) => getComputedStyle(one).overflowWrap !== 'anywhere')")
        # A caption squeezed into a cell's width stands letter under letter.
        assert tab.evaluate("[...document.querySelectorAll('caption')].every((one) => one.offsetHeight < 60)")
        if folder := os.environ.get("RISKCORE_SCREENSHOTS"):
            tab.screenshot(Path(folder) / f"{name}-{width}-{scheme}.png")


# What would give figures away, wherever it stands; rules, times and the page's own words are taken out first.
LEAKS = r"""(() => {
  const found = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ALL);
  for (let node = walk.currentNode; node; node = walk.nextNode()) {
    if (node.nodeType === 3 && !node.parentElement.closest('dialog,[data-until]')) found.push(node.data);
    if (node.nodeType === 1) for (const one of node.attributes)
      if (!['data-until', 'data-skew'].includes(one.name) && !node.closest('dialog')) found.push(one.value);
  }
  return found.filter((text) => /\d/.test(text.replace(
    /RULE-\d+|\bh2?-[a-z]+|\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?|\b\d\d:\d\d(:\d\d)?\b/g, '')));
})()"""


def test_privacy_leaves_no_digit_of_amounts(tab: Page) -> None:
    size(tab, 1280)
    show(tab, "overview", ACCOUNT_NAME)
    assert tab.evaluate(LEAKS)
    private(tab, True)
    for name, words in SECTIONS.items():
        show(tab, name, "•••" if name == "overview" else words)
        leaks = [text for text in tab.evaluate(LEAKS) if text != "-1"]
        assert leaks == [], name
        assert ACCOUNT_NAME not in tab.evaluate("document.documentElement.outerHTML")
    assert "•••" in tab.evaluate("document.title")
    show(tab, "enforcement", "Why")
    tab.evaluate("document.querySelectorAll('#enforcement button').forEach((one) => one.click())")
    wait(tab, "[...document.querySelectorAll('tr.why')].every((one) => one.innerText.includes('What came in'))")
    assert tab.evaluate("document.querySelectorAll('tr.why').length") == 7
    leaks = [text for text in tab.evaluate(LEAKS) if text not in ("-1", "6", "4")]  # Of tabindex and colspan.
    assert leaks == []
    assert ACCOUNT_NAME not in tab.evaluate("document.documentElement.outerHTML")
    private(tab, False)
    assert tab.evaluate("document.querySelectorAll('tr.why').length") == 0, "nothing that was hidden stays in sight"
    private(tab, True)
    assert tab.evaluate("document.querySelectorAll('#pnl canvas').length") == 0
    tab.call("Page.reload")
    wait(tab, "document.title.includes('•••')")
    assert tab.evaluate("document.getElementById('privacy').getAttribute('aria-pressed')") == "true"


def test_nothing_is_done_without_the_confirmation(tab: Page) -> None:
    for name in ("flatten", "cancel-all", "lock"):
        wait(tab, f"!document.getElementById('{name}').disabled")
        ends = json.dumps(f"/api/{name}")
        posts = f"performance.getEntriesByType('resource').filter((one) => one.name.endsWith({ends})).length"
        before = tab.evaluate(posts)
        tab.evaluate(f"document.getElementById('{name}').click()")
        assert tab.evaluate("document.getElementById('confirm').open")
        assert tab.evaluate("document.activeElement.id") == "confirm-no"
        tab.evaluate("document.getElementById('confirm-no').click()")
        assert not tab.evaluate("document.getElementById('confirm').open")
        assert tab.evaluate(posts) == before
        tab.evaluate(f"document.getElementById('{name}').click(); document.getElementById('confirm-yes').click()")
        wait(tab, "document.getElementById('outcome').innerText.includes('Recorded')")
        assert tab.evaluate(posts) == before + 1
        tab.evaluate("void (document.getElementById('outcome').textContent = '')")


def test_no_request_leaves_loopback(tab: Page, page_service: Asked) -> None:
    origin = page_service.control.url
    for name, words in SECTIONS.items():
        show(tab, name, words)
    names = tab.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert names
    assert [name for name in names if not name.startswith(origin)] == []
    assert [url for url in tab.requests if not url.startswith(origin) and url != "about:blank"] == []


def test_a_page_without_its_engine_says_that_it_is_stale(tab: Page) -> None:
    tab.call("Network.clearBrowserCookies")
    tab.evaluate("void (location.hash = 'connections')")
    wait(tab, "!document.getElementById('stale').hidden")
    assert "riskcore web" in tab.evaluate("document.getElementById('stale').innerText")
