"""What the counterfactual of the reference keeps although riskcore closed it in the record (WHATIF.md section 2).

Recorded stops that riskcore's enforcement cancelled go on working. At 15:08 what is left is closed down to the record.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from tests.replay.whatif.reference_broker import MARK, Market, Moment, Plan, Request, WorkingStop
from tests.replay.whatif.reference_facts import CHICAGO, SECOND_NS, Order, closes_at, trade_date

if TYPE_CHECKING:
    from tests.replay.whatif.reference_course import Course


def flat_by(day: date) -> int:
    """15:08 in Chicago."""
    return int(datetime(day.year, day.month, day.day, 15, 8, tzinfo=CHICAGO).timestamp()) * SECOND_NS


@dataclass
class Kept:
    days: set[date] = field(default_factory=set)  # Extrapolated.
    contracts: dict[str, int] = field(default_factory=dict)  # With the instant of their close.
    stops: list[WorkingStop] = field(default_factory=list)

    def keep(self, contract: str, day: date) -> None:
        self.days.add(day)
        self.contracts[contract] = flat_by(day)

    def close_in_time(self, course: "Course", contract: str, moment: Moment) -> None:
        """Where the time has passed already, the last mark before the reset closes it."""
        if moment.at >= self.contracts[contract]:
            self.close_at_the_end(course, contract, moment)

    def close_at_the_end(self, course: "Course", contract: str, moment: Moment) -> None:
        del self.contracts[contract]
        ends = closes_at(trade_date(moment.at)) - 1
        course.requests.append(Request(contract, None, Plan(MARK, ends), False, moment.at))

    def next_close(self) -> tuple[int, str] | None:
        return min(((at, contract) for contract, at in self.contracts.items()), default=None)

    def close_by_time(self, course: "Course", contract: str, index: int) -> None:
        """A close decided at the flat-by time, down to what the record then holds on that side."""
        at = self.contracts.pop(contract)
        held, recorded = course.book.position(contract), course.record.book.position(contract)
        level = abs(recorded) if recorded * held > 0 else 0
        if abs(held) > level:
            course.put_in_force(contract, level, False, Moment(at, index, index))

    def note_cancel(self, course: "Course", order: Order, left: int) -> None:
        """A recorded stop goes on if its cancel was enforcement and the counterfactual still holds the position."""
        held = course.book.position(order.contract)
        if order.stop_price is not None and left and order.side * held < 0:
            self.stops.append(WorkingStop(order.contract, order.side, left, order.stop_price))

    def take_quote(self, course: "Course", contract: str, market: Market, place: int, moment: Moment) -> None:
        """Stops that a quote fills, before a close that the same quote prices; then those that it triggers."""
        for stop in [one for one in self.stops if one.contract == contract]:
            held = -stop.side * course.book.position(contract)
            if held <= 0:
                self.stops.remove(stop)
                continue
            priced = market.by_stop(contract, -stop.side, place) if stop.triggered else None
            if priced is not None:
                self.stops.remove(stop)
                course.fill_by_broker(contract, min(stop.size, held), priced, moment)
            elif stop.is_reached(market.marks_after(contract, place)):
                stop.triggered = True
