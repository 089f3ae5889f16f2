"""The evening of a day on which an engine enforced, and the page of any day in a real browser."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from replay.review.page import review_html
from replay.review.review import WITHOUT_RULES, Review, review
from replay.source import Source
from replay.whatif.settings import Asked, without_rules
from replay.whatif.study import Study, whatif
from riskcore.core.quantities import money
from riskcore.schema.rows import Row
from riskcore.settings.config import Settings
from riskcore.store.export_file import write_export
from tests.browser import Page, browser
from tests.recordings import RULES, losing_day
from tests.replay.whatif.contrast import ratio
from tests.replay.whatif.live_days import live_day, peaceful
from tests.replay.whatif.test_report_page import _COLOURS, _UNFOLD, DESK, PHONE


@pytest.fixture
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory) -> Row:
    folder = tmp_path_factory.mktemp("losing")
    config = folder / "riskcore.toml"
    config.write_text(RULES, encoding="utf-8")
    return review(Review(Source((losing_day().write(folder / "day.jsonl"),), config_path=config)))


def test_what_enforced_rules_saved_is_the_day_without_them_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl"
    with write_export(path) as writer:
        writer.add_events(live_day(peaceful(8)).events)
    found = review(Review(Source((path,)), quick=True))
    assert (found["question"], found["day"]["enforced"]) == (WITHOUT_RULES, True)
    off = Settings(without_rules(found["whatif"] and _recorded(path)))
    study = Study((path,), Asked(off, config_given=True), quick=True, independent_days=True)
    effect = whatif(replace(study, days=(found["day"]["trade_date"],)))["effect"]
    assert money(effect["net_pnl"]) != 0
    assert found["prevented"]["net_pnl"] == f"-{effect['net_pnl']}"
    assert [row["closed_by"] for row in found["round_trips"]].count("riskcore") == 1


def _recorded(path: Path) -> Row:
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event.get("type") == "TradingDayOpened":
            settings: Row = event["data"]["settings"]
            return settings
    raise AssertionError("a day opens")


def busy(losing: Row) -> Row:
    """A day with more of everything than anybody trades, and names as long as they get."""
    account = {**losing["accounts"][0], "name": "A" * 90}
    moments = losing["whatif"]["tilt"] * 20
    return {
        **losing,
        "accounts": [account],
        "round_trips": losing["round_trips"] * 100,
        "breaches": losing["breaches"] * 100,
        "whatif": {**losing["whatif"], "tilt": moments},
    }


def test_a_page_is_small_and_the_same_each_time(losing: Row) -> None:
    shown = review_html(losing)
    assert shown == review_html(json.loads(json.dumps(losing)))
    assert losing["hash"]["sha256"] in shown
    assert len(review_html(busy(losing)).encode()) < 100_000
    assert "140 more in the JSON and the CSV" in review_html(busy(losing))


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_fits_asks_nobody_and_can_be_read(page: Page, width: int, losing: Row, tmp_path: Path) -> None:
    for name, row in {"losing": losing, "busy": busy(losing)}.items():
        path = tmp_path / f"{name}.html"
        path.write_text(review_html(row), encoding="utf-8")
        for scheme in ("light", "dark"):
            page.open(path, width, scheme)
            page.evaluate(_UNFOLD)
            shown, whole = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
            assert whole <= shown == width, name
            assert page.requests == [path.resolve().as_uri()]
            for pair, text in json.loads(page.evaluate(_COLOURS)).items():
                assert ratio(*pair.split()) >= 4.5, f"{pair}: {text}"
