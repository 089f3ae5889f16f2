"""The worked examples of WHATIF.md section 6, on the reference."""

from fractions import Fraction
from itertools import accumulate, product

import pytest

from tests.replay.whatif.recording_lines import Lines
from tests.replay.whatif.reference import Result, what_if
from tests.replay.whatif.reference_facts import read_facts

POLICIES = ("follow", "freeze", "stop")
TIERS = {"cooldown_after_loss": {"tiers": ((100, 300),)}}


def money(text: str) -> Fraction:
    return Fraction(text)


def figures(result: Result) -> tuple[Fraction, Fraction, Fraction]:
    """Effect, exact and simulated part of the whole recording."""
    return result.total("net_pnl"), result.total("exact"), result.total("simulated")


def left_out() -> list[str]:
    day = Lines()
    day.at("09:00:00").fill(2, 21000).at("09:10:00").fill(-2, 20875, -500)
    day.at("09:30:00").fill(1, 20900).at("09:45:00").fill(-1, 20950, 100)
    return day.at("10:00:00").fill(-1, 20940).at("10:30:00").fill(1, 21000, -120).texts()


@pytest.mark.parametrize("policy", POLICIES)
def test_1_left_out(policy: str) -> None:
    result = what_if(left_out(), {"daily_realized_loss": {"loss_limit": 500}}, policy=policy)
    (row,) = result.rows
    assert (row.baseline, row.counterfactual) == (money("-524.96"), money("-502.48"))
    assert figures(result) == (money("22.48"), money("22.48"), 0)
    assert (row.left_out_entries, row.left_out_contracts, row.guard_cost) == (2, 2, None)


def closed_by_the_broker() -> list[str]:
    day = Lines().at("09:00:00").fill(2, 21000)
    day.at("09:05:00").quote(20925, bid="20924.75").at("09:05:00.2").quote(bid="20924.50")
    return day.at("09:05:00.3").quote(bid=20924).at("09:20:00").fill(-2, 20950, -200).texts()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("latency_ms", "effect"), [(250, "-106.00"), (0, "-103.00")])
def test_2_closed_by_the_broker(policy: str, latency_ms: int, effect: str) -> None:
    rules = {"daily_unrealized_loss": {"loss_limit": 300}}
    result = what_if(closed_by_the_broker(), rules, policy=policy, latency_ms=latency_ms)
    assert figures(result) == (money(effect), 0, money(effect))
    assert result.rows[0].flags == ()


def test_3_reduced_then_orders_as_sent() -> None:
    day = Lines().at("09:00:00").fill(6, 21000).at("09:00:00.3").quote(bid="20999.75")
    day.at("09:10:00").fill(-3, 21010, 60).at("09:20:00").fill(-3, 21020, 120)
    result = what_if(day.texts(), {"max_contracts": {"limit": 5}})
    assert result.rows[0].baseline == money("180") - 12 * money("0.62")
    assert figures(result) == (money("-41.50"), 0, money("-41.50"))


def a_pause_that_ends() -> list[str]:
    day = Lines().at("09:00:00").fill(1, 21000).at("09:10:00").fill(-1, 20940, -120)
    day.at("09:12:00").fill(2, 20950).at("09:16:00").fill(1, 20960)
    return day.at("09:20:00").fill(-3, 20970, 100).texts()


@pytest.mark.parametrize(("policy", "contracts", "effect"), [("follow", 2, "-77.52"), ("freeze", 3, "-96.28")])
def test_4_a_pause_that_ends(policy: str, contracts: int, effect: str) -> None:
    result = what_if(a_pause_that_ends(), TIERS, policy=policy)
    assert figures(result) == (money(effect), money(effect), 0)
    assert result.rows[0].left_out_contracts == contracts


def test_5_flip() -> None:
    """Locked and flat, recorded long 2: the closing part of a sale of 5 does nothing, the opening part is left out."""
    day = Lines().at("09:00:00").fill(1, 21000).at("09:01:00").fill(-1, 20700, -600)
    day.at("09:30:00").fill(2, 20700).at("09:40:00").fill(-5, 20710, 40).at("09:50:00").fill(3, 20700, 60)
    result = what_if(day.texts(), {"daily_realized_loss": {"loss_limit": 500}})
    (row,) = result.rows
    assert row.counterfactual == -600 - 2 * money("0.62")
    assert (row.left_out_entries, row.left_out_contracts) == (2, 5)


@pytest.mark.parametrize("policy", POLICIES)
def test_6_looser(policy: str) -> None:
    """The journal of the page as a wire recording: a baseline says which close was riskcore's."""
    stop = {"kind": 4, "price": 20850}
    day = Lines().at("09:00:00").fill(2, 21000).order(5, -2, 1, **stop).at("09:05:00").quote(20924, 20924, 20925)
    day.at("09:05:00.3").fill(-2, 20924, -304).at("09:05:00.6").order(5, -2, 3, **stop)
    day.at("09:40:00").quote(20850, 20849.75, 20850.25).at("09:40:01").quote(bid="20849.75")
    loose = {"daily_unrealized_loss": {"loss_limit": 700}}
    tight = {"daily_unrealized_loss": {"loss_limit": 300}}
    result = what_if(day.texts(), loose, baseline=tight, policy=policy)
    assert figures(result) == (money("-298.00"), 0, money("-298.00"))
    assert result.rows[0].flags == ("extrapolated",)
    same = what_if(day.texts(), tight, baseline=tight, policy=policy)
    assert (figures(same), same.divergence) == ((0, 0, 0), ())


def enumerated(outcomes: tuple[int, ...], fee: str) -> list[str]:
    """Ten round trips of one dollar amount: a point of MNQ is worth 2 dollars."""
    day = Lines()
    for number, outcome in enumerate(outcomes):
        price = 21000 + outcome * 50
        day.at(f"09:{number * 2:02}:00").fill(1, 21000, fees=0, commissions=0)
        day.at(f"09:{number * 2 + 1:02}:00").fill(-1, price, outcome * 100, fees=fee, commissions=0)
    return day.texts()


EVERY_LIMIT = [(200, 562, 3248, 176, 210), (300, 352, 1648, 176, 0), (400, 232, 752, 56, 120)]


@pytest.mark.nightly
@pytest.mark.parametrize(("limit", "hit", "skipped", "helped", "equal"), EVERY_LIMIT)
def test_7_enumerated_days(limit: int, hit: int, skipped: int, helped: int, equal: int) -> None:
    rules = {"daily_realized_loss": {"loss_limit": limit}}
    effects, entries, reached = [], 0, 0
    weighted = Fraction(0)
    for outcomes in product((1, -1), repeat=10):
        result = what_if(enumerated(outcomes, "0"), rules)
        (row,) = result.rows
        entries += row.left_out_entries
        reached += min(accumulate(outcomes)) * 100 <= -limit
        wins = outcomes.count(1)
        weighted += Fraction(55, 100) ** wins * Fraction(45, 100) ** (10 - wins) * row.net_pnl
        if row.left_out_entries:
            effects.append(row.net_pnl)
    assert entries == skipped
    assert sum(effects) == 0
    assert sum(one > 0 for one in effects) == sum(one < 0 for one in effects) == helped
    assert reached == hit == 2 * helped + equal
    if limit == 300:
        assert float(weighted) == pytest.approx(-11.655730007578125, abs=1e-12)


def test_facts_of_a_void_and_of_a_fill_told_twice() -> None:
    day = Lines().at("09:00:00").fill(1, 21000, trade=1).fill(1, 21000, trade=1)
    day.fill(1, 21000, trade=1, voided=True).fill(1, 21000, trade=2, voided=True)
    assert [type(one).__name__ for one in read_facts(day.texts())] == ["Fill", "Other", "Void", "Other"]
