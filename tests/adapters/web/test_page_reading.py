"""What a trader reads on the page in a real Chromium: reasons, curves, contrasts, and never by colour alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.web.conftest import asked
from tests.adapters.web.pages import SECTIONS, SIGHTS, opened, show, size, wait
from tests.adapters.web.serving import day_under_way
from tests.browser import Page

PROGRAMME = '[programme]\nname = "topstep"\nstage = "combine"\nsize = "50K"\n'
DAILY = "[rules.daily_realized_loss]\n"


@contextmanager
def page_of(folder: Path, config: str | None = None) -> Iterator[Page]:
    (folder / "day").mkdir()
    (folder / "browser").mkdir()
    with asked(*day_under_way(folder / "day", config)) as service, opened(service.control, folder / "browser") as page:
        yield page


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with page_of(tmp_path) as found:
        yield found


def test_a_reason_is_one_click_away_and_made_of_sentences(page: Page) -> None:
    size(page, 1280)
    show(page, "enforcement", "Close Position")
    page.evaluate("document.querySelector('#enforcement button').click()")
    wait(page, "document.querySelector('tr.why')?.innerText.includes('What was demanded')")
    said = page.evaluate("document.querySelector('tr.why').innerText")
    for sentence in (
        "GUARD (New exposure or an entry order during a lockout) was breached in MNQ at 2026-11-19 14:34:30",
        "What came in at 2026-11-19 14:34:30: the broker shows 3 long of MNQ at 20948.25.",
        "RULE-007 had locked the account at 2026-11-19 14:33:39 until 2026-11-19 14:38:39: a loss of 194.24",
        "The day so far: -$197.34 net of 3 fills and 1 round trips.",
        "Held: long 3 MNQ from 20948.25, open P&L $0 at 20948.25.",
        "Close Position MNQ: met after 780 ms",
    ):
        assert sentence in said
    assert "{" not in said
    page.evaluate("document.querySelector('#enforcement button').click()")
    assert page.evaluate("document.querySelectorAll('tr.why').length") == 0


# Of each text that can be seen: its contrast with what lies behind it, and what it needs.
CONTRASTS = r"""(() => {
  const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return {r, g, b, a}; };
  const light = ({r, g, b}) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = parse(getComputedStyle(node).backgroundColor);
      if (found.a === 1) return found;
    }
    return {r: 255, g: 255, b: 255};
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const parent = node.parentElement, style = getComputedStyle(parent);
    if (!node.data.trim() || !parent.getClientRects().length || parent.disabled) continue;
    const ink = light(parse(parent.ownerSVGElement ? style.fill : style.color)), ground = light(behind(parent));
    const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (ratio < 4.5) poor.push([node.data.trim(), Math.round(ratio * 100) / 100]);
  }
  return poor;
})()"""
STATES = r"""[...document.querySelectorAll('.breached, .near, .warn, .ok, .blind, .shadow, .off')]
  .map((one) => one.innerText).filter((text) => !/^[✖▲△✔?◌–] [a-z]+$/.test(text))"""


def test_every_text_has_the_contrast_of_aa_and_no_state_is_colour_alone(page: Page) -> None:
    for name, words in SECTIONS.items():
        for width, scheme in SIGHTS[1:3]:
            size(page, width, scheme)
            show(page, name, words)
            assert page.evaluate(CONTRASTS) == [], (name, scheme)
            assert page.evaluate(STATES) == [], name
    show(page, "limits", "RULE-003")
    assert page.evaluate("document.querySelectorAll('#limits .ok').length") > 3
    page.evaluate("document.getElementById('lock').click()")
    for width, scheme in SIGHTS[1:3]:
        size(page, width, scheme)
        assert page.evaluate(CONTRASTS) == []
    page.evaluate("document.getElementById('confirm-no').click()")


def lines_of(page: Page) -> dict[str, Any]:
    """The heights in the chart, by what they are: lines by their class, the ends of the curve, the open P&L."""
    show(page, "pnl", "Fills")
    wait(page, "document.querySelector('#pnl svg .curve')")
    found: dict[str, Any] = page.evaluate("""(() => {
      const lines = (name) => [...document.querySelectorAll(`#pnl svg line.${name}`)];
      const y = (name) => lines(name).map((one) => Number(one.getAttribute('y1')));
      const path = document.querySelector('#pnl svg .curve').getAttribute('d');
      return {axis: y('axis')[0], limit: y('limit'), floor: y('floor'), last: Number(path.split('V').at(-1)),
        open: Number(document.querySelector('#pnl circle').getAttribute('cy')),
        label: document.querySelector('#pnl svg').getAttribute('aria-label')};
    })()""")
    return found


@pytest.mark.parametrize(("basis", "limit"), [("realized", -500.0), ("trailing_unrealized", -500.0)])
def test_the_curve_stands_against_the_limit_in_its_basis_and_the_floor(
    tmp_path: Path, basis: str, limit: float
) -> None:
    config = f'[rules.daily_realized_loss]\nloss_limit = "500"\nbasis = "{basis}"\n{PROGRAMME}'
    with page_of(tmp_path, config) as page:
        found = lines_of(page)
        row = page.evaluate("""fetch('/api/limits').then((one) => one.json()).then((one) => one.limits)""")
    by_rule = {one["rule"]: one for one in row}
    floor = -355.68 - (float(by_rule["PROGRAMME-MLL"]["now"]) - float(by_rule["PROGRAMME-MLL"]["limit"]))
    scale = (found["last"] - found["axis"]) / 209.18  # The curve ends at what is closed.
    assert found["open"] == pytest.approx(found["axis"] + 355.68 * scale, abs=0.2)
    assert found["limit"] == [pytest.approx(found["axis"] - limit * scale, abs=0.2)]
    assert found["floor"] == [pytest.approx(found["axis"] - floor * scale, abs=0.2)]
    assert f"floor at -${-floor:.2f}" in found["label"]
    assert "RULE-003 at -$500.00" in found["label"]
