"""The same day gives the same decisions: in any form, under any hash seed, resumed anywhere, folded again."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from replay.sessions import Options, Replay
from riskcore.core.events import DayRolled, Event, TradingDayOpened
from riskcore.core.rebuild import fold
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.core.step import Turn
from riskcore.schema.codec import book_from_bytes, decode_event, encode_event, state_bytes, state_hash
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests import processes
from tests.recordings import losing_day

ROOT = Path(__file__).parents[2]
DAYS = sorted(path.parent for path in (ROOT / "fixtures" / "days").glob("*/session.jsonl"))
# Every rule at once, tight enough that each of them acts somewhere; written out so that it is judged as it stands.
EVERYTHING = """
[profile]
name = "everything"
mark = "conservative"
[rules.max_contracts]
limit = 2
lockout = "cooldown"
[rules.max_contracts_per_instrument]
limits = { MNQ = 1, ES = 1 }
[rules.daily_realized_loss]
loss_limit = "100"
basis = "trailing_unrealized"
action = "lock_only"
[rules.daily_unrealized_loss]
loss_limit = "50"
[rules.max_unrealized_profit]
profit_target = "50"
[rules.trade_frequency_limit]
per_minute = 1
[rules.cooldown_after_loss]
[rules.no_stop_loss_grace]
grace_period_seconds = 5
[rules.session_block_outside]
[rules.auth_loss_guard]
[rules.symbol_blocks]
blocked_symbols = ["NQ"]
[rules.trade_management]
enabled = true
auto_breakeven = { profit_trigger_ticks = 10, offset_ticks = 1 }
trailing_stop = { activation_ticks = 5, trail_distance_ticks = 3 }
auto_stop_loss = { ticks = 8 }
max_hold_minutes = 3
[rules.daily_realized_profit]
profit_target = "100"
"""
RESUMED_AT_MOST = 40


def settings_of(text: str) -> dict[str, Any]:
    return read_settings(text).plain


class Live:
    """One run that keeps what would be stored and the state hash at the end of each day."""

    def __init__(self, session: Path, text: str, *, every_event: bool = False) -> None:
        self.stored: list[Event] = []
        self.hashes: list[str] = []
        options = Options(
            settings_of(text), "1", keep_quotes=True, every_event=every_event, listeners=(self.stored.extend, self._end)
        )
        self.replay = Replay(options)
        self.result = self.replay.run([session])
        self.hashes.append(self.result["state_hash"])

    def _end(self, events: Sequence[Event]) -> None:
        if any(isinstance(event.body, DayRolled) for event in events):
            self.hashes.append(state_hash(self.replay.runner.book))


def riskcore(*words: str, cwd: Path, seed: str = "0") -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    done = processes.run([sys.executable, "-m", "riskcore", *words], cwd=cwd, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_the_stored_journal_folds_into_the_live_state(day: Path, tmp_path: Path) -> None:
    """Invariant I4, at the end of every day, read back from a real store."""
    live = Live(day / "session.jsonl", EVERYTHING)
    with Journal.open(tmp_path / "journal.db", "everything", write=True) as journal:
        journal.append(live.stored)
        book, hashes = Book(), []
        for trade_date in journal.streams():
            for seq, event, _ in journal.read(trade_date):
                if isinstance(event.body, TradingDayOpened):
                    assert seq == 1
                    # A day alone from its own opening, as a start after a crash reads it.
                    book, rulebook = Book(), rulebook_of(event.body.settings)
                fold(book, rulebook, event)
            hashes.append(state_hash(book))
    assert hashes == live.hashes
    assert any(event.derived for event in live.stored)


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_a_day_resumed_from_any_event_goes_on_the_same(day: Path) -> None:
    live = Live(day / "session.jsonl", EVERYTHING, every_event=True)
    facts = [event for event in live.stored if not event.derived]
    opened = facts[0].body
    assert isinstance(opened, TradingDayOpened)
    facts = [facts[0], *(fact for fact in facts[1:] if fact.at < opened.day.closes_at)]
    rulebook = rulebook_of(opened.settings)
    whole = Turn(Book(), rulebook)
    stops = []
    for fact in facts:
        whole.take(fact)
        stops.append((len(whole.events), state_bytes(whole.book)))
    for index in range(0, len(facts), max(1, len(facts) // RESUMED_AT_MOST)):
        count, remembered = stops[index]
        resumed = Turn(book_from_bytes(remembered), rulebook)
        for fact in facts[index + 1 :]:
            resumed.take(fact)
        assert resumed.events == whole.events[count:], f"resumed behind {facts[index].key}"
        assert state_hash(resumed.book) == state_hash(whole.book)


def test_a_small_day_resumed_from_every_event_goes_on_the_same(tmp_path: Path) -> None:
    live = Live(losing_day().write(tmp_path / "day.jsonl"), EVERYTHING, every_event=True)
    for index in range(1, len(live.stored)):
        if live.stored[index].derived:
            continue
        before, rulebook = (
            Turn(Book(), rulebook_of(settings_of(EVERYTHING))),
            rulebook_of(settings_of(EVERYTHING)),
        )
        for event in live.stored[:index]:
            if not event.derived:
                before.take(event)
        resumed = Turn(book_from_bytes(state_bytes(before.book)), rulebook)
        for event in live.stored[index:]:
            if not event.derived:
                resumed.take(event)
        assert [*before.events, *resumed.events] == live.stored
        assert state_hash(resumed.book) == live.hashes[-1]


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
def test_a_recording_and_its_export_agree(day: Path, tmp_path: Path) -> None:
    """Everything but sessions and comparison, and exporting the export's run gives the same events again."""
    from click.testing import CliRunner

    from riskcore.cli.main import group

    (tmp_path / "riskcore.toml").write_text(EVERYTHING, encoding="utf-8", newline="\n")
    config = ["--config", str(tmp_path / "riskcore.toml")]
    out = tmp_path / "export.jsonl.gz"
    runner = CliRunner()
    export = ["export", str(day / "session.jsonl"), "--out", str(out), "--quiet", *config]
    exported = runner.invoke(group, export, catch_exceptions=False)
    assert exported.exit_code == 0
    wire, journal = (
        json.loads(runner.invoke(group, ["replay", *words, "--json", "--quiet"], standalone_mode=False).stdout)
        for words in ([str(day / "session.jsonl"), *config], [str(out)])
    )
    comparison = journal.pop("comparison")
    assert comparison["differences"] == []
    assert comparison["recorded"] == comparison["recomputed"] > 0
    assert wire.pop("comparison") is None
    assert wire.pop("sessions")[0]["form"] == "wire"
    assert journal.pop("sessions")[0]["form"] == "journal"
    assert json.dumps(wire) == json.dumps(journal)


def test_the_same_bytes_under_other_hash_seeds(tmp_path: Path) -> None:
    losing_day().write(tmp_path / "day.jsonl")
    (tmp_path / "riskcore.toml").write_text(EVERYTHING, encoding="utf-8", newline="\n")
    outputs = [
        (
            riskcore("replay", "day.jsonl", "--json", cwd=tmp_path, seed=seed),
            riskcore("export", "day.jsonl", cwd=tmp_path, seed=seed),
            riskcore("audit", "day.jsonl", "--json", cwd=tmp_path, seed=seed),
        )
        for seed in ("0", "1")
    ]
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0][0])["breaches"]


def test_what_is_stored_decodes_to_what_was_decided(tmp_path: Path) -> None:
    live = Live(losing_day().write(tmp_path / "day.jsonl"), EVERYTHING)
    assert [decode_event(*encode_event(1, event))[1] for event in live.stored] == live.stored


def test_a_day_on_which_a_rule_failed_folds_into_the_live_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from riskcore.core.events import RuleFaulted
    from riskcore.core.rules import daily_realized_loss

    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken on purpose")

    monkeypatch.setattr(daily_realized_loss, "remember_peak", broken)
    live = Live(losing_day().write(tmp_path / "day.jsonl"), EVERYTHING)
    assert any(isinstance(event.body, RuleFaulted) for event in live.stored)
    book, rulebook = Book(), rulebook_of(settings_of(EVERYTHING))
    for event in live.stored:
        fold(book, rulebook, event)
    assert [state_hash(book)] == live.hashes
