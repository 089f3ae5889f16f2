"""`riskcore sweep --decide`: the choice goes into the journal, and later days judge it (WHATIF.md 7)."""

from typing import Any

from replay.sweep.decided import Decision, decision_in, decision_of, judged
from replay.sweep.sweep import Table
from riskcore.audit.following import open_journal
from riskcore.cli.ask_or_write import ask_or_write
from riskcore.core.events import NoteRecorded
from riskcore.schema.instants import instant_text

Row = dict[str, Any]


def decisions(table: Table, options: Row, *, decide: bool) -> Row:
    """The keys `decided` and `decided_before` of the result. Raises ConfigError without a journal, StoreError."""
    keys = {axis.key for axis in table.grid.axes}
    before = [judged(decision, at, table) for at, decision in _kept(options) if decision.setting.keys() == keys]
    chosen = decision_of(table) if decide else None
    if chosen is None:
        return {"decided": None, "decided_before": before}
    answer = ask_or_write(options, {"ask": "note", "text": chosen.note})
    at = [at for at, decision in _kept(options) if decision == chosen][-1]
    return {"decided": {"at": at, "account": answer["account"], **chosen.row()}, "decided_before": before}


def _kept(options: Row) -> list[tuple[str, Decision]]:
    """The decisions in the journal, oldest first, each with the instant it was stored at."""
    found = []
    with open_journal(options["store"], options["profile"], options["config_path"]) as (journal, days):
        for day in days:
            for _, event, _ in journal.read(day):
                body = event.body
                decision = decision_in(body.text) if isinstance(body, NoteRecorded) else None
                if decision is not None:
                    found.append((instant_text(event.at), decision))
    return found
