"""What keys do: nothing is sent before it was asked for and confirmed."""

import pytest

from riskcore.cli.screen.controls import ESCAPE, LOCK_UNTIL, Controls
from riskcore.cli.screen.keyboard import keys_of
from riskcore.cli.screen.picture import ENFORCEMENT, LIMITS, OVERVIEW, VIEWS
from riskcore.engine.lock_times import lock_until
from tests.core.ledger import Ledger, nanoseconds


def typed(controls: Controls, keys: str) -> list[dict[str, object]]:
    """What is sent."""
    return [sent for key in keys if (sent := controls.press(key)) is not None]


def test_number_keys_choose_the_views_of_the_page() -> None:
    controls = Controls()
    for number, view in enumerate(VIEWS, 1):
        controls.offset = 5
        controls.press(str(number))
        assert (controls.view, controls.offset) == (view, 0)
    for key in ("0", "9", "x", "²"):
        controls.press(key)
        assert controls.view == ENFORCEMENT


def test_flatten_is_sent_by_f_and_yes_only() -> None:
    controls = Controls()
    assert typed(controls, "f") == []
    assert controls.question is not None
    assert "Flatten every account?" in controls.question.text
    assert typed(controls, "y") == [{"ask": "flatten"}]
    assert controls.notice == "sent, waiting for the answer"
    assert typed(controls, "y") == [], "a yes answers one question once"


def test_without_an_engine_nothing_is_flattened_and_a_lock_says_when_it_acts() -> None:
    controls = Controls(running=False)
    assert typed(controls, "fy") == []
    assert controls.question is None
    controls.press("f")
    assert "no engine is running" in controls.notice
    assert typed(controls, "l1") == []
    assert controls.question is not None
    assert "It acts once an engine runs." in controls.question.text
    assert "closed" not in controls.question.text
    assert typed(controls, "y") == [{"ask": "lock", "until": "15m", "flatten": True}]


@pytest.mark.parametrize("key", ["n", "f", "q", "4", "\n", ESCAPE, " "])
def test_any_other_key_than_yes_does_nothing(key: str) -> None:
    controls = Controls(quits=True)
    controls.press("f")
    assert controls.press(key) is None
    assert (controls.question, controls.notice, controls.view) == (None, "nothing was done", OVERVIEW)
    assert not controls.ended
    assert typed(controls, "y") == []


@pytest.mark.parametrize(("key", "until"), [(key, until) for key, (until, _) in LOCK_UNTIL.items()])
def test_a_lock_needs_its_end_and_a_yes(key: str, until: str) -> None:
    controls = Controls(accounts=("mine", "other"))
    assert typed(controls, f"l{key}") == []
    assert controls.question is not None
    assert f"Lock mine and other {LOCK_UNTIL[key][1]}?" in controls.question.text
    assert "cannot undo" in controls.question.text
    assert typed(controls, "y") == [{"ask": "lock", "until": until, "flatten": True}]


def test_every_end_that_is_offered_is_one_that_lock_takes() -> None:
    ledger = Ledger().at("10:00:00").account()
    assert ledger.book.day is not None
    now = nanoseconds(ledger.now)
    for until, _ in LOCK_UNTIL.values():
        assert lock_until(until, now, ledger.book.day) > now


@pytest.mark.parametrize("keys", ["ly", "l9y", "l1n", "ll1y"])
def test_no_lock_without_a_choice_and_a_yes(keys: str) -> None:
    assert typed(Controls(), keys) == []


def test_only_a_screen_that_nothing_depends_on_is_ended_by_q() -> None:
    for quits in (False, True):
        controls = Controls(quits=quits)
        controls.press("q")
        assert controls.ended is quits


def test_help_comes_and_goes() -> None:
    controls = Controls(view=LIMITS)
    controls.press("?")
    assert controls.helps
    controls.press("?")
    assert not controls.helps
    typed(controls, "?2")
    assert not controls.helps
    controls.press("?")
    controls.press(ESCAPE)
    assert not controls.helps


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("4", ["4"]),
        ("fy", ["f", "y"]),
        ("\x1b", ["escape"]),
        ("\x1b[A\x1b[B", ["up", "down"]),
        ("\x1bOA", ["up"]),
        ("\x1b[5~j\x1b[6~", ["page up", "j", "page down"]),
        ("\x1b[1;5C", []),
        ("1\x1b[200~y", ["1"]),
    ],
)
def test_what_is_typed_as_keys(text: str, keys: list[str]) -> None:
    assert keys_of(text) == keys, "what a terminal sends of its own is never taken for an answer"
