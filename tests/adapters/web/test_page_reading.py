"""What a trader reads on the page in a real Chromium: reasons, curves, contrasts, and never by colour alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.web.conftest import asked
from tests.adapters.web.pages import SECTIONS, SIGHTS, opened, press, show, size, wait
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
        "GUARD (New exposure or an entry order during a lockout) was breached in MNQ at 2026-11-19 08:34:30",
        "What came in at 2026-11-19 08:34:30: the broker shows 3 long of MNQ at 20948.25.",
        "RULE-007 had locked the account at 2026-11-19 08:33:39 until 2026-11-19 08:38:39: a loss of 194.24",
        "The day so far: -$197.34 net of 3 fills and 1 round trip.",
        "Held: long 3 MNQ from 20948.25, open P&L $0.00 at 20948.25.",
        "Close Position MNQ: met after 780 ms",
    ):
        assert sentence in said
    assert "{" not in said
    page.evaluate("document.querySelector('#enforcement button').click()")
    assert page.evaluate("document.querySelectorAll('tr.why').length") == 0


def test_times_are_those_of_the_profile_wherever_the_browser_is(page: Page) -> None:
    page.call("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    page.call("Page.reload")
    wait(page, "document.getElementById('zone')?.innerText === 'Times are in America/Chicago.'")
    show(page, "overview", "2026-11-19 08:3")
    show(page, "calendar", "17:00:00")
    assert "23:3" not in page.evaluate("document.body.innerText")


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
    """What the chart draws: its values by what they are, its words, and whether anything but background is there."""
    show(page, "pnl", "Fills")
    wait(page, "document.querySelector('#pnl canvas')")
    found: dict[str, Any] = page.evaluate("""import('/chart.js').then(({drawings}) => {
      const [{plot, lines, host}] = drawings.values(), [at, closed, open] = plot.data;
      const of = (kind) => lines.flatMap((one, index) => one.kind === kind ? [plot.data[3 + index].at(-1)] : []);
      const {canvas} = plot.ctx, {y, x} = plot.scales;
      const pixels = plot.ctx.getImageData(0, 0, canvas.width, canvas.height).data;
      return {limit: of('limit'), floor: of('floor'), last: closed.at(-1), open: open.at(-1), low: y.min, high: y.max,
        begin: x.min, end: x.max, first: at[0], wide: canvas.clientWidth, room: host.clientWidth,
        drawn: pixels.some((one) => one > 0), label: host.getAttribute('aria-label')};
    })""")
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
    assert (found["last"], found["open"]) == (-209.18, -355.68)  # The curve ends at what is closed.
    assert found["limit"] == [pytest.approx(limit)]
    assert found["floor"] == [pytest.approx(floor)]
    assert found["low"] < min(floor, limit) < 0 < found["high"], "all of it is in sight"
    assert found["drawn"]
    assert found["wide"] == found["room"] > 300
    assert f"floor at -${-floor:,.2f}" in found["label"]
    assert "RULE-003 at -$500.00" in found["label"]


def test_the_curve_is_read_and_enlarged_with_mouse_and_keys(tmp_path: Path) -> None:
    reading = "document.querySelector('#pnl output').innerText"
    with page_of(tmp_path, None) as page:
        whole = lines_of(page)
        page.evaluate("document.querySelector('#pnl .chart [role=img]').focus()")
        press(page, "ArrowRight")
        wait(page, f"/08:31:10: -?[$]\\d[.]\\d\\d closed$/.test({reading})")
        press(page, "ArrowLeft", 99)
        press(page, "ArrowRight", 99)
        wait(page, f"{reading}.includes(': -$209.18 closed, -$355.68 with open positions')")
        reads = "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/api/fills')).length"
        before = page.evaluate(reads)
        page.evaluate('window.sockets[0].onmessage({data: \'{"type": "MarketQuote"}\'})')
        wait(page, f"{reads} > {before}")
        page.evaluate("new Promise((done) => setTimeout(done, 300))")
        assert page.evaluate("document.activeElement.getAttribute('role')") == "img", "new figures leave the focus"
        assert "closed" in page.evaluate(reading)
        drag(page, 0.3, 0.6)
        wait(page, "!document.querySelector('#pnl .chart button').hidden")
        part = lines_of(page)
        assert whole["begin"] < part["begin"] < part["end"] < whole["end"]
        page.evaluate("document.querySelector('#pnl .chart button').click()")
        wait(page, "document.querySelector('#pnl .chart button').hidden")
        again = lines_of(page)
        assert (again["begin"], again["end"]) == (whole["begin"], whole["end"])


def drag(page: Page, begin: float, end: float) -> None:
    """The mouse over a part of the chart, from one share of its width to another."""
    box = page.evaluate("""(() => {
      const over = document.querySelector('#pnl .u-over');
      over.scrollIntoView({block: 'center'});
      const {left, top, width, height} = over.getBoundingClientRect();
      return {left, y: top + height / 2, width};
    })()""")
    steps = (("Moved", begin, "none"), ("Pressed", begin, "left"), ("Moved", end, "left"), ("Released", end, "left"))
    for kind, share, button in steps:
        x = box["left"] + share * box["width"]
        page.call("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=box["y"], button=button, clickCount=1)


def test_a_screen_reader_hears_of_states_and_not_of_prices(tmp_path: Path) -> None:
    with page_of(tmp_path, None) as page:
        heard = page.evaluate("document.getElementById('told').innerText")
        assert heard == ". ".join(page.evaluate("document.getElementById('binding').innerText").split("\n\n"))
        spoken = "document.getElementById('binding').closest('[aria-live],[role=status],[role=alert]')"
        assert page.evaluate(spoken) is None
        # Another amount of the same limit is shown, and is not read out; another state is.
        changed = page.evaluate("""Promise.all([import('/sections.js'), fetch('/api/status').then((one) => one.json())])
          .then(([{binding}, status]) => {
            const about = () => binding(status, 0).about, before = about(), row = status.accounts[0].limits[0];
            row.left = '0.5';
            const amount = about();
            row.state = 'near';
            return [amount === before, about() === before];
          })""")
        assert changed == [True, False]
