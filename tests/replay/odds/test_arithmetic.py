"""The firm's arithmetic along single journeys: floors, targets, limits and payouts, just below, at and just above."""

import random
from itertools import pairwise

import numpy as np
import pytest

from replay.odds.days import OddsDay, Table, closing_day, limited, table_of, within_size, without_mean
from replay.odds.draws import COMBINE, FUNDED, Draws
from replay.odds.funded import funded, most_allowed
from replay.odds.journeys import LOST, NEITHER, PASSED, journeys
from replay.odds.merged import LOSE, PASS, State, next_state
from riskcore.core.programme.balances import PayoutWindow, implied_floor_usd
from riskcore.core.programme.scaling import lots_by
from riskcore.core.programme.terms import Terms
from tests.replay.odds.sample_days import CENT, in_order, script, terms, usd

C50, XFA = terms(size="50K"), terms(stage="xfa", size="50K")


def end(table: Table, under: Terms) -> int:
    """How the one journey of a scripted table ends; the script stops before it begins again."""
    return int(journeys(table, under, 1, 1, most_days=table.days).ends[0, 0])


# ---- floor and target --------------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "ends"), [(-1_999.99, NEITHER), (-2_000, LOST), (-2_000.01, LOST)])
def test_the_floor_follows_the_close_and_not_the_peak(last: float, ends: int) -> None:
    # 50,000 +500 puts the floor at 48,500; then −500 leaves it there: 1,500 of room.
    assert end(script(500, last, under=C50), C50) == ends
    assert end(script(500, -500, last + 500, under=C50), C50) == ends


@pytest.mark.parametrize(("low", "ends"), [(-1_999.99, NEITHER), (-2_000, LOST)])
def test_a_touch_inside_the_day_loses(low: float, ends: int) -> None:
    assert end(script(100, lows=(low,), under=C50), C50) == ends


def test_the_floor_locks_at_the_start() -> None:
    assert end(script(1_500, 1_400, -2_899.99, under=C50), C50) == NEITHER
    assert end(script(1_500, 1_400, -2_900, under=C50), C50) == LOST


@pytest.mark.parametrize(
    ("days", "ends"),
    [
        ((1_800, 1_472.72), NEITHER),
        ((1_800, 1_472.73), PASSED),
        ((2_200, 1_799.99), NEITHER),
        ((2_200, 1_800), PASSED),
        ((1_650, 1_350), PASSED),
        ((1_650.50, 1_349.50), NEITHER),
    ],
)
def test_a_best_day_raises_the_target(days: tuple[float, ...], ends: int) -> None:
    assert end(script(*days, under=C50), C50) == ends


def test_the_readings_decide_at_the_boundary() -> None:
    exclusive = terms(size="50K", readings={"consistency_boundary": "exclusive"})
    assert end(script(1_650, 1_350, under=exclusive), exclusive) == NEITHER
    in_session = terms(size="50K", readings={"pass_at": "in_session"})
    day = OddsDay(usd(1_000), 0, usd(1_500), 0)
    table = table_of([[day]], in_session)
    assert journeys(table, in_session, 1, 1, most_days=2).ends[0, 0] == NEITHER
    assert journeys(table_of([[day]], C50), C50, 1, 1, most_days=3).days[0, 0] == 3
    earlier = table_of([[day._replace(net_usd=usd(1_400))]], in_session)
    assert journeys(earlier, in_session, 1, 1).days[0, 0] == 3
    assert next_state(State(usd(-2_000), 0, usd(1_600)), day, in_session) == PASS


@pytest.mark.parametrize(("low", "net"), [(-999.99, 300), (-1_000, -1_000), (-1_000.01, -1_000)])
def test_the_daily_loss_limit_ends_the_day(low: float, net: float) -> None:
    under = terms(size="50K", daily_loss_limit="standard", enforce=["mll"])
    day, hit = limited(OddsDay(usd(300), usd(low)), under)
    assert (day.net_usd, hit) == (usd(net), net < 0)


@pytest.mark.parametrize(("before", "ends"), [(-999.99, PASSED), (-1_000, NEITHER), (-1_000.01, NEITHER)])
def test_nothing_passes_in_session_after_the_daily_loss_limit(before: float, ends: int) -> None:
    under = terms(
        size="50K", consistency="off", daily_loss_limit="standard", enforce=["mll"], readings={"pass_at": "in_session"}
    )
    day = OddsDay(usd(2_000), usd(-1_000.01), usd(3_000), usd(before))
    assert end(in_order(table_of([[day]], under)), under) == ends
    passes = next_state(State(usd(-2_000), 0, 0), limited(day, under)[0], under) == PASS
    assert passes == (ends == PASSED)


def test_a_day_that_the_guard_ended_keeps_its_loss() -> None:
    under = terms(size="50K", daily_loss_limit="standard")
    assert limited(closing_day(usd(-1_010)), under)[0].net_usd == usd(-1_010)


# ---- payouts -----------------------------------------------------------------------------------------


def test_the_most_that_may_be_asked_for() -> None:
    hundred = terms(stage="xfa", size="100K")
    amounts = most_allowed(np.array([usd(one) for one in (6_000, 4_000, 4_500, 250, 249.99)]), hundred).tolist()
    assert amounts == [usd(3_000), usd(2_000), usd(2_250), usd(125), 0]


def test_a_chain_of_payouts() -> None:
    # Five days of 1,200 → 6,000, 3,000 paid. 1,000 more → 4,000, 2,000 paid. Down to 1,800: refused, at 2,000.01 not.
    hundred, winning = terms(stage="xfa", size="100K"), (160,) * 5
    chain = (*((1_200,) * 5), *((200,) * 5), -1_000, *winning)
    for more, payouts in ((), 2), ((200,), 2), ((200.01,), 3):
        table = script(*chain, *more, under=hundred)
        found = funded(table, hundred, 1, 1, most_days=table.days)
        assert found.payouts[0, 0] == payouts
    assert found.requested[0, 0] == usd(3_000) + usd(2_000) + usd(1_000)


@pytest.mark.parametrize(("last", "lost"), [(-1_999.99, 0), (-2_000, 3)])
def test_the_floor_of_a_funded_account(last: float, lost: int) -> None:
    assert funded(script(500, 1_500, last, under=XFA), XFA, 1, 1, most_days=3).lost_on[0, 0] == lost


def test_after_a_payout_the_floor_is_zero() -> None:
    days = (150,) * 5  # 750, of which 375 are paid.
    assert funded(script(*days, -374.99, under=XFA), XFA, 1, 1, most_days=6).lost_on[0, 0] == 0
    assert funded(script(*days, -375, under=XFA), XFA, 1, 1, most_days=6).lost_on[0, 0] == 6
    assert funded(script(*(149.99,) * 5, under=XFA), XFA, 1, 1, most_days=5).payouts[0, 0] == 0


@pytest.mark.parametrize(("days", "paid"), [((400, 300, 300), 1), ((450, 300, 250), 0)])
def test_the_consistency_path(days: tuple[float, ...], paid: int) -> None:
    under = terms(stage="xfa", size="50K", payout_path="consistency")
    assert funded(script(*days, under=under), under, 1, 1, most_days=3).payouts[0, 0] == paid


@pytest.mark.parametrize(
    ("before", "reading", "share"),
    [(1_499.99, "upper", 2), (1_500, "upper", 3), (1_500, "lower", 2), (1_500.01, "lower", 3), (2_000, "upper", 5)],
)
def test_a_day_larger_than_the_balance_allows_counts_in_proportion(before: float, reading: str, share: int) -> None:
    under = terms(stage="xfa", size="50K", readings={"scaling_boundary": reading})
    days = [closing_day(usd(before)), closing_day(usd(-500))._replace(largest_units=50)]
    # Room is 2,000 from the best close, at most the balance: the floor stands at 0 from a balance of 2,000 on.
    room = before - min(before - 2_000, 0)
    lost_at = room * 5 / share
    for loss, lost in ((lost_at - 0.03, 0), (lost_at + 0.03, 2)):
        day = days[1]._replace(net_usd=usd(-loss), low_usd=usd(-loss))
        table = table_of([[days[0], day]], under)
        assert funded(in_order(table), under, 1, 1, most_days=2).lost_on[0, 0] == lost


def test_a_winning_day_is_one_of_the_size_allowed() -> None:
    # 375 with five lots is 150 with two.
    for net, payouts in ((375, 1), (374.99, 0)):
        days = [closing_day(usd(net))._replace(largest_units=50)] * 5
        assert funded(in_order(table_of([days], XFA)), XFA, 1, 1, most_days=5).payouts[0, 0] == payouts
    fits = [closing_day(usd(150))._replace(largest_units=20)]
    assert table_of([fits], XFA).sizes == ()


# ---- columns against one journey at a time -----------------------------------------------------------


def random_days(chance: random.Random, count: int = 12) -> list[OddsDay]:
    found = []
    for place in range(count):
        net, down = chance.randint(-90_000, 110_000) * CENT, chance.randint(0, 90_000) * CENT
        high, before = max(net, 0) + chance.randint(0, 40_000) * CENT, -chance.randint(0, down // CENT) * CENT
        date = f"2026-11-{place + 2 + place // 5 * 2:02d}"
        low, traded = min(net, 0) - down, chance.random() < 0.9
        found.append(OddsDay(net, low, high, before, traded, date, largest_units=chance.randint(1, 6) * 10))
    return found


def lived(table: Table, draws: Draws, journey: int, most: int) -> list[int]:
    """The days one journey lives, block by block."""
    starts, places = table.starts[0].tolist(), list[int]()
    for day in range(most):
        begins = not places or bool(table.last[0, places[-1]])
        places.append(starts[int(draws.row(day, table.blocks)[journey])] if begins else places[-1] + 1)
    return places


@pytest.mark.parametrize("seed", range(6))
def test_journeys_are_those_of_the_core(seed: int) -> None:
    chance = random.Random(seed)
    reading = {"pass_at": chance.choice(("end_of_day", "in_session")), "consistency_boundary": "exclusive"}
    under = terms(product="static_50k" if seed == 5 else "standard", daily_loss_limit="standard", readings=reading)
    days, block = random_days(chance), "week" if seed % 2 else "day"
    table = table_of([days], under, "week" if seed % 2 else "day")
    assert table.single == (block == "day")
    found, draws = journeys(table, under, 60, seed), Draws(seed, COMBINE, 60, keep=True)
    for journey in range(60):
        state: State | str = State(-(under.maximum_loss_usd or 0), 0, 0)
        place = 0
        for place, which in enumerate(lived(table, draws, journey, 1_000)):  # noqa: B007 the last one is wanted
            assert isinstance(state, State)
            state = next_state(state, limited(days[which], under)[0], under)
            if isinstance(state, str):
                break
        assert {PASS: PASSED, LOSE: LOST}.get(str(state)) == found.ends[0, journey]
        assert place + 1 == found.days[0, journey]


@pytest.mark.parametrize("path", ["standard", "consistency"])
@pytest.mark.parametrize("seed", range(3))
def test_funded_accounts_one_at_a_time(seed: int, path: str) -> None:
    under = terms(stage="xfa", size="50K", payout_path=path, daily_loss_limit="1000")
    days = random_days(random.Random(seed))
    table = table_of([days], under)
    found, draws = funded(table, under, 40, seed, most_days=60), Draws(seed, FUNDED, 40, keep=True)
    for journey in range(40):
        balance, floor, after, window = 0, usd(-2_000), None, list[int]()
        requested = payouts = lost_on = 0
        for number, which in enumerate(lived(table, draws, journey, 60), start=1):
            day, hit = limited(within_size(days[which], lots_by(under, balance) * 10), under)
            if balance + min(day.low_usd, day.net_usd) <= floor:
                lost_on = number
                break
            balance += day.net_usd
            implied = implied_floor_usd(under, balance)
            floor = max(floor, implied if implied is not None and after is None else floor)
            if day.traded:
                window.append(day.net_usd)
            amount = int(most_allowed(np.array([balance]), under)[0])
            if not hit and amount and _may_ask(under, PayoutWindow("", True, tuple(window)), balance, after):
                balance -= amount
                after, floor, window = balance, 0, []
                requested, payouts = requested + amount, payouts + 1
        got = (found.requested[0, journey], found.payouts[0, journey], found.lost_on[0, journey])
        assert got == (requested, payouts, lost_on)


def _may_ask(under: Terms, window: PayoutWindow, balance: int, after: int | None) -> bool:
    if under.payout_path == "standard":
        return window.winning_days(under.payout_day_usd) >= 5 and (after is None or balance - after >= CENT)
    best = window.best_day_usd or 0
    return window.traded_days >= 3 and window.net_usd > 0 and best * 10 <= window.net_usd * 4


# ---- the days themselves -----------------------------------------------------------------------------


def test_without_their_mean_days_have_no_edge() -> None:
    days = [OddsDay(usd(net), usd(-50)) for net in (300, -100, 100.01)]
    bare = without_mean(days)
    assert abs(sum(day.net_usd for day in bare)) <= len(days)
    assert all(day.low_usd <= min(day.net_usd, 0) for day in bare)
    assert [b.net_usd - a.net_usd for a, b in pairwise(bare)] == [b.net_usd - a.net_usd for a, b in pairwise(days)]


def test_the_same_seed_gives_the_same_journeys_everywhere() -> None:
    rows = Draws(7, COMBINE, 8, keep=True)
    assert rows.row(0, 60).tolist() == [37, 53, 46, 13, 18, 52, 0, 49]
    assert Draws(7, FUNDED, 4, keep=True).row(2, 1_000).tolist() == [325, 524, 246, 35]
    assert rows.row(0, 60).tolist() == Draws(7, COMBINE, 8, keep=False).row(0, 60).tolist()
