"""What rules remember of a day as it closes, in live, replay and rebuild alike: the last thing before DayRolled."""

from riskcore.core import events as e
from riskcore.core.quarantine import error_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Book
from riskcore.core.view import Effect, View


def close_day(book: Book, rulebook: Rulebook, rolled: e.Event) -> list[e.Derived]:
    """Let every rule that keeps something of a closed day see its end; returns what they report of it.

    `rolled` is the DayRolled to come. A rule that raises has left the same half-done memory wherever this runs.
    """
    reported: list[e.Derived] = []
    for account in book.accounts.values():
        view = View(book, account, rolled, Effect(), rulebook.profile.pnl_basis, rulebook.profile.mark)
        for instance in rulebook.instances(account):
            if instance.rule.day_closed is None or instance.lacking(book.lacks):
                continue
            view.rule_key = instance.key
            try:
                reported += instance.rule.day_closed(instance.params, view)
            except Exception as error:
                reported.append(e.RuleFaulted(account.id, instance.rule.id, instance.key, error_text(error)))
    return reported
