"""Two rehearsals of a day must end in the same bytes, or a rule is not a function of what it is shown.

The day has something of everything: two products, long and short, brackets, partial exits, losses and gains, quotes
that make and take profit, a lost connection, a fill told late, a void, a reset. A rule that keeps a count of its own,
or walks through a set, decides differently the second time.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import put
from riskcore.core.rules.base import Rule
from riskcore.schema.codec import encode_event
from riskcore.testing.ledger import CHICAGO, Ledger

_STOP = 4


class Unrepeatable(Exception):
    """A rule raised on the rehearsed day, or decided differently the second time: the text says which."""


def check_repeatable(rule: Rule, tables: Sequence[Mapping[str, Any]] = ({},)) -> None:
    """Rehearse a day twice under a rule with these tables (by default one of all defaults). Raises Unrepeatable."""
    put(rule)
    first, second = (_rehearsed(rule, tables) for _ in range(2))
    for fault in first.bodies(e.RuleFaulted):
        raise Unrepeatable(f"it fails on a rehearsed day: {fault.error}")
    before, after = (_stored(day) for day in (first, second))
    if before != after:
        differing = next(
            (one for one, other in zip(before, after, strict=False) if one != other), f"{len(after)} events".encode()
        )
        shown = differing.decode("utf-8", "replace")[:120]
        raise Unrepeatable(f"the same day judged twice is decided differently, first at {shown}")


def _stored(day: Ledger) -> list[bytes]:
    return [encode_event(seq, event)[1] for seq, event in enumerate(day.events)]


def _rehearsed(rule: Rule, tables: Sequence[Mapping[str, Any]]) -> Ledger:
    plain = {"profile": {"accounts": [], "max_quote_age_ns": 10 * SECOND_NS}, "accounts": {}}
    zones = {str(table["timezone"]): None for table in tables if "timezone" in table}
    settings = {**plain, "rules": {rule.name: [dict(table) for table in tables]}}
    day = Ledger(start="2026-11-19 09:00:00", settings=settings, zones=tuple(zones))
    _morning(day)
    _afternoon(day)
    _next_day(day)
    return day


def _morning(day: Ledger) -> None:
    """Bracketed trades, one of them scaled out, with quotes around every level that rules may have."""
    day.account(name="PRAC-V2-99000001", can_trade=True, balance="50000").at("09:30:00").mark("MNQ", "21000")
    day.order(1, "MNQ", 3, type=2, status=2, filled=3).fill("MNQ", 3, "21000", order=1, fees="1.11").push("MNQ", 3)
    day.order(2, "MNQ", -3, type=_STOP, stop="20980", parent=1).order(3, "MNQ", -3, limit="21060", parent=1)
    for second, last in enumerate(("21005", "21012.5", "21030", "21055", "21020", "20999.75", "21040"), 1):
        day.at(f"09:30:{second * 7:02}").mark("MNQ", last)
    day.fill("MNQ", -1, "21040", profit="80", order=4).push("MNQ", 2).order(2, "MNQ", -2, type=_STOP, stop="21010")
    day.at("09:45:00").fill("MNQ", -2, "21010", profit="40", order=2, fees="0.74").push("MNQ", 0)
    day.order(2, "MNQ", -2, type=_STOP, stop="21010", status=2, filled=2).order(3, "MNQ", -3, limit="21060", status=3)
    day.at("10:00:00").mark("ES", "6000").fill("ES", -2, "6000", order=5).push("ES", -2)
    for minute, last in enumerate(("6002", "6004", "6006.25", "6010"), 1):
        day.at(f"10:{minute:02}:00").quote("ES", last=last).tick()


def _afternoon(day: Ledger) -> None:
    """Losses one after the other, a lost connection, working entries, and what is told late."""
    day.fill("ES", 2, "6010", profit="-1000", order=6, fees="2.8").push("ES", 0).order(7, "MNQ", 1, limit="20900")
    for number in range(4):
        day.at(f"13:{number:02}:10").closed("-125.50", fees="0.37").closed("60")
    day.take(e.ConnectionChanged("user", "lost"), "connection").at("14:00:00").mark("MNQ", "20950")
    day.take(e.ConnectionChanged("user", "connected"), "connection")
    day.fill("MNQ", 1, "20950", trade=900).fill("MNQ", -1, "20945", profit="-10", trade=901).void(901)
    day.account(can_trade=False).at("14:00:10").account(can_trade=True)
    day.bar("MNQ", "14:05:00", ("20950", "20990", "20900", "20960"))
    day.at("16:45:00").fill("MNQ", -1, "20961", trade=902).tick("16:59:59")


def _next_day(day: Ledger) -> None:
    yesterday = datetime(2026, 11, 19, 16, 0, tzinfo=CHICAGO)
    day.at("2026-11-19 17:00:00").tick().at("18:00:00").mark("MNQ", "20940")
    day.fill("MNQ", 1, "20940", profit="42", trade=903).fill("MNQ", -1, "20000", profit="-50", created=yesterday)
    day.at("2026-11-20 08:30:00").fill("ES", 5, "6000").mark("ES", "5990").tick("08:40:00").mark("ES", "6020")
    day.fill("ES", -5, "6020", profit="5000").tick("15:30:00")
