"""The read model as a plain SQLite database: anyone can open it with their own tools, and it is rebuilt at will.

Amounts stand twice: as exact decimal text, and in columns ending in `_micros` as whole millionths of a dollar to
calculate with. Times are UTC text. Source: DESIGN.md "Read side".
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from riskcore.audit.log import AuditLog
from riskcore.audit.makers import flatten_rows
from riskcore.audit.tables import FOREIGN_KEYS, INDEXES, PRIMARY_KEYS, TABLES, VIEWS
from riskcore.audit.words import order_row
from riskcore.audit.written import flat_settings
from riskcore.core.order_words import side_word
from riskcore.core.products import product_code, root_of_code
from riskcore.core.quantities import money, money_text, price_text
from riskcore.core.state import Order, Trade
from riskcore.errors import CannotWrite, ConfigError, StoreError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, day_row
from riskcore.store.export_file import is_special

APPLICATION_ID = 0x52434155  # Marks a database as ours: only such a file is ever replaced.


def write_database(path: Path, log: AuditLog, accounts: Iterable[int]) -> None:
    """Build the database of the chosen accounts; a file that is there is replaced if it is one of ours.

    Raises ConfigError for another file, StoreError for one that cannot be read, CannotWrite.
    """
    _refuse_foreign(path)
    path = path.resolve()  # Of a link the file it points to is replaced.
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        _build(partial, log, list(accounts))
        os.replace(partial, path)
    except (OSError, sqlite3.Error) as error:
        raise CannotWrite(f"{path}: the database cannot be written ({error})") from error
    finally:
        partial.unlink(missing_ok=True)


def _refuse_foreign(path: Path) -> None:
    if not path.exists():
        return
    if is_special(path):
        raise ConfigError(f"{path}: not a file; choose another name")
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    # The file format of SQLite keeps the application id at byte 68.
    ours = header.startswith(b"SQLite format 3\x00") and int.from_bytes(header[68:72], "big") == APPLICATION_ID
    if not ours:
        raise ConfigError(f"{path}: already exists and is not an audit database; choose another name")


def _build(path: Path, log: AuditLog, accounts: list[int]) -> None:
    from sqlite_utils import Database
    from sqlite_utils.db import Table

    connection = sqlite3.connect(path)
    try:
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        database = Database(connection)
        for name, columns in TABLES.items():
            foreign = [(column, other, PRIMARY_KEYS[other]) for column, other in FOREIGN_KEYS.get(name, {}).items()]
            Table(database, name).create(columns, pk=PRIMARY_KEYS.get(name), foreign_keys=foreign)
        rows = _rows(log, accounts)
        known = {name: {row["id"] for row in rows[name]} for name in ("breaches", "commands", "requests")}
        for name in TABLES:
            links = {column: known[other] for column, other in FOREIGN_KEYS.get(name, {}).items() if other in known}
            Table(database, name).insert_all(_linked(row, links) for row in rows[name])
        for table, columns_of_index in INDEXES:
            Table(database, table).create_index(columns_of_index)
        for name, sql in VIEWS.items():
            database.create_view(name, sql)
        connection.commit()
    finally:
        connection.close()


def _linked(row: Row, links: dict[str, set[str]]) -> Row:
    """A row whose foreign keys all lead somewhere: what belongs to an earlier day that is not here leads nowhere."""
    return {**row, **{column: None for column, known in links.items() if row[column] not in known}}


def _rows(log: AuditLog, accounts: list[int]) -> dict[str, list[Row]]:
    commands = [row for row in log.command_rows() if row["account"] in accounts]
    sent = log.enforcement.fill_rows()

    def of(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["account"] in accounts]

    return {
        "accounts": [{"account": account, "name": log.names[account]} for account in accounts],
        "recorded_days": [
            {
                "profile": day.profile,
                "trade_date": day.trade_date,
                "version": day.version,
                "events": day.events,
                "rejected": day.rejected,
                "lacks": ", ".join(day.lacks),
            }
            for day in log.days
        ],
        "days": [_day(log, name) for name in sorted(log.figures) if name[0] in accounts],
        "fills": [
            {**_fill(log, account, trade), **_slippage(sent.get((account, trade.id), {}))}
            for (account, _), trade in log.fills.items()
            if account in accounts
        ],
        "orders": [_order(log, account, order) for (account, _), order in log.orders.items() if account in accounts],
        "breaches": [_breach(row) for row in of(log.breaches)],
        "breach_figures": [
            {"breach": row["id"], "name": name, "value": value}
            for row in of(log.breaches)
            for name, value in {**row["figures"], **row["parts"]}.items()
        ],
        "commands": [_command(row) for row in commands],
        "requests": [_request(request) for row in commands for request in row["requests"]],
        "lockouts": of(log.lockouts.rows),
        "overrides": of(log.overrides),
        "missed_enforcement": of(log.missed.rows),
        "over_enforcement": of(log.over.rows),
        "flattens": of(flatten_rows(log)),
        "notes": of(log.notes),
        "settings": list(_settings(log)),
    }


def _amount(name: str, value: int | None) -> Row:
    return {name: None if value is None else money_text(value), f"{name}_micros": value}


def _day(log: AuditLog, name: tuple[int, str]) -> Row:
    figures = log.figures[name]
    row: Row = {"account": name[0], **day_row(figures)}
    for column, value in (
        ("gross_pnl", figures.gross_usd),
        ("fees", figures.fees_usd),
        ("commissions", figures.commissions_usd),
        ("net_pnl", figures.net_usd),
        ("worst_running_net", figures.worst_usd),
        ("best_running_net", figures.best_usd),
    ):
        row.update(_amount(column, value))
    return row


def _fill(log: AuditLog, account: int, trade: Trade) -> Row:
    return {
        "account": account,
        "trade": trade.id,
        "order": trade.order_id,
        "trade_date": trade.trade_date,
        "placed_at": utc_text(trade.placed_at),
        "recorded_at": utc_text(trade.recorded_at),
        "contract": trade.contract,
        "root": root_of_code(product_code(trade.contract)),
        "side": side_word(trade.side),
        "size": trade.size,
        "price": price_text(trade.price),
        **_amount("pnl", trade.profit_usd),
        **_amount("fees", trade.fees_usd),
        **_amount("commissions", trade.commissions_usd),
        "voided": int(trade.voided),
        **log.maker_of_fill(account, trade).row(),
    }


def _order(log: AuditLog, account: int, order: Order) -> Row:
    row = {"account": account, "order": order.id, **order_row(order), "recorded_at": utc_text(order.recorded_at)}
    maker = log.maker_of_order(account, order).row()
    return {**row, **maker, "request": log.enforcement.request_of_order(account, order.id)}


def _slippage(sent: Row) -> Row:
    """What is known of the fill of an exit order; of another fill, nothing."""
    usd = sent.get("slippage_usd")
    return {
        "request": sent.get("request"),
        "slippage_ticks": sent.get("slippage_ticks"),
        **_amount("slippage_usd", None if usd is None else money(usd)),
    }


def _request(row: Row) -> Row:
    wanted = {name: row[name] for name in TABLES["requests"] if name in row}
    seconds = {name: None if row[name] is None else float(row[name]) for name in row if name.endswith("_seconds")}
    usd = row["slippage_usd"]
    return {**wanted, **seconds, **_amount("slippage_usd", None if usd is None else money(usd))}


def _breach(row: Row) -> Row:
    row = {name: value for name, value in row.items() if name != "parts"}
    return {**row, "figures": json.dumps(row["figures"]), "flags": ", ".join(row["flags"])}


def _command(row: Row) -> Row:
    after = row.get("met_after_seconds")
    seconds = None if after is None else float(after)
    wanted = {name: row.get(name) for name in TABLES["commands"]}
    return {**wanted, "is_obligation": int("met_at" in row), "seconds_until_met": seconds}


def _settings(log: AuditLog) -> Iterator[Row]:
    for row in log.settings:
        for setting, value in flat_settings(row["settings"]).items():
            yield {
                "profile": row["profile"],
                "from_trade_date": row["from"],
                "at": row["at"],
                "version": row["version"],
                "setting": setting,
                "value": value if isinstance(value, str) else json.dumps(value),
            }
