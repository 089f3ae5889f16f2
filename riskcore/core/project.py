"""apply(book, event): the fold. Changes the working copy of the book and says what changed; decides nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from riskcore.core import events as e
from riskcore.core.broker_view import (
    account_observed,
    order_observed,
    orders_listed,
    position_observed,
    positions_listed,
)
from riskcore.core.carried import believe_broker
from riskcore.core.copies import copy_account
from riskcore.core.exposure_change import baseline_of, know_contract
from riskcore.core.fills import record_trade, void_trade
from riskcore.core.freshness import UNSEEN_SINCE
from riskcore.core.in_force import end_lockout, end_obligation, put_in_force, remember_guard_close
from riskcore.core.issuers import GUARD_ID
from riskcore.core.loosening import in_force_now
from riskcore.core.marks import default_age, valued_side
from riskcore.core.names import (
    breached_date,
    breached_on,
    counted_date,
    episode_key,
    episode_name,
    episode_target,
    is_once_per_setting,
    lasts_a_day,
    memory_name,
    order_of_target,
    remembered_name,
)
from riskcore.core.old_trades import DAYS_OF_FIGURES_KEPT, retire
from riskcore.core.order_roles import LEG_GRACE_NS
from riskcore.core.programme import balances
from riskcore.core.quarantine import leave_timer_out
from riskcore.core.requests import (
    HALTED_NS,
    awaits_trading,
    request_attempted,
    request_confirmed,
    request_planned,
    request_refused,
    request_state,
    request_superseded,
    resume_closes,
)
from riskcore.core.restart import awaited_by, engine_started, shown, trades_listed
from riskcore.core.rulebook import changed_keys
from riskcore.core.state import (
    Account,
    Book,
    Lockout,
    Mark,
    Order,
    account_of,
)
from riskcore.core.view import Effect

NOTHING = Effect()


def apply(book: Book, event: e.Event) -> Effect:
    """Fold one event into the book. Unknown bodies are a programming error (KeyError)."""
    unknown = awaited_by(book, event.body)
    book.now = event.at
    return shown(book, event.body, _HANDLERS[type(event.body)](book, event.at, event.body), unknown)


def _day_opened(book: Book, at: int, body: e.TradingDayOpened) -> Effect:
    book.profile, book.day, book.settings, book.lacks = body.profile, body.day, body.settings, body.lacks
    book.contracts = {contract.id: contract for contract in body.contracts}
    book.marks = dict(body.marks)
    book.accounts = {account.id: copy_account(account) for account in body.accounts}
    book.connections, book.connection_since = dict(body.connections), dict(body.connection_since)
    book.ordinal, book.enforces, book.started_at = body.ordinal, body.enforces, body.started_at
    for account in book.accounts.values():
        if account.held():
            account.day(body.day.trade_date).held = True
    return NOTHING


def _contract_described(book: Book, at: int, body: e.ContractDescribed) -> Effect:
    book.contracts[body.contract.id] = body.contract
    return NOTHING


def _trade_recorded(book: Book, at: int, body: e.TradeRecorded) -> Effect:
    know_contract(book, body.contract)
    return record_trade(book, account_of(book, body.account), body, at)


def _trade_voided(book: Book, at: int, body: e.TradeVoided) -> Effect:
    return void_trade(book, account_of(book, body.account), body, at)


def _quote_observed(book: Book, at: int, body: e.QuoteObserved) -> Effect:
    return _marked(book, body.contract, next_mark(book, body.contract, at, body.last, body.bid, body.ask))


def next_mark(book: Book, contract: str, at: int, last: int | None, bid: int | None, ask: int | None) -> Mark:
    """The mark after a sparse quote: what the quote leaves out stays as it was (API.md 0.11)."""
    return moved_mark(book.marks.get(contract), at, last, bid, ask, default_age(book))


def moved_mark(known: Mark | None, at: int, last: int | None, bid: int | None, ask: int | None, valid_ns: int) -> Mark:
    """The same for a mark that no book holds."""
    if known is not None:
        last = known.last if last is None else last
        bid = known.bid if bid is None else bid
        ask = known.ask if ask is None else ask
    return Mark(last, bid, ask, at, valid_ns)


def settle(book: Book, marks: Mapping[str, Mark]) -> None:
    """Put marks in place that quiet quotes moved; they changed nothing else (watch.py)."""
    for contract, mark in marks.items():
        know_contract(book, contract)
        book.marks[contract] = mark
        book.now = max(book.now, mark.at)


def _market_traded(book: Book, at: int, body: e.MarketTraded) -> Effect:
    return _marked(book, body.contract, next_mark(book, body.contract, at, body.price, None, None))


def _marked(book: Book, contract: str, mark: Mark) -> Effect:
    """Put a mark in place; the accounts that hold the contract are to be judged."""
    if contract not in book.contracts:
        know_contract(book, contract)
    known = book.marks.get(contract)
    book.marks[contract] = mark
    holders = _holders(book, contract, mark)
    if not holders:
        return NOTHING
    resumed = False
    for account in (book.accounts[name] for name in holders if known is None or mark.at - known.at >= HALTED_NS):
        resumed = resumed or awaits_trading(account, contract, mark.at)
        resume_closes(account, contract, mark.at)
    return Effect(holders, contract=contract, resumed=resumed)


def _holders(book: Book, contract: str, mark: Mark) -> tuple[int, ...]:
    holders = []
    for account in book.accounts.values():
        position = account.positions.get(contract)
        if position is not None and position.valued:
            holders.append(account.id)
            if not (mark.last is None and mark.bid is None and mark.ask is None):
                position.awaits_mark = False
    return tuple(holders)


def bar_phases(book: Book, event: e.Event, body: e.BarObserved) -> Iterator[Effect]:
    """The marks a bar gives each holder, one phase after the other (RULES.md 1.5, Bars).

    A position held through the whole bar sees its adverse extreme, then the other, then the close; a bar
    with a change of the position inside gives only its close; one that ended before it gives nothing.
    """
    book.now = event.at
    ends_at = body.opens_at + body.unit_ns
    known = book.marks.get(body.contract)
    if known is not None and known.at >= ends_at:
        return
    know_contract(book, body.contract)
    template = Mark(None, None, None, ends_at, body.unit_ns + default_age(book), from_bars=True)
    for account in book.accounts.values():
        position = account.positions.get(body.contract)
        if position is None or not position.valued:
            continue
        if max(position.changed_at, position.fill_at) >= ends_at:
            continue
        prices = [body.close]
        if max(position.changed_at, position.fill_at) < body.opens_at:
            long = valued_side(position) > 0
            prices = [body.low, body.high, body.close] if long else [body.high, body.low, body.close]
        position.awaits_mark = False
        for price in prices:
            book.marks[body.contract] = replace(template, last=price)
            yield Effect((account.id,), contract=body.contract)
    book.marks[body.contract] = replace(template, last=body.close)


def _connection_changed(book: Book, at: int, body: e.ConnectionChanged) -> Effect:
    if book.connections.get(body.hub) != body.state:
        book.connections[body.hub] = body.state
        book.connection_since[body.hub] = at
    return Effect(tuple(book.accounts))


def _sight_changed(book: Book, at: int, body: e.SightChanged) -> Effect:
    account = account_of(book, body.account)
    if body.lost:
        account.memory.setdefault(UNSEEN_SINCE, at)
    else:
        account.memory.pop(UNSEEN_SINCE, None)
    return Effect((account.id,))


def _config_changed(book: Book, at: int, body: e.ConfigChanged) -> Effect:
    """What tightens is in force at once, what loosens comes with the next day's opening (RULES.md 1.6).

    A total breaches once per day or period and setting, so under another setting it may again.
    """
    before, book.settings = book.settings, in_force_now(book.settings, body.settings)
    for account in book.accounts.values():
        keys = changed_keys(before, book.settings, account)
        for name in [name for name in account.episodes if episode_key(name) in keys]:
            if is_once_per_setting(episode_target(name)):
                del account.episodes[name]
    return Effect(tuple(book.accounts))


def _changes_nothing(book: Book, at: int, body: Any) -> Effect:
    return NOTHING


def _judged_again(book: Book, at: int, body: Any) -> Effect:
    """Facts and timers that change no state of their own but are a moment to look (ticks, timers)."""
    return Effect((body.account,)) if body.account in book.accounts else NOTHING


def _entered(book: Book, at: int, body: Any) -> Effect:
    """What only the operator knows of an account, which may not have been heard of yet."""
    return Effect((account_of(book, body.account).id,))


def _day_rolled(book: Book, at: int, body: e.DayRolled) -> Effect:
    for account in book.accounts.values():
        for name in [name for name in account.episodes if lasts_a_day(episode_target(name))]:
            del account.episodes[name]
        for name in [name for name in account.memory if lasts_a_day(remembered_name(name))]:
            del account.memory[name]
        account.orders = _orders_kept(account, at)
        account.guarded = {key: value for key, value in account.guarded.items() if key in account.orders}
        for trade_date in sorted(account.days)[:-DAYS_OF_FIGURES_KEPT]:
            del account.days[trade_date]
        retire(account, at)
        account.counters = {name: value for name, value in account.counters.items() if _may_count_on(account, name)}
    return NOTHING


def _orders_kept(account: Account, at: int) -> dict[int, Order]:
    """What works, and the entries whose bracket legs are judged by when they filled (RULE-008, Reset: continues)."""
    entries = [order.parent_id for order in account.working_orders()]
    return {
        key: order
        for key, order in account.orders.items()
        if order.working or key in entries or (order.filled_at is not None and at - order.filled_at <= LEG_GRACE_NS)
    }


def _may_count_on(account: Account, counter: str) -> bool:
    """Whether what a counter counts can happen again: not to an order that is gone, or on a day that is forgotten."""
    target = episode_target(counter)
    order_id, trade_date = order_of_target(target), counted_date(target)
    if order_id is not None:
        return order_id in account.orders
    return trade_date is None or trade_date in account.days


def _rule_breached(book: Book, at: int, body: e.RuleBreached) -> Effect:
    account = account_of(book, body.account)
    name = episode_name(body.rule_key, body.target)
    account.counters[name] = account.counters.get(name, 0) + 1
    trade_date = breached_date(body.target, book.trade_date)
    if trade_date is not None:
        # A day's total breaches once per day and setting, whenever its last fill turns up.
        account.counters[episode_name(body.rule_key, breached_on(trade_date))] = 1
    if body.episode:
        account.episodes[name] = at
    if body.rule == GUARD_ID:
        remember_guard_close(account, body, at)
    account.day(book.trade_date).breached = True
    return NOTHING


def _episode_ended(book: Book, at: int, body: e.EpisodeEnded) -> Effect:
    account_of(book, body.account).episodes.pop(episode_name(body.rule_key, body.target), None)
    return NOTHING


def _command_issued(book: Book, at: int, body: e.CommandIssued) -> Effect:
    account = account_of(book, body.account)
    if body.breach is None and body.target:
        name = episode_name(body.rule_key, body.target)
        account.counters[name] = account.counters.get(name, 0) + 1
        account.episodes[name] = at
    if body.command.kind == "SetLockout":
        _set_lockout(account, body, at)
    else:
        put_in_force(account, body, at)
    return NOTHING


def _set_lockout(account: Account, body: e.CommandIssued, at: int) -> None:
    command = body.command
    assert command.scope is not None
    assert command.lockout_key is not None
    assert command.lockout_kind is not None
    held = {
        contract: baseline_of(position) for contract, position in account.positions.items() if baseline_of(position)
    }
    if command.contract is not None:
        # What this very event opened was not held before the lockout: the guard judges it.
        held.pop(command.contract, None)
    lockout = Lockout(
        command.scope,
        body.rule,
        command.lockout_key,
        command.lockout_kind,
        at,
        command.expires_at,
        command.text or "",
        held,
    )
    known = account.lockouts.setdefault(lockout.id, lockout)
    if known.expires_at is not None and (lockout.expires_at is None or lockout.expires_at > known.expires_at):
        # Setting again keeps the later expiry and never shortens (RULES.md 3.1).
        known.expires_at = lockout.expires_at
        if known.kind != lockout.kind:
            known.kind, known.reason = lockout.kind, lockout.reason


def _lockout_ended(book: Book, at: int, body: e.LockoutEnded) -> Effect:
    end_lockout(account_of(book, body.account), body.lockout)
    return Effect((body.account,))


def _obligation_met(book: Book, at: int, body: e.ObligationMet) -> Effect:
    end_obligation(account_of(book, body.account), body.obligation)
    return NOTHING


def _drift_detected(book: Book, at: int, body: e.DriftDetected) -> Effect:
    account = account_of(book, body.account)
    position = account.positions[body.contract]
    position.disagrees_since = None
    believe_broker(book, account, position)
    return Effect((body.account,), contract=body.contract)


def _balance_drifted(book: Book, at: int, body: e.BalanceDrifted) -> Effect:
    """The same difference is reported once."""
    account = account_of(book, body.account)
    account.memory[memory_name(balances.KEY, balances.DRIFT)] = body.broker_usd - body.computed_usd
    return NOTHING


_HANDLERS: dict[type[Any], Callable[[Book, int, Any], Effect]] = {
    e.TradingDayOpened: _day_opened,
    e.AccountObserved: account_observed,
    e.ContractDescribed: _contract_described,
    e.OrderObserved: order_observed,
    e.OrdersListed: orders_listed,
    e.PositionObserved: position_observed,
    e.PositionsListed: positions_listed,
    e.TradesListed: trades_listed,
    e.TradeRecorded: _trade_recorded,
    e.TradeVoided: _trade_voided,
    e.QuoteObserved: _quote_observed,
    e.MarketTraded: _market_traded,
    e.ConnectionChanged: _connection_changed,
    e.SightChanged: _sight_changed,
    e.ConfigChanged: _config_changed,
    e.ClockTicked: _changes_nothing,
    e.CallObserved: _changes_nothing,
    e.DepthObserved: _changes_nothing,
    e.WireRejected: _changes_nothing,
    e.FactQuarantined: _changes_nothing,
    e.TimerQuarantined: leave_timer_out,
    e.EngineStarted: engine_started,
    e.OrderRequested: _judged_again,
    e.LockRequested: _judged_again,
    e.FlattenRequested: _judged_again,
    e.OperatorOverride: _judged_again,
    e.PayoutRecorded: _entered,
    e.ProgrammeReset: _entered,
    e.NoteRecorded: _entered,
    e.DayRolled: _day_rolled,
    e.TimerFired: _judged_again,
    e.RuleBreached: _rule_breached,
    e.EpisodeEnded: _episode_ended,
    e.CommandIssued: _command_issued,
    e.LockoutEnded: _lockout_ended,
    e.ObligationMet: _obligation_met,
    e.GapRecorded: _changes_nothing,
    e.DriftDetected: _drift_detected,
    e.BalanceDrifted: _balance_drifted,
    e.TargetReached: _changes_nothing,
    e.RuleFaulted: _changes_nothing,
    e.OrderDeclined: _changes_nothing,
    e.RequestPlanned: request_planned,
    e.RequestAttempted: request_attempted,
    e.RequestAccepted: request_state("accepted"),
    e.RequestUnresolved: request_state("unresolved"),
    e.RequestRefused: request_refused,
    e.RequestConfirmed: request_confirmed,
    e.RequestSuperseded: request_superseded,
}
