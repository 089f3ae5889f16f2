"""Commands of the planner's own, which no breach asked for: looks after flat, small corrections, alerts."""

from collections.abc import Iterator

from riskcore.core.events import Command, CommandIssued
from riskcore.core.exit_orders import alert_due, exit_orders, works
from riskcore.core.issuers import PLANNER_ID, PLANNER_KEY
from riskcore.core.kinds import CLOSING
from riskcore.core.names import command_id, episode_name
from riskcore.core.rules.commands import alert
from riskcore.core.state import Account, Book, Obligation

ALERT_AT_FAILURE = 3


def confirm_flat(account: Account, stem: str, contract: str | None, breach: str | None) -> CommandIssued:
    command = Command("ConfirmFlat", contract=contract, scope="all")
    return CommandIssued(command_id(stem, command.kind), account.id, PLANNER_ID, PLANNER_KEY, breach, command)


def issued(book: Book, account: Account, about: str, command: Command) -> CommandIssued:
    """A command of the planner's own, which no breach asked for."""
    name = command_id(f"{PLANNER_ID}/{account.id}/{about}@{book.now}", command.kind)
    return CommandIssued(name, account.id, PLANNER_ID, PLANNER_KEY, None, command)


def failure_alerts(account: Account, obligation: Obligation) -> Iterator[CommandIssued]:
    """At the third failure in a row the trader is alerted, once for each target (RULES.md 1.6)."""
    for target, attempts in obligation.attempts.items():
        about = f"{obligation.id}/{target}"
        if attempts.failures >= ALERT_AT_FAILURE and episode_name(PLANNER_KEY, about) not in account.episodes:
            text = f"{obligation.kind}: {target} was not carried out in {attempts.failures} attempts; still trying"
            command = alert(text, "critical", obligation.contract)
            yield CommandIssued(
                command_id(about, command.kind), account.id, PLANNER_ID, PLANNER_KEY, None, command, about
            )


def open_close_alerts(
    book: Book, account: Account, obligation: Obligation, command_timeout_ns: int
) -> Iterator[CommandIssued]:
    """You are alerted, once for each, about a close that is still open five seconds later (RULES.md 1.6)."""
    for request in account.requests.values():
        if request.obligation != obligation.id or request.kind not in CLOSING or request.state == "planned":
            continue
        due = alert_due(account, request, command_timeout_ns)
        about = f"{obligation.id}/{request.target}/{request.attempt}/open"
        if due is None or book.now < due or episode_name(PLANNER_KEY, about) in account.episodes:
            continue
        working = [order for order in exit_orders(account, request) if works(account, order)]
        if working:
            text = f"{request.contract}: closing order {working[0].id} is still working; riskcore waits for it to end"
            text += ", because a second close could reverse the position"
        else:
            text = f"{request.contract}: it is not known whether the close was carried out; the broker is asked again"
        command = alert(text, "critical", request.contract)
        yield CommandIssued(command_id(about, command.kind), account.id, PLANNER_ID, PLANNER_KEY, None, command, about)
