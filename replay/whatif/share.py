"""A what-if to show others: names and ids mapped, amounts as a share of the loss limit (INTERFACE.md 6, `--share`).

Nothing is taken over that is not named here: a field that a later version adds stays out until somebody decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from replay.whatif.report_figures import in_dollars
from riskcore.core.quantities import FRACTION_SCALE, fraction_text, money
from riskcore.core.rules import RULES
from riskcore.core.rules.base import parameters_of
from riskcore.schema.rows import Row

_WHOLE: int = FRACTION_SCALE
LEFT_OUT = "(left out)"
_OFF = "off"  # What a setting that may be null is written as.
# Kinds of parameters that say nothing about money or about who trades.
_OPEN_KINDS = ("bool", "int", "fraction", "fractions", "choice", "choice_or_number", "zone", "roots", "cooldowns")
_ENUMERATED = re.compile(r"[a-z][a-z_ ]*")
_LOSS_LIMIT = "loss_limit"
_PARAMETERS = {rule.name: {one.name: one.metadata for one in parameters_of(rule)} for rule in RULES}
# The tables with a loss limit, in the order of the rule book: that of the whole day first.
_LIMITED = tuple(name for name, parameters in _PARAMETERS.items() if _LOSS_LIMIT in parameters)


def share(result: Row, loss_limit_usd: str | None = None) -> Row:
    """The result that `--share` shows: of the same schema, with `shared` beside, amounts as ratios of the loss limit.

    `loss_limit_usd` is the limit that counts as 1; without it the one that the settings or the closest approach name,
    else the largest loss of a recorded day. Raises ValueError when it is not above 0.
    """
    unit = money(loss_limit_usd) if loss_limit_usd is not None else _loss_limit(result)
    if unit <= 0:
        raise ValueError(f"the loss limit must be above 0, not {loss_limit_usd}")
    return _Sharing(unit, _accounts_of(result)).whole(result)


def _accounts_of(result: Row) -> dict[Any, int]:
    """The number that stands for each account id, in the order of ids."""
    listed = [account["id"] for course in ("baseline", "counterfactual") for account in result[course]["accounts"]]
    listed += [row["account"] for row in result["effect"]["by_day"]]
    return {account: place for place, account in enumerate(sorted(set(listed)), start=1)}


# ---- the loss limit ----------------------------------------------------------------------------------


def _loss_limit(result: Row) -> int:
    """What counts as 1, in 1e-6 dollars: a daily loss limit if there is one, else the next best thing."""
    changes = result["stamp"]["settings_diff"]
    limits = [one for one in changes if one["key"].endswith(_LOSS_LIMIT)]
    for table in (*_LIMITED, ""):
        for course in ("counterfactual", "baseline"):
            for change in limits:
                if change[course] not in (None, _OFF) and (not table or f".{table}." in change["key"]):
                    return money(str(change[course]))
    for row in sorted(result["closest"], key=lambda one: str(one["rule"])):
        side = row["counterfactual"] or row["baseline"]
        if side is not None and in_dollars(side["unit"]) and money(side["distance"]) and money(side["fraction"]):
            return money(side["distance"]) * _WHOLE // money(side["fraction"])
    losses = [-money(row["baseline"]) for row in result["effect"]["by_day"]]
    largest = max(losses, default=0)
    return largest if largest > 0 else _WHOLE


# ---- field by field ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sharing:
    """Takes over what may be shown. `unit` is the loss limit in 1e-6 dollars."""

    unit: int
    accounts: Mapping[Any, int]
    causes: dict[str, str] = field(default_factory=dict)

    def whole(self, result: Row) -> Row:
        effect, found_range, stamp = result["effect"], result["range"], result["stamp"]
        return {
            "schema": result["schema"],
            "shared": {"amounts": "share of the loss limit"},
            "policy": result["policy"],
            "baseline": self.course(result["baseline"]),
            "counterfactual": self.course(result["counterfactual"]),
            "divergence": [self.divergence(row) for row in result["divergence"]],
            "effect": {
                **{name: self.amount(effect[name]) for name in ("net_pnl", "exact", "simulated")},
                "open_pnl": {name: self.amount(effect["open_pnl"][name]) for name in ("baseline", "counterfactual")},
                "by_rule": [self.rule(row) for row in effect["by_rule"]],
                "shares": self.shares(effect.get("shares")),
                "by_day": [self.day(row) for row in effect["by_day"]],
            },
            "range": None if found_range is None else self.range(found_range),
            "tilt": [self.moment(row) for row in result["tilt"]],
            "closest": [self.closest(row) for row in result["closest"]],
            "assumptions": _enumerated(result["assumptions"]),
            "stamp": {
                "sessions": [
                    {"path": f"session {place}", "sha256": row["sha256"]}
                    for place, row in enumerate(stamp["sessions"], start=1)
                ],
                "settings_diff": [self.setting(row) for row in stamp["settings_diff"]],
                "version": stamp["version"],
                "command": None,
            },
        }

    def amount(self, text: Any) -> str | None:
        """An amount as a ratio of the loss limit, to a millionth."""
        return None if text is None else fraction_text(self.ratio(money(str(text))))

    def ratio(self, value: int) -> int:
        rounded = (abs(value) * _WHOLE * 2 // self.unit + 1) // 2
        return -rounded if value < 0 else rounded

    def course(self, course: Row) -> Row:
        return {"accounts": [self.account(row) for row in course["accounts"]]}

    def account(self, row: Row) -> Row:
        number = self.accounts[row["id"]]
        shown: Row = {
            "id": number,
            "name": f"Account {number}",
            "days": self.days(row["days"]),
            "positions": [
                {**_named(one, "contract", "side", "size"), "unrealized": self.amount(one["unrealized"])}
                for one in row["positions"]
            ],
            "blind": [_named(one, "trade_date", "rule", "reason") for one in row["blind"]],
            "lockouts": [_named(one, "rule", "kind", "set_at", "expires_at") for one in row["lockouts"]],
        }
        if row.get("programme"):
            shown["programme"] = self.programme(row["programme"])
        return shown

    def days(self, rows: Sequence[Row]) -> list[Row]:
        """Balances count from the first one there is: that of the account would tell its size."""
        opening = next((money(row["opening_balance"]) for row in rows if row.get("opening_balance") is not None), 0)
        return [
            {
                **_named(row, "trade_date", "fills", "orders_filled", "round_trips"),
                "net_pnl": self.amount(row["net_pnl"]),
                **{
                    name: fraction_text(self.ratio(money(row[name]) - opening))
                    for name in ("opening_balance", "closing_balance", "floor")
                    if row.get(name) is not None
                },
            }
            for row in rows
        ]

    def programme(self, row: Row) -> Row:
        money_fields = ("target", "effective_target", "profit", "best_day")
        return {
            **_named(row, "version", "stage", "passed", "outcome"),
            **{name: self.amount(row[name]) for name in money_fields if name in row},
        }

    def divergence(self, row: Row) -> Row:
        return {
            "account": self.accounts[row["account"]],
            **_named(row, "trade_date", "at"),
            "cause": self.cause(row["cause"]),
            "baseline_action": self.action(row["baseline_action"]),
            "counterfactual_action": self.action(row["counterfactual_action"]),
        }

    def cause(self, key: str) -> str:
        """A natural key without the broker's id: trade:1."""
        kind = key.partition(":")[0]
        if kind == key or not _ENUMERATED.fullmatch(kind):
            return kind if _ENUMERATED.fullmatch(key) else "event"
        return self.causes.setdefault(key, f"{kind}:{len(self.causes) + 1}")

    def action(self, row: Row | None) -> Row | None:
        if row is None:
            return None
        shown = _named(
            row, "at", "kind", "rule", "contract", "size", "to", "side", "lockout_kind", "expires_at", "level"
        )
        scope = row.get("scope")
        return shown if scope is None else {**shown, "scope": "account" if scope == "account" else "contracts"}

    def day(self, row: Row) -> Row:
        amounts = ("baseline", "counterfactual", "net_pnl", "exact", "simulated", "guard_cost")
        return {
            "account": self.accounts[row["account"]],
            **_named(row, "trade_date", "left_out_entries", "left_out_contracts", "flags"),
            **{name: self.amount(row[name]) for name in amounts},
        }

    def rule(self, row: Row) -> Row:
        amounts = ("net_pnl", "leave_one_out", "alone", "standard_error")
        return {
            **_named(row, "rule", "table", "days_helped", "days_hurt"),
            **{name: self.amount(row[name]) for name in amounts},
        }

    def shares(self, row: Row | None) -> Row | None:
        """How the shares were found."""
        if row is None:
            return None
        return {**_named(row, "method", "permutations", "seed"), "remainder": self.amount(row["remainder"])}

    def range(self, row: Row) -> Row:
        return {
            **{name: self.amount(row[name]) for name in ("kindest", "cruellest")},
            **{name: _enumerated(row[name]) for name in ("kindest_of", "cruellest_of")},
        }

    def moment(self, row: Row) -> Row:
        def habits(side: Row) -> Row:
            return {**_named(side, "entries", "mean_size", "losing_share"), "net_pnl": self.amount(side["net_pnl"])}

        return {
            "account": self.accounts[row["account"]],
            **_named(row, "trade_date", "rule", "at"),
            **{name: habits(row[name]) for name in ("after", "otherwise")},
        }

    def closest(self, row: Row) -> Row:
        def side(near: Row | None) -> Row | None:
            if near is None:
                return None
            distance = self.amount(near["distance"]) if in_dollars(near["unit"]) else near["distance"]
            return {**_named(near, "unit", "fraction", "at"), "distance": distance}

        return {
            "account": self.accounts[row["account"]],
            **_named(row, "trade_date", "rule"),
            **{name: side(row[name]) for name in ("baseline", "counterfactual")},
        }

    def setting(self, row: Row) -> Row:
        parts = [part for part in row["key"].split(".") if not part.isdigit()]
        kind = declared_kind(parts)
        key = row["key"] if kind is not None else f"{parts[0]}.…"
        return {"key": key, **{name: self.value(kind, row[name]) for name in ("baseline", "counterfactual")}}

    def value(self, kind: str | None, value: Any) -> Any:
        """A setting: open as it is, money as percent of the loss limit, anything else left out."""
        if value in (None, _OFF) or kind in _OPEN_KINDS:
            return value
        if kind != "money":
            return LEFT_OUT
        tenths = (self.ratio(money(str(value))) + 500) // 1000
        return f"{tenths // 10}.{tenths % 10}%".replace(".0%", "%")


def _named(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names if name in row}


def _enumerated(row: Row | None) -> Row | None:
    """Numbers, switches and the words of a list; no text that anybody wrote."""
    if row is None:
        return None
    return {
        name: value
        for name, value in row.items()
        if value is None or isinstance(value, (bool, int)) or (isinstance(value, str) and _ENUMERATED.fullmatch(value))
    }


def declared_kind(parts: Sequence[str]) -> str | None:
    """The declared kind of rules.<table>.<field>, or of a field of a nested table; None for anything else."""
    if len(parts) < 3 or parts[0] != "rules" or parts[1] not in _PARAMETERS:
        return None
    if tuple(parts[2:]) in (("enabled",), ("shadow",)):
        return "bool"
    known: Mapping[str, Any] = _PARAMETERS[parts[1]]
    for name in parts[2:-1]:
        table = known[name]["table"] if name in known else None
        known = {} if table is None else {one.name: one.metadata for one in fields(table)}
    return str(known[parts[-1]]["kind"]) if parts[-1] in known else None
