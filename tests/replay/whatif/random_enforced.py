"""Random recordings in which riskcore acted, and other settings to judge them by (`--baseline`).

A random day is run through the reference under some settings, and its counterfactual written down as what happened.
"""

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

from tests.replay.whatif.random_days import Case, RandomRecording, random_settings
from tests.replay.whatif.recording_lines import Lines
from tests.replay.whatif.reference import Run, run_of
from tests.replay.whatif.reference_books import Booked
from tests.replay.whatif.reference_facts import Quote
from tests.replay.whatif.reference_rules import Settings

LOOSER = {
    "max_contracts": ("limit", (3, 5, 20)),
    "daily_realized_loss": ("loss_limit", (100, 300, 5000)),
    "daily_unrealized_loss": ("loss_limit", (60, 150, 400, 5000)),
}


def enforced_case(seed: int) -> Case:
    random = Random(f"enforced {seed}")
    settings: dict[str, Any] = {}
    while not settings:
        settings = dict(random_settings(random))
        # Whether RULE-006 counts a recorded fill that riskcore brought about is another question.
        settings.pop("trade_frequency_limit", None)
    recording = RandomRecording(random, orders=False)
    run = run_of(recording.lines.texts(), settings)
    return Case(
        seed,
        _as_recorded(run),
        _varied(random, settings),
        random.choice(("follow", "follow", "freeze", "stop")),
        250,
        2,
        independent=random.random() < 0.2,
        baseline=settings,
    )


def _varied(random: Random, settings: Settings) -> Settings:
    """The same settings, or a limit changed, a rule gone, or a rule more."""
    varied = {name: dict(params) for name, params in settings.items()}
    name = random.choice(sorted(varied))
    chance = random.random()
    if chance < 0.15:
        return varied
    if chance < 0.3 and len(varied) > 1:
        del varied[name]
    elif chance < 0.45:
        more = dict(random_settings(random))
        more.pop("trade_frequency_limit", None)
        varied = {**more, **varied}
    elif name in LOOSER:
        key, values = LOOSER[name]
        varied[name][key] = random.choice(values)
    return {one: varied[one] for one in sorted(varied)}


def _as_recorded(run: Run) -> list[str]:
    """The counterfactual's fills among the quotes, as a broker would have told them."""
    fills: list[tuple[int, int, Booked]] = []
    for account, both in run.accounts.items():
        fills += [(one.place, account, one) for one in both.course.book.fills]
    lines, trade = Lines(), 0
    for index, fact in enumerate(run.facts):
        if isinstance(fact, Quote):
            lines.at_instant(fact.at).contract = fact.contract
            lines.quote(fact.last, fact.bid, fact.ask)
        for _, account, one in sorted((known for known in fills if known[0] == index), key=lambda known: known[2].at):
            trade += 1
            lines.at_instant(one.at).contract = one.contract
            lines.account = account
            order = 60_000 + trade if one.recorded_id is None else int(one.unit.partition(":")[2])
            lines.fill(
                one.side * one.size,
                one.price,
                one.pnl if one.closes else None,
                order=order,
                fees=one.fees,
                commissions=Fraction(0),
                trade=50_000 + trade,
            )
    return lines.texts()


def same_settings(case: Case) -> Case:
    return replace(case, settings=case.baseline or {})
