"""The account's balance against our own net result: unknown commissions, and whether the two agree (RULES.md 1.5).

Between two words about the balance, both while flat and with no fill about, it moves by exactly the net result of the
fills between them (API.md 3.5). Part of the fold, and only where a live engine sees every fill.
"""

from dataclasses import replace

from riskcore.core.quantities import SECOND_NS, money_text
from riskcore.core.state import Account, Book, Trade

# Account, fill and position of one execution come in no fixed order: a balance this close to a fill is not compared.
CALM_NS = 2 * SECOND_NS
NAME = "calibration"  # The rule that reports it, and whose memory this is.
KEY = f"{NAME}.0"
# Dropped at the reset: every day is compared with itself.
BALANCE, NET, AT, DIFFERENCE, STEADY = "day.balance", "day.net", "day.at", "day.difference", "day.steady"


def compare_balance(book: Book, account: Account, told_at: int) -> tuple[str, str] | None:
    """Compare the balance told at an instant; returns contract and text when it gave unknown commissions away."""
    fills = [trade for trade in account.trades.values() if not trade.voided]
    last_at = max((trade.recorded_at for trade in fills), default=0)
    open_lots = any(position.lots or position.early for position in account.positions.values())
    if not book.started_at or account.unseeded or account.balance_usd is None:
        return None
    if account.held() or open_lots or told_at - last_at < CALM_NS:
        return None
    net_usd = sum(day.net_usd for day in account.days.values())
    known_usd = account.memory.get(f"{KEY}.{BALANCE}")
    if known_usd is None:
        _agree(account, net_usd, told_at)
        return None
    difference = (net_usd - account.memory[f"{KEY}.{NET}"]) - (account.balance_usd - known_usd)
    since = account.memory[f"{KEY}.{AT}"]
    unknown = [trade for trade in fills if trade.commissions_usd is None and trade.recorded_at > since]
    if difference > 0 and unknown:
        _spread(account, unknown, difference)
        _agree(account, net_usd - difference, told_at)
        text = f"commissions of {money_text(difference)} were not told and are taken from the change of the balance"
        return unknown[-1].contract, text
    if difference == 0:
        _agree(account, net_usd, told_at)
    elif account.memory.get(f"{KEY}.{DIFFERENCE}") != difference:
        account.memory[f"{KEY}.{DIFFERENCE}"] = difference
    else:
        _agree(account, net_usd, told_at)
        account.memory[f"{KEY}.{STEADY}"] = difference
    return None


def _agree(account: Account, net_usd: int, told_at: int) -> None:
    """What is compared with from now on."""
    assert account.balance_usd is not None, "a balance that is compared is known"
    account.memory[f"{KEY}.{BALANCE}"], account.memory[f"{KEY}.{NET}"] = account.balance_usd, net_usd
    account.memory[f"{KEY}.{AT}"] = told_at
    account.memory.pop(f"{KEY}.{DIFFERENCE}", None)


def _spread(account: Account, unknown: list[Trade], total_usd: int) -> None:
    """Give each fill its share by size; a version that tells its commissions replaces that (RULES.md 1.5)."""
    contracts, left_usd = sum(trade.size for trade in unknown), total_usd
    for trade in unknown:
        share_usd = left_usd if trade is unknown[-1] else total_usd * trade.size // contracts
        left_usd -= share_usd
        account.trades[trade.id] = replace(trade, commissions_usd=share_usd)
        account.day(trade.trade_date).commissions_usd += share_usd
