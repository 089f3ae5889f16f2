"""What is allowed beside [programme] but rarely meant: limits of your own that are looser than the firm's."""

from collections.abc import Iterator, Mapping
from typing import Any

from riskcore.core.products import MICRO_UNITS_OF_A_MINI, micro_units
from riskcore.core.programme.target import allowed_best_day_usd
from riskcore.core.programme.terms import Terms, terms_of
from riskcore.core.quantities import fraction_text, limit_text, money_text
from riskcore.core.rules import RULES, by_name
from riskcore.core.rules.base import (
    CONTRACTS,
    DAY_LOSS,
    DAY_PROFIT,
    LONGER_LOSS,
    OPEN_POSITIONS,
    PROFIT_OF_DAY,
    UNITS,
    Beside,
    Cap,
)

Plain = Mapping[str, Any]
Tables = Mapping[str, list[dict[str, Any]]]


def programme_warnings(plain: Plain) -> list[str]:
    """Limits of the trader's own that are looser than the firm's, and buffers larger than the room."""
    found: dict[str, None] = {}
    for where, rules_at, terms, rules in _judged(plain):
        if terms.maximum_loss_usd is not None and terms.mll_buffer_usd > terms.maximum_loss_usd:
            room, half = limit_text(terms.maximum_loss_usd), limit_text(terms.maximum_loss_usd // 2)
            text = f"{where}.mll_buffer = {limit_text(terms.mll_buffer_usd)}: larger than the whole room of {room}; "
            found[f"{text}it counts as half of the room, {half} on the first day"] = None
        for path, cap in _caps(rules, rules_at):
            looser = _looser(cap, terms)
            if looser is not None:
                found[f"{path}.{cap.field} = {_amount(cap)}: {looser}"] = None
    return list(found)


def programme_notes(plain: Plain) -> list[str]:
    """What a trader could add: a stop at the largest day that counts in full (PROG-CONSISTENCY)."""
    found: dict[str, None] = {}
    for where, _, terms, rules in _judged(plain):
        if terms.created_unknown and terms.consistency is not None:
            text = f"{where}.created is not given (created_unknown): one day may be {_percent(terms)} of the profit, "
            found[f"{text}as for an account bought now"] = None
        allowed_usd = allowed_best_day_usd(terms)
        bounded = [bound for name, params in _active(rules) for bound in by_name(name).bounds(params)]
        if allowed_usd is None or terms.consistency is None or PROFIT_OF_DAY in bounded:
            continue
        table = Beside((), {PROFIT_OF_DAY: tuple(_bounding(PROFIT_OF_DAY))}).advice(PROFIT_OF_DAY)
        text = f"one day may make {money_text(allowed_usd)} ({_percent(terms)} of the target) before the target grows; "
        found[f'{text}to stop there: {table} profit_target = "{limit_text(allowed_usd)}"'] = None
    return list(found)


def _percent(terms: Terms) -> str:
    assert terms.consistency is not None, "a share is only told where there is one"
    return f"{fraction_text(terms.consistency * 100)} %"


def _bounding(bound: str) -> Iterator[str]:
    return (rule.name for rule in RULES if bound in rule.bounds(rule.params()))


def _judged(plain: Plain) -> Iterator[tuple[str, str, Terms, Tables]]:
    """Each programme with the rules beside it: address of both, terms, tables."""
    profile, own = plain["programme"], plain.get("programme_accounts", {})
    if profile is not None:
        yield "programme", "rules", terms_of(profile["terms"]), plain["rules"]
    for account in sorted({**own, **plain["accounts"]}):
        programme = own.get(account, profile)
        if programme is None:
            continue
        where = f"accounts.{account}.programme" if account in own else "programme"
        rules = {**plain["rules"], **plain["accounts"].get(account, {})}
        yield where, f"accounts.{account}.rules", terms_of(programme["terms"]), rules


def _active(rules: Tables) -> list[tuple[str, Any]]:
    return [
        (name, by_name(name).build(table))
        for name, tables in rules.items()
        for table in tables
        if table["enabled"] and not table["shadow"]
    ]


def _caps(rules: Tables, path: str) -> Iterator[tuple[str, Cap]]:
    for name, params in _active(rules):
        for cap in by_name(name).caps(params):
            yield f"{path}.{name}", cap


def _amount(cap: Cap) -> str:
    if cap.kind == UNITS:
        return str(cap.amount // MICRO_UNITS_OF_A_MINI)
    return str(cap.amount) if cap.kind == CONTRACTS else limit_text(cap.amount)


def _looser(cap: Cap, terms: Terms) -> str | None:
    """Why a cap is looser than the firm's; as large as the firm's is not."""
    if cap.kind in (DAY_LOSS, LONGER_LOSS, OPEN_POSITIONS):
        return _looser_loss(cap, terms)
    if cap.kind == DAY_PROFIT:
        allowed_usd = allowed_best_day_usd(terms)
        if allowed_usd is None or cap.amount <= allowed_usd:
            return None
        return f"above {money_text(allowed_usd)}, the largest day that leaves the firm's target as it is"
    return _looser_size(cap, terms)


def _looser_loss(cap: Cap, terms: Terms) -> str | None:
    """A longer period may lose more than one day may, but not what ends the account."""
    day_usd = None if cap.kind == LONGER_LOSS else terms.loss_limit_usd
    if day_usd is not None and cap.amount > day_usd:
        return f"looser than the firm's daily loss limit of {limit_text(day_usd)}, which acts first"
    if terms.maximum_loss_usd is not None and cap.amount > terms.maximum_loss_usd:
        return f"looser than the firm's maximum loss of {limit_text(terms.maximum_loss_usd)}, which ends the account"
    return None


def _looser_size(cap: Cap, terms: Terms) -> str | None:
    units = terms.size_cap_units
    if terms.scaling:
        units = max(lots for _, lots in terms.scaling) * MICRO_UNITS_OF_A_MINI
    if cap.root is not None:
        of_root = dict(terms.product_caps).get(cap.root)
        of_all = None if units is None else units // micro_units(cap.root)
        firm = min((one for one in (of_root, of_all) if one is not None), default=None)
        return None if firm is None or cap.amount <= firm else f"looser than the firm's cap of {firm} contracts"
    if units is None:
        return None
    minis = units // MICRO_UNITS_OF_A_MINI
    if cap.kind == UNITS:
        return None if cap.amount <= units else f"looser than the firm's cap of {minis} minis"
    if cap.amount <= minis:
        return None
    return (
        f"counts every contract as one, so it lets more minis through than the firm's cap of {minis}; "
        'weighting = "mini_equivalent" counts as the firm does'
    )
