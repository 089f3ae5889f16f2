"""What the beats of an engine mean, look by look."""

from dataclasses import replace

import pytest

from adapters.alerts.watch import Verdict, Watch
from riskcore.engine.heartbeat_file import Beat

BEAT = Beat("day", 7, 1, "2026-11-20T15:00:00Z", "armed")
HELD = replace(BEAT, open_positions=2)
SILENT_LOOKS, AFTER = 6, 30


def verdicts(*looks: tuple[Beat | None, bool]) -> list[Verdict]:
    watch = Watch("day", SILENT_LOOKS, AFTER)
    return [watch.look(*one) for one in looks]


def states(*looks: tuple[Beat | None, bool]) -> list[str]:
    return [one.state for one in verdicts(*looks)]


def test_where_no_engine_ever_ran_there_is_nothing_to_tell() -> None:
    assert states((None, False), (None, True)) == ["none", "none"]


def test_an_orderly_stop_is_no_alarm_unless_something_was_left_open() -> None:
    assert states(*[(replace(BEAT, state="stopped"), False)] * 3) == ["stopped"] * 3
    left = verdicts((replace(HELD, state="stopped"), False))[0]
    assert (left.state, left.level) == ("open", "warning")


def test_somebody_else_who_writes_the_journal_is_no_engine_that_hangs() -> None:
    assert states(*[(replace(BEAT, state="stopped"), True)] * (SILENT_LOOKS + 2)) == ["stopped"] * (SILENT_LOOKS + 2)


@pytest.mark.parametrize(("last", "level"), [(BEAT, "warning"), (HELD, "critical")])
def test_a_process_that_is_gone_is_dead_at_the_second_look(last: Beat, level: str) -> None:
    found = verdicts((last, True), (last, False), (last, False))
    assert [one.state for one in found] == ["well", "stopped", "dead"]
    assert found[-1].level == level
    assert found[-1].id == "dead 7 2026-11-20T15:00:00Z"


def test_an_engine_that_was_started_again_in_between_is_not_dead() -> None:
    again = replace(HELD, pid=8)
    assert states((HELD, False), (again, True), (again, False), (again, False)) == [
        "stopped",
        "well",
        "stopped",
        "dead",
    ]


def test_an_engine_that_ended_with_an_error_is_dead() -> None:
    found = verdicts(*[(replace(BEAT, state="failed"), False)] * 2)[-1]
    assert "ended with an error" in found.text


def test_an_engine_hangs_just_when_it_was_silent_for_long_enough() -> None:
    held = [(HELD, True)] * (SILENT_LOOKS + 1)
    assert states(*held) == ["well"] * SILENT_LOOKS + ["hung"]
    assert states(*held[:-1], (replace(HELD, number=2), True)) == ["well"] * (SILENT_LOOKS + 1)
    # A beat that is being written at the very moment of the look is none.
    assert states(*[(HELD, True)] * SILENT_LOOKS, (None, True))[-1] == "hung"


@pytest.mark.parametrize(("seconds", "state"), [(29, "well"), (30, "blind"), (31, "blind")])
def test_blind_counts_from_the_limit_and_with_a_position_only(seconds: int, state: str) -> None:
    blind = replace(
        HELD, unguarded_seconds=seconds, unguarded_since="2026-11-20T14:59:30Z", unguarded_because="no mark"
    )
    found = verdicts((blind, True))[0]
    assert found.state == state
    assert verdicts((replace(blind, open_positions=0), True))[0].state == "well"
    if state == "blind":
        assert "no mark" in found.text
        later = replace(blind, number=9, at="2026-11-20T15:10:00Z", unguarded_seconds=seconds + 600)
        assert verdicts((later, True))[0].id == found.id


def test_without_figures_no_size_leaves() -> None:
    found = verdicts((HELD, True), (HELD, False), (HELD, False))[-1]
    assert "2 positions open" in found.text
    assert "A position is open" in found.plain
    assert "2 positions" not in found.plain
