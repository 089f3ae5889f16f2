"""Late fills that explain what the broker showed take its place again, whatever the clocks say (RULES.md 1.5)."""

from datetime import datetime, timedelta

import pytest

from riskcore.core import events as e
from riskcore.core.explained import MOST_LATE
from riskcore.core.marks import open_cost
from riskcore.core.quantities import price
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds
from tests.core.test_carried import later, listed, of

AHEAD = timedelta(seconds=4)  # Less than what is believed of a broker's time.


def open_now(day: Ledger) -> tuple[int, int] | None:
    return open_cost(of(day))


def empty() -> Ledger:
    """The first list shows nothing: what comes later is all that there is."""
    day = Ledger().at("09:00:00")
    return later(day.take(e.PositionsListed(ACCOUNT, (), nanoseconds(day.now)), "positions"), 10)


def six_long() -> Ledger:
    """Six lots at 6000 to 6005, told and pushed."""
    day = empty()
    for number in range(6):
        later(day, 10).fill("ES", 1, str(6000 + number), trade=1 + number).push("ES", number + 1, _average(number + 1))
    return later(day, 100)


def _average(lots: int) -> str:
    return f"{6000 + (lots - 1) / 2:.1f}"


def exits(day: Ledger, count: int, after: int = 0, ahead: timedelta = timedelta()) -> None:
    """So many closing fills at 6010, of the oldest lots, made a tenth of a second apart from some moment on."""
    for number in range(after, after + count):
        profit = str(50 * (6010 - 6000 - number))
        created = exits_began(day) + timedelta(milliseconds=100 * number) + ahead
        day.fill("ES", -1, "6010", profit=profit, trade=101 + number, created=created)


def exits_began(day: Ledger) -> datetime:
    return day.now.replace(hour=9, minute=0, second=1, microsecond=0)


@pytest.mark.parametrize("ahead", [timedelta(), AHEAD, -AHEAD])
def test_exits_that_the_drift_already_knew_close_nothing_of_what_is_left(ahead: timedelta) -> None:
    day = six_long().at("09:00:01")
    later(day, 600).push("ES", 2, "6004.5")
    later(day, 2000).tick()
    assert len(day.bodies(e.DriftDetected)) == 1
    assert open_now(day) == (2, price("12009"))
    exits(later(day, 100), 4, ahead=ahead)
    assert open_now(day) == (2, price("12009"))
    exits(day, 1, after=4, ahead=ahead)
    assert open_now(day) == (1, price("6005"))


def test_only_what_has_the_same_cost_explains_it() -> None:
    """One of the four exits has not been told: nobody knows yet which of them are part of what was shown."""
    day = six_long().at("09:00:01")
    later(later(day, 600).push("ES", 2, "6004.5"), 2000).tick()
    exits(later(day, 100), 3)
    assert of(day).shown is not None
    assert of(day).shown.late == (101, 102, 103)
    exits(day, 1, after=3)
    assert of(day).shown.late == ()
    assert open_now(day) == (2, price("12009"))


def test_what_is_shown_last_may_be_what_they_explain() -> None:
    """The drift believed a push that was behind; the list that followed is what the fills come to."""
    day = six_long()
    later(later(day.at("09:00:01"), 100).push("ES", 4, "6001.5"), 2000).tick()
    assert open_now(day) == (4, price("24006"))
    listed(later(day, 100), 3, "6004")
    exits(later(day, 100), 3, ahead=AHEAD)
    assert open_now(day) == (3, price("18012"))


def test_the_list_that_shows_what_was_told_brings_the_fills_back() -> None:
    day = six_long()
    later(later(day.at("09:00:01"), 100).push("ES", 4, "6001.5"), 2000).tick()
    listed(later(day, 100), 6, "6002.5")
    assert open_now(day) == (6, price("36015"))
    assert of(day).shown is None or not of(day).shown.at


def test_a_fill_that_is_ahead_of_its_push_belongs_to_no_figures_that_are_explained() -> None:
    """The push of an entry comes before it, behind a close of all: the next entry adds to it."""
    day = six_long().at("09:00:02")
    entered = day.now
    later(day, 500).fill("ES", -6, "6010", profit="2250", trade=101)
    later(day, 1).push("ES", 1, "6007")
    listed(later(day, 100), 1, "6007")
    later(day, 10).fill("ES", 1, "6007", trade=102, created=entered)
    assert open_now(day) == (1, price("6007"))
    later(day, 10).fill("ES", 1, "6008", trade=103)
    assert open_now(day) == (2, price("12015"))


def test_a_fill_of_a_broker_whose_clock_is_ahead_is_no_newer_than_its_receipt() -> None:
    """Two fills were missed; the list behind the last that was told is believed."""
    day = empty().fill("ES", 2, "6000", trade=1)
    day.fill("ES", 1, "6000", trade=2, created=day.now + AHEAD).push("ES", 3, "6000")
    listed(later(day, 1000), 1, "6000")
    later(day, 2000).tick()
    assert open_now(day) == (1, price("6000"))


def test_entries_that_are_told_behind_their_exits_explain_it_by_cost_and_not_by_size() -> None:
    """The exit came before the drift, its entry long after it: two of three entries alone have the size shown."""
    day = empty().at("09:00:01")
    entered = day.now
    listed(later(day, 500), 3, "6001")
    day.fill("ES", -1, "6010", profit="500", trade=101).push("ES", 2, "6001.5")
    later(day, 2000).tick()
    assert open_now(day) == (2, price("12003"))
    for number in range(3):
        created = entered + timedelta(milliseconds=number)
        later(day, 10).fill("ES", 1, str(6000 + number), trade=1 + number, created=created)
    assert open_now(day) == (2, price("12003"))
    later(day, 10).fill("ES", -1, "6010", profit="450", trade=102)
    assert open_now(day) == (1, price("6002"))


def test_an_exit_that_found_nothing_open_counts_where_its_entry_is_told_late() -> None:
    """Found by a seed of the simulation: the entry was made while the engine was down."""
    day = empty().at("09:00:03")
    entered = day.now - timedelta(milliseconds=2400)
    day.fill("ES", -2, "6010", profit="1000", trade=102).push("ES", 1, "6000")
    later(day, 2000).tick()
    assert open_now(day) == (1, price("6000"))
    later(day, 500).fill("ES", 3, "6000", trade=101, created=entered)
    turned = day.now
    day.fill("ES", -1, "6005", trade=104, created=turned)
    day.fill("ES", -1, "6005", profit="250", trade=103, created=turned).push("ES", -1, "6005")
    assert open_now(day) == (-1, price("-6005"))


def test_what_was_carried_in_and_closed_counts_for_nothing_when_more_is_shown() -> None:
    day = later(listed(Ledger().at("09:00:00"), 2, "6000"), 3000).tick()
    day.fill("ES", -2, "6010", profit="1000", trade=102).push("ES", 0, "6000")
    listed(later(day, 3000), 1, "6020")
    assert (of(day).shown.size, of(day).shown.told_size, of(day).shown.told_cost) == (1, 0, 0)


def test_an_addition_at_the_price_of_what_was_carried_in_does_not_explain_it() -> None:
    day = later(listed(Ledger().at("09:00:00"), 1, "6000"), 3000).tick()
    day.fill("ES", 1, "6000", trade=1)
    assert open_now(day) == (2, price("12000"))


def test_a_void_ends_the_comparison() -> None:
    day = six_long().at("09:00:01")
    later(later(day, 600).push("ES", 2, "6004.5"), 2000).tick()
    exits(later(day, 100), 3)
    day.void(102)
    assert of(day).shown is None or of(day).shown.told_cost is None


def test_fills_without_end_explain_nothing() -> None:
    day = six_long().at("09:00:01")
    later(later(day, 600).push("ES", 4, "6001"), 2000).tick()
    for number in range(MOST_LATE):
        day.fill("ES", 1, "6020", trade=200 + number)
    assert of(day).shown is not None
    assert len(of(day).shown.late) == MOST_LATE
    day.fill("ES", 1, "6020", trade=300)
    assert (of(day).shown.late, of(day).shown.told_cost) == ((), None)
