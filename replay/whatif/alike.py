"""A day that starts alike: what the counterfactual takes over from the record at its opening (WHATIF.md 1)."""

from replay.whatif.account_course import AccountCourse
from replay.whatif.course import Course
from riskcore.core.state import Account


def start_alike(course: Course, state: AccountCourse, recorded: Account | None) -> None:
    """A day that starts with the record's lots has the record's orders too."""
    account = course.book.accounts.get(state.id)
    state.resting.clear()
    state.cancelled.clear()
    state.dropped.clear()
    state.alike.clear()
    if account is not None and recorded is not None:
        account.orders = dict(recorded.orders)
        account.guarded = {key: value for key, value in account.guarded.items() if key in account.orders}
        for name, position in recorded.positions.items():
            mine = account.positions.get(name)
            if mine is not None and mine.pushed != position.pushed:
                mine.pushed, mine.push_at, mine.average_price = (
                    position.pushed,
                    position.push_at,
                    position.average_price,
                )
