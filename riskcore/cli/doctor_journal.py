"""What `riskcore doctor` checks in the journal: that it is whole and writable, and what it holds about the account."""

from dataclasses import dataclass, field
from pathlib import Path

from riskcore.audit.following import Follower
from riskcore.audit.happening_words import short
from riskcore.cli.doctor_checks import FAIL, OK, WARN, Check, told_as
from riskcore.cli.screen.words import counted
from riskcore.core.issuers import GUARD_ID
from riskcore.engine.control_file import control_path
from riskcore.schema.instants import utc_text
from riskcore.store.journal import Journal
from riskcore.store.lease import is_held
from riskcore.store.location import stored_profiles
from riskcore.store.recorder import refuse_no_journal, writer_lock

# The words of the guard when a position is reopened again and again (core/guard.py, RULES.md 3.2).
DAMAGED = "keep a copy and start with another --store; riskcore verify names the first damaged event"


@dataclass(slots=True)
class JournalChecks:
    """What was found, and the instant of the last event; 0 for none."""

    checks: list[Check] = field(default_factory=list)
    last_at: int = 0


def journal_checks(where: str, profile: str) -> JournalChecks:
    """Check the journal of a store; a missing one is not a fault."""
    found = JournalChecks()
    there = False
    with told_as("journal", found.checks, "name another one with --store"):
        there = refuse_no_journal(where)
    if found.checks:
        return found
    if not there:
        found.checks.append(Check("journal", OK, f"{where}: no journal yet; the first run makes it"))
        return found
    with told_as("journal", found.checks, DAMAGED):
        if profile not in stored_profiles(where):
            found.checks.append(Check("journal", OK, f"{where}: nothing of profile {profile} yet"))
            return found
        with Journal.open(where, profile) as journal:
            journal.verify_storage()
            days = len(journal.streams())
            follower = Follower(journal)
            follower.catch_up()
        found.last_at = follower.last_at
        last = f"the last event {short(utc_text(follower.last_at))}"
        found.checks.append(
            Check("journal", OK, f"{where}: {counted(days, 'day')} of profile {profile}, whole; {last}")
        )
        running = is_held(writer_lock(where, profile))
        found.checks.append(engine_check(running, profile))
        found.checks += control_checks(control_path(where, profile), running)
        found.checks.append(follower_check(follower))
        found.checks += accounts_checks(follower)
    return found


def engine_check(running: bool, profile: str) -> Check:
    """Whether an engine writes this profile at the moment."""
    if running:
        text = f"an engine is running for profile {profile}"
        return Check("engine", WARN, text, "a second one would exit with 4; riskcore status shows the one that runs")
    return Check("engine", OK, "no engine is running")


def control_checks(path: Path, running: bool) -> list[Check]:
    """A control file that an engine left behind when it was killed."""
    if running or not path.exists():
        return []
    advice = "nothing to do: the next engine writes its own; it may be deleted"
    return [Check("control file", WARN, f"{path} was left behind by an engine that was killed", advice)]


def follower_check(follower: Follower) -> Check:
    """Whether somebody reopened positions that were closed: a bot, a copier, a follower account."""
    alerts = [row for row in follower.told if row.get("kind") == "Alert" and row.get("rule") == GUARD_ID]
    if alerts:
        text = f"on {follower.trade_date} a position was reopened three times within a minute during a lockout"
        return Check("followers", WARN, text, "switch off the bot, copier or leader account that does this")
    return Check("followers", OK, "no closed position was reopened")


def accounts_checks(follower: Follower) -> list[Check]:
    """Judged accounts that may not be enforced on (RULES.md 6.8), or that the broker locked."""
    found = []
    for account in follower.book.accounts.values():
        name = account.name or account.id
        if account.simulated is False and follower.rulebook.judges(account):
            advice = "live funded accounts allow no API trading: take it out of profile.accounts"
            found.append(Check("account", FAIL, f"{name} is not a simulated account: riskcore will not arm", advice))
        if account.can_trade is False:
            found.append(Check("account", WARN, f"{name}: the broker does not allow trading", "look at the platform"))
    return found
