"""The report in a real browser: nothing is fetched, it fits a phone, it can be read, driven by keys, and printed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from replay.whatif.report import report_html
from riskcore.schema.rows import Row
from tests.browser import Page, browser
from tests.replay.whatif.contrast import ratio
from tests.replay.whatif.sample_result import sample
from tests.replay.whatif.test_report import RESULTS

PHONE, DESK = 360, 1280
_UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true })"

# Every text that is shown, with its colour and what it stands on.
_COLOURS = """
(() => {
  const byte = (text) => (+text).toString(16).padStart(2, '0');
  const hex = (text) => '#' + text.match(/[0-9.]+/g).slice(0, 3).map(byte).join('');
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return hex(colour);
    }
    return '#ffffff';
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest('svg')) continue;
    const pair = hex(getComputedStyle(node).color) + ' ' + ground(node);
    found[pair] = walker.currentNode.data.slice(0, 40);
  }
  return JSON.stringify(found);
})()
"""


@pytest.fixture
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    # A browser of its own for each test, because what a test starts dies with it; so each looks at many pages.
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def written(folder: Path, result: Row) -> Path:
    path = folder / "report.html"
    path.write_text(report_html(result), encoding="utf-8")
    return path


def long_names() -> Row:
    result = sample(8, (1, 2))
    for course in ("baseline", "counterfactual"):
        for account in result[course]["accounts"]:
            account["name"] = "A" * 90
    result["stamp"]["command"] = f"riskcore whatif /{'x' * 300}"
    result["stamp"]["sessions"][0]["path"] = "y" * 200
    result["stamp"]["settings_diff"].append({"key": "k" * 120, "baseline": "v" * 90, "counterfactual": None})
    return result


def test_no_request_leaves(page: Page, tmp_path: Path) -> None:
    for name, result in RESULTS.items():
        path = written(tmp_path, result)
        page.open(path, DESK)
        page.evaluate(_UNFOLD)
        assert page.requests == [path.resolve().as_uri()], name


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_scrolls_sideways(page: Page, width: int, tmp_path: Path) -> None:
    for name, result in {**RESULTS, "long names": long_names()}.items():
        page.open(written(tmp_path, result), width)
        page.evaluate(_UNFOLD)
        shown, whole = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
        # A phone zooms out to fit what is too wide, so that the window grows with it.
        assert whole <= shown == width, name


def test_every_text_on_the_page_has_contrast(page: Page, tmp_path: Path) -> None:
    for name in ("61 days", "shared", "nothing happened"):
        for scheme in ("light", "dark"):
            page.open(written(tmp_path, RESULTS[name]), DESK, scheme)
            found = json.loads(page.evaluate(_COLOURS))
            assert len(found) >= 3
            for pair, text in found.items():
                assert ratio(*pair.split()) >= 4.5, f"{pair}: {text}"


def test_light_and_dark_differ(page: Page, tmp_path: Path) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page.open(written(tmp_path, RESULTS["one day"]), PHONE, scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(244, 246, 248)", "rgb(13, 17, 23)"]


def press(page: Page, key: str, code: int, text: str = "") -> None:
    page.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, text=text)
    page.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)


def test_the_keyboard_reaches_every_link_and_opens_what_is_folded(page: Page, tmp_path: Path) -> None:
    page.open(written(tmp_path, RESULTS["61 days"]), DESK)
    count = page.evaluate("document.querySelectorAll('a, summary').length")
    reached = []
    for _ in range(count):
        press(page, "Tab", 9)
        reached.append(page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.textContent"))
        focus = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(focus) == "solid"
    assert reached[0] == "A Skip to the verdict"
    assert len(set(reached)) == count
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    press(page, "Enter", 13, "\r")
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 1


def test_paper_shows_everything_dark_on_white(page: Page, tmp_path: Path) -> None:
    page.open(written(tmp_path, RESULTS["61 days"]), DESK, "dark")
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.call("Emulation.setEmulatedMedia", media="print", features=features)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(20, 26, 34)"
    shown = page.evaluate("[...document.querySelectorAll('details table')].map((one) => one.checkVisibility())")
    assert shown == [True] * 4
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_a_folded_table_keeps_its_roles_on_a_phone(page: Page, tmp_path: Path) -> None:
    page.open(written(tmp_path, RESULTS["61 days"]), PHONE)
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
    assert roles.count("table") >= 5
    assert {"rowheader", "cell", "columnheader", "banner", "navigation", "main", "contentinfo"} <= set(roles)
    images = [node["name"]["value"] for node in tree if node["role"]["value"] in ("image", "img", "graphics-document")]
    assert "Equity of both courses, day by day" in images
    assert "Effect of each day" in images
