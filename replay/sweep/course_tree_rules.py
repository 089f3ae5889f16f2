"""The rules of one course, asked for every setting that shares it (WHATIF.md 7, "One pass for many settings").

The course is that of one setting. Where the parameters of the others differ, their rules are asked beside it, of the
same book at the same moment: a setting whose rule finds, remembers, refuses or waits for anything else leaves. The
quiet bounds are those of all of them together, so no quote is skipped that matters to any.

What a finding says in words is no part of it: texts name the limit, and decide nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import chain as joined
from operator import or_
from typing import Any, Protocol, TypeVar

from riskcore.core.events import Command, Derived
from riskcore.core.rules.base import Action as Acts
from riskcore.core.rules.base import Breach, Finding, Proposal, Quiet, Rule
from riskcore.core.state import Account
from riskcore.core.view import View

_RAISED = object()
Memory = tuple[dict[str, int], dict[str, dict[str, int]]]  # Of an account, and of its positions by contract.


@dataclass(slots=True)
class Sharers:
    """The settings that share a course beside the one it is run for. Each is a bit."""

    live: int
    left: int = 0  # Those that have left since the last look.
    asked: list["Asked"] = field(default_factory=list)  # The rules they are asked by.

    def leave(self, members: int) -> None:
        self.left |= members & self.live
        self.live &= ~members

    def time_passed(self, now: int) -> None:
        """Settings leave whose timer, or the course's where they have none, has come without the other."""
        for asked in self.asked:
            asked.time_passed(now)

    def take_left(self) -> int:
        """The settings that have left since the last look."""
        left, self.left = self.left, 0
        return left


@dataclass(slots=True)
class Variant:
    """Other parameters of a rule, and the settings that have them."""

    params: Any
    members: int
    notes: dict[str, Any] = field(default_factory=dict)  # What it worked out while remembering (View.notes).


class Chain:
    """Variants in the order of a field by which the rule answers one way only (Rule.monotone)."""

    def __init__(self, variants: Sequence[Variant]) -> None:
        self.variants = variants
        self._all = self._members(0, len(variants) - 1)

    def _members(self, first: int, last: int) -> int:
        return reduce(or_, (one.members for one in self.variants[first : last + 1]))

    def answers(self, answer: Callable[[Variant], Any]) -> Iterator[tuple[int, Any]]:
        """What each variant is answered, asking only for some: between two that are answered alike all are."""
        ends = 0, len(self.variants) - 1
        known = {index: answer(self.variants[index]) for index in dict.fromkeys(ends)}
        if known[ends[0]] == known[ends[1]]:
            yield self._all, known[0]
            return

        def at(index: int) -> Any:
            if index not in known:
                known[index] = answer(self.variants[index])
            return known[index]

        waiting = [ends]
        while waiting:
            first, last = waiting.pop()
            if at(first) == at(last):
                yield self._members(first, last), at(first)
            else:
                middle = (first + last) // 2
                waiting += [(first, middle), (middle + 1, last)]


@dataclass(slots=True, eq=False)
class Asked:
    """Stands in for the parameters of a rule: those of the course itself, and those of the settings that share it."""

    rule: Rule
    params: Any
    variants: Sequence[Sequence[Variant]]  # In chains.
    sharers: Sharers
    _chains: list[Chain] = field(default_factory=list)
    _among: int | None = None  # The sharers whose variants the chains hold.
    # Per account: the earliest instant at which one timer comes without the other, with the settings that have it.
    _waits: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def chains(self) -> list[Chain]:
        """The parameters of the settings that still share the course."""
        live = self.sharers.live
        if live != self._among:
            self._among = live
            chains = [[one for one in chain if one.members & live] for chain in self.variants]
            self._chains = [Chain(chain) for chain in chains if chain]
        return self._chains

    def time_passed(self, now: int) -> None:
        for waits in self._waits.values():
            for due, members in waits:
                if due <= now:
                    self.sharers.leave(members)

    def asks(self, view: View, ask: Callable[[Any], Any], *, remembers: bool = False) -> list[tuple[int, Any]]:
        """What the rule answers by the other parameters, and for which settings; who makes it raise leaves."""
        if not self.sharers.live:
            return []
        notes, readers, changed = view.notes, view._fill_readers, view.changed

        def answer(variant: Variant) -> Any:
            if remembers or self.rule.remember is None:
                variant.notes = {}
            view.notes, view._fill_readers, view.changed = variant.notes, {}, False
            try:
                return ask(variant.params)
            except Exception:
                return _RAISED

        answers: list[tuple[int, Any]] = []
        for chain in self.chains():
            for members, found in chain.answers(answer):
                if found is _RAISED:
                    self.sharers.leave(members)
                else:
                    answers.append((members, found))
        view.notes, view._fill_readers, view.changed = notes, readers, changed
        return answers

    # ---- what the core asks ----------------------------------------------------------------------------

    def evaluate(self, view: View) -> Sequence[Finding]:
        theirs = self.asks(view, lambda params: (decided(tuple(self.rule.evaluate(params, view))), view.looked_at_fill))
        own: Sequence[Finding] = self._own(lambda: tuple(self.rule.evaluate(self.params, view)))
        if not theirs:
            return own
        wanted, looked = decided(own), view.looked_at_fill
        for members, (found, has_looked) in theirs:
            if found != wanted or (view.effect.late and has_looked != looked):
                self.sharers.leave(members)
        return own

    def remember(self, view: View) -> None:
        remember = self.rule.remember
        assert remember is not None, "only what remembers is asked to"
        self._fold(view, lambda params: remember(params, view))

    def day_closed(self, view: View) -> Sequence[Derived]:
        closed = self.rule.day_closed
        assert closed is not None, "only what looks at the end of a day is asked to"
        reported: Sequence[Derived] = self._fold(view, lambda params: tuple(closed(params, view)))
        return reported

    def _fold(self, view: View, fold: Callable[[Any], Any]) -> Any:
        """Let the rule change its memory by its own parameters; who would remember anything else leaves."""
        if not self.sharers.live:
            return self._own(lambda: fold(self.params))
        before = _memory(view.account)

        def attempt(params: Any) -> tuple[Any, Memory]:
            try:
                return fold(params), _memory(view.account) if view.changed else before
            finally:
                _restore(view.account, before)

        theirs = self.asks(view, attempt, remembers=True)
        own = self._own(lambda: fold(self.params))
        after = _memory(view.account)
        for members, remembered in theirs:
            if remembered != (own, after):
                self.sharers.leave(members)
        return own

    def deadline(self, view: View) -> int | None:
        deadline = self.rule.deadline
        assert deadline is not None, "only what waits is asked"
        account, now = view.account.id, view.book.now
        for due, members in self._waits.pop(account, ()):
            if due <= now:
                self.sharers.leave(members)
        theirs = self.asks(view, lambda params: deadline(params, view))
        own: int | None = self._own(lambda: deadline(self.params, view))
        waits = [(min(one for one in (own, due) if one is not None), members) for members, due in theirs if due != own]
        if waits:
            self._waits[account] = waits
            self.time_passed(now)
        return own

    def quiet(self, view: View, bounds: Quiet) -> None:
        quiet = self.rule.quiet
        assert quiet is not None, "only what reads quotes is asked"
        # It answers nothing by any, so of a chain both ends narrow the bounds.
        self.asks(view, lambda params: quiet(params, view, bounds))
        self._own(lambda: quiet(self.params, view, bounds))

    def admit(self, view: View, proposal: Proposal) -> str | None:
        admit = self.rule.admit
        assert admit is not None, "only what objects is asked"
        theirs = self.asks(view, lambda params: admit(params, view, proposal) is None)
        own: str | None = self._own(lambda: admit(self.params, view, proposal))
        for members, admitted in theirs:
            if admitted != (own is None):
                self.sharers.leave(members)
        return own

    def _own(self, ask: Callable[[], Any]) -> Any:
        """What the rule answers by the parameters of the course; where it raises, it does so alone."""
        try:
            return ask()
        except Exception:
            for variant in joined(*self.variants):
                self.sharers.leave(variant.members)
            raise


class _Parameters(Protocol):
    @property
    def params(self) -> Any: ...


P = TypeVar("P", bound=_Parameters)


def chains_of(rule: Rule, variants: Sequence[P]) -> list[list[P]]:
    """The variants along the monotone field in which most of them differ; every other one is a chain by itself."""
    chains = [[variant] for variant in variants]
    for name in rule.monotone:
        by_rest: dict[Any, list[P]] = {}
        for variant in variants:
            # One that leaves the field out stands by itself, whatever the rest of it is.
            given = getattr(variant.params, name) is not None
            by_rest.setdefault((given, repr(replace(variant.params, **{name: None}))), []).append(variant)
        if len(by_rest) < len(chains):
            chains = [sorted(chain, key=lambda one: getattr(one.params, name) or 0) for chain in by_rest.values()]
    return chains


def _memory(account: Account) -> Memory:
    return dict(account.memory), {name: dict(one.memory) for name, one in account.positions.items()}


def _restore(account: Account, memory: Memory) -> None:
    of_account, of_positions = memory
    if account.memory != of_account:
        account.memory.clear()
        account.memory.update(of_account)
    for name, known in of_positions.items():
        position = account.positions[name]
        if position.memory != known:
            position.memory.clear()
            position.memory.update(known)


def decided(findings: Sequence[Finding]) -> tuple[Any, ...]:
    """Findings without their words: what the rule decides."""
    return tuple(_decided(one) for one in findings)


def _decided(finding: Finding) -> Any:
    if isinstance(finding, Breach):
        commands = tuple(map(_silent, finding.commands))
        return "breach", finding.target, finding.contract, finding.flags, finding.once, commands
    if isinstance(finding, Acts):
        return "action", finding.target, tuple(map(_silent, finding.commands))
    return finding


def _silent(command: Command) -> Command:
    return command if command.text is None else replace(command, text=None)


def asked_rule(rule: Rule) -> Rule:
    """The same rule with `Asked` in the place of its parameters."""

    def own(ask: Callable[..., Any] | None) -> Any:
        return None if ask is None else lambda asked, *others: ask(asked.params, *others)

    return replace(
        rule,
        evaluate=Asked.evaluate,
        remember=None if rule.remember is None else Asked.remember,
        day_closed=None if rule.day_closed is None else Asked.day_closed,
        deadline=None if rule.deadline is None else Asked.deadline,
        quiet=None if rule.quiet is None else Asked.quiet,
        admit=None if rule.admit is None else Asked.admit,
        **{name: own(getattr(rule, name)) for name in _OF_THE_COURSE},
    )


# What does not decide, or is the same for all who share a course: asked by the course's own parameters.
_OF_THE_COURSE = (
    "needs",
    "blind",
    "reaches_back",
    "confirms_every",
    "trails",
    "gauges",
    "stop_ticks",
    "warnings",
    "bounds",
    "caps",
)
