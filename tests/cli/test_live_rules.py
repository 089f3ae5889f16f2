"""Rules whose work at the broker is more than a close, live against the simulated gateway."""

from dataclasses import replace
from pathlib import Path

from adapters.simulator.scenario import Action, PastDays, PricePath
from adapters.simulator.scenarios import SCENARIOS
from riskcore.core.events import CommandIssued, RuleBreached, TradesListed
from riskcore.core.quantities import price_text
from riskcore.core.state import BUY, TYPE_LIMIT, TYPE_STOP, Account, Order
from riskcore.core.trading_day import date_text, month_of, ordinal_of
from tests.cli.live_run import Live, play

MANAGED = """
[rules.trade_management]
enabled = true
tighten_after = [{ minutes = 1, distance_ticks = 20 }]
move_target = [{ at_r = 0.5, target_r = 3 }]
"""


def account(live: Live) -> Account:
    [found] = live.engine.book.accounts.values()
    return found


def working(live: Live, kind: int) -> list[Order]:
    return [order for order in account(live).working_orders() if order.type == kind]


def test_target_and_stop_are_changed_at_the_broker(tmp_path: Path) -> None:
    """Bought at 21000 with a stop 20 points away and a target 40: at half of R the target goes to three times R."""
    plan = replace(
        SCENARIOS["quiet"],
        prices=(PricePath("MNQ", "21000", ((4, "21000"), (8, "21012")), quotes_per_second=1),),
        actions=(Action(3, "bracket", side=BUY, size=2, ticks=80, target_ticks=160),),
    )

    async def plot(live: Live) -> None:
        await live.until(lambda: bool(working(live, TYPE_LIMIT)), "a target")
        entry = next(trade.price for trade in account(live).trades.values())
        moved = entry + 60 * 10**9
        await live.until(lambda: [one.limit_price for one in working(live, TYPE_LIMIT)] == [moved], "a moved target")
        tightened = [one.stop_price for one in working(live, TYPE_STOP)]
        await live.until(
            lambda: [one.stop_price or 0 for one in working(live, TYPE_STOP)] > [tightened[0] or 0], "a closer stop", 90
        )
        await live.until(lambda: not account(live).obligations, "nothing left to do")

    live = play(tmp_path, plan, plot, settings=MANAGED)
    issued = [event.body.command for event in live.listener.events if isinstance(event.body, CommandIssued)]
    stop = next(one for one in issued if one.kind == "ModifyStop")
    assert [one.kind for one in issued].count("ModifyTarget") == 1
    assert stop.price is not None
    assert price_text(stop.price) > "20995", "twenty ticks behind the best mark"
    changes = [one.request for one in live.gateway.broker.received if one.path == "Order/modify"]
    assert [one.get("limitPrice") is not None for one in changes].count(True) == 1
    assert len([one for one in changes if one.get("stopPrice") is not None]) >= 1
    assert not live.engine.book.accounts[account(live).id].requests


def test_the_losses_of_the_week_before_the_start_count(tmp_path: Path) -> None:
    """The simulated trader has lost or won on the days before: the first look lists all of the period."""
    plan = replace(
        SCENARIOS["quiet"],
        prices=(PricePath("MNQ", "21000", quotes_per_second=1),),
        past=(PastDays(25),),
        actions=(Action(3, "market", side=BUY, size=1), Action(6, "close")),
    )

    async def plot(live: Live) -> None:
        today = live.engine.book.trade_date
        await live.until(
            lambda: any(
                one.profit_usd is not None and one.trade_date == today for one in account(live).trades.values()
            ),
            "a closed trade",
        )
        await live.clock.sleep(2)

    live = play(tmp_path, plan, plot, settings='[rules.period_loss]\nperiod = "monthly"\nloss_limit = "1000000"\n')
    day = live.engine.book.day
    assert day is not None
    begins = month_of(ordinal_of(day.trade_date)).opens_at(day)
    lists = [event.body for event in live.listener.events if isinstance(event.body, TradesListed)]
    assert lists[0].from_at <= begins < day.opens_at or begins == day.opens_at
    dates = [date_text(ordinal) for ordinal in range(ordinal_of(day.trade_date) - 31, ordinal_of(day.trade_date) + 1)]
    period = [date for date in dates if month_of(ordinal_of(date)) == month_of(ordinal_of(day.trade_date))]
    memory = account(live).memory
    known = sum(
        memory.get(f"period_loss.0.gross.{date}", 0) - memory.get(f"period_loss.0.costs.{date}", 0) for date in period
    )
    assert known == sum(fill.net_usd for fill in live.gateway.broker.fills if fill.at >= begins)
    assert not [event for event in live.listener.events if isinstance(event.body, RuleBreached)]
