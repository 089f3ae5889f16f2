"""The words of events and state: the type checker knows them, stored bytes stay text."""

from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from riskcore.core import events as e
from riskcore.core import kinds
from riskcore.core.state import Request
from riskcore.schema.codec import decode_event, encode_event

RIGHT = """
from riskcore.core.kinds import CLOSES, LockoutEnd, ObligationKind
from riskcore.core.state import Obligation, Request
from riskcore.core.events import Command, ConnectionChanged

def closes(one: Obligation) -> bool:
    return one.kind == "CloseAllPositions" or one.kind in CLOSES

def is_open(one: Request) -> bool:
    return one.kind == "takeSnapshot" and one.state != "planned"

command = Command("SetLockout", scope="account", lockout_kind="until_reset")
lost = ConnectionChanged("user", "lost")
stops: tuple[ObligationKind, ...] = ("PlaceStop",)
ended: LockoutEnd = "expiry"
"""
WORDS = (
    "CloseAllPositions",
    "takeSnapshot",
    "planned",
    "SetLockout",
    "until_reset",
    "user",
    "lost",
    "PlaceStop",
    "expiry",
)


@pytest.mark.nightly
def test_a_misspelled_word_does_not_pass_the_type_checker(tmp_path: Path) -> None:
    checker = pytest.importorskip("mypy.api")
    (tmp_path / "right.py").write_text(RIGHT)
    for word in WORDS:
        (tmp_path / f"wrong_{word}.py").write_text(RIGHT.replace(f'"{word}"', f'"{word}x"'))
    files = [str(path) for path in sorted(tmp_path.glob("*.py"))]
    told = checker.run(["--strict", "--cache-dir", str(tmp_path / "cache"), *files])[0]
    assert "right.py" not in told
    assert [word for word in WORDS if f"wrong_{word}.py" not in told] == []


def test_a_journal_with_a_word_of_a_later_version_stays_readable() -> None:
    later: Any = e.RequestPlanned(1, "r", "o", "splitOrder", None, None, 0, 0, None, 1)  # type: ignore[arg-type]
    event = e.Event(1, "broker", "k", later)
    assert decode_event(*encode_event(1, event)) == (1, event)
    assert get_type_hints(Request)["kind"] is str


def test_commands_of_one_event_are_recorded_lock_first_then_cancel_then_close() -> None:
    order = [kinds.COMMAND_KINDS.index(kind) for kind in ("SetLockout", "CancelOrders", "CloseAllPositions", "Alert")]
    assert order == sorted(order)


def test_every_obligation_is_a_command_and_the_others_act_by_being_recorded() -> None:
    others = [kind for kind in kinds.COMMAND_KINDS if not kinds.is_obligation(kind)]
    assert others == ["ClearLockout", "SetLockout", "Alert"]
    assert set(get_args(kinds.FollowUp)).isdisjoint(kinds.DECISIONS)
