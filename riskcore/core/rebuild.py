"""State again from stored events: apply and remember, no judging (invariant I4: refold = live state)."""

from collections.abc import Iterable, Sequence

from riskcore.core import events as e
from riskcore.core.day_end import close_day
from riskcore.core.project import apply, bar_phases, settle
from riskcore.core.rulebook import Rulebook, RuleInstance, rulebook_of
from riskcore.core.state import Account, Book
from riskcore.core.view import Effect, View
from riskcore.core.watch import QuietMarks


def rebuild(book: Book, rulebook: Rulebook, events: Iterable[e.Event]) -> None:
    """Fold stored events into the book in place, quiet quotes by their marks alone.

    A quiet quote changes nothing that a rule remembers, so only the last mark of a quiet run is put in place.
    """
    quiet = QuietMarks()
    for event in events:
        body = event.body
        if isinstance(body, e.QuoteObserved):
            _quote(quiet, book, rulebook, event, event.at, body.contract, body.last, body.bid, body.ask)
        elif isinstance(body, e.QuotesObserved):
            for row in body.quotes:
                _quote(quiet, book, rulebook, None, *row)
        else:
            settle(book, quiet.settled(book))
            fold(book, rulebook, event)
            quiet.happened()
            if isinstance(body, e.ConfigChanged):
                rulebook = rulebook_of(book.settings, rulebook.restrict)
    settle(book, quiet.settled(book))


def _quote(
    quiet: QuietMarks,
    book: Book,
    rulebook: Rulebook,
    event: e.Event | None,
    at: int,
    contract: str,
    last: int | None,
    bid: int | None,
    ask: int | None,
) -> None:
    if quiet.is_quiet(book, quiet.bounds(book, rulebook), at, contract, last, bid, ask):
        quiet.move(at, contract, last, bid, ask)
        return
    settle(book, quiet.settled(book))
    fold(book, rulebook, event or e.Event(at, "market", "", e.QuoteObserved(contract, last, bid, ask)))
    quiet.happened()


def fold(book: Book, rulebook: Rulebook, event: e.Event) -> None:
    """Fold one stored event into the book in place: apply and remember, no judging (rebuild from the journal)."""
    body = event.body
    if isinstance(body, e.QuotesObserved):
        for at, contract, last, bid, ask in body.quotes:
            fold(book, rulebook, e.Event(at, "market", "", e.QuoteObserved(contract, last, bid, ask)))
        return
    if isinstance(body, e.DayRolled):
        close_day(book, rulebook, event)  # What it reports is stored beside it.
    effects = bar_phases(book, event, body) if isinstance(body, e.BarObserved) else (apply(book, event),)
    if isinstance(body, e.ConfigChanged):
        # The rules of the new settings remember from this very event on, as they did when it was judged.
        rulebook = rulebook_of(book.settings, rulebook.restrict)
    for effect in effects:
        for account_id in effect.accounts:
            account = book.accounts[account_id]
            marked = isinstance(body, e.MARKING)
            instances = rulebook.quote_readers(account) if marked else rulebook.instances(account)
            if instances:
                _remember(book, rulebook, account, instances, event, effect)
    book.now = event.at


def _remember(
    book: Book,
    rulebook: Rulebook,
    account: Account,
    instances: Sequence[RuleInstance],
    event: e.Event,
    effect: Effect,
) -> None:
    view = View(book, account, event, effect, rulebook.profile.pnl_basis, rulebook.profile.mark)
    for instance in instances:
        if instance.rule.remember is not None and not instance.lacking(book.lacks):
            view.rule_key = instance.key
            try:
                instance.rule.remember(instance.params, view)
            except Exception:
                # It left the same half-done memory when it was judged; RuleFaulted is stored beside it.
                continue
