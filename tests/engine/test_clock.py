"""The engine's clock never goes back, not even behind what was stored under another clock."""

from riskcore.core.quantities import SECOND_NS
from riskcore.engine.clock import SystemClock


def test_time_goes_on_from_what_is_stored_although_the_machine_is_behind() -> None:
    clock = SystemClock()
    stored = clock.now() + 3600 * SECOND_NS
    clock.go_on_from(stored)
    first = clock.now()
    assert first >= stored
    while clock.now() == first:
        pass
    assert clock.now() > first, "time goes on"


def test_an_old_journal_holds_nothing_back() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.go_on_from(before - 3600 * SECOND_NS)
    assert before <= clock.now() < before + 600 * SECOND_NS
