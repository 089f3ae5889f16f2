"""Turn.take(fact): what one fact leads to. The runner (runner.py) drives it and nothing else does.

Due timers first, each at its own time; then apply, remember, judge, arbitrate, guard, discharge. A turn edits its book
in place, one fact after the other: who may have to go back gives it a copy (Runner.begin).
Source: DESIGN.md "One event, end to end", RULES.md 1.1 and 3.3.
"""

from collections.abc import Sequence
from dataclasses import replace

from riskcore.core import events as e
from riskcore.core import guard
from riskcore.core.arbitrate import Candidate, issued
from riskcore.core.copies import copy_book
from riskcore.core.day_end import close_day
from riskcore.core.enforce import fitting, follow_up, missing, reopened
from riskcore.core.handed_on import carried_over
from riskcore.core.in_flight import ended
from riskcore.core.in_force import is_met
from riskcore.core.issuers import GUARD_ID, GUARD_KEY
from riskcore.core.kinds import LockoutEnd
from riskcore.core.names import breached_on, episode_name, late_target, rule_index
from riskcore.core.operator import operator_candidates, override_ends, reset_ends
from riskcore.core.project import apply, bar_phases
from riskcore.core.quarantine import error_text
from riskcore.core.quotes import quote_key
from riskcore.core.restart import awaited, is_absence, unseen_marks
from riskcore.core.rulebook import Rulebook, RuleInstance, orphaned, rulebook_of
from riskcore.core.rules.base import Action, Breach, Finding, Observed, Rearm
from riskcore.core.rules.commands import FLATTEN, alert, lock_until_reset
from riskcore.core.state import Account, Book
from riskcore.core.timers import FAULT, Timer, TimerFailed, due_timers
from riskcore.core.trader_orders import answer
from riskcore.core.view import Effect, View


class Turn:
    """The book facts are taken on, what is to be stored of it, and when time alone must act next."""

    def __init__(self, book: Book, rulebook: Rulebook, day_ended: bool = False, absent: bool = False) -> None:
        self.book = book
        self.rulebook = rulebook
        self.events: list[e.Event] = []
        self._next_due: int | None = None
        self._timers_known = False
        # Every timer of the book as it stands, where it was looked ahead and nothing has changed since.
        self.upcoming: list[Timer] | None = None
        self._day_ended = day_ended  # Its DayRolled is stored already.
        self._absent = absent  # Time passes that no engine watched: what waits for lists is not judged.

    def copied(self) -> "Turn":
        """The same on a copy of the book. Nothing may wait to be stored."""
        assert not self.events, "what was decided would be decided twice"
        other = Turn(copy_book(self.book), self.rulebook, self._day_ended, self._absent)
        other._next_due, other._timers_known = self._next_due, self._timers_known
        return other

    def decide_by(self, rulebook: Rulebook) -> None:
        """Judge by another rulebook, whose deadlines are other ones too."""
        self.rulebook = rulebook
        self._forget_timers()

    # ---- facts ---------------------------------------------------------------------------------------

    def take(self, fact: e.Event) -> None:
        """Handle one fact: the timers due before it, then the fact itself."""
        body, self.upcoming = fact.body, None
        if isinstance(body, e.TradingDayOpened):
            self._open_day(fact, body)
            return
        if isinstance(body, e.TimerQuarantined):
            # Before any time passes: what it leaves out is due by now.
            self.events.append(fact)
            apply(self.book, fact)
            self._timers_known = False
            return
        if is_absence(fact) or isinstance(body, e.EngineStarted):
            self._absent, self._timers_known = True, False
        self.advance(fact.at)
        if isinstance(body, e.EngineStarted):
            self._absent = False
        self.events.append(fact)
        if isinstance(body, e.QuotesObserved):
            self._take_quotes(body)
        elif isinstance(body, e.BarObserved):
            for effect in bar_phases(self.book, fact, body):
                self._judge_all(fact, effect)
            self.book.now = fact.at
        else:
            self._handle(fact)

    def _take_quotes(self, body: e.QuotesObserved) -> None:
        """Quotes journaled as one event are handled one by one, each at its own time."""
        for at, contract, last, bid, ask in body.quotes:
            self.advance(at)
            self._handle(e.Event(at, "market", quote_key(contract, at), e.QuoteObserved(contract, last, bid, ask)))

    def _open_day(self, fact: e.Event, body: e.TradingDayOpened) -> None:
        day = self.book.day
        if day is not None:
            assert fact.at == day.closes_at, "a trading day opens at the instant the one before it ends"
            self.end_day(body.day.trade_date)
            fact = replace(fact, body=carried_over(self.book, body))
            self._day_ended = False
        self.events.append(fact)
        apply(self.book, fact)
        self._change_rules(fact)
        self._timers_known = False

    def _change_rules(self, fact: e.Event) -> None:
        """Judge by the settings of the book from here on. What only a rule that is gone would end, ends with it."""
        self.rulebook = rulebook_of(self.book.settings, self.rulebook.restrict)
        for account in self.book.accounts.values():
            for lockout in orphaned(account, self.rulebook.instances(account)):
                self.derive(fact.at, fact.key, e.LockoutEnded(account.id, lockout, "config"))

    def end_day(self, next_date: str) -> None:
        """Close the open day under its own rules: timers due before its end, then DayRolled, once."""
        day = self.book.day
        if day is None or self._day_ended:
            return
        self._fire_timers(day.closes_at - 1)
        at, cause = day.closes_at, f"reset@{day.closes_at}"
        rolled = e.DayRolled(day.trade_date, next_date)
        for number, body in enumerate(close_day(self.book, self.rulebook, e.Event(at, "core", cause, rolled))):
            self.derive(at, cause, body, f"{type(body).__name__}:{cause}:{number}")
        self.derive(at, cause, rolled)
        self._day_ended = True

    def _handle(self, fact: e.Event) -> None:
        effect = apply(self.book, fact)
        if isinstance(fact.body, e.ConfigChanged):
            self._change_rules(fact)
        if effect.gap is not None and effect.contract is not None:
            self.derive(fact.at, fact.key, e.GapRecorded(effect.accounts[0], effect.contract, effect.gap))
        if isinstance(fact.body, e.EngineStarted):
            for gap in unseen_marks(self.book):
                self.derive(fact.at, fact.key, gap)
        self._judge_all(fact, effect)
        if isinstance(fact.body, e.OrderRequested):
            self.derive(fact.at, fact.key, answer(self.book, self.rulebook, fact))
        if not isinstance(fact.body, e.QUOTES):
            self._timers_known = False

    # ---- time ----------------------------------------------------------------------------------------

    def advance(self, at: int) -> None:
        """Let time pass up to an instant: every timer due at or before it fires, in order. Raises TimerFailed."""
        if not self._timers_known or (self._next_due is not None and self._next_due <= at):
            self._fire_timers(at)

    def look_ahead(self) -> int | None:
        """When the next timer is due, worked out if that is not known; nothing fires. Raises TimerFailed."""
        if not self._timers_known:
            timers = due_timers(self.book, self.rulebook, self._absent)
            self._next_due = timers[0].due if timers else None
            self._timers_known, self.upcoming = True, None if self._absent else timers
        return self._next_due

    def marks_moved(self) -> None:
        """Quiet quotes have moved marks. Deadlines hang on those of what is open; who is flat has no use for any."""
        if any(one.valued for account in self.book.accounts.values() for one in account.positions.values()):
            self._forget_timers()

    def _forget_timers(self) -> None:
        """Something that deadlines hang on has changed: the rulebook, or marks and when they are stale."""
        self._timers_known, self.upcoming = False, None

    def _fire_timers(self, until: int) -> None:
        fired: list[Timer] = []
        at_once: list[Timer] = []  # Of other accounts: the instant has come for the fired one alone.
        self.upcoming = None
        while True:
            timers = due_timers(self.book, self.rulebook, self._absent)
            timers = sorted([*timers, *(one for one in at_once if one not in timers)])
            if not timers or timers[0].due > until:
                break
            timer = timers[0]
            at_once = [one for one in timers if one.due == timer.due and one.account != timer.account]
            try:
                assert timer not in fired, "it did not move on after it fired"
                fired.append(timer)
                self._fire(timer)
            except Exception as error:
                raise TimerFailed(timer, error) from error
        self._next_due = timers[0].due if timers else None
        self._timers_known = True

    def _fire(self, timer: Timer) -> None:
        at = max(timer.due, self.book.now)
        key = f"timer:{timer.rule}:{timer.account}:{timer.target}@{timer.due}"
        account = self.book.accounts[timer.account]
        if timer.kind == "fault":
            self._fire_fault(account, timer, e.Event(at, "core", key, e.ClockTicked(), key))
            return
        if timer.kind == "lockout":
            ended_by: LockoutEnd = "reset" if account.lockouts[timer.target].kind == "until_reset" else "expiry"
            body: e.Derived = e.LockoutEnded(account.id, timer.target, ended_by)
        elif timer.kind == "drift":
            position = account.positions[timer.target]
            body = e.DriftDetected(account.id, timer.target, position.lot_size, position.size)
        else:
            body = e.TimerFired(account.id, timer.rule, timer.target)
        event = e.Event(at, "core", key, body, key)
        self.events.append(event)
        self._judge_all(event, apply(self.book, event))

    def _fire_fault(self, account: Account, timer: Timer, moment: e.Event) -> None:
        """A rule could not say when its next deadline is: it fails closed like one that raises when it judges."""
        view = self._view(account, moment, Effect())
        view.rule_key = timer.target
        [instance] = [one for one in self.rulebook.instances(account) if one.key == timer.target]
        self._issue(account, moment, self._faulted(instance, view, timer.text))
        self._discharge(account, moment)
        self._carry_out(account, moment)

    # ---- judging -------------------------------------------------------------------------------------

    def _judge_all(self, event: e.Event, effect: Effect) -> None:
        marked = isinstance(event.body, e.MARKING)
        for account_id in effect.accounts:
            account = self.book.accounts[account_id]
            if marked:
                self._judge_mark(account, event, effect)
            elif account.obligations or account.requests or self.rulebook.judges(account):
                self._judge(account, event, effect)
        if effect.accounts:
            self._judge_together(event, effect.accounts, marked)

    def _judge_together(self, event: e.Event, judged: tuple[int, ...], marked: bool) -> None:
        """What is judged over several accounts is judged in the others too; nothing else is new for them."""
        for account in self.book.accounts.values():
            if account.id in judged:
                continue
            joint = [one for one in self.rulebook.joint(account) if not marked or one.rule.quiet is not None]
            if joint:
                self._look_and_act(joint, account, event, Effect())

    def _judge_mark(self, account: Account, event: e.Event, effect: Effect) -> None:
        """A moved mark concerns only the rules that read quotes, and neither the guard nor an obligation."""
        if effect.resumed:
            self._carry_out(account, event)
            self._timers_known = False
        readers = self.rulebook.quote_readers(account)
        if readers:
            self._look_and_act(readers, account, event, effect)

    def _look_and_act(
        self, instances: Sequence[RuleInstance], account: Account, event: e.Event, effect: Effect
    ) -> None:
        """Some rules alone are judged, and what they ask for is carried out."""
        view = self._view(account, event, effect)
        candidates = self._look(instances, view)
        if candidates:
            self._issue(account, event, candidates)
            self._discharge(account, event)
            self._carry_out(account, event)
        if candidates or view.changed:
            self._timers_known = False

    def _judge(self, account: Account, event: e.Event, effect: Effect) -> None:
        instances = self.rulebook.instances(account)
        view = self._view(account, event, effect)
        candidates = self._look(instances, view)
        candidates.extend(operator_candidates(view))
        for lockout in override_ends(view, self.rulebook.profile):
            self.derive(event.at, event.key, e.LockoutEnded(account.id, lockout, "override"))
        for lockout in reset_ends(view):
            self.derive(event.at, event.key, e.LockoutEnded(account.id, lockout, "operator"))
        if candidates:
            self._issue(account, event, candidates)
        if self.rulebook.judges(account):
            for breach in guard.evaluate(view):
                found = self._breached(GUARD_ID, GUARD_KEY, 0, view, breach, shadow=False, late=False)
                self._issue(account, event, found)
        self._discharge(account, event)
        self._carry_out(account, event)
        if view.changed or candidates:
            self._timers_known = False

    def _view(self, account: Account, event: e.Event, effect: Effect) -> View:
        profile = self.rulebook.profile
        return View(self.book, account, event, effect, profile.pnl_basis, profile.mark)

    def _look(self, instances: Sequence[RuleInstance], view: View) -> list[Candidate]:
        """All rules remember, then all rules judge: none sees another one's decision."""
        if self.book.lacks:
            instances = [instance for instance in instances if not instance.lacking(self.book.lacks)]
        candidates: list[Candidate] = []
        for instance in instances:
            remember = instance.rule.remember
            if remember is not None:
                view.rule_key = instance.key
                try:
                    remember(instance.params, view)
                except Exception as error:
                    candidates += self._faulted(instance, view, error_text(error))
        unknown = awaited(self.book, view.account, self._absent)
        for instance in instances:
            if unknown and instance.waits(unknown):
                continue
            view.rule_key = instance.key
            try:
                findings = instance.rule.evaluate(instance.params, view)
            except Exception as error:
                candidates += self._faulted(instance, view, error_text(error))
                continue
            for finding in findings:
                candidates += self._found(instance, view, finding)
        return candidates

    def _faulted(self, instance: RuleInstance, view: View, text: str) -> list[Candidate]:
        """A rule that raises fails closed: no new exposure until the reset, and the other rules go on."""
        if view.episode_open(FAULT):
            return []
        fault = e.RuleFaulted(view.account.id, instance.rule.id, instance.key, text)
        self.derive(view.now, view.event.key, fault)
        reason = f"{instance.rule.id} failed ({text}); nothing may be opened until the reset"
        commands = (lock_until_reset(reason, key="fault"), alert(reason, "critical"))
        return self._found(instance, view, Action(FAULT, commands))

    def _found(self, instance: RuleInstance, view: View, finding: Finding) -> list[Candidate]:
        rule = instance.rule
        # Only what reads fills is about the day of a fill; the others judge what there is now.
        late = view.effect.late and ("trades" in rule.needs(instance.params) or view.looked_at_fill)
        if isinstance(finding, Rearm):
            ended = e.EpisodeEnded(view.account.id, instance.key, finding.target)
            self.derive(view.now, view.event.key, ended)
            self._timers_known = False
            return []
        if isinstance(finding, Observed):
            self.derive(view.now, view.event.key, finding.body)
            return []
        if isinstance(finding, Breach):
            if instance.shadow:
                finding = replace(finding, commands=instance.shadow_commands)
            return self._breached(rule.id, instance.key, rule.strength, view, finding, instance.shadow, late)
        if instance.shadow or late:
            return []
        origin = self._origin(view, rule.id, instance.key, finding.target)
        return [
            Candidate(rule.strength, rule.id, instance.key, origin, None, finding.target, command)
            for command in finding.commands
        ]

    def _origin(self, view: View, rule: str, rule_key: str, target: str) -> str:
        """The id stem of a breach or action: natural key of its cause, rule, target, ordinal (RULES.md 1.6)."""
        ordinal = view.account.counters.get(episode_name(rule_key, target), 0) + 1
        index = rule_index(rule_key)
        named = rule if index == "0" else f"{rule}.{index}"
        return f"{view.event.key}/{view.account.id}/{named}/{target}/{ordinal}"

    def _breached(
        self, rule: str, rule_key: str, strength: int, view: View, breach: Breach, shadow: bool, late: bool
    ) -> list[Candidate]:
        view.rule_key = rule_key
        if late and breach.once and episode_name(rule_key, breached_on(view.day.trade_date)) in view.account.counters:
            return []
        breach_id = self._origin(view, rule, rule_key, breach.target)
        flags = breach.flags + (("late",) if late else ()) + (("off_grid",) if view.fill_off_grid() else ())
        self.derive(
            view.now,
            view.event.key,
            e.RuleBreached(
                id=breach_id,
                account=view.account.id,
                rule=rule,
                rule_key=rule_key,
                target=late_target(view.day.trade_date) if late else breach.target,
                contract=breach.contract,
                figures=dict(breach.figures),
                flags=flags,
                shadow=shadow,
                episode=breach.once,
            ),
            breach_id,
        )
        if late:
            return []
        commands = breach.commands
        if self.rulebook.profile.strict_mode and rule != GUARD_ID and not shadow:
            reason = f"strict mode: {rule} was breached"
            commands = (lock_until_reset(reason, key="strict"), *FLATTEN, *commands)
        return [Candidate(strength, rule, rule_key, breach_id, breach_id, breach.target, one) for one in commands]

    # ---- commands ------------------------------------------------------------------------------------

    def _issue(self, account: Account, event: e.Event, candidates: list[Candidate]) -> None:
        assert self.book.day is not None
        for body in issued(account, self.book.day.closes_at, candidates):
            self.derive(self.book.now, event.key, body, body.id if isinstance(body, e.CommandIssued) else None)

    def _discharge(self, account: Account, event: e.Event) -> None:
        """End obligations that recorded facts show met; what a close leaves working is cancelled (3.4)."""
        for obligation in list(account.obligations.values()):
            if is_met(account, obligation):
                self.derive(event.at, event.key, e.ObligationMet(account.id, obligation.id))
                for body in follow_up(self.book, account, obligation):
                    self.derive(event.at, event.key, body, body.id)

    def _carry_out(self, account: Account, event: e.Event) -> None:
        """What the planner finds: requests that are over, what is open or works against a close, what is missing."""
        for look in (ended, reopened, fitting, missing):
            for body in look(self.book, account, self.rulebook.profile.command_timeout_ns):
                self.derive(event.at, event.key, body, body.id if isinstance(body, e.CommandIssued) else None)

    def derive(self, at: int, cause: str, body: e.Derived, key: str | None = None) -> None:
        """Record a derived event and fold it at once."""
        event = e.Event(max(at, self.book.now), "core", key or f"{type(body).__name__}:{cause}", body, cause)
        self.events.append(event)
        apply(self.book, event)
