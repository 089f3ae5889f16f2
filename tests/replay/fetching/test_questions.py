"""Questions to a broker whose answers are bounded, late, or no good."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from replay.fetching.answers import Answers
from replay.fetching.plan import SETTLED_AFTER_NS, BarUnit, Window, trading_days, windows
from replay.fetching.questions import Questions
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.errors import GatewayError
from riskcore.schema.instants import utc_text
from riskcore.settings.config import read_settings

PLAIN = read_settings("").plain
(WEEK,) = windows(trading_days(PLAIN, "2026-11-16", "2026-11-20"))
# A Monday begins on Friday, its market on Sunday at 17:00 in Chicago.
SUNDAY = WEEK.start + 48 * 3600 * SECOND_NS
MNQ = "CON.F.US.MNQ.Z26"
Row = dict[str, Any]
Result = TypeVar("Result")


@dataclass
class SmallArchive:
    """Fills and bars as the broker gives them: the latest of a window, the newest first, so many at most."""

    made_at: list[int] = field(default_factory=list)
    bars_at: list[int] = field(default_factory=list)
    most: int = 20_000
    end_counts: bool = False  # Whether the end of a window is inside it.
    calls: int = 0

    async def trades(self, account: int, start: int, end: int) -> list[Any]:
        self.calls += 1
        inside = [(number, at) for number, at in enumerate(self.made_at, start=1) if start <= at <= end]
        return [{"id": number, "accountId": account, "creationTimestamp": utc_text(at)} for number, at in inside][
            -self.most :
        ]

    async def bars(self, contract: str, start: int, end: int, unit: int, unit_number: int) -> list[Any] | None:
        self.calls += 1
        inside = [at for at in self.bars_at if start <= at < end or (self.end_counts and at == end)]
        return [{"t": utc_text(at), "o": 1, "h": 1, "l": 1, "c": 1, "v": 1} for at in reversed(inside[-self.most :])]

    async def orders(self, account: int, start: int, end: int) -> list[Any]:
        return []

    async def queried_orders(self, account: int, start: int, end: int) -> list[Any] | None:
        return None

    async def accounts(self) -> list[Any]:
        return []

    async def contracts_like(self, text: str) -> list[Any]:
        return []

    async def contract(self, contract: str) -> Any | None:
        return None

    async def order(self, account: int, order: int) -> Any | None:
        return None


def questions(archive: SmallArchive, folder: Path, now: int = WEEK.end + SETTLED_AFTER_NS) -> Questions:
    return Questions(archive, Answers(folder), "host", lambda: now)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@pytest.mark.parametrize("most", [100, 101, 250, 20_000])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 399])
def test_no_fill_is_lost_to_a_bound_and_none_comes_twice(tmp_path: Path, count: int, most: int) -> None:
    """Crowded into two hours, so that halving has to go down to them."""
    start = WEEK.start + 40 * 3600 * SECOND_NS
    archive = SmallArchive([start + number * 18 * SECOND_NS for number in range(count)], most=most)
    found = run(questions(archive, tmp_path).trades(7, WEEK))
    assert [row["id"] for row in found] == list(range(1, count + 1))


def test_a_list_below_the_bound_is_one_question(tmp_path: Path) -> None:
    archive = SmallArchive([WEEK.start] * 99)
    assert len(run(questions(archive, tmp_path).trades(7, WEEK))) == 99
    assert archive.calls == 1


def test_more_fills_in_one_second_than_the_bound_end_the_halving(tmp_path: Path) -> None:
    archive = SmallArchive([WEEK.start] * 150, most=100)
    assert len(run(questions(archive, tmp_path).trades(7, WEEK))) == 100


@pytest.mark.parametrize("end_counts", [False, True])
@pytest.mark.parametrize("most", [2, 3, 7, 10, 11, 20_000])
def test_every_bar_comes_once_however_long_a_page_is(tmp_path: Path, most: int, end_counts: bool) -> None:
    opened = [SUNDAY + number * 7 * MINUTE_NS for number in range(10)]
    archive = SmallArchive(bars_at=opened, most=most, end_counts=end_counts)
    asked = questions(archive, tmp_path)
    found = run(asked.bars(MNQ, WEEK, BarUnit("minute")))
    assert sorted(found or {}) == opened
    assert asked.bars_at_hand(MNQ, WEEK, BarUnit("minute")) == found


def test_pages_end_at_the_first_bar_there_is(tmp_path: Path) -> None:
    """Nothing says that a short page is the last, so one more is asked for, and it is empty."""
    archive = SmallArchive(bars_at=[SUNDAY + MINUTE_NS])
    assert len(run(questions(archive, tmp_path).bars(MNQ, WEEK, BarUnit("minute"))) or {}) == 1
    assert archive.calls == 2
    archive = SmallArchive(bars_at=[SUNDAY])
    assert len(run(questions(archive, tmp_path / "other").bars(MNQ, WEEK, BarUnit("minute"))) or {}) == 1
    assert archive.calls == 1


@pytest.mark.parametrize(("short_ns", "calls"), [(1, 2), (0, 1), (-1, 1)])
def test_only_what_has_settled_is_kept_for_another_run(tmp_path: Path, short_ns: int, calls: int) -> None:
    day = Window(WEEK.days[-1:])
    archive = SmallArchive()
    now = day.end + MINUTE_NS + SETTLED_AFTER_NS - short_ns  # Fills are asked for up to a minute behind the day.
    for _ in range(2):
        run(questions(archive, tmp_path, now).trades(7, day))
    assert archive.calls == calls


def test_answers_of_another_host_and_account_are_not_these(tmp_path: Path) -> None:
    archive = SmallArchive()
    asked = questions(archive, tmp_path)
    run(asked.trades(7, WEEK))
    run(asked.trades(8, WEEK))
    other = Questions(archive, Answers(tmp_path), "another", lambda: WEEK.end + SETTLED_AFTER_NS + MINUTE_NS)
    run(other.trades(7, WEEK))
    assert archive.calls == 3


@pytest.mark.parametrize("rows", [[5], [{"t": "yesterday"}], [{"o": 1}]])
def test_bars_that_cannot_be_read_are_an_error(tmp_path: Path, rows: list[Any]) -> None:
    class Wrong(SmallArchive):
        async def bars(self, contract: str, start: int, end: int, unit: int, unit_number: int) -> list[Any] | None:
            return rows

    with pytest.raises(GatewayError, match="bars of CON"):
        run(questions(Wrong(), tmp_path).bars(MNQ, WEEK, BarUnit("minute")))


def test_a_fill_without_an_id_is_an_error(tmp_path: Path) -> None:
    class Wrong(SmallArchive):
        async def trades(self, account: int, start: int, end: int) -> list[Any]:
            return [{"accountId": account}]

    with pytest.raises(GatewayError, match="trades has a row that cannot be read: id"):
        run(questions(Wrong(), tmp_path).trades(7, WEEK))
