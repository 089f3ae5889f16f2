"""Every view at 60 and at 120 columns, as text that somebody has looked at (tests/cli/screen/pictures)."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from riskcore.cli.screen.chart import chart
from riskcore.cli.screen.controls import HELP, Controls
from riskcore.cli.screen.picture import LIMITS, OVERVIEW, PNL, VIEWS, Picture
from riskcore.cli.screen.source import JournalSource
from riskcore.cli.screen.words import UTC_CLOCK
from riskcore.core.quantities import SECOND_NS
from tests.cli.screen.recorded_days import MOMENTS, WIDTHS, drawn, path_of, picture_of, watched
from tests.cli.screen.test_screen import shown


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, JournalSource]]:
    folder = tmp_path_factory.mktemp("days")
    with watched(MOMENTS[0], folder) as first, watched(MOMENTS[1], folder) as second:
        yield {MOMENTS[0].name: first, MOMENTS[1].name: second}


@pytest.mark.parametrize(
    ("number", "view", "width"),
    [(number, view, width) for number, one in enumerate(MOMENTS) for view in one.views for width in WIDTHS],
)
def test_a_view_is_as_it_was_looked_at(number: int, view: str, width: int, sources: dict[str, JournalSource]) -> None:
    moment = MOMENTS[number]
    text = drawn(picture_of(sources[moment.name], view), view, width)
    assert text == path_of(moment, view, width).read_text(encoding="utf-8"), (
        "if that is meant: python -m tests.cli.screen.recorded_days, and read the difference"
    )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (200, 50)])
def test_every_view_fits_and_keeps_what_is_always_in_sight(
    view: str, width: int, height: int, sources: dict[str, JournalSource]
) -> None:
    picture = picture_of(sources["locked"], view)
    lines = drawn(picture, view, width, height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    top = " ".join(" ".join(lines[:6]).split())
    assert "breached RULE-003 day loss: $0.00 left; safe size MNQ 0" in top
    assert "LOCKED by RULE-003 until 17:00:00, 8:00:00 left. Nothing may be opened or added." in top
    assert "? help" in lines[-1]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_journal_that_no_engine_writes_says_so_first(
    width: int, sources: dict[str, JournalSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources["locked"]._place, "mode", "")
    picture = picture_of(sources["locked"], OVERVIEW)
    first, second = drawn(picture, OVERVIEW, width).splitlines()[:2]
    assert first.strip() == "NO ENGINE RUNS, as of 16:29 ago"
    assert second.startswith(" riskcore  combine-50k")
    assert not picture.running
    controls = Controls(running=False)
    assert "flatten" not in shown(picture, width, 30, controls).splitlines()[-1]
    controls.press("?")
    assert "flatten" not in shown(picture, width, 30, controls)
    assert "lock yourself out" in shown(picture, width, 30, controls)


def test_the_help_of_the_keys_fits_and_names_every_key(sources: dict[str, JournalSource]) -> None:
    controls = Controls(quits=True, helps=True)
    text = shown(picture_of(sources["locked"], LIMITS), 60, 30, controls)
    assert max(map(len, text.splitlines())) <= 60
    assert [words for _, words in HELP if words not in " ".join(text.split())] == []


def test_no_view_shows_an_instant_of_another_zone(sources: dict[str, JournalSource]) -> None:
    for view in VIEWS:
        text = drawn(picture_of(sources["locked"], view), view, 120, 200)
        assert "Z " not in text.replace("MNQZ6", "")
        assert "14:41" not in text, "08:41 in Chicago"


def test_what_does_not_fit_is_scrolled_to_and_not_past_its_end(sources: dict[str, JournalSource]) -> None:
    picture, controls = picture_of(sources["locked"], LIMITS), Controls(view=LIMITS)
    first = shown(picture, 60, 20, controls)
    assert "more lines below" in first
    controls.offset = 1000
    last = shown(picture, 60, 20, controls)
    assert "more lines below" not in last
    assert "safe size MNQ locked by RULE-003" in last
    offset = controls.offset
    controls.press("k")
    shown(picture, 60, 20, controls)
    assert controls.offset == offset - 1


def test_a_view_that_is_still_being_read_says_so(sources: dict[str, JournalSource]) -> None:
    picture = replace(picture_of(sources["locked"], OVERVIEW), recorded={})
    assert "reading the events of the day" in drawn(picture, PNL, 60)


def test_before_a_day_is_open_every_view_is_empty_and_says_why() -> None:
    for view in VIEWS:
        assert "nothing was recorded yet" in drawn(Picture("mine", "dry run"), view, 60)


def test_a_step_curve_stays_until_the_next_point_and_a_limit_has_its_own_row() -> None:
    points = [(0, Decimal(0)), (50 * SECOND_NS, Decimal(-80)), (100 * SECOND_NS, Decimal(-80))]
    lines = chart(points, [(Decimal(-100), "LIMIT")], 31, 6, UTC_CLOCK).plain.splitlines()
    assert lines == [
        "         0 ─────────│┄┄┄┄┄┄┄┄┄┄",
        "                    │          ",
        "                    │          ",
        "                    │          ",
        "                    ┼─────────●",
        "      -100 ┄┄┄┄┄┄┄┄┄┄┄┄┄ LIMIT ",
        "           00:00:00    00:01:40",
    ]


def test_a_day_without_a_fill_is_a_line_at_what_it_stands_at() -> None:
    lines = chart([(0, Decimal(0))], [], 31, 3, UTC_CLOCK).plain.splitlines()
    assert lines[0] == "         0 ───────────────────●"
