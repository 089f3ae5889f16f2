"""Results of `riskcore whatif --json` for tests of its report: drawn by a seed, adding up as real ones do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from riskcore.core.quantities import MONEY_SCALE, fraction_text, money_text
from riskcore.schema.rows import Row

FIRST_DAY = date(2025, 9, 2)
LIMIT, CUT, FEE = 400, 300, 124  # Dollars, dollars, cents a round trip.
CONTRACT = "CON.F.US.MNQ.Z25"


@dataclass
class Drawn:
    """What the days drawn so far give."""

    divergence: list[Row] = field(default_factory=list)
    by_day: list[Row] = field(default_factory=list)
    tilt: list[Row] = field(default_factory=list)
    closest: list[Row] = field(default_factory=list)
    days: dict[str, list[Row]] = field(default_factory=lambda: {"baseline": [], "counterfactual": []})
    balance: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("baseline", "counterfactual"), 50_000_00))
    floor: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("baseline", "counterfactual"), 48_000_00))


def cents(value: int) -> str:
    return money_text(value * (MONEY_SCALE // 100))


def trading_days(number: int) -> Iterator[str]:
    day = FIRST_DAY
    while number:
        if day.weekday() < 5:
            number -= 1
            yield day.isoformat()
        day += timedelta(days=1)


def sample(days: int = 61, accounts: Sequence[int] = (99000001,), seed: int = 8, programme: bool = True) -> Row:
    """A whole result of that many trading days, in which every figure is the sum of its parts."""
    random = Random(seed)
    drawn = {account: Drawn() for account in accounts}
    for trade_date in trading_days(days):
        for account in accounts:
            _day(random, drawn[account], account, trade_date, programme)
    by_day = [row for one in drawn.values() for row in one.by_day]
    net, exact = _sum(by_day, "net_pnl"), _sum(by_day, "exact")
    return {
        "schema": "riskcore.whatif/1",
        "policy": "follow",
        **{
            course: {"accounts": [_account(account, drawn[account], course, programme) for account in accounts]}
            for course in ("baseline", "counterfactual")
        },
        "divergence": sorted((row for one in drawn.values() for row in one.divergence), key=lambda row: str(row["at"])),
        "effect": {
            "net_pnl": cents(net),
            "exact": cents(exact),
            "simulated": cents(net - exact),
            "open_pnl": {"baseline": "0", "counterfactual": "0"},
            "by_rule": _by_rule(by_day, net),
            "shares": {"method": "exact", "remainder": "0"},
            "by_day": by_day,
        },
        "range": {
            "kindest": cents(net + 31_950),
            "cruellest": cents(net - 42_075),
            "kindest_of": {"policy": "stop", "bar_path": "kindest", "latency_ms": 0, "slippage_ticks": 0},
            "cruellest_of": {"policy": "follow", "bar_path": "cruellest", "latency_ms": 1000, "slippage_ticks": 4},
        },
        "tilt": [row for one in drawn.values() for row in one.tilt],
        "closest": [row for one in drawn.values() for row in one.closest],
        "assumptions": {
            "latency_ms": 250,
            "slippage_ticks": 2,
            "policy": "follow",
            "independent_days": False,
            "stop_slippage_ticks": 1,
        },
        "stamp": {
            "sessions": [
                {"path": f"{trade_date}-topstepx.jsonl.gz", "sha256": f"{random.getrandbits(256):064x}"}
                for trade_date in trading_days(days)
            ],
            "settings_diff": [
                {"key": f"rules.{key}", "baseline": None, "counterfactual": value}
                for key, value in (
                    ("daily_realized_loss.action", "flatten_and_lock"),
                    ("daily_realized_loss.loss_limit", str(LIMIT)),
                    ("daily_unrealized_loss.loss_limit", str(CUT)),
                    ("daily_unrealized_loss.scope", "per_position"),
                    ("max_contracts.limit", 5),
                )
            ],
            "version": "0.1.0",
            "command": f"riskcore whatif days --set rules.daily_realized_loss.loss_limit={LIMIT} --report report.html",
        },
    }


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(round(float(row[name]) * 100) for row in rows)


def _day(random: Random, drawn: Drawn, account: int, trade_date: str, programme: bool) -> None:
    """One day of a trader who goes on too long after losses."""
    trips = [random.choice((1, 1, 2, 3)) for _ in range(random.randint(3, 9))]
    running = counter = simulated = after = entries_after = losers = 0
    cut = locked = False
    for size in trips:
        result = size * random.choice((-140, -90, -65, -35, 30, 60, 95, 130)) * 100 - size * FEE
        dipped = random.random() < 0.025
        if dipped:
            result = size * random.randint(-420, 60) * 100
        taken = result
        if not locked and dipped and not cut:
            taken, cut = -CUT * 100 - random.choice((150, 600, 1250)) - size * FEE, True
            simulated += taken - result
        if locked:
            taken, entries_after, losers, after = 0, entries_after + 1, losers + (result < 0), after + result
        running, counter = running + result, counter + taken
        if counter <= -LIMIT * 100 and not locked:
            locked = True
    at = f"{trade_date}T15:{random.randint(10, 59)}:{random.randint(10, 59)}.250000Z"
    parted = cut or entries_after > 0
    net = counter - running
    flags = [flag for flag in ("late_fill", "priced_by_fill", "stale_fill") if cut and random.random() < 0.2]
    _note(drawn, account, trade_date, (running, counter), (net - simulated, simulated), (entries_after, flags, random))
    if parted:
        rule, kind = ("RULE-004", "ClosePosition") if cut else ("RULE-003", "KeepOut")
        drawn.divergence.append(_divergence(account, trade_date, at, rule, kind))
    if locked:
        drawn.tilt.append(_moment(account, trade_date, at, (entries_after, after, losers), len(trips), running))
    _near(drawn, account, trade_date, at, (running, counter))


def _note(
    drawn: Drawn, account: int, trade_date: str, nets: tuple[int, int], parts: tuple[int, int], left: Any
) -> None:
    entries, flags, random = left
    drawn.by_day.append(
        {
            "account": account,
            "trade_date": trade_date,
            "baseline": cents(nets[0]),
            "counterfactual": cents(nets[1]),
            "net_pnl": cents(nets[1] - nets[0]),
            "exact": cents(parts[0]),
            "simulated": cents(parts[1]),
            "left_out_entries": entries,
            "left_out_contracts": entries * 2,
            "guard_cost": cents(entries * random.randint(150, 500)) if entries != 1 else None,
            "flags": flags,
        }
    )
    for course, net in zip(("baseline", "counterfactual"), nets, strict=True):
        opening = drawn.balance[course]
        row = {"trade_date": trade_date, "fills": 8, "round_trips": 4, "net_pnl": cents(net)}
        row |= {
            "opening_balance": cents(opening),
            "closing_balance": cents(opening + net),
            "floor": cents(drawn.floor[course]),
        }
        drawn.days[course].append(row)
        drawn.balance[course] = opening + net
        drawn.floor[course] = max(drawn.floor[course], min(50_000_00, opening + net - 2_000_00))


def _divergence(account: int, trade_date: str, at: str, rule: str, kind: str) -> Row:
    action = {
        "id": f"2025/{rule}/1",
        "at": at,
        "account": account,
        "kind": kind,
        "rule": rule,
        "contract": CONTRACT,
        "size": 2,
        "price": None,
        "breach": None,
    }
    return {
        "account": account,
        "trade_date": trade_date,
        "at": at,
        "cause": f"trade:{trade_date.replace('-', '')}01",
        "baseline_action": None,
        "counterfactual_action": action,
    }


def _moment(account: int, trade_date: str, at: str, after: tuple[int, int, int], trips: int, running: int) -> Row:
    entries, net, losers = after
    share = fraction_text(losers * MONEY_SCALE // entries) if entries else None
    return {
        "account": account,
        "trade_date": trade_date,
        "rule": "RULE-003",
        "at": at,
        "after": {
            "entries": entries,
            "mean_size": "2.4" if entries else None,
            "net_pnl": cents(net),
            "losing_share": share,
        },
        "otherwise": {
            "entries": trips - entries,
            "mean_size": "1.6",
            "net_pnl": cents(running - net),
            "losing_share": "0.46",
        },
    }


def _near(drawn: Drawn, account: int, trade_date: str, at: str, nets: tuple[int, int]) -> None:
    def side(room: int, whole: int, unit: str) -> Row:
        distance = cents(room) if unit == "$" else str(room)
        return {"distance": distance, "unit": unit, "fraction": fraction_text(room * MONEY_SCALE // whole), "at": at}

    limit = LIMIT * 100
    record, course = limit + min(nets[0], 0), limit + min(nets[1], 0)
    for rule, sides in (
        ("RULE-003", (side(record, limit, "$"), side(course, limit, "$"))),
        ("RULE-001", (side(3, 5, "contracts"), side(3, 5, "contracts"))),
    ):
        drawn.closest.append(
            {
                "account": account,
                "trade_date": trade_date,
                "rule": rule,
                "baseline": sides[0],
                "counterfactual": sides[1],
            }
        )


def _account(account: int, drawn: Drawn, course: str, programme: bool) -> Row:
    row: Row = {
        "id": account,
        "name": f"50KTC-V2-{account}",
        "days": drawn.days[course],
        "positions": [],
        "blind": [],
        "lockouts": [],
    }
    if not programme:
        plain = ("trade_date", "fills", "round_trips", "net_pnl")
        return row | {"days": [{name: day[name] for name in plain} for day in drawn.days[course]]}
    balance = drawn.balance[course]
    best = max(round(float(day["net_pnl"]) * 100) for day in drawn.days[course])
    row["programme"] = {
        "version": "2026-10",
        "stage": "combine",
        "product": "standard",
        "size": "50K",
        "opening_balance": "50000",
        "balance": cents(balance),
        "floor": cents(drawn.floor[course]),
        "target": "3000",
        "effective_target": "3000",
        "profit": cents(balance - 50_000_00),
        "best_day": cents(best),
        "passed": None,
    }
    return row


def _by_rule(by_day: Sequence[Row], net: int) -> list[Row]:
    cut = [row for row in by_day if row["simulated"] != "0"]
    of_cut = _sum(cut, "simulated")
    rows = [("RULE-003", net - of_cut, [row for row in by_day if row["left_out_entries"]]), ("RULE-004", of_cut, cut)]
    found = [
        {
            "rule": rule,
            "net_pnl": cents(share),
            "leave_one_out": cents(share * 9 // 10),
            "alone": cents(share * 11 // 10),
            "days_helped": sum(not str(row["net_pnl"]).startswith("-") for row in days),
            "days_hurt": sum(str(row["net_pnl"]).startswith("-") for row in days),
            "standard_error": None,
        }
        for rule, share, days in rows
    ]
    idle = {"rule": "RULE-001", "net_pnl": "0", "leave_one_out": "0", "alone": "0", "days_helped": 0, "days_hurt": 0}
    return [{**idle, "standard_error": None}, *found]
