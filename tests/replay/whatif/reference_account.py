"""Both courses of one account in the reference, fed with the same facts, part by part (WHATIF.md section 1)."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from tests.replay.whatif.reference_baseline import Baseline
from tests.replay.whatif.reference_broker import Moment
from tests.replay.whatif.reference_course import Course
from tests.replay.whatif.reference_facts import Fill, Order, Push, Void
from tests.replay.whatif.reference_judge import Judge
from tests.replay.whatif.reference_record import Record


@dataclass
class Account:
    record: Record
    baseline: Baseline | None
    course: Course

    def _both(self, moment: Moment, take: Callable[[Judge], None]) -> None:
        """Let the baseline decide first, then the counterfactual; where only the baseline acts, they part."""
        self._begin()
        if self.baseline is not None:
            take(self.baseline)
        take(self.course)
        self.course.part_where_only_the_baseline_acts(moment)

    def _begin(self) -> None:
        self.course.actions.clear()
        if self.baseline is not None:
            self.baseline.actions.clear()

    def take_quote(self, contract: str, moment: Moment) -> None:
        self._both(moment, lambda one: one.take_quote(contract, moment))

    def take_push(self, push: Push, moment: Moment) -> None:
        shown = {id(one): one.exposure(push.contract) for one in (self.baseline, self.course) if one is not None}
        self.record.pushed[push.contract] = push.size
        self._both(moment, lambda one: one.take_push(push.contract, shown[id(one)], moment))

    def take_order(self, order: Order, moment: Moment) -> None:
        known = self.record.orders.get(order.id)
        left = self.record.remaining(known) if known is not None else 0
        self.record.orders[order.id] = order
        self._begin()
        if self.baseline is not None:
            self.baseline.take_order(order, moment)
            enforced = self.baseline.decided_to_close(order.contract, moment.at)
            if known is not None and enforced and self.course.diverged and left and not order.working:
                self.course.kept.note_cancel(self.course, known, left)
        self.course.take_order(order, moment, known is not None)
        self.course.part_where_only_the_baseline_acts(moment)

    def take_fill(self, fill: Fill, moment: Moment) -> None:
        """Closing part first: what it decides counts for the opening part."""
        done, fees = 0, Fraction(0)
        self.record.fills[fill.id] = fill
        engine = self.baseline is not None and self.baseline.carried_out(fill.contract, moment.at)
        for part in self.record.parts(fill, moment.place - 1):
            self._begin()
            self.record.take(part)
            self.course.baseline_locked = self.baseline is not None and bool(self.baseline.memory.locked(moment.at))
            if self.baseline is not None:
                self.baseline.take_part(part, moment)
            taken = self.course.take_part(fill, part, done, fees, engine, moment)
            done, fees = done + taken[0], fees + taken[1]
            self.course.part_where_only_the_baseline_acts(moment)
        self.course.trim(fill.contract)

    def take_void(self, void: Void, moment: Moment) -> None:
        fill = self.record.fills[void.id]
        self.record.void(void.id)
        self._begin()
        if self.baseline is not None:
            self.baseline.take_void(fill.contract, fill.id, moment)
        self.course.take_void(fill, moment)
        self.course.part_where_only_the_baseline_acts(moment)
