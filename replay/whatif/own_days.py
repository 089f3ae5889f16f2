"""What the days of a counterfactual came to whose days each start from the record (`--independent-days`, WHATIF.md 3).

Along a day its rules see the recorded days before it, and nothing of the counterfactual's own: what a week or a
programme adds up is the record's. What its own days came to is kept here. A late fill or a void still changes them.
"""

from dataclasses import dataclass, field, replace

from replay.whatif.course import Course
from riskcore.core.state import Account, DayFigures
from riskcore.schema.rows import is_shown

Days = dict[str, DayFigures]


@dataclass(slots=True)
class OwnDays:
    """The figures of the counterfactual's own days per account, and of the recorded days that a day started with."""

    own: dict[int, Days] = field(default_factory=dict)
    _started_with: dict[int, Days] = field(default_factory=dict)

    def copy(self) -> "OwnDays":
        """The same, to go on from here another way."""
        return OwnDays(*({name: dict(days) for name, days in kept.items()} for kept in (self.own, self._started_with)))

    def begin(self, account: Account) -> None:
        """A day starts from a copy of the recorded account."""
        self._started_with[account.id] = {name: replace(day) for name, day in account.days.items()}

    def end(self, course: Course) -> None:
        """A day is over: the account shows the counterfactual's own days again, with what this day changed of them."""
        for account in course.book.accounts.values():
            own, recorded = self.own.setdefault(account.id, {}), self._started_with.get(account.id, {})
            for name, day in account.days.items():
                mine = own.get(name) or DayFigures(name)
                own[name] = _changed(mine, recorded[name], day) if name in recorded else day
            account.days = {name: own[name] for name in account.days}
            # The roll of the day has noted the recorded days before it, also those that the account then let go of;
            # one that was left out has nothing to show.
            noted = course.collector.days.get(account.id, {})
            for name in recorded:
                noted.pop(name, None)
                if name in own and name not in account.days and is_shown(own[name]):
                    noted[name] = own[name]
        course.collector.note_days(course.book, course.runner.turn.rulebook, course.book.trade_date)


def _changed(own: DayFigures, before: DayFigures, after: DayFigures) -> DayFigures:
    """A day of the counterfactual with what a later day's facts changed in the recorded figures of it."""
    return replace(
        own,
        fills=own.fills + after.fills - before.fills,
        round_trips=own.round_trips + after.round_trips - before.round_trips,
        gross_usd=own.gross_usd + after.gross_usd - before.gross_usd,
        fees_usd=own.fees_usd + after.fees_usd - before.fees_usd,
        commissions_usd=own.commissions_usd + after.commissions_usd - before.commissions_usd,
    )
