"""The lines that say what a download could not have."""

from replay.fetching.missing import Missing
from replay.fetching.plan import BarUnit, trading_days, trading_hours
from riskcore.core.quantities import MINUTE_NS
from riskcore.settings.config import read_settings

PLAIN = read_settings("").plain
MNQ = "CON.F.US.MNQ.U26"
DAYS = trading_days(PLAIN, "2026-09-03", "2026-09-09")
MINUTE = BarUnit("minute")
LONG_AGO = 10 * DAYS[-1].closes_at


def test_days_in_a_row_are_one_range() -> None:
    missing = Missing()
    missing.none(MNQ, [DAYS[4], DAYS[0], DAYS[1], DAYS[2]])
    (row,) = missing.rows
    assert row["text"].startswith(f"{MNQ}: no bars of 2026-09-03 to 2026-09-07, 2026-09-09, so")
    assert (row["kind"], row["contract"]) == ("no bars", MNQ)


def test_why_a_coarser_bar_stands_in() -> None:
    missing = Missing()
    for expired in (True, False):
        missing.coarse(MNQ, DAYS[:1], "1-minute", "1-hour", expired)
    texts = [row["text"] for row in missing.rows]
    assert (
        texts[0] == f"{MNQ}: no 1-minute bars of 2026-09-03 (the contract has expired); 1-hour bars were taken instead"
    )
    assert "the broker no longer has them, or nothing traded" in texts[1]


def test_gaps_are_said_in_the_exchanges_time_and_once_a_day() -> None:
    ((start, end),) = trading_hours(DAYS[0])
    opened = list(range(start, end, MINUTE_NS))
    missing = Missing()
    missing.gaps(MNQ, DAYS[0], opened, MINUTE, LONG_AGO)
    assert missing.rows == []
    missing.gaps(MNQ, DAYS[0], opened[:600] + opened[700:800] + opened[900:], MINUTE, LONG_AGO)
    (row,) = missing.rows
    assert (
        row["text"] == f"{MNQ}: 2026-09-03 has no 1-minute bars from 03:00 to 04:40, 06:20 to 08:00 (America/Chicago)"
    )
    assert (row["kind"], row["trade_date"]) == ("gap", "2026-09-03")


def test_what_is_still_to_come_is_no_gap() -> None:
    ((start, _),) = trading_hours(DAYS[0])
    opened = list(range(start, start + 60 * MINUTE_NS, MINUTE_NS))
    for minutes, count in ((119, 0), (120, 1)):
        missing = Missing()
        missing.gaps(MNQ, DAYS[0], opened, MINUTE, start + minutes * MINUTE_NS)
        assert len(missing.rows) == count
