"""Amounts, dates, rules, actions and flags of a what-if as a trader reads them. Pure; money is 1e-6 dollars."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from riskcore.core.products import product_code, root_of_code
from riskcore.core.quantities import CENT, MONEY_SCALE, SECOND_NS
from riskcore.core.rules import RULES
from riskcore.schema.instants import read_instant
from riskcore.schema.rows import Row

MINUS = "\N{MINUS SIGN}"
_EXCHANGE = ZoneInfo("America/Chicago")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TITLES = {rule.id: rule.title for rule in RULES}
_TITLE_OF_TABLE = {rule.name: (rule.id, rule.title) for rule in RULES}

# What a flag of a day means (WHATIF.md 4); the short word stands in the table, the sentence below it.
FLAGS = {
    "extrapolated": (
        "extrapolated",
        "The record closed what the other settings would have kept: the rest of the day is simulated.",
    ),
    "from_bars": ("priced inside a bar", "The close lies inside a bar: its price is known only as a range."),
    "priced_by_fill": (
        "priced by your next fill",
        "Neither quotes nor bars cover the close: your next fill of that contract is its price.",
    ),
    "unpriced": ("priced by the last mark", "Nothing came after the close to price it: the last mark is its price."),
    "stale_fill": ("old quote", "The quote that priced a close was older than the settings allow for a mark."),
    "late_fill": ("late price", "The price of a close came more than 10 seconds after it was due."),
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """How amounts are written: in dollars, or, for a report to share, in percent of the loss limit."""

    shared: bool = False

    def signed(self, value: int) -> str:
        """To the cent (or a tenth of a percent), with a sign unless it is zero: +2,140.00."""
        text = self._percent(value) if self.shared else _cents(value)
        return _with_sign(text, value)

    def short(self, value: int) -> str:
        """As `signed`, without cents when there are none: +2,140."""
        return self.signed(value).removesuffix(".00").replace(".0%", "%")

    def plain(self, value: int) -> str:
        """Without a plus sign: a cost, a distance."""
        return self.signed(value).removeprefix("+")

    def axis(self, value: int) -> str:
        """As short as the scale of a chart needs it: 500, 25k, 1.5M."""
        if self.shared:
            return _with_sign(self._percent(value).replace(".0%", "%"), value)
        size, unit = abs(value), ""
        for scale, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
            if size >= scale * MONEY_SCALE and (scale > 10**3 or size >= 10**4 * MONEY_SCALE):
                size, unit = size // scale, name
                break
        text = _cents(size)
        return _with_sign(text.rstrip("0").removesuffix(".") + unit if "." in text else text + unit, value)

    def _percent(self, value: int) -> str:
        tenths = (abs(value) + 500) // 1000
        return f"{tenths // 10:,}.{tenths % 10}%"


def _cents(value: int) -> str:
    cents = (abs(value) + CENT // 2) // CENT
    return f"{cents // 100:,}.{cents % 100:02d}"


def _with_sign(text: str, value: int) -> str:
    """Nothing that shows as zero has a sign."""
    if not any(digit in text for digit in "123456789"):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 day, 1,200 days."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(fraction: int) -> str:
    """A ratio in 1e-6 as a whole percent: 71%."""
    whole = (abs(fraction) + 5000) // 10_000
    return f"{MINUS if fraction < 0 and whole else ''}{whole:,}%"


# ---- days and instants -------------------------------------------------------------------------------


def day_words(trade_date: str) -> str:
    """A trading day in a table: Tue 2025-09-02."""
    return f"{_WEEKDAYS[date.fromisoformat(trade_date).weekday()]} {trade_date}"


def day_short(trade_date: str) -> str:
    """A trading day on an axis: 2 Sep."""
    day = date.fromisoformat(trade_date)
    return f"{day.day} {_MONTHS[day.month - 1]}"


def span_words(first: str, last: str) -> str:
    """The first and last trading day: 2 Sep to 28 Nov 2025."""
    if first == last:
        return f"{day_short(first)} {first[:4]}"
    year = f" {first[:4]}" if first[:4] != last[:4] else ""
    return f"{day_short(first)}{year} to {day_short(last)} {last[:4]}"


def time_words(at: str | None, trade_date: str | None = None) -> str:
    """An instant on the exchange's clock, with its date when that is not the trading day: 10:31:05 CT."""
    if at is None:
        return ""
    local = datetime.fromtimestamp(read_instant(at) // SECOND_NS, _EXCHANGE)
    clock = f"{local:%H:%M:%S} CT"
    day = local.date().isoformat()
    return clock if day == trade_date else f"{day_short(day)} {clock}"


# ---- rules, contracts, actions -----------------------------------------------------------------------


def rule_title(rule: str) -> str:
    """What a rule is for, by its id; an id without a title stays as it is."""
    return _TITLES.get(rule[:8], rule)


def contract_words(contract: str) -> str:
    """A contract as a trader names it: MNQ U25 for CON.F.US.MNQ.U25."""
    code = product_code(contract)
    return f"{root_of_code(code)} {contract.rpartition('.')[2]}" if code != contract else contract


def action_words(action: Row | None) -> str:
    """What a course did at a divergence: closes MNQ U25 (RULE-004)."""
    if action is None:
        return "nothing"
    contract = contract_words(action["contract"]) if action.get("contract") else ""
    size, rule = action.get("size"), action.get("rule")
    words = {
        "CloseAllPositions": "closes all positions",
        "ClosePosition": f"closes {contract}",
        "ReducePosition": f"reduces {contract}" + (f" to {action['to']}" if "to" in action else ""),
        "CancelOrders": f"cancels orders in {contract}" if contract else "cancels orders",
        "CancelOrder": f"cancels an order in {contract}" if contract else "cancels an order",
        "PlaceStop": f"places a stop in {contract}",
        "ModifyStop": f"moves the stop in {contract}",
        "ModifyTarget": f"moves the target in {contract}",
        "SetLockout": "locks the account"
        if action.get("scope", "account") == "account"
        else f"locks {action['scope']}",
        "KeepOut": f"keeps out an entry of {size} {contract}",
    }.get(action["kind"], f"{action['kind']} {contract}".strip())
    return f"{words} ({rule})" if rule else words


def flag_words(flag: str) -> str:
    """A flag of a day in a word or two."""
    return FLAGS[flag][0] if flag in FLAGS else flag.replace("_", " ")


# ---- settings ----------------------------------------------------------------------------------------


def value_words(value: Any) -> str:
    """A setting's value; one that is not there means that its rule is off."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def setting_of(key: str) -> tuple[str, str, str] | None:
    """The rule id, its title and the field's words of a key such as rules.daily_realized_loss.loss_limit."""
    parts = [part for part in key.split(".") if not part.isdigit()]
    if len(parts) < 3 or parts[0] != "rules" or parts[1] not in _TITLE_OF_TABLE:
        return None
    rule, title = _TITLE_OF_TABLE[parts[1]]
    return rule, title, " ".join(parts[2:]).replace("_", " ")
