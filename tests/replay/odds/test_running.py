"""The running equity inside a day is that of the book after each single fact."""

import random
from pathlib import Path

import pytest

from replay.odds.recorded import histories
from replay.whatif.course import Course
from replay.whatif.days import Sessions
from replay.whatif.market import Run
from replay.whatif.settings import Asked
from replay.whatif.study import Study, runs_of
from riskcore.core.marks import CONSERVATIVE, valuation
from riskcore.settings.config import read_settings
from tests.recordings import MNQ
from tests.replay.whatif.sessions import Trades

MES = "CON.F.US.MES.Z26"
MONTH = Path(__file__).parents[3] / "fixtures" / "month"


def lowest_by_the_book(paths: list[Path]) -> dict[tuple[int, str], int]:
    """The lowest equity from the day's opening, the slow way: the whole book after each fact."""
    settings = read_settings("", ["programme.stage=combine"]).plain
    course = Course({**settings, "programme": None, "rules": {}})
    found: dict[tuple[int, str], int] = {}

    def look() -> None:
        course.settle()
        for account in course.book.accounts.values():
            day = account.days.get(course.book.trade_date)
            worths = [valuation(course.book, one, CONSERVATIVE, course.book.now).value or 0 for one in account.held()]
            equity = (0 if day is None else day.net_usd) + sum(worths)
            name = (account.id, course.book.trade_date)
            found[name] = min(found.get(name, 0), equity)

    for day in Sessions(paths, settings).days():
        for item in day.items:
            if isinstance(item, Run):
                for place in range(item.start, item.end):
                    course.quotes(day.quotes(place, place + 1))
                    look()
            else:
                course.take(item.event)
                look()
    return found


def measured(paths: list[Path]) -> dict[tuple[int, str], int]:
    study = Study(tuple(paths), Asked(sets=("programme.stage=combine",)))
    return {(one.account, day.trade_date): day.low_usd for one in histories(runs_of(study)) for day in one.recorded}


@pytest.mark.parametrize("first", [2, 4])
def test_recorded_days(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = sorted(MONTH.glob("*.gz"))[first : first + 2]
    assert measured(paths) == lowest_by_the_book(paths)


@pytest.mark.parametrize("seed", range(12))
def test_random_days_with_two_contracts(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chance, day = random.Random(seed), Trades().account()
    prices = {MNQ: 21000, MES: 6000}
    for contract, price in prices.items():
        day.quote(price, contract)
    for step in range(60):
        contract = chance.choice(list(prices))
        prices[contract] += chance.randint(-20, 20)
        day.at(f"09:{step:02d}:00")
        if chance.random() < 0.3:
            day.trade(chance.choice((-2, -1, 1, 2)), prices[contract], contract)
        elif chance.random() < (0.9 if seed % 2 else 0.3):
            sides = ("lastPrice",) if seed % 4 == 1 else ("lastPrice", "bestBid", "bestAsk")
            day.sparse(contract, **{chance.choice(sides): prices[contract]})
        else:
            day.quote(prices[contract], contract)
    path = day.write(tmp_path / "day.jsonl")
    assert measured([path]) == lowest_by_the_book([path])
