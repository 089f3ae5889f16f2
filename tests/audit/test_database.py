"""The audit database as a file: never half written, never over somebody else's."""

import sqlite3
from pathlib import Path

import pytest

from riskcore.audit.database import write_database
from riskcore.audit.log import AuditLog
from riskcore.audit.tables import TABLES, VIEWS
from riskcore.errors import CannotWrite, ConfigError
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
