"""What a runner adds to the core: days are opened, under the settings that may be in force by then."""

from collections.abc import Callable
from itertools import count

import pytest

from riskcore.core import step
from riskcore.core.copies import copy_book
from riskcore.core.events import ClockTicked, ConfigChanged, Event, TradingDayOpened
from riskcore.core.quantities import DAY_NS, SECOND_NS, money, price
from riskcore.core.quotes import Quotes
from riskcore.core.runner import Runner
from riskcore.core.state import Account
from riskcore.settings.calendar import day_for
from riskcore.settings.config import read_settings
from tests.core.ledger import Ledger, nanoseconds
from tests.engine.hand_clock import START_NS

LOSS = "[profile]\nloosen_policy = '{}'\n[rules.daily_realized_loss]\nloss_limit = {}"


def limits_of_days(policy: str, first: int, second: int) -> list[int]:
    """The limit two days were opened with, whose settings were edited in the first."""
    opened: list[int] = []

    def listen(events: object) -> None:
        assert isinstance(events, list)
        for event in events:
            if isinstance(event.body, TradingDayOpened):
                opened.append(event.body.settings["rules"]["daily_realized_loss"][0]["loss_limit"])

    before, after = (read_settings(LOSS.format(policy, limit)).plain for limit in (first, second))
    runner, numbers = Runner(before, (listen,), day_for, version="test"), count(1)
    runner.event(Event(START_NS, "clock", f"clock@{next(numbers)}", ClockTicked()))
    runner.change_settings(after)
    runner.event(Event(START_NS + 1, "operator", "config@1", ConfigChanged(after)))
    runner.event(Event(START_NS + 3 * DAY_NS, "clock", f"clock@{next(numbers)}", ClockTicked()))
    judged = [one.params.loss_limit for one in runner.turn.rulebook.instances(Account(1)) if one.rule.id == "RULE-003"]
    assert judged == opened[-1:], "what the day was opened with is what is judged"
    return opened


@pytest.mark.parametrize(
    ("policy", "second", "next_day"), [("next_reset", 900, 900), ("never", 900, 400), ("never", 300, 300)]
)
def test_what_loosens_comes_with_the_next_day_or_never(policy: str, second: int, next_day: int) -> None:
    assert limits_of_days(policy, 400, second) == [money("400"), money(str(next_day))]


@pytest.mark.parametrize("held", [False, True])
def test_quiet_quotes_move_deadlines_only_while_something_is_open(monkeypatch: pytest.MonkeyPatch, held: bool) -> None:
    day = Ledger(daily_unrealized_loss={"loss_limit": money("300")}, cooldown_after_loss={}).at("10:00:00")
    day.closed("-100").mark("MNQ", "21000")
    if held:
        day.fill("MNQ", 1, "21000").mark("MNQ", "21000")
    runner, start, asked = day.runner, nanoseconds(day.now), list[int]()
    runner.look_ahead()

    def due_timers(*given: object) -> list[step.Timer]:
        asked.append(1)
        return real(*given)  # type: ignore[arg-type]

    real = step.due_timers
    monkeypatch.setattr(step, "due_timers", due_timers)
    ats = [start + SECOND_NS, start + 2 * SECOND_NS]
    prices = [price("21001"), price("21002")]
    runner.quotes(Quotes(ats, [day.contract("MNQ")] * 2, [*prices], [*prices], [*prices]))
    runner.finish()
    assert runner.look_ahead() == real(runner.book, runner.turn.rulebook)[0].due
    assert len(asked) == (1 if held else 0)
    if held:
        assert runner.look_ahead() == ats[-1] + 10 * SECOND_NS + 1, "the mark goes stale later"


def at(text: str) -> int:
    return nanoseconds(Ledger().at(text).now)


def quotes(last: str) -> Quotes:
    return Quotes([at("10:00:03")], ["CON.F.US.MNQ.Z26"], [price(last)], [None], [None])


@pytest.mark.parametrize(
    ("between", "changes"),
    [
        (lambda runner: runner.event(Event(at("10:00:03"), "clock", "clock@2", ClockTicked())), True),
        (lambda runner: runner.quotes(quotes("20000")), True),
        (lambda runner: runner.pass_time(at("10:00:06")), True),
        (lambda runner: runner.end_day("2026-12-31"), True),
        (lambda runner: runner.decide_nothing(), False),
        (lambda runner: runner.finish(), True),
        (lambda runner: None, False),
    ],
    ids=("a fact", "a quote that breaches", "time", "the end of the day", "no rules", "quiet marks", "nothing"),
)
def test_the_copy_made_ahead_is_of_the_book_as_it_is_when_facts_are_taken_on_it(
    between: Callable[[Runner], object], changes: bool
) -> None:
    day = Ledger(daily_unrealized_loss={"loss_limit": money("500")}, no_stop_loss_grace={"grace_period_seconds": 5})
    runner = day.at("10:00:00").fill("MNQ", 2, "21000").quote("MNQ", "21000").quote("MNQ", "20999").runner
    before = copy_book(runner.book)
    runner.quotes(quotes("20998"))
    runner.prepare()
    between(runner)
    assert (runner.book != before) is changes
    book, rulebook = copy_book(runner.book), runner.turn.rulebook
    runner.begin()
    assert (runner.book, runner.turn.rulebook) == (book, rulebook)
    assert runner.mark().turn is not runner.turn, "a copy serves once"
    runner.event(Event(at("10:00:30"), "clock", "clock@3", ClockTicked()))
    assert runner.book != book
