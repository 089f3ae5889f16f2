"""A program on riskcore as a library, for the type checker (`modules` of [tool.mypy]); test_names.py runs it."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

import polars

import riskcore


def results(day: Path, rules: Path) -> Decimal:
    settings = assert_type(riskcore.load_settings(rules, sets=["rules.max_contracts.limit=3"]), riskcore.Settings)
    result = assert_type(riskcore.replay(day, settings), riskcore.ReplayResult)
    other = assert_type(riskcore.whatif([day], rules, quick=True), riskcore.WhatifResult)
    grid = assert_type(riskcore.sweep(day, rules, grid={"rules.max_contracts.limit": [2, 4]}), riskcore.SweepResult)
    assert_type(grid.frame, polars.DataFrame)
    assert_type(result.to_dict(), dict[str, Any])
    assert_type(other.effect.by_day[0].exact, Decimal)
    return assert_type(result.accounts[0].days[0].net_pnl, Decimal)


def stored(store: Path) -> list[str]:
    with riskcore.open_journal(store) as journal:
        assert_type(journal, riskcore.StoredJournal)
        assert_type(journal.events(journal.days[0]), Iterator[riskcore.StoredEvent])
        return [breach.id for breach in journal.decisions().breaches]


def recorded(path: Path) -> Path:
    with riskcore.Recorder(path, lacks=["quotes"]) as recorder:
        recorder.connection("user", "connected")
        return assert_type(recorder.path, Path)


async def guarded(rules: Path) -> riskcore.Verdict:
    try:
        async with riskcore.guard(rules, dry_run=True) as guard:
            assert_type(guard, riskcore.Guard)
            async for happening in guard:
                assert_type(happening, dict[str, Any])
            await guard.flatten()
            return await guard.check(riskcore.Order("MNQ", "buy", 1, stop_loss_ticks=40))
    except riskcore.errors.LoginRefused:
        return riskcore.Verdict(False, None, "no login")
