"""What holds for the simulated broker whatever is asked of it: money, positions, ids, bytes."""

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulator.scenario import AccountPlan, Action, Habit, PricePath
from adapters.topstepx.fields import encode
from riskcore.core.quantities import move_value
from riskcore.core.state import TERMINAL
from tests.adapters.simulator.broker_desk import ACCOUNT, MES, MNQ, OTHER, Desk, scenario

OPENING_USD = 50_000_000_000  # In 1e-6 dollars.
PLAN = scenario(
    PricePath("MNQ", "21000", ((5, "21010"), (10, "20985"), (15, "21005")), noise_ticks=8, quotes_per_second=3),
    PricePath("MES", "6000", ((8, "5994"), (15, "6004")), noise_ticks=6, quotes_per_second=3),
    accounts=(AccountPlan(), AccountPlan(OTHER)),
    actions=(Action(4, "bracket", size=3, ticks=30, target_ticks=30), Action(9, "market", side=-1, size=2)),
    habits=(Habit("cancel_stops", count=2, after_seconds=1), Habit("add", count=2, after_seconds=2, root="MES")),
    largest_fill=2,
)

_ticks = st.integers(-60, 60)
_targets = st.fixed_dictionaries(
    {"accountId": st.sampled_from([ACCOUNT, OTHER]), "contractId": st.sampled_from([MNQ, MES])}
)
_place = st.tuples(
    st.just("place"),
    _targets,
    st.fixed_dictionaries(
        {
            "type": st.integers(1, 7),
            "side": st.integers(0, 1),
            "size": st.integers(1, 6),
            "limit": st.none() | _ticks,
            "stop": st.none() | _ticks,
            "trail": st.none() | _ticks,
            "stop_loss": st.none() | _ticks,
            "take_profit": st.none() | _ticks,
            "tag": st.none() | st.sampled_from(["a", "b", "c"]),
        }
    ),
)
_change = st.tuples(
    st.sampled_from(["modify", "cancel"]),
    _targets,
    st.fixed_dictionaries(
        {
            "index": st.integers(0, 40),
            "size": st.none() | st.integers(0, 5),
            "limit": st.none() | _ticks,
            "stop": st.none() | _ticks,
        }
    ),
)
_close = st.tuples(st.sampled_from(["close", "partial"]), _targets, st.fixed_dictionaries({"size": st.integers(0, 4)}))
_wait = st.tuples(st.just("wait"), _targets, st.fixed_dictionaries({"tenths": st.integers(1, 20)}))
PLOTS = st.lists(st.one_of(_place, _place, _change, _close, _wait), min_size=1, max_size=25)
Plot = list[tuple[str, dict[str, Any], dict[str, Any]]]


def price(target: dict[str, Any], ticks: int | None) -> Any:
    base = 21000 if target["contractId"] == MNQ else 6000
    return None if ticks is None else base + ticks / 4


def step(desk: Desk, what: str, target: dict[str, Any], how: dict[str, Any]) -> None:
    if what == "wait":
        desk.wait(how["tenths"] / 10)
    elif what == "place":
        asked = {name: how[name] for name in ("type", "side", "size")}
        for name in ("limit", "stop", "trail"):
            asked[f"{name}Price"] = price(target, how[name])
        asked["customTag"] = how["tag"]
        for name, kind, key in (("stopLossBracket", 4, "stop_loss"), ("takeProfitBracket", 1, "take_profit")):
            asked[name] = None if how[key] is None else {"ticks": how[key], "type": kind}
        desk.call("Order/place", {**target, **asked})
    elif what in ("modify", "cancel"):
        orders = desk.broker.orders
        order_id = orders[how["index"] % len(orders)].id if orders else 7
        change = {
            "size": how["size"],
            "limitPrice": price(target, how["limit"]),
            "stopPrice": price(target, how["stop"]),
        }
        desk.call(f"Order/{what}", {"accountId": target["accountId"], "orderId": order_id, **change})
    else:
        path = "Position/closeContract" if what == "close" else "Position/partialCloseContract"
        desk.call(path, {**target, **how})


def played(plot: Plot, seed: int) -> Desk:
    desk = Desk(PLAN, seed)
    for what, target, how in plot:
        step(desk, what, target, how)
        consistent(desk)
    desk.wait(20)
    consistent(desk)
    return desk


def consistent(desk: Desk) -> None:
    broker = desk.broker
    for account in broker.accounts:
        own = [fill for fill in broker.fills if fill.account is account]
        costs = sum(fill.fees_usd + fill.commissions_usd for fill in own)
        assert account.balance_usd == OPENING_USD + sum(fill.profit_usd or 0 for fill in own) - costs
        for contract in (MNQ, MES):
            net = sum(fill.side * fill.size for fill in own if fill.instrument.id == contract)
            assert broker.position(account.id, contract) == net
    ids = [order.id for order in broker.orders]
    assert len(set(ids)) == len(ids)
    assert len({fill.id for fill in broker.fills}) == len(broker.fills)
    for order in broker.orders:
        assert order.filled == sum(fill.size for fill in broker.fills if fill.order is order) <= order.size
        assert (order.status == 2) == (order.filled == order.size)
        assert order.status in TERMINAL or order.left > 0


@settings(max_examples=60, deadline=None)
@given(PLOTS, st.integers(1, 5))
def test_money_positions_and_orders_add_up_whatever_is_asked(plot: Plot, seed: int) -> None:
    desk = played(plot, seed)
    tags = [(order.account.id, order.tag) for order in desk.broker.orders if order.tag is not None]
    assert len(set(tags)) == len(tags)


@settings(max_examples=30, deadline=None)
@given(PLOTS, st.integers(1, 5))
def test_the_closed_profit_is_that_of_the_oldest_lots(plot: Plot, seed: int) -> None:
    """A second computation of FIFO, contract by contract."""
    desk = played(plot, seed)
    lots: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for fill in desk.broker.fills:
        queue = lots[fill.account.id, fill.instrument.id]
        if fill.profit_usd is None:
            queue.extend([(fill.price, fill.side)] * fill.size)
            continue
        taken, queue[:] = queue[: fill.size], queue[fill.size :]
        points = sum((fill.price - price) * side for price, side in taken)
        assert abs(move_value(points, fill.instrument.tick_size, fill.instrument.tick_value) - fill.profit_usd) <= 1


@settings(max_examples=15, deadline=None)
@given(PLOTS, st.integers(1, 5))
def test_the_same_seed_and_requests_give_the_same_bytes(plot: Plot, seed: int) -> None:
    first, again = (
        "\n".join(f"{at} {hub} {audience} {encode(line)}" for at, hub, audience, line in played(plot, seed).lines)
        for _ in range(2)
    )
    assert first == again


@settings(max_examples=30, deadline=None)
@given(PLOTS, st.integers(1, 5))
def test_the_hub_tells_the_last_state_of_everything(plot: Plot, seed: int) -> None:
    desk = played(plot, seed)
    told: dict[tuple[str, Any], Any] = {}
    for _, hub, audience, line in desk.lines:
        if hub == "user":
            row = line["arguments"][0]["data"]
            assert audience == str(row.get("accountId", row["id"]))
            key = row["contractId"] if line["target"] == "GatewayUserPosition" else row["id"]
            told[f"{audience} {line['target']}", key] = row
    for order in desk.broker.orders:
        shown = told[f"{order.account.id} GatewayUserOrder", order.id]
        assert (shown["status"], shown["size"], shown["fillVolume"]) == (order.status, order.size, order.filled)
    for account in desk.broker.accounts:
        for contract, holding in account.holdings.items():
            assert told[f"{account.id} GatewayUserPosition", contract]["size"] == abs(holding.size)
