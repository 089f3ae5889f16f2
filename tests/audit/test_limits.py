"""How near each limit is, against days whose figures are known: below, at and above each of them."""

from typing import Any

import pytest

from riskcore.audit.limits import gauges
from riskcore.audit.status import view_of
from riskcore.core import events as e
from riskcore.core.quantities import money
from riskcore.core.rules import RULES
from riskcore.settings.config import read_settings
from tests.core.ledger import ACCOUNT, Ledger

MNQ, ES = "CON.F.US.MNQ.Z26", "CON.F.US.EP.Z26"
Row = dict[str, Any]


def rows_of(day: Ledger) -> list[Row]:
    account = day.book.accounts[ACCOUNT]
    view = view_of(day.book, day.rulebook, account)
    return [gauge.row() for gauge in gauges(day.book, day.rulebook, account, view)]


def figures(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("now", "limit", "left", "used", "state"))


def only(day: Ledger, **wanted: Any) -> Row:
    [row] = [row for row in rows_of(day) if all(row[name] == value for name, value in wanted.items())]
    return row


def losing_day(**rules: Any) -> Ledger:
    """300 won, 120 lost, and long 2 MNQ with 50 open loss."""
    day = Ledger(**rules).at("10:00:00").closed("300").closed("-120")
    return day.fill("MNQ", 2, "21000").push("MNQ", 2).mark("MNQ", "20987.50")


def position(size: int, at: str, mark: str, **rules: Any) -> Ledger:
    return Ledger(**rules).at("10:00:00").fill("MNQ", size, at).push("MNQ", size).mark("MNQ", mark)


# ---- every rule --------------------------------------------------------------------------------------

EVERY_RULE = {rule.name: rule.id for rule in RULES}
NEEDED: dict[str, Row] = {"max_unrealized_profit": {}, "symbol_blocks": {"blocked_symbols": ["RTY"]}}


@pytest.mark.parametrize("name", EVERY_RULE)
@pytest.mark.parametrize("held", [False, True], ids=["flat", "held"])
def test_every_rule_has_a_row_and_says_something(name: str, held: bool) -> None:
    table = NEEDED.get(name, {})
    day = losing_day(**{name: table}) if held else Ledger(**{name: table}).at("10:00:00").tick()
    if not held:
        day.account()
    rows = rows_of(day)
    assert {row["rule"] for row in rows} == {EVERY_RULE[name]}
    assert all(row["text"] and row["state"] in ("ok", "warn", "near", "breached") for row in rows)
    assert {row["account"] for row in rows} == {ACCOUNT}


@pytest.mark.parametrize("name", EVERY_RULE)
@pytest.mark.parametrize(("switch", "state"), [({"enabled": False}, "off"), ({"shadow": True}, "shadow")])
def test_a_rule_that_does_not_act_says_so(name: str, switch: Row, state: str) -> None:
    day = losing_day(**{name: NEEDED.get(name, {}) | switch})
    assert {row["state"] for row in rows_of(day)} == {state}
    assert {row["rule"] for row in rows_of(day)} == {EVERY_RULE[name]}


@pytest.mark.parametrize("name", EVERY_RULE)
def test_a_rule_without_what_it_needs_is_blind(name: str) -> None:
    lacks = ("quotes", "positions", "trades", "orders", "accounts")
    day = Ledger(lacks=lacks, **{name: NEEDED.get(name, {})}).at("10:00:00").account()
    assert {row["state"] for row in rows_of(day)} == {"blind"}
    assert all("blind: the recording lacks" in row["text"] for row in rows_of(day))


def test_a_lost_hub_and_an_old_mark_are_blindness_too() -> None:
    day = losing_day(daily_unrealized_loss={})
    day.at("10:00:10").tick()
    assert only(day)["state"] == "ok"
    day.at("10:00:10.001").tick()
    assert figures(only(day)) == ("-50.00", "300", "250.00", "0.1666", "blind")
    lost = losing_day(daily_realized_loss={})
    lost.take(e.ConnectionChanged("user", "lost"), "connection.user", "gateway")
    assert only(lost)["state"] == "blind"


def test_a_setting_of_the_account_counts() -> None:
    overrides = {str(ACCOUNT): {"max_contracts": [{"limit": 3}]}}
    day = Ledger(max_contracts={"limit": 5}, overrides=overrides).at("10:00:00").fill("MNQ", 2, "21000")
    assert only(day)["limit"] == "3"


# ---- the order, states and shares --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "left", "used", "state"),
    [
        ("349.99", "150.01", "0.6999", "ok"),
        ("350", "150.00", "0.7", "warn"),
        ("350.01", "149.99", "0.7", "warn"),
        ("354.90", "145.10", "0.7098", "warn"),
        ("449.99", "50.01", "0.8999", "warn"),
        ("450", "50.00", "0.9", "near"),
        ("450.01", "49.99", "0.9", "near"),
        ("499.99", "0.01", "0.9999", "near"),
        ("500", "0", "1", "breached"),
        ("500.01", "0", "1", "breached"),
        ("550", "0", "1.1", "breached"),
    ],
)
def test_a_loss_below_at_and_above_each_state(lost: str, left: str, used: str, state: str) -> None:
    day = Ledger(daily_realized_loss={"loss_limit": money("500"), "action": "alert"}).closed(f"-{lost}")
    row = only(day)
    assert (row["left"], row["used"], row["state"], row["limit"]) == (left, used, state, "500")


@pytest.mark.parametrize(
    ("size", "left", "used", "state"),
    [(6, "4", "0.6", "ok"), (7, "3", "0.7", "warn"), (8, "2", "0.8", "warn"), (9, "1", "0.9", "near")],
)
def test_a_count_below_at_and_above_each_state(size: int, left: str, used: str, state: str) -> None:
    day = position(size, "21000", "21000", max_contracts={"limit": 10})
    assert figures(only(day)) == (str(size), "10", left, used, state)


def test_a_count_at_its_limit_has_reached_it_though_only_one_more_breaches() -> None:
    day = position(10, "21000", "21000", max_contracts={"limit": 10})
    assert figures(only(day)) == ("10", "10", "0", "1", "breached")
    assert "one more breaches it" in only(day)["text"]
    assert day.breaches == []


def test_what_binds_comes_first_and_what_has_no_say_last() -> None:
    rules: Row = {
        "daily_realized_loss": [{"loss_limit": money("500")}, {"loss_limit": money("1000")}],  # 0.71 and 0.355
        "max_contracts": [{"limit": 2}, {"limit": 20}, {"limit": 3, "shadow": True}, {"limit": 1, "enabled": False}],
        "daily_unrealized_loss": {"loss_limit": money("60")},  # 50 of 60
        "auth_loss_guard": {},
        "no_stop_loss_grace": {},
    }
    day = Ledger(**rules).at("10:00:00").account(can_trade=False).closed("-355")
    day.fill("MNQ", 2, "21000").push("MNQ", 2).mark("MNQ", "20987.50")
    found = [(row["rule"], row["state"], row["used"]) for row in rows_of(day)]
    assert found == [
        ("RULE-001", "breached", "1"),
        ("RULE-010", "breached", None),
        ("RULE-004", "warn", "0.8333"),
        ("RULE-003", "warn", "0.71"),
        ("RULE-003", "ok", "0.355"),
        ("RULE-001", "ok", "0.1"),
        ("RULE-008", "ok", "0"),
        ("RULE-001", "shadow", "0.6666"),
        ("RULE-001", "off", None),
    ]


def test_a_lockout_of_the_rule_is_a_breach_until_it_ends() -> None:
    day = Ledger(trade_frequency_limit={"per_minute": 1, "cooldowns": {"minute": 60}}).at("10:00:00")
    day.fill("MNQ", 1, "21000").at("10:00:30").fill("MNQ", 1, "21000")
    assert {row["state"] for row in rows_of(day)} == {"breached"}
    assert {row["until"] for row in rows_of(day)} == {"2026-11-20T16:01:30Z"}
    day.tick("10:01:30")
    assert only(day, name="minute trades")["state"] == "ok"


def test_a_lockout_of_a_product_is_about_that_product() -> None:
    rules = {"max_contracts_per_instrument": {"limits": {"MNQ": 1, "ES": 5}, "lockout": "until_reset"}}
    day = position(2, "21000", "21000", **rules).fill("ES", 1, "6000")
    assert only(day, contract="MNQ")["state"] == "breached"
    assert only(day, contract="ES")["state"] == "ok"


# ---- rule by rule ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "shown"),
    [
        ("realized", ("180.00", "500", "680.00", "0", "ok")),
        ("combined", ("130.00", "500", "630.00", "0", "ok")),
        ("trailing_realized", ("-170.00", "500", "330.00", "0.34", "ok")),
        ("trailing_unrealized", ("-170.00", "500", "330.00", "0.34", "ok")),
    ],
)
def test_the_day_loss_as_its_basis_counts_it(basis: str, shown: tuple[Any, ...]) -> None:
    """A trailing one is measured from the day's highest point, here 300 realised."""
    day = losing_day(daily_realized_loss={"loss_limit": money("500"), "basis": basis})
    assert figures(only(day)) == shown


def test_the_open_loss_of_each_position_or_of_all() -> None:
    day = losing_day(daily_unrealized_loss=[{}, {"scope": "total"}])
    day.fill("ES", 1, "6000").push("ES", 1).mark("ES", "6000.50")
    found = {row["contract"]: figures(row) for row in rows_of(day)}
    assert found == {
        MNQ: ("-50.00", "300", "250.00", "0.1666", "ok"),
        ES: ("25.00", "300", "325.00", "0", "ok"),
        None: ("-25.00", "300", "275.00", "0.0833", "ok"),
    }
    flat = Ledger(daily_unrealized_loss={}).account()
    assert figures(only(flat)) == ("0", "300", "300.00", "0", "ok")


def test_profits_towards_their_targets() -> None:
    rules: Row = {"daily_realized_profit": {"profit_target": money("1000")}, "max_unrealized_profit": {}}
    day = losing_day(**rules).mark("MNQ", "21010")
    assert figures(only(day, rule="RULE-005")) == ("40.00", "1000", "960.00", "0.04", "ok")
    assert figures(only(day, rule="RULE-013")) == ("180.00", "1000", "820.00", "0.18", "ok")


@pytest.mark.parametrize(
    ("mark", "shown"),
    [
        ("21049.75", ("199.00", None, None, None, "ok")),  # Not armed.
        ("21050", ("200.00", "0", "200.00", "0", "ok")),
        ("21015", ("60.00", "0", "60.00", "0.7", "warn")),
        ("21005", ("20.00", "0", "20.00", "0.9", "near")),
        ("21000.25", ("1.00", "0", "1.00", "0.995", "near")),
        ("21000", ("0", "0", "0", "1", "breached")),
    ],
)
def test_breakeven_is_the_way_from_the_peak_to_the_floor(mark: str, shown: tuple[Any, ...]) -> None:
    day = position(2, "21000", "21000", max_unrealized_profit={"mode": "breakeven", "arm_profit": money("200")})
    if mark != "21049.75":
        day.mark("MNQ", "21050")
    assert figures(only(day.mark("MNQ", mark))) == shown


@pytest.mark.parametrize(
    ("mark", "shown"),
    [
        ("21050", ("300.00", "150", "150.00", "0", "ok")),
        ("21025.25", ("151.50", "150", "1.50", "0.99", "near")),
        ("21025", ("150.00", "150", "0", "1", "breached")),
    ],
)
def test_give_back_is_the_way_from_the_peak_to_what_is_kept(mark: str, shown: tuple[Any, ...]) -> None:
    rules = {"max_unrealized_profit": {"mode": "give_back", "arm_profit": money("300")}}
    day = position(3, "21000", "21050", **rules)
    assert figures(only(day.mark("MNQ", mark))) == shown


def test_what_the_day_gives_back_has_a_row_beside_the_target() -> None:
    rules = {"daily_realized_profit": {"give_back": {"arm": money("800"), "fraction": 500_000}}}
    day = Ledger(**rules).closed("799.99")
    assert figures(only(day, name="day profit given back")) == ("799.99", None, None, None, "ok")
    day.closed("100.01").closed("-225")
    assert figures(only(day, name="day profit given back")) == ("675.00", "450", "225.00", "0.5", "ok")
    assert figures(only(day, name="day profit")) == ("675.00", "1000", "325.00", "0.675", "ok")


def test_sizes_by_contracts_units_and_roots() -> None:
    rules: Row = {"max_contracts": [{"limit": 5}, {"limit": 5, "weighting": "mini_equivalent"}]}
    limits = {"limits": {"MNQ": 10, "NQ": 1, "RTY": 0}}
    day = losing_day(**rules, max_contracts_per_instrument=limits).fill("ES", 1, "6000")
    found = {(row["contract"], row["unit"]): figures(row) for row in rows_of(day)}
    assert found == {
        (None, "contracts"): ("3", "5", "2", "0.6", "ok"),
        (None, "micro units"): ("12", "50", "38", "0.24", "ok"),
        ("MNQ", "contracts"): ("2", "10", "8", "0.2", "ok"),
        ("NQ", "contracts"): ("0", "1", "1", "0", "ok"),
        ("RTY", "contracts"): ("0", "0", "0", "0", "ok"),
        ("ES", "contracts"): ("1", None, None, None, "ok"),
    }


@pytest.mark.parametrize(("unit", "now"), [("order", "5"), ("fill", "5"), ("round_turn", "2")])
def test_trades_of_each_window_by_what_counts_as_one(unit: str, now: str) -> None:
    day = losing_day(trade_frequency_limit={"count_unit": unit, "per_minute": 10})
    row = only(day, name="trades today")
    assert (row["now"], row["limit"], row["until"]) == (now, "50", "2026-11-20T23:00:00Z")
    assert only(day, name="minute trades")["until"] == "2026-11-20T16:01:00Z"
    assert only(day, name="hour trades")["until"] == "2026-11-20T17:00:00Z"
    day.tick("10:00:59.999")
    assert only(day, name="minute trades")["now"] == now
    day.tick("10:01:00")
    assert (only(day, name="minute trades")["now"], only(day, name="minute trades")["until"]) == ("0", None)


@pytest.mark.parametrize(
    ("profit", "shown"),
    [
        ("-69.99", ("-69.99", "100", "30.01", "0.6999", "ok")),
        ("-99.99", ("-99.99", "100", "0.01", "0.9999", "near")),
        ("-100", ("-100.00", "100", "0", "1", "breached")),
        ("20", ("20.00", "100", "120.00", "0", "ok")),
    ],
)
def test_the_loss_of_the_order_that_is_filling_against_the_lowest_tier(profit: str, shown: tuple[Any, ...]) -> None:
    day = position(3, "21000", "21000", cooldown_after_loss={})
    day.order(9, "MNQ", -3, type=2).fill("MNQ", -1, "20990", profit=profit, order=9)
    assert figures(only(day)) == shown
    day.order(9, "MNQ", -3, type=2, status=2, filled=3)
    assert only(day)["now"] == "0"


def test_the_losses_in_a_row_of_the_day() -> None:
    rules = {"cooldown_after_loss": {"consecutive_losses": {"count": 3, "cooldown_seconds": 60}}}
    day = Ledger(**rules).at("10:00:00").closed("-1").closed("-1")
    assert figures(only(day, name="losses in a row")) == ("2", "3", "1", "0.6666", "ok")
    day.closed("1")
    assert only(day, name="losses in a row")["now"] == "0"


def test_the_seconds_that_a_position_has_been_without_its_stop() -> None:
    day = position(1, "21000", "21000", no_stop_loss_grace={"grace_period_seconds": 30})
    row = only(day.tick("10:00:10.5"))
    assert figures(row) == ("10.5", "30", "19.5", "0.35", "ok")
    assert (row["contract"], row["unit"], row["until"]) == (MNQ, "s", "2026-11-20T16:00:30Z")
    day.order(7, "MNQ", -1, type=4, stop="20990").tick("10:05:00")
    assert (only(day)["now"], only(day)["until"]) == ("10.5", None)
    day.at("10:05:00").order(7, "MNQ", -1, type=4, status=3, stop="20990").tick("10:05:10.5")
    assert figures(only(day)) == ("21", "30", "9", "0.7", "warn")
    day.tick("10:05:19.499999")
    assert only(day)["state"] == "near"
    day.tick("10:05:19.5")
    assert figures(only(day)) == ("30", "30", "0", "1", "breached")


@pytest.mark.parametrize(
    ("at", "now", "state", "until"),
    [
        ("14:54:59", "301", "ok", "2026-11-20T21:00:00Z"),
        ("14:55:00", "300", "warn", "2026-11-20T21:00:00Z"),
        ("14:58:59", "61", "warn", "2026-11-20T21:00:00Z"),
        ("14:59:00", "60", "near", "2026-11-20T21:00:00Z"),
        ("14:59:59", "1", "near", "2026-11-20T21:00:00Z"),
        ("15:00:00", "0", "breached", "2026-11-23T14:30:00Z"),
    ],
)
def test_the_seconds_to_the_end_of_the_window(at: str, now: str, state: str, until: str) -> None:
    row = only(Ledger(session_block_outside={}).at("09:00:00").account().at(at).tick())
    assert (row["now"], row["left"], row["used"], row["state"], row["until"]) == (now, now, None, state, until)


def test_a_product_with_hours_of_its_own_has_its_own_countdown() -> None:
    own = {"per_instrument": {"ES": [{"days": [4], "start": 9 * 3600, "end": 10 * 3600}]}}
    day = Ledger(session_block_outside=own).at("09:30:00").account()
    assert only(day, contract="ES")["now"] == "1800"
    assert only(day, contract=None)["now"] == "19800"


@pytest.mark.parametrize(
    ("told", "now", "state"), [(True, "true", "ok"), (False, "false", "breached"), (None, "unknown", "ok")]
)
def test_the_rights_as_the_broker_says(told: bool | None, now: str, state: str) -> None:
    row = only(Ledger(auth_loss_guard={}).at("10:00:00").account(can_trade=told))
    assert (row["now"], row["state"], row["used"], row["left"]) == (now, state, None, None)


def test_blocked_and_allowed_products() -> None:
    day = position(1, "21000", "21000", symbol_blocks={"blocked_symbols": ["RTY", "MNQ"], "close_existing": False})
    assert figures(only(day, contract="RTY")) == ("0", "0", "0", None, "ok")
    assert figures(only(day, contract="MNQ")) == ("1", "0", "0", None, "breached")
    allowed = position(1, "21000", "21000", symbol_blocks={"allowed_symbols": ["MNQ", "ES"]})
    assert figures(only(allowed, contract="MNQ")) == ("1", None, None, None, "ok")


def test_the_rule_that_manages_has_no_measure() -> None:
    row = only(losing_day(trade_management={"max_hold_minutes": 60}))
    assert (row["now"], row["limit"], row["left"], row["used"], row["state"]) == (None, None, None, None, "ok")


def test_the_settings_of_the_file_reach_the_rows() -> None:
    """RULE-012 is in the file and not enabled: its row says so."""
    plain = read_settings("[rules.trade_management]\n[rules.max_contracts]").plain
    day = Ledger(settings={**plain, "profile": {**plain["profile"], "accounts": []}}).at("10:00:00").account()
    assert [(row["rule"], row["state"]) for row in rows_of(day)] == [("RULE-001", "ok"), ("RULE-012", "off")]


# ---- dollars as ticks of what is held ----------------------------------------------------------------


@pytest.mark.parametrize(("limit", "ticks"), [("299.99", 149), ("300", 150), ("301.49", 150), ("301.50", 151)])
def test_what_is_left_in_whole_ticks_of_the_only_position(limit: str, ticks: int) -> None:
    day = position(3, "21000", "20987.50", daily_unrealized_loss={"loss_limit": money(limit)})
    assert only(day, rule="RULE-004")["ticks"] == ticks, "a tick of 3 MNQ is 1.50; 75 are lost"


def test_ticks_need_dollars_and_one_position() -> None:
    rules: Row = {"daily_realized_loss": {"loss_limit": money("500")}, "max_contracts": {"limit": 5}}
    day = position(2, "21000", "20987.50", daily_unrealized_loss={"loss_limit": money("300")}, **rules)
    assert [row["ticks"] for row in rows_of(day) if row["rule"] != "RULE-001"] == [250, 500]
    assert only(day, rule="RULE-001")["ticks"] is None
    day.fill("ES", 1, "6000").push("ES", 1).mark("ES", "6000")
    assert only(day, rule="RULE-003")["ticks"] is None, "either contract moves it, and neither by itself"
    assert only(day, rule="RULE-004", contract=MNQ)["ticks"] == 250
    assert [row["ticks"] for row in rows_of(Ledger(**rules).at("10:00:00").closed("-100"))] == [None, None]
