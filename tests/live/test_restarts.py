"""How often riskcore starts again after a mistake of its own, and how it ends when that is not enough."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from riskcore.core.quantities import SECOND_NS
from riskcore.engine.ports import Announcer
from riskcore.engine.recovery import FAILURE_WINDOW_NS, MOST_FAILURES
from riskcore.errors import InvariantBroken
from riskcore.live import run as live_run
from riskcore.live.run import AGAIN, FOR_GOOD, Broker, Run, run_live
from riskcore.settings.config import read_settings
from tests.engine.hand_clock import HandClock

SETTINGS = read_settings("[rules.max_contracts]\nlimit = 2\n")


class Audience(Announcer):
    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def stored(self, *_: object) -> None:
        pass

    def say(self, kind: str, /, **figures: Any) -> None:
        self.said.append({"type": kind, **figures})


def lived(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failures: int, last_after_ns: int = 0, starts_again: bool = True
) -> tuple[Audience, InvariantBroken | None]:
    """What is said of an engine that fails so many times, the last one so long after the others, and how it ends."""
    clock, audience, left = HandClock(), Audience(), [failures]

    async def once(*_: object) -> None:
        if left[0]:
            left[0] -= 1
            if left[0] == 0:
                clock.advance(last_after_ns / SECOND_NS)
            raise InvariantBroken("made to break", left_out=("trade:1",), starts_again=starts_again)

    monkeypatch.setattr(live_run, "_run_once", once)
    broker = Broker("http://127.0.0.1", "http://127.0.0.1", None)  # type: ignore[arg-type]
    store = str(folder / "journal.db")
    run = Run(SETTINGS, store, broker, True, audience, lambda text: None, clock=clock)
    try:
        asyncio.run(run_live(run))
    except InvariantBroken as error:
        return audience, error
    return audience, None


@pytest.mark.parametrize("failures", [MOST_FAILURES - 1, MOST_FAILURES])
def test_a_few_mistakes_in_a_row_are_survived(failures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audience, error = lived(tmp_path, monkeypatch, failures)
    assert error is None
    assert [(row["type"], row["text"]) for row in audience.said] == [("halt", AGAIN)] * failures


def test_one_more_ends_it_loudly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audience, error = lived(tmp_path, monkeypatch, MOST_FAILURES + 1)
    assert error is not None
    assert error.exit_code == 1
    assert [row["text"] for row in audience.said] == [AGAIN] * MOST_FAILURES + [FOR_GOOD]
    assert audience.said[-1]["left_out"] == ["trade:1"]
    assert (audience.said[-1]["limits_act"], audience.said[-1]["over"]) == (False, False)


@pytest.mark.parametrize(
    ("last_after_ns", "ends"),
    [(FAILURE_WINDOW_NS - 1, True), (FAILURE_WINDOW_NS, False), (FAILURE_WINDOW_NS + 1, False)],
)
def test_mistakes_count_for_as_long_as_the_window(
    last_after_ns: int, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, error = lived(tmp_path, monkeypatch, MOST_FAILURES + 1, last_after_ns)
    assert (error is not None) == ends


def test_an_engine_that_was_asked_to_stop_does_not_start_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audience, error = lived(tmp_path, monkeypatch, 1, starts_again=False)
    assert error is not None
    assert [row["text"] for row in audience.said] == [FOR_GOOD]
