"""Settings edited while a day runs: what tightens counts at once, what loosens at the reset (RULES.md 1.6)."""

import pytest

from riskcore.core import events as e
from riskcore.core.rebuild import rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.schema.codec import state_hash
from riskcore.settings.config import read_settings
from tests.core.ledger import Ledger


def running(limit: int) -> Ledger:
    return Ledger(settings=settings(limit))


def settings(limit: int) -> dict[str, object]:
    return read_settings(f"[profile]\n[rules.max_contracts]\nlimit = {limit}\n").plain


def changed(day: Ledger, limit: int) -> Ledger:
    day.take(e.ConfigChanged(settings(limit)), "config:1", "operator")
    return day


def test_a_tighter_limit_is_judged_at_once() -> None:
    day = changed(running(5).fill("MNQ", 4, "21000"), 3)
    assert [breach.figures["limit"] for breach in day.breaches] == ["3"]
    assert day.kinds == ["ReducePosition"]


def test_a_looser_limit_waits() -> None:
    day = changed(running(3), 5).fill("MNQ", 4, "21000")
    assert [breach.figures["limit"] for breach in day.breaches] == ["3"]


def test_a_rebuild_judges_by_the_settings_of_each_moment() -> None:
    day = changed(running(5).fill("MNQ", 4, "21000"), 3)
    again = Book(settings=settings(5))
    for event in day.events[:1]:
        rebuild(again, rulebook_of(again.settings), [event])
    again.settings = settings(5)
    rebuild(again, rulebook_of(again.settings), day.events[1:])
    assert state_hash(again) == state_hash(day.book)


BLOCKED = '[[rules.symbol_blocks]]\nblocked_symbols = ["RTY"]\n[[rules.symbol_blocks]]\nblocked_symbols = ["ES"]\n'
IMMEDIATE = '[profile]\nloosen_policy = "immediate"\n'


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (BLOCKED, {"symbol:RTY", "symbol:ES"}),
        ('[[rules.symbol_blocks]]\nblocked_symbols = ["RTY"]\n', {"symbol:RTY"}),
        ("[rules.max_contracts]\n", set()),
        ("[[rules.symbol_blocks]]\nenabled = false\n[[rules.symbol_blocks]]\nenabled = false\n", set()),
    ],
)
def test_a_block_ends_with_the_table_that_set_it(rules: str, left: set[str]) -> None:
    """Nothing else would ever end it, and the operator may not (RULE-011, Config)."""
    day = Ledger(settings=read_settings(IMMEDIATE + BLOCKED).plain)
    day.push("RTY", 1).push("ES", 1)
    assert {one.scope for one in day.account_state.lockouts.values()} == {"symbol:RTY", "symbol:ES"}
    day.take(e.ConfigChanged(read_settings(IMMEDIATE + rules).plain), "config:1", "operator")
    assert {one.scope for one in day.account_state.lockouts.values()} == left
    assert {body.ended_by for body in day.bodies(e.LockoutEnded)} <= {"config"}


def test_a_lockout_of_lost_rights_ends_with_its_rule() -> None:
    day = Ledger(settings=read_settings(f"{IMMEDIATE}[rules.auth_loss_guard]\n").plain)
    day.account(can_trade=False)
    assert len(day.account_state.lockouts) == 1
    day.take(e.ConfigChanged(read_settings(IMMEDIATE).plain), "config:1", "operator")
    assert day.account_state.lockouts == {}
