"""The audit database as a file: never half written, never over somebody else's."""

import sqlite3
from pathlib import Path

import pytest

from riskcore.audit.database import write_database
from riskcore.audit.log import AuditLog
from riskcore.audit.tables import PRIMARY_KEYS, TABLES, VIEWS
from riskcore.core.events import TradingDayOpened
from riskcore.errors import CannotWrite, ConfigError
from tests.audit.test_attribution import FILLED, MARKET
from tests.audit.test_enforcement import losing
from tests.core.ledger import ACCOUNT, Ledger, usd


def log_of(day: Ledger) -> AuditLog:
    log = AuditLog()
    log.listen(day.events)
    return log.finish()


@pytest.fixture
def log() -> AuditLog:
    day = Ledger(daily_realized_loss={"loss_limit": usd("500")}, profile={"name": "test"})
    day.order(9, "MNQ", 1, type=4, stop="21010").closed("-600", fees="0.37").void(1)
    return log_of(day)


def test_every_table_and_view_can_be_read(log: AuditLog, tmp_path: Path) -> None:
    write_database(tmp_path / "audit.db", log, [ACCOUNT])
    connection = sqlite3.connect(tmp_path / "audit.db")
    for name in (*TABLES, *VIEWS):
        connection.execute(f"SELECT * FROM {name}").fetchall()
    assert connection.execute('SELECT status, type, side, stop_price FROM orders WHERE "order" = 9').fetchall() == [
        ("open", "stop", "buy", "21010")
    ]
    fills = connection.execute("SELECT side, pnl, pnl_micros, fees, commissions, voided FROM fills ORDER BY trade")
    assert fills.fetchall() == [
        ("buy", None, None, "0", None, 1),
        ("sell", "-600.00", -600_000_000, "0.37", None, 0),
    ]
    connection.close()


def test_only_the_chosen_accounts_are_in_it(log: AuditLog, tmp_path: Path) -> None:
    write_database(tmp_path / "audit.db", log, [])
    connection = sqlite3.connect(tmp_path / "audit.db")
    counted = [
        connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("fills", "breaches", "days")
    ]
    assert counted == [0, 0, 0]
    connection.close()


def test_a_failed_build_leaves_the_old_database(log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskcore.audit import database

    path = tmp_path / "audit.db"
    write_database(path, log, [ACCOUNT])
    before = path.read_bytes()
    monkeypatch.setitem(database.VIEWS, "broken", "SELECT nothing FROM nowhere(")
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_database(path, log, [ACCOUNT])
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["audit.db"]


def test_an_empty_file_of_somebody_is_kept(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with pytest.raises(ConfigError, match="not an audit database"):
        write_database(tmp_path / "empty.db", log, [ACCOUNT])


def test_a_folder_that_is_not_there_is_an_error(log: AuditLog, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="cannot be written"):
        write_database(tmp_path / "nowhere" / "audit.db", log, [ACCOUNT])


def closed_by_riskcore() -> AuditLog:
    desk = losing(2).attempt("close").accept("close").order(9, "ES", -2, type=MARKET, status=FILLED, filled=2)
    return log_of(desk.fill("ES", -2, "5999.75", profit="0", order=9).push("ES", 0))


def test_what_was_sent_leads_from_the_breach_to_its_fills_by_keys(tmp_path: Path) -> None:
    write_database(tmp_path / "audit.db", closed_by_riskcore(), [ACCOUNT])
    connection = sqlite3.connect(tmp_path / "audit.db")
    joined = connection.execute(
        "SELECT breaches.rule, commands.kind, commands.outcome, requests.kind, requests.outcome, requests.mark, "
        'orders."order", fills.price, fills.slippage_ticks, fills.slippage_usd_micros FROM breaches '
        "JOIN commands ON commands.breach = breaches.id JOIN requests ON requests.command = commands.id "
        "JOIN orders ON orders.request = requests.id JOIN fills ON fills.request = requests.id"
    )
    assert joined.fetchall() == [
        ("RULE-003", "CloseAllPositions", "met", "closeContract", "confirmed", "6000", 9, "5999.75", "-1", -25_000_000)
    ]
    (sent,) = connection.execute("SELECT fills, slippage_usd, answer FROM sent WHERE request = 'closeContract'")
    assert sent == ("2 at 5999.75", "-25.00", "accepted")
    connection.close()


def test_every_named_row_has_a_primary_key_and_every_foreign_key_leads_somewhere(tmp_path: Path) -> None:
    write_database(tmp_path / "audit.db", closed_by_riskcore(), [ACCOUNT])
    connection = sqlite3.connect(tmp_path / "audit.db")
    keys = {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})") if row[5]] for name in PRIMARY_KEYS
    }
    assert keys["requests"] == keys["commands"] == keys["breaches"] == ["id"]
    assert keys["fills"] == ["account", "trade"]
    found = {(row[3], row[2]) for row in connection.execute("PRAGMA foreign_key_list(requests)")}
    assert found == {("command", "commands"), ("account", "accounts")}
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_what_belongs_to_a_day_that_is_not_shown_leads_nowhere(tmp_path: Path) -> None:
    """Of the second day alone: the close that is still open belongs to a command of the first."""
    desk = losing(2).attempt("close").at("2026-11-23 09:00:00").tick()
    opening = max(index for index, event in enumerate(desk.events) if isinstance(event.body, TradingDayOpened))
    log = AuditLog()
    log.listen(desk.events[opening:])
    write_database(tmp_path / "audit.db", log.finish(), [ACCOUNT])
    connection = sqlite3.connect(tmp_path / "audit.db")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    missed = connection.execute("SELECT command FROM missed_enforcement").fetchall()
    assert set(missed) == {(None,)}
    connection.close()
