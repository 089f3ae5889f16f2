"""The plain way: the days of a piece are run once for each setting (WHATIF.md 7). The reference of every faster one."""

from collections.abc import Iterator, Sequence

from replay.sweep.outcome import Outcome, outcomes_of
from replay.sweep.pieces import Piece, Ways, courses_of
from replay.sweep.settings import Changed


def plainly(piece: Piece, ways: Ways, settings: Sequence[Changed]) -> Iterator[list[Outcome]]:
    """What each setting makes of the days of a piece, in the order of the settings. Raises ConfigError."""
    for changed in settings:
        courses, follower = courses_of(piece, ways, changed)
        courses.run(piece.days, piece.next_date)
        if piece.next_date is None:
            follower.finish()
        yield outcomes_of(courses, follower, piece.trade_dates)
